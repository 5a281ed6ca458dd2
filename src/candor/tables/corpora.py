"""What the stage `corpora` hands on: the manifest, the rejects and the counts."""

from candor.tables.base import Column, Table


class Utterances(Table):
    """The manifest of a dataset."""

    name = "utterances"
    path = "corpora/{dataset}/utterances.tsv"
    description = "One row per utterance that takes part, in order of its name."
    key = ("utterance",)
    columns = (
        Column("utterance", "Name of the utterance, unique within the dataset"),
        Column("path", "Audio file below the corpus folder"),
        Column("speaker", "Who speaks; the corpus's name is part of it"),
        Column("gender", "female or male; blank where not known", blank=True),
        Column("session", "Recording session or dyad", blank=True),
        Column("text", "Identity of the sentence spoken, where sentences recur", blank=True),
        Column("raw_label", "Label as the corpus has it"),
        Column("label", "Emotion in the code common to all corpora"),
        Column("votes", "Soft label: `class:votes` pairs, joined by spaces", blank=True),
        Column("arousal", "Arousal on the corpus's own scale", "number", blank=True),
        Column("valence", "Valence on the corpus's own scale", "number", blank=True),
        Column("dominance", "Dominance on the corpus's own scale", "number", blank=True),
        Column("duration", "Length of the audio", "number", "s"),
        Column("rate", "Sample rate of the raw file", "integer", "Hz"),
        Column("channels", "Channels of the raw file", "integer"),
        Column("audio", "Hash of the samples, their rate and channels"),
        Column("note", "What is odd about the file and is repaired in the stage `audio`", blank=True),
    )


class Rejected(Table):
    """Every file or label that does not take part, and why."""

    name = "rejected"
    path = "corpora/{dataset}/rejected.tsv"
    description = "One row per excluded file or label line, with its reason."
    columns = (
        Column("path", "File below the corpus folder, or the label file that names it"),
        Column("utterance", "Name of the utterance, where there is one", blank=True),
        Column("kind", "audio: the file is broken; label: no usable label; filter: left out by the config"),
        Column("reason", "Why, in words"),
    )


class Counts(Table):
    """What was read, counted, beside what the corpus's authors publish."""

    name = "counts"
    path = "corpora/{dataset}/counts.tsv"
    description = "Utterances by class, gender and speaker; files beside the published count."
    key = ("what", "value")
    columns = (
        Column("what", "What is counted: files, label, gender, speaker, rejected …"),
        Column("value", "Of which value", blank=True),
        Column("got", "How many are here", "integer"),
        Column("published", "How many the corpus's authors publish", "integer", blank=True),
        Column("verdict", "as published, partial or differs", blank=True),
    )


SYNTHESISED = "corpora/demo/raw/files.txt"
"""The files of the demo corpus, one per line, where the workflow makes it itself; they lie beside this list."""

CHOICES = "corpora/{dataset}/choices.json"
"""The choices that a manifest was made with: label policy, classes, filter, limits."""
