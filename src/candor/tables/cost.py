"""What the stage `cost` hands on."""

from candor.tables.base import Column, Table

_NAMES = (
    Column("dataset", "Dataset"),
    Column("backbone", "Backbone"),
    Column("recipe", "Recipe of the models"),
)

_COUNTED = (
    Column(
        "parameters",
        "Parameters of backbone and head that take part in a forward pass; what is loaded and never run does not count",
        "integer",
    ),
    Column(
        "trainable", "Those of them that the recipe trained: the head, and what it tuned of the backbone", "integer"
    ),
    Column("backbone_parameters", "Those of the backbone; 0 where nothing in it was ever learned", "integer"),
    Column("head_parameters", "Those of the head", "integer"),
    Column(
        "flops_per_clip",
        "Floating-point operations for an utterance, on average over all of the dataset, each as long as the recipe "
        "uses it; a multiplication with its addition is 2. Blank where they cannot be counted",
        "number",
        blank=True,
    ),
    Column("flops_6s", "The same for 6 s of speech, whatever the recipe uses", "integer", blank=True),
    Column("flops_per_second", "flops_per_clip / mean_seconds", "number", blank=True),
    Column("backbone_flops_6s", "What of flops_6s the backbone does, its front-end included", "integer", blank=True),
    Column("head_flops_6s", "What of flops_6s the head does, on all frames of the 6 s", "integer", blank=True),
    Column(
        "fft_flops_6s",
        "What of flops_6s is Fourier transforms, by 2.5 n log2 n each: torch's own counter leaves them out",
        "integer",
        blank=True,
    ),
    Column("mean_seconds", "Mean length of what the recipe uses of an utterance", "number", "s"),
    Column("utterances", "Utterances that is averaged over: all of the dataset", "integer"),
)

_NOTE = Column("note", "Why cells are blank, and what else has to be known; blank if nothing", blank=True)


class SystemCost(Table):
    """What one backbone with one recipe costs: parameters and operations."""

    name = "system_cost"
    path = "cost/{dataset}/{backbone}/{recipe}/cost.tsv"
    description = "One row. Counted, not measured: the same on every machine."
    key = ("dataset", "backbone", "recipe")
    columns = (*_NAMES, *_COUNTED, _NOTE)


class CostLengths(Table):
    """Operations over the length of an utterance."""

    name = "cost_lengths"
    path = "cost/{dataset}/{backbone}/{recipe}/lengths.tsv"
    description = (
        "One row per length at which operations were counted: up to 25 of the dataset's own, from the shortest to the "
        "longest, and 6 s. Between two of them they are taken to lie on a straight line."
    )
    key = ("samples",)
    columns = (
        Column("samples", "Length of the waveform at 16 kHz", "integer", "samples"),
        Column("seconds", "The same in seconds", "number", "s"),
        Column("backbone_flops", "Operations of the backbone; blank where they cannot be counted", "integer", "", True),
        Column("head_flops", "Operations of the head", "integer", blank=True),
        Column("fft_flops", "Those of both that are Fourier transforms", "integer", blank=True),
        Column("utterances", "Utterances of this very length; 0 for 6 s if none is", "integer"),
    )


class CostSummary(Table):
    """What every backbone with every recipe costs in a dataset, beside what it recognises."""

    name = "cost_summary"
    path = "cost/{dataset}/summary.tsv"
    description = "One row per backbone and recipe."
    key = ("dataset", "backbone", "recipe")
    columns = (
        *_NAMES,
        *_COUNTED,
        Column("metric", "uar, or ccc of ratings"),
        Column("score", "Its value over the test utterances of all folds, averaged over seeds", "number"),
        Column(
            "low", "Lower end of its 95 % interval, clustered by speaker; blank with one speaker", "number", blank=True
        ),
        Column("high", "Upper end of it", "number", blank=True),
        Column("fold_sd", "Standard deviation over folds; blank with one fold", "number", blank=True),
        Column("chance", "What a model that hears nothing reaches", "number"),
        Column("interpretable", "yes, at chance or one class: whether the score means anything"),
        Column("tested", "Test utterances", "integer"),
        Column("speakers", "Their speakers", "integer"),
        Column(
            "pareto",
            "yes if no other system is at least as good in flops_per_clip and score and better in one of them; blank "
            "without operations, and where the score is not interpretable",
            blank=True,
        ),
        _NOTE,
    )


_MEASURED = (
    Column("device", "What the system was run on here: cpu, or the name of the GPU"),
    Column("processor", "The processor"),
    Column("threads", "Threads of torch", "integer"),
    Column(
        "inference_seconds",
        "Seconds per hour of speech, from a waveform in memory to the outputs, one utterance at a time",
        "number",
        "s/h",
        True,
    ),
    Column(
        "inference_cpu_seconds",
        "Processor time of these, of all threads: what else runs on the machine is not in it",
        "number",
        "s/h",
        True,
    ),
    Column("inference_audio", "Speech that was run for that", "number", "s", True),
    Column("inference_memory", "Most memory of that process, with all that it had loaded", "number", "MB", True),
    Column("gpu_memory", "Most memory of tensors on the GPU; blank without one", "number", "MB", True),
    Column("joules", "Energy per hour of speech; blank where no meter is exposed", "number", "J/h", True),
    Column("energy_source", "Which meters that is the sum of, or why there is none"),
    Column(
        "extraction_seconds",
        "Seconds per hour of speech that the features of the whole dataset took, loading and storing included",
        "number",
        "s/h",
        True,
    ),
    Column("extraction_audio", "Speech that was run for that; 0 where all was in the store", "number", "s", True),
    Column("extraction_memory", "Most memory of that job", "number", "MB", True),
    Column(
        "training_seconds", "Seconds that the trainings of all folds and seeds took, summed up", "number", "s", True
    ),
    Column("training_memory", "Most memory of a fold's job", "number", "MB", True),
    Column("trainings", "Folds times seeds", "integer", "", True),
    Column("epochs", "Epochs that were run in these seconds", "integer", "", True),
    Column(
        "pretraining_seconds",
        "Seconds that pretraining the backbone here took; blank if it was not",
        "number",
        "s",
        True,
    ),
    Column("pretraining_memory", "Most memory of that job", "number", "MB", True),
    _NOTE,
)


class SystemTiming(Table):
    """How long one backbone with one recipe takes on this machine, and how much memory and energy."""

    name = "system_timing"
    path = "cost/{dataset}/{backbone}/{recipe}/cost.timing.tsv"
    description = "One row. Measured: it differs from machine to machine and from run to run."
    key = ("dataset", "backbone", "recipe")
    columns = (*_NAMES, *_MEASURED)


class CostTiming(Table):
    """How long every backbone with every recipe takes on this machine, and how much memory and energy."""

    name = "cost_timing"
    path = "cost/{dataset}/summary.timing.tsv"
    description = "One row per backbone and recipe. Measured: it differs from machine to machine and from run to run."
    key = ("dataset", "backbone", "recipe")
    columns = (*_NAMES, *_MEASURED)


class JobTiming(Table):
    """What the jobs of a dataset took, by rule."""

    name = "job_timing"
    path = "cost/{dataset}/jobs.timing.tsv"
    description = (
        "One row per rule whose benchmark files are there when the table is made; those of the last run of each job."
    )
    key = ("rule",)
    columns = (
        Column("rule", "Folder of the rule below `benchmarks`"),
        Column("jobs", "Its jobs for the dataset", "integer"),
        Column("seconds", "Their time by the clock, summed up", "number", "s"),
        Column("cpu_seconds", "Their time on the processors, summed up; blank where not told", "number", "s", True),
        Column("memory", "Most memory of one of them; blank where it was too short to be told", "number", "MB", True),
    )


COUNTED = "cost/{dataset}/{backbone}/{recipe}/counted.json"
"""What was counted: hashes of the model, the backbone's files and the audio's index, versions."""

PARETO_FIGURE = "cost/{dataset}/pareto.png"
"""Score over operations, with the Pareto front."""

TRUST_SER_COST = "cost/{dataset}/{backbone}/{recipe}/gflops.json"
"""Multiply-adds and parameters in trust-ser's own format."""
