# What all rules share: the checked config, paths, wildcards, parameters, fingerprints.

import os
import sys
from pathlib import Path

# The library of this checkout, for the Snakefile and for every script, whatever environment runs it.
SOURCE = Path(workflow.basedir, "src")
sys.path.insert(0, str(SOURCE))
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(SOURCE), *filter(None, [os.environ.get("PYTHONPATH")])]
)

from candor.config.loading import ConfigError, load
from candor.plan import datasets as plan_datasets
from candor.plan import provenance
from candor.plan.fingerprint import fingerprint
from candor.plan.targets import folder_targets
from candor.tables.audio import AudioIndex
from candor.corpora.listing import listing_digest
from candor.tables.corpora import SYNTHESISED, Counts, Rejected, Utterances
from candor.tables.features import FeatureIndex
from candor.tables.models import CHECKPOINT, RECIPE, History, Predictions
from candor.tables.performance import ConfusionCounts, PerClass, RunSummary, Summary
from candor.tables.splits import SEED_JSON, FoldTable, SplitOverview

try:
    CONFIG = load(config)
    DATASETS = plan_datasets.resolve(CONFIG)
except ConfigError as error:
    sys.exit(str(error))

PROJECT = Path(CONFIG.project_dir).expanduser()
STORE = Path(CONFIG.store_dir).expanduser() if CONFIG.store_dir else PROJECT / "store"


wildcard_constraints:
    dataset="|".join(DATASETS),
    backbone="|".join(CONFIG.backbones),
    recipe="|".join(CONFIG.recipes),
    fold=r"\d+",
    seed=r"\d+",


onstart:
    provenance.record(PROJECT, config, Path(workflow.basedir))


def under(path, **wildcards):
    """Return a path below project_dir; wildcards that are not given stay open."""
    for name, value in wildcards.items():
        path = path.replace(f"{{{name}}}", str(value))
    return str(PROJECT / path)


def log_of(rule, *wildcards):
    return under("/".join(["logs", rule, *(f"{{{name}}}" for name in wildcards)]) + ".log")


def benchmark_of(rule, *wildcards):
    return under("/".join(["benchmarks", rule, *(f"{{{name}}}" for name in wildcards)]) + ".tsv")


def code(script, *loaded):
    """Return the fingerprint of the code that a rule's script reaches."""
    return fingerprint(
        Path(workflow.basedir, "workflow", "scripts", f"{script}.py"), SOURCE, loaded
    )


def dataset_of(wildcards):
    """Return the dataset of a job; end with one line when its corpus is not where the config says."""
    dataset = DATASETS[wildcards.dataset]
    try:
        plan_datasets.require(dataset)
    except ConfigError as error:
        sys.exit(str(error))
    return dataset


def folds_of(dataset):
    return range(1, DATASETS[dataset].folds + 1)
