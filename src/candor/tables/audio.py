"""What the stage `audio` hands on."""

from candor.tables.base import Column, Table


class AudioIndex(Table):
    """Which file holds an utterance's converted audio."""

    name = "audio"
    path = "audio/{dataset}/index.tsv"
    description = "One row per utterance: its 16 kHz mono 16-bit wav."
    key = ("utterance",)
    columns = (
        Column("utterance", "Name of the utterance"),
        Column("file", "The wav beside this index"),
        Column("member", "The same wav in the store: its content hash"),
        Column("samples", "Length at 16 kHz", "integer", "samples"),
    )
