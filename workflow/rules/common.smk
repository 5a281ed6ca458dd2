# What all rules share: the checked config, paths, wildcards, parameters, fingerprints, folder targets.

import functools
import itertools
import os
import sys
from pathlib import Path

# The library of this checkout, for the Snakefile and for every script, whatever environment runs it.
SOURCE = Path(workflow.basedir, "src")
sys.path.insert(0, str(SOURCE))
os.environ.update(PYTHONPATH=os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")]))

from candor.config.loading import ConfigError, load
from candor.corpora.listing import listing_digest
from candor.corpora.reader import CorpusError
from candor.plan import datasets as plan_datasets
from candor.plan import provenance
from candor.plan.fingerprint import fingerprint
from candor.plan.targets import ROOT, Final, folder_targets, offered, rests_on, unknown_target
from candor.tables.audio import AudioIndex
from candor.tables.corpora import (
    CHOICES,
    OVERVIEW_FIGURE,
    SYNTHESISED,
    Counts,
    Rejected,
    Utterances,
)
from candor.tables.features import IDENTITY, FeatureIndex
from candor.tables.models import CHECKPOINT, RECIPE, History, Predictions
from candor.tables.performance import (
    CONFUSION_FIGURE,
    EVALUATED,
    RANKING_FIGURE,
    ConfusionCounts,
    PerClass,
    RunSummary,
    Summary,
)
from candor.tables.splits import TRUST_SER_JSON, FoldTable, SplitOverview

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
    try:
        provenance.record(PROJECT, config, Path(workflow.basedir))
    except OSError as error:
        sys.exit(f"config: project_dir is '{PROJECT}'; nothing can be written there: {error}")


# Paths


def under(path, **wildcards):
    """Return a path below project_dir; wildcards that are not given stay open."""
    for name, value in wildcards.items():
        path = path.replace(f"{{{name}}}", str(value))
    return str(PROJECT / path)


def log_of(rule, *wildcards):
    """Return the log of a rule's job: one folder per wildcard, the last one names the file."""
    return under(f"{Path('logs', rule, *map('{{{}}}'.format, wildcards))}.log")


def benchmark_of(rule, *wildcards):
    """Return the benchmark of a rule's job, in the same place as its log."""
    return under(f"{Path('benchmarks', rule, *map('{{{}}}'.format, wildcards))}.tsv")


# Parameters


def code(script, *loaded):
    """Return the fingerprint of the code that a rule's script reaches, and of the modules it loads by name."""
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


digest_once = functools.cache(listing_digest)  # several datasets may be of one corpus


def listing_of(wildcards):
    """Return a digest of the names, sizes and times below a corpus folder, to notice what changes there."""
    dataset = dataset_of(wildcards)
    if dataset.synthesised:
        return "synthesised"
    try:
        return digest_once(dataset.raw)
    except (CorpusError, OSError) as error:
        sys.exit(f"config: data_dir.{dataset.key} is '{dataset.raw}'; {error}")


def backbone_of(wildcards):
    return CONFIG.backbones[wildcards.backbone]


# Inputs


def raw_listing(wildcards):
    """Return the list of clips of a corpus that the workflow makes itself, so that it is made first."""
    return [under(SYNTHESISED)] if DATASETS[wildcards.dataset].synthesised else []


def folds_of(dataset):
    return range(1, DATASETS[dataset].folds + 1)


def predictions_of(wildcards):
    return [under(Predictions.path, fold=fold, **wildcards) for fold in folds_of(wildcards.dataset)]


def summaries_of(wildcards):
    return [
        under(RunSummary.path, dataset=wildcards.dataset, backbone=backbone, recipe=recipe)
        for backbone in CONFIG.backbones
        for recipe in CONFIG.recipes
    ]


# Folder targets


def final_files(templates):
    """Yield every file that a user asks for; seeds belong to a recipe, folds to a dataset."""
    for template, dataset in itertools.product(templates, DATASETS):
        if not offered(template.split("/")[0], DATASETS[dataset].pred):
            continue
        backbones = CONFIG.backbones if "{backbone}" in template else [""]
        recipes = CONFIG.recipes if "{recipe}" in template else [""]
        for backbone, recipe in itertools.product(backbones, recipes):
            names = {"dataset": dataset, "backbone": backbone, "recipe": recipe}
            seeds = CONFIG.recipes[recipe].seeds if recipe else []
            for path in dict.fromkeys(
                expand(template, **names, fold=folds_of(dataset), seed=seeds)
            ):
                yield Final(path, template.split("/")[0], dataset, backbone)


def files_of(target):
    """Return the input function of a folder target: its files, once it is sure that the corpora are there."""

    def files(wildcards):
        datasets = [target.dataset] if target.dataset else plan_datasets.at_hand(DATASETS)
        if not target.dataset:
            tell_left_out()
        try:
            for dataset in datasets:
                plan_datasets.require(DATASETS[dataset], splits=rests_on(target.stage, "splits"))
        except ConfigError as error:
            sys.exit(str(error))
        return [under(path) for path in target.files]

    return files


def refuse_unknown(wildcards):
    """Say what is wrong with the name of a folder that is no target, and end."""
    sys.exit(unknown_target(wildcards.folder, TARGETS, DATASETS))


LEFT_OUT_TOLD = []


def tell_left_out():
    """Say once which datasets a whole stage leaves out, and which key would bring them in."""
    left_out = sorted({f"data_dir.{entry.key}" for entry in DATASETS.values() if entry.raw is None})
    if left_out and not LEFT_OUT_TOLD:
        LEFT_OUT_TOLD.append(True)
        print(f"candor: left out, because no path is set: {', '.join(left_out)}", file=sys.stderr)


def everything_at_hand(wildcards):
    return [
        file for target in TARGETS if not target.dataset for file in files_of(target)(wildcards)
    ]
