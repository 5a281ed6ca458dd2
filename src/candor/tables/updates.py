"""Where in the packs of a federated run the updates of clients and the global models of rounds are.

A pack is one file of blocks, one per tensor, each compressed on its own; `candor.tables.packing` writes and reads them.
"""

from candor.tables.base import Column, Table
from candor.tables.federated import FOLD

UPDATES = f"{FOLD}/updates.pack"
"""What chosen clients sent, of the layers and rounds that are kept; `UpdateIndex` says what is where."""

MODELS = f"{FOLD}/models.pack"
"""The global models of the rounds that are kept, each number as it is; `ModelIndex` says what is where."""

_LAYER = Column("layer", "Name of the tensor, such as dense.0.weight")
_BLOCK = (
    Column("offset", "Where in the pack its block begins", "integer", "B"),
    Column("size", "How long the block is", "integer", "B"),
    Column("shape", "Shape of the tensor, such as 256x512; blank for a single number", blank=True),
    Column("precision", "Numbers that it is kept in: float32, float16, int8, or int64 for whole numbers"),
    Column(
        "scale",
        "Its largest magnitude, of which the numbers kept as float16 or int8 are shares; blank where they are as they "
        "were",
        "number",
        blank=True,
    ),
    Column("checksum", "First 8 bytes of the BLAKE3 hash of the block, as hexadecimal digits"),
)


class UpdateIndex(Table):
    """Where in the pack of updates each client's tensors are."""

    name = "update_index"
    path = f"{FOLD}/updates.tsv"
    description = (
        "One row per round, client and layer that is kept. A client's update is its parameters less those that it was "
        "given; of fed_sgd, whose clients take no step, the gradient."
    )
    key = ("round", "client", "layer")
    columns = (
        Column("round", "Round, from 1", "integer"),
        Column("client", "Name of the client"),
        _LAYER,
        *_BLOCK,
        Column("examples", "Examples that the client went through in the round, each time counted", "integer"),
        Column("steps", "Steps that it took", "integer"),
    )


class ModelIndex(Table):
    """Where in the pack of global models each round's tensors are."""

    name = "model_index"
    path = f"{FOLD}/models.tsv"
    description = "One row per round that is kept and tensor, buffers included."
    key = ("round", "layer")
    columns = (
        Column("round", "Round, from 1, after which this was the global model; 0: before the first", "integer"),
        _LAYER,
        *_BLOCK,
    )
