"""What the stage `backbones` hands on."""

from typing import ClassVar

from candor.tables.base import Column, Table


class Weights(Table):
    """The files of a backbone, what they are and where they came from."""

    FOLDER: ClassVar[str] = "files"
    """The folder beside the table that holds the files and nothing else."""

    name = "weights"
    path = "backbones/{backbone}/weights.tsv"
    description = f"One row per file that the backbone is loaded from; they lie in the folder `{FOLDER}` beside it."
    key = ("file",)
    columns = (
        Column("file", f"Its name in the folder `{FOLDER}`"),
        Column("bytes", "Its size", "integer", unit="B"),
        Column("sha256", "SHA-256 of its bytes, as hexadecimal digits"),
        Column("source", "The address or the path that it came from"),
        Column(
            "revision",
            "The commit on the hub; of a single file elsewhere what its server calls the version (ETag). "
            "Blank where none is told",
            blank=True,
        ),
    )
