# What all rules share: the checked config, paths, wildcards, parameters, fingerprints, folder targets.

import functools
import itertools
import os
import re
import sys
from pathlib import Path

# The library of this checkout, for the Snakefile and for every script, whatever environment runs it.
SOURCE = Path(workflow.basedir, "src")
FINGERPRINTS = Path(workflow.basedir, ".snakemake", "candor-fingerprints.json")
sys.path.insert(0, str(SOURCE))
# Threads that wait for each other sleep instead of spinning: jobs run side by side on the same cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.update(PYTHONPATH=os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")]))

from candor.backbones.fetching import place_here
from candor.backbones.pretraining.settings import Settings
from candor.config.loading import ConfigError, load
from candor.corpora.listing import listing_digest
from candor.corpora.reader import CorpusError
from candor.plan import datasets as plan_datasets
from candor.plan import attacks as plan_attacks
from candor.plan import features as plan_features
from candor.plan import federated as plan_federated
from candor.plan import leakage as plan_leakage
from candor.plan import privacy as plan_privacy
from candor.plan import provenance
from candor.plan import systems as plan_systems
from candor.plan import trust as plan_trust
from candor.plan.fingerprint import fingerprint
from candor.plan.targets import ROOT, Final, folder_targets, offered, rests_on, unknown_target
from candor.runtime import BACKBONE_THREADS, gpu_is_here
from candor.tables.audio import AudioIndex
from candor.tables.backbones import Weights
from candor.tables.comparison import (
    COMPARISON_FIGURE,
    COMPARISON_LATEX,
    COMPARISON_MARKDOWN,
    SUMMARY_LATEX,
    SUMMARY_MARKDOWN,
    Comparison,
)
from candor.tables.corpora import (
    CHOICES,
    OVERVIEW_FIGURE,
    SYNTHESISED,
    Counts,
    Rejected,
    Utterances,
)
from candor.tables.fairness import (
    AUDITED,
    GAPS_FIGURE,
    GROUPS_FIGURE,
    SPEAKERS_FIGURE,
    SYSTEMS_FIGURE,
    TRUST_SER_FAIRNESS,
    FairnessSummary,
    FoldGaps,
    Gaps,
    GroupConfusions,
    GroupRecalls,
    Groups,
)
from candor.tables.features import IDENTITY, ExtractionTiming, FeatureIndex, FrameIndex
from candor.tables.figures import forms_of
from candor.tables.models import (
    CHECKPOINT,
    CURVES_FIGURE,
    LAYERS_FIGURE,
    RECIPE,
    History,
    LayerWeights,
    Predictions,
    RatingPredictions,
    TrainingTiming,
)
from candor.tables.performance import (
    CONFUSION_FIGURE,
    EVALUATED,
    RANKING_FIGURE,
    RATING_FIGURE,
    ConfusionCounts,
    PerClass,
    RunSummary,
    Summary,
)
from candor.tables.pretraining import LOSS_FIGURE, Pretraining, PretrainingSpeakers
from candor.tables.report import ANSWERS
from candor.tables.splits import TRUST_SER_JSON, FoldTable, SplitOverview

try:
    CONFIG = load(config)
    DATASETS = plan_datasets.resolve(CONFIG)
    plan_systems.check_systems(CONFIG, DATASETS)
    plan_attacks.check_attack(CONFIG)
    plan_privacy.check_privacy(CONFIG)
    plan_trust.check_trust(CONFIG)
    FEDERATED = plan_federated.runs(CONFIG, DATASETS)
    LEAKAGE = plan_leakage.attacked(CONFIG, DATASETS, FEDERATED)
except ConfigError as error:
    sys.exit(str(error))

PROJECT = Path(CONFIG.project_dir).expanduser()
WEIGHTS_DIR = Path(CONFIG.weights_dir).expanduser() if CONFIG.weights_dir else None
STORE = Path(CONFIG.store_dir).expanduser() if CONFIG.store_dir else PROJECT / "store"

WEIGHED = [name for name, entry in CONFIG.backbones.items() if entry.needs_weights]
PRETRAINED = [
    name for name in WEIGHED if getattr(CONFIG.backbones[name], "pretrain", None) is not None
]
RATED = [name for name, dataset in DATASETS.items() if dataset.pred in ("arousal", "valence")]
SPANS = plan_features.spans_by_name(CONFIG)
JOINED = [name for name, dataset in DATASETS.items() if dataset.parts]
READ = [name for name in DATASETS if name not in JOINED]


def one_of(names):
    """Return the constraint of a wildcard that is one of these names; one that nothing fits where there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    dataset=one_of(DATASETS),
    backbone=one_of(CONFIG.backbones),
    recipe=one_of(CONFIG.recipes),
    span=one_of(SPANS),
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


def in_print(figure):
    """Return the same figure as SVG and PDF, for pages and papers."""
    return [under(file) for file in forms_of(figure)[1:]]


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
        Path(workflow.basedir, "workflow", "scripts", f"{script}.py"), SOURCE, loaded, FINGERPRINTS
    )


def dataset_at_hand(name):
    """Return a dataset; end with one line when its corpus is not where the config says."""
    dataset = DATASETS[name]
    try:
        plan_datasets.require(dataset)
    except ConfigError as error:
        sys.exit(str(error))
    return dataset


def dataset_of(wildcards):
    return dataset_at_hand(wildcards.dataset)


def raw_of(wildcards):
    """Return the folder that the paths of a manifest lie below; for a cross-corpus dataset that of each part."""
    dataset = DATASETS[wildcards.dataset]
    return {part.name: str(part.raw) for part in dataset.parts} or str(dataset.raw)


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


def recipe_of(wildcards):
    return CONFIG.recipes[wildcards.recipe]


def seconds_of(wildcards):
    """Return the most that models of a recipe are given of a clip."""
    return recipe_of(wildcards).audio_duration


def source_of(wildcards):
    """Return where the weights of a backbone come from; of what is on this machine also when it last changed."""
    entry = backbone_of(wildcards)
    source = entry.model_dump(include={"checkpoint", "sha256", "model", "revision"})
    place = place_here(wildcards.backbone, source, WEIGHTS_DIR)
    if place is not None and place.is_file():
        source["changed"] = [place.stat().st_size, place.stat().st_mtime_ns]
    elif place is not None:
        source["changed"] = digest_once(place)
    return source


def family_code(script):
    """Return the fingerprint of a script and of the one family of backbones that a job loads."""
    return lambda wildcards: code(
        script, f"candor.backbones.families.{backbone_of(wildcards).family}"
    )


def running_a_backbone(script, seconds):
    """Return the parameters of a job that runs a backbone, as `candor.features.job.Job` takes them."""
    return {
        "family": lambda wildcards: backbone_of(wildcards).family,
        "options": lambda wildcards: backbone_of(wildcards).options(),
        "seconds": seconds,
        "precision": lambda wildcards: precision_of(wildcards.backbone),
        "store": lambda wildcards: str(STORE),
        "project": lambda wildcards: str(PROJECT),
        "code": family_code(script),
    }


def reading(recipe):
    """Return what the trainings of a recipe read: pooled states, frames or audio."""
    if recipe.mode != "frozen":
        return "audio"
    return "frames" if recipe.reads_frames else "pooled"


def training(recipe):
    """Return the parameters of a training, which keeps its state aside as long as it is not finished."""
    kind = reading(recipe)
    common = {
        "reads": kind,
        "recipe": recipe.options(),
        "pred": lambda wildcards: DATASETS[wildcards.dataset].pred,
        "aside": under("unfinished/models/{dataset}/{backbone}/{recipe}/fold{fold}"),
    }
    if kind == "audio":
        return {**running_a_backbone("train_audio", recipe.audio_duration), **common}
    return {**common, "store": lambda wildcards: str(STORE), "code": code(f"train_{kind}")}


def precision_of(backbone):
    return CONFIG.features.precision if backbone in WEIGHED else "float32"


def heard_by(wildcards):
    """Return the tables of all audio that a backbone is pretrained on."""
    datasets = [DATASETS[name].name for name in backbone_of(wildcards).pretrain.dataset]
    for name in datasets:
        dataset_at_hand(name)
    return {
        "audio": [under(AudioIndex.path, dataset=name) for name in datasets],
        "utterances": [under(Utterances.path, dataset=name) for name in datasets],
    }


def frames_are_kept(wildcards):
    """Tell whether anything reads the hidden states of every frame, be it only a federation."""
    return bool(plan_features.frames_read_by(CONFIG, FEDERATED, **wildcards))


def frames_are_trained_on(wildcards):
    return plan_systems.reads_frames(CONFIG, **wildcards)


# Resources


GPU_HERE = CONFIG.device == "cuda" or (CONFIG.device == "auto" and gpu_is_here())


def gpu_of(wildcards):
    """Return how many GPUs a job takes that runs this backbone."""
    return int(GPU_HERE and wildcards.backbone in WEIGHED)


# Inputs


def weights_of(wildcards):
    """Return the table of a backbone's files, where it has any."""
    backbone = wildcards.backbone
    return {"weights": under(Weights.path, backbone=backbone)} if backbone in WEIGHED else {}


def raw_listing(wildcards):
    """Return the list of clips of a corpus that the workflow makes itself, so that it is made first."""
    dataset = DATASETS[wildcards.dataset]
    return [under(SYNTHESISED, dataset=dataset.key)] if dataset.synthesised else []


def of_parts(path):
    """Return the input function for files of the datasets that a cross-corpus one is joined from."""
    return lambda wildcards: [
        under(path, dataset=part.name) for part in DATASETS[wildcards.dataset].parts
    ]


def what_is_read(recipe):
    """Return the input function for what models of a recipe read."""
    span = plan_systems.span_name(recipe.audio_duration)
    kind = reading(recipe)

    def files(wildcards):
        if kind == "audio":
            return {"audio": under(AudioIndex.path), **weights_of(wildcards)}
        pooled = {"features": under(FeatureIndex.path, span=span)}
        frames = {"frames": under(FrameIndex.path, span=span)} if kind == "frames" else {}
        return {**pooled, **frames}

    return files


def what_is_trained_on(recipe):
    """Return the input function of a training."""
    span = plan_systems.span_name(recipe.audio_duration)
    identity = {} if reading(recipe) == "audio" else {"identity": under(IDENTITY, span=span)}
    return lambda wildcards: {**what_is_read(recipe)(wildcards), **identity}


def folds_of(dataset):
    return range(1, DATASETS[dataset].folds + 1)


def per_fold(path, wildcards):
    return [under(path, fold=fold, **wildcards) for fold in folds_of(wildcards.dataset)]


def who_was_heard(wildcards):
    """Return whom and what a backbone was pretrained on, where it was pretrained here, and the audio that is tested."""
    backbone = wildcards.backbone
    if backbone not in PRETRAINED:
        return {}
    return {
        "heard": under(PretrainingSpeakers.path, backbone=backbone),
        "heard_audio": heard_by(wildcards)["audio"],
        "audio": under(AudioIndex.path),
    }


def predictions_of_all_systems(wildcards):
    """Return the predictions of all systems of a dataset, fold by fold and one system after the other."""
    return [
        under(
            Predictions.path, dataset=wildcards.dataset, backbone=backbone, recipe=recipe, fold=fold
        )
        for backbone, recipe in plan_systems.systems(CONFIG, wildcards.dataset)
        for fold in folds_of(wildcards.dataset)
    ]


def of_all_systems(path, wildcards):
    """Return a file of each system of a dataset, one system after the other."""
    return [
        under(path, dataset=wildcards.dataset, backbone=backbone, recipe=recipe)
        for backbone, recipe in plan_systems.systems(CONFIG, wildcards.dataset)
    ]


def what_is_answered(wildcards):
    """Return the tables that the first page of the report sums up."""
    dataset = wildcards.dataset
    attack = {"attack": under(AttackSummary.path, dataset=dataset)}
    return {
        "trust": under(TrustProfile.path, dataset=dataset),
        "radar": under(str(Path(RADAR_FIGURE).with_suffix(".svg")), dataset=dataset),
        "performance": under(Summary.path, dataset=dataset),
        "fairness": under(FairnessSummary.path, dataset=dataset),
        "groups": of_all_systems(Groups.path, wildcards),
        **(attack if offered("attack", DATASETS[dataset].pred) else {}),
    }
