"""What the stage `features` hands on."""

from candor.tables.base import Column, Table


class FeatureIndex(Table):
    """Where an utterance's pooled hidden states are."""

    name = "features"
    version = 2
    path = "features/{dataset}/{backbone}/{span}/index.tsv"
    description = (
        "One row per utterance. A member of the store is a NumPy array [utterances, layers, statistics, dimensions] "
        "with the statistics mean and standard deviation over time. `{span}` says how much of each clip was run: "
        "`first6s` or `whole`."
    )
    key = ("utterance",)
    columns = (
        Column("utterance", "Name of the utterance"),
        Column("member", "Member of the store that holds it"),
        Column("row", "Which row of that member", "integer"),
        Column("frames", "Frames that were pooled", "integer"),
    )


class FrameIndex(Table):
    """Where the hidden states of an utterance's frames are."""

    name = "frames"
    path = "features/{dataset}/{backbone}/{span}/frames.tsv"
    description = (
        "One row per utterance, made where a recipe reads frames. A member of the store is a flat NumPy array; an "
        "utterance's part of it has the shape [layers, frames, dimensions]."
    )
    key = ("utterance",)
    columns = (
        Column("utterance", "Name of the utterance"),
        Column("member", "Member of the store that holds it"),
        Column("offset", "Element of that member with which it begins", "integer"),
        Column("layers", "Layers", "integer"),
        Column("frames", "Frames", "integer"),
        Column("dimensions", "Width of a state", "integer"),
    )


class ExtractionTiming(Table):
    """How long an extraction took, and of how much speech."""

    name = "extraction_timing"
    path = "features/{dataset}/{backbone}/{span}/extraction.timing.tsv"
    description = "One row: the last run of the job. What it found in the store it did not run."
    columns = (
        Column("clips", "Utterances that were asked for", "integer"),
        Column("clips_run", "Those that the store lacked", "integer"),
        Column("audio_run", "Length of what was run of these", "number", "s"),
        Column("seconds", "How long that took: loading the backbone, running it, storing what it says", "number", "s"),
        Column("device", "What it was run on; blank if nothing was", blank=True),
    )


IDENTITY = "features/{dataset}/{backbone}/{span}/identity.json"
"""The backbone, its options, weights and versions: what hidden states depend on besides the audio; how far they deviate
in lower precision."""
