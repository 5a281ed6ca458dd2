"""What the stage `corpora` hands on: the manifest, the rejects and the counts."""

from candor.tables.base import Column, Table


class Utterances(Table):
    """The manifest of a dataset."""

    name = "utterances"
    version = 2
    path = "corpora/{dataset}/utterances.tsv"
    description = "One row per utterance that takes part, in order of its name."
    key = ("utterance",)
    columns = (
        Column("utterance", "Name of the utterance, unique within the dataset"),
        Column("path", "Audio file below the corpus folder; of a cross-corpus dataset below the name of its part"),
        Column("speaker", "Who speaks; the corpus's name is part of it; blank where not known", blank=True),
        Column("gender", "female or male; blank where not known", blank=True),
        Column("session", "Recording session, dyad or podcast", blank=True),
        Column("scenario", "How the clip came about, in the corpus's own code: improvised or read, say", blank=True),
        Column("text", "Identity of the sentence spoken, where sentences recur", blank=True),
        Column("language", "What is spoken, where a corpus has several languages", blank=True),
        Column("age", "Age of the speaker", "number", "years", blank=True),
        Column("race", "As the corpus has it", blank=True),
        Column("ethnicity", "As the corpus has it", blank=True),
        Column(
            "split",
            "Part of the official partition: train, dev, test, or test1 and so on; across corpora train or test",
            blank=True,
        ),
        Column("raw_label", "Label as the corpus has it; blank only where ratings are predicted", blank=True),
        Column(
            "label", "Emotion in the code common to all corpora; blank only where ratings are predicted", blank=True
        ),
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
    version = 2
    path = "corpora/{dataset}/counts.tsv"
    description = (
        "One row per value that is counted: the corpus beside its published counts, the manifest, the rejects."
    )
    key = ("what", "value")
    columns = (
        Column(
            "what",
            "Before anything is left out: files, speakers, sessions, labelled, partition. Of the manifest: utterances, "
            "label, gender, label by gender, split, scenario, language, session, speaker. And rejected",
        ),
        Column("value", "Of which value; `not known` and `no label` where it is blank", blank=True),
        Column("got", "How many are here", "integer"),
        Column("seconds", "How long the utterances of the row are together; blank in other rows", "number", "s", True),
        Column("published", "How many the corpus's authors publish", "integer", blank=True),
        Column("verdict", "as published, partial or differs", blank=True),
    )


SYNTHESISED = "corpora/{dataset}/raw/files.txt"
"""The files of a demo corpus, one per line, where the workflow makes it itself; they lie beside this list."""

CHOICES = "corpora/{dataset}/choices.json"
"""The choices that a manifest was made with: label policy, classes, filter, limits."""

OVERVIEW_FIGURE = "corpora/{dataset}/overview.png"
"""What was read, as a picture: classes, durations, speakers, the official partition, and what was left out."""
