"""Which tensors of a model are kept of what clients send."""

from __future__ import annotations

from collections.abc import Sequence

from candor.federated.errors import FederatedError
from candor.federated.vectors import Layout, Piece


def layers_asked(layout: Layout, asked: Sequence[str]) -> list[Piece]:
    """Return the trained tensors of the layers that are asked for.

    Parameters
    ----------
    layout
        Of the model.
    asked
        Names of modules, ``first`` or ``last``; none at all stands for all.

    Raises
    ------
    FederatedError
        When the model has no such layer.
    """
    modules = list(dict.fromkeys(piece.name.rpartition(".")[0] for piece in layout.parameters))
    # What has no matrix, such as the weights of a mix of layers, is no first layer in anybody's eyes.
    dense = [piece.name.rpartition(".")[0] for piece in layout.parameters if len(piece.shape) > 1] or modules
    names = {"first": dense[0], "last": modules[-1]}
    wanted = [names.get(name, name) for name in asked] or modules
    for name in wanted:
        if name not in modules:
            raise FederatedError(
                f"keep.layers names {name!r}, which the model does not have; allowed: first, last, {', '.join(modules)}"
            )
    return [piece for piece in layout.parameters if piece.name.rpartition(".")[0] in wanted]
