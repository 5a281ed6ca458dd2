"""A head by its name in the config."""

from __future__ import annotations

from candor.models.heads.cnn import CnnHead
from candor.models.heads.gru import GruHead
from candor.models.heads.head import Head
from candor.models.heads.linear import LinearFramesHead
from candor.models.heads.pooling import POOLINGS, Pooling
from candor.models.heads.transformer import ATTENTION_HEADS, TransformerHead
from candor.runtime import Explained

KINDS = ("linear", "cnn", "gru", "transformer")


class HeadError(Explained, ValueError):
    """A head cannot be built as asked for."""


def build_head(
    kind: str,
    dimensions: int,
    outputs: int,
    *,
    hidden_size: int,
    conv_layers: int,
    num_layers: int,
    pooling: str,
    dropout: float,
) -> Head:
    """Return a head whose forward takes packed frames and lengths and returns [utterances, outputs].

    Parameters
    ----------
    kind
        One of `KINDS`.
    dimensions
        Width of a frame.
    outputs
        Classes or scores.
    hidden_size
        Width of the hidden layers (cnn, gru, transformer; a `linear` head has none).
    conv_layers
        Convolutions before pooling (cnn).
    num_layers
        Dense layers after pooling (cnn) or depth (gru, transformer).
    pooling
        One of `POOLINGS`.
    dropout
        Probability that dropout sets a value to 0 in training (cnn, gru, transformer).
    """
    if pooling not in POOLINGS:
        raise HeadError(f"pooling is {pooling!r}; allowed are {', '.join(POOLINGS)}")
    for name, value in {"hidden_size": hidden_size, "conv_layers": conv_layers, "num_layers": num_layers}.items():
        if value < 1:
            raise HeadError(f"{name} is {value}; it must be at least 1")
    if not 0 <= dropout < 1:
        raise HeadError(f"dropout is {dropout}; it must be at least 0 and below 1")

    def pool(width: int) -> Pooling:
        return POOLINGS[pooling](width)

    match kind:
        case "linear":
            return LinearFramesHead(outputs, pool(dimensions))
        case "cnn":
            return CnnHead(
                dimensions,
                outputs,
                pool(hidden_size),
                hidden_size=hidden_size,
                conv_layers=conv_layers,
                num_layers=num_layers,
                dropout=dropout,
            )
        case "gru":
            return GruHead(
                dimensions,
                outputs,
                pool(2 * hidden_size),
                hidden_size=hidden_size,
                num_layers=num_layers,
                dropout=dropout,
            )
        case "transformer":
            if hidden_size % ATTENTION_HEADS:
                raise HeadError(
                    f"hidden_size is {hidden_size}; a transformer has {ATTENTION_HEADS} attention heads "
                    f"and needs a multiple of {ATTENTION_HEADS}"
                )
            return TransformerHead(
                dimensions,
                outputs,
                pool(hidden_size),
                hidden_size=hidden_size,
                num_layers=num_layers,
                dropout=dropout,
            )
    raise HeadError(f"downstream_model is {kind!r}; allowed are {', '.join(KINDS)}")
