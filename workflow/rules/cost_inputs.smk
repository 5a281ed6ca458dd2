# What the rules of the stage `cost` share: the model that stands for its system, and the benchmark files of its jobs.

from candor.tables.cost import (
    COUNTED,
    PARETO_FIGURE,
    TRUST_SER_COST,
    CostLengths,
    CostSummary,
    CostTiming,
    JobTiming,
    SystemCost,
    SystemTiming,
)


def what_is_counted(wildcards):
    """Return a model of a system, its backbone's files, and the audio that it is for."""
    seed = recipe_of(wildcards).seeds[0]
    head = under(CHECKPOINT, **wildcards, fold=1, seed=seed)
    return {"head": head, "audio": under(AudioIndex.path), **weights_of(wildcards)}


def what_is_timed(wildcards):
    """Return also what the jobs that made the system say they have run."""
    recipe = recipe_of(wildcards)
    span = plan_systems.span_name(recipe.audio_duration)
    extraction = {"extraction": under(ExtractionTiming.path, span=span)}
    return {
        **what_is_counted(wildcards),
        **(extraction if recipe.mode == "frozen" else {}),
        "trainings": per_fold(TrainingTiming.path, wildcards),
    }


def benchmark_at(rule, **names):
    """Return where a benchmark file is: a measurement that may be gone, and no reason then to train anew."""
    return benchmark_of(rule, *names).format(**names)


def benchmark_of_extraction(wildcards):
    span = plan_systems.span_name(seconds_of(wildcards))
    dataset, backbone = wildcards.dataset, wildcards.backbone
    return benchmark_at("features", dataset=dataset, backbone=backbone, span=span)


def benchmarks_of_trainings(wildcards):
    return [benchmark_at("train", **wildcards, fold=fold) for fold in folds_of(wildcards.dataset)]


def benchmark_of_pretraining(wildcards):
    backbone = wildcards.backbone
    return benchmark_at("pretrain", backbone=backbone) if backbone in PRETRAINED else None
