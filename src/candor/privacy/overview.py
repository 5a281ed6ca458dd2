"""All that is read off a system in one table, and all systems of a dataset in another."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from typing import Any

import pandas as pd

from candor.performance.verdicts import SOUND, doubt
from candor.privacy.names import (
    ALL_LAYERS,
    EER,
    GENDER,
    HEADLINES,
    LINEAR,
    MEMBERSHIP,
    METRIC_OF,
    NOT_ATTACKED,
    TPR,
    attacks_on_states,
    read_off,
)
from candor.privacy.outcomes import NUMBERS, What

Row = dict[str, Any]


def of_one_system(
    layers: pd.DataFrame | None,
    no_layers: str,
    embedding: pd.DataFrame,
    membership: Sequence[Row],
    attributes: Sequence[str],
    attackers: Sequence[str],
    interpretable: str,
) -> pd.DataFrame:
    """Return the rows of `PrivacyResult`.

    Parameters
    ----------
    layers
        Rows of `PrivacyLayers`; None where layers are not attacked.
    no_layers
        Why they are not; blank where they are.
    embedding
        Rows of `PrivacyEmbedding`.
    membership
        Rows of membership.
    attributes, attackers
        What was asked for, as in the config.
    interpretable
        ``yes``, or why audits of these models mean nothing: ``at chance``, ``one class``.
    """
    rows: list[Row] = [] if layers is None else layers.to_dict("records")  # type: ignore[assignment]
    if layers is None and set(attributes) - {MEMBERSHIP}:
        both = itertools.product(attacks_on_states(attributes), attackers)
        rows += [_no_layers(attribute, attacker, no_layers) for attribute, attacker in both]
    of_models: list[Row] = [*embedding.to_dict("records"), *membership]  # type: ignore[list-item]
    if interpretable != SOUND:
        of_models = [_doubted(row, interpretable) for row in of_models]
    table = pd.DataFrame(_with_headlines([*rows, *of_models]))
    return table.astype(dict.fromkeys(NUMBERS, "float64"))


def _no_layers(attribute: str, attacker: str, reason: str) -> Row:
    return What(attribute, ALL_LAYERS, attacker, METRIC_OF[attribute], "").without(reason)


def _doubted(row: Row, why: str) -> Row:
    """Return a row of models that have learned nothing, of which an attack says nothing."""
    told = row["verdict"].startswith(NOT_ATTACKED)
    return row if told else {**row, "verdict": doubt(why)}


def _with_headlines(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with a mark on those that stand for the system.

    Of gender that is the source and the attacker who do best on dev speakers, so that none is chosen by those who are
    tested; of several that do as well, the first: the earlier layer, and linear before cnn.
    """
    chosen: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=_order):
        what = (row["attribute"], read_off(row["source"]))
        if what not in HEADLINES or row["metric"] == TPR:
            continue
        if what not in chosen or _leak(row) > _leak(chosen[what]):
            chosen[what] = row
    return [{**row, "headline": "yes" if any(row is own for own in chosen.values()) else "no"} for row in rows]


def _order(row: Row) -> tuple[int, bool]:
    """Return the place of a row among those that do as well."""
    layer = row["source"].removeprefix("layer ")
    return int(layer) if layer.isdecimal() else sys.maxsize, row["attacker"] != LINEAR


def _leak(row: Row) -> float:
    """Return how far the figure by which a headline is chosen is on the side of the leak."""
    figure = row["dev"] if row["attribute"] == GENDER else row["value"]
    if figure is None or figure != figure:
        return -1.0
    return 1 - figure if row["metric"] == EER else float(figure)
