"""The printed figures of a run: what is read off which layer, off how many updates, and in which round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from candor.federated.defences.words import UNDEFENDED as UNDEFENDED_WORDS
from candor.federated.defences.words import in_words, over_folds
from candor.figures import (
    BLUE,
    FULL_WIDTH,
    GREEN,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    SKY,
    VERMILION,
    house_style,
    new_figure,
    set_title,
)
from candor.leakage.names import ALL, CNN, LABELS, LOGISTIC, NONE, NORMS, READERS, UAR, UNDEFENDED

ATTACKERS = {
    LOGISTIC: (VERMILION, "o", "logistic regression"),
    CNN: (BLUE, "s", "network"),
    NORMS: (ORANGE, "^", "norms only"),
    LABELS: (GREEN, "D", "class shares only"),
}
LAYER_COLOURS = (VERMILION, ORANGE, SKY, BLUE, GREEN)
ROUNDS_PER_DOT = 12
"""Rounds are put together until there are about so many dots, lest each be of a handful of updates."""


def layers_figure(attacks: pd.DataFrame, title: str) -> Figure:
    """Draw the UAR of every attacker by layer, beside attackers taught what is not true, and by updates seen.

    Parameters
    ----------
    attacks
        Rows of `LeakageAttacks`.
    title
        What was attacked.
    """
    found = attacks[(attacks["metric"] == UAR) & attacks["value"].notna()]
    asked = list(dict.fromkeys(zip(found["attribute"], found["knowledge"], strict=True)))
    with house_style():
        if not asked:
            return _nothing(attacks, title)
        figure = new_figure(FULL_WIDTH, 1.1 + 2.0 * len(asked))
        panels = figure.subplots(len(asked), 2, squeeze=False, sharey="row")
        for (by_layer, by_number), (attribute, knowledge) in zip(panels, asked, strict=True):
            own = found[(found["attribute"] == attribute) & (found["knowledge"] == knowledge)]
            what = attribute if knowledge == UNDEFENDED else f"{attribute}, who {knowledge} the defence"
            _draw_layers(by_layer, own[own["updates"] == own["updates"].min()], what)
            _draw_numbers(by_number, own)
        panels[-1, 0].legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, fontsize=6.5)
        set_title(figure, title)
    return figure


def titled(names: Any, facts: Sequence[Mapping[str, Any]]) -> str:
    """Return the title of a run's figures, with its defence and the ε of that.

    Parameters
    ----------
    names
        Dataset and run.
    facts
        Those of its folds.
    """
    defence = in_words(over_folds([own["defence"] for own in facts]))
    return f"{names.dataset}: {names.run}" + ("" if defence == UNDEFENDED_WORDS else f", {defence}")


def rounds_figure(rounds: pd.DataFrame, title: str) -> Figure:
    """Draw the UAR of the attackers who see updates over the rounds, a line per layer.

    Parameters
    ----------
    rounds
        Rows of `LeakageRounds`.
    title
        What was attacked.
    """
    rounds = rounds[rounds["attacker"].isin(READERS)]
    panels = list(dict.fromkeys(zip(rounds["attribute"], rounds["knowledge"], rounds["attacker"], strict=True)))
    with house_style():
        if not panels:
            return _nothing(rounds, title)
        figure = new_figure(FULL_WIDTH, 0.9 + 2.1 * len(panels))
        axes = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
        of_a_dot: list[float] = []
        for axis, (attribute, knowledge, attacker) in zip(axes, panels, strict=True):
            own = rounds[
                (rounds["attribute"] == attribute)
                & (rounds["knowledge"] == knowledge)
                & (rounds["attacker"] == attacker)
            ]
            for place, layer in enumerate(dict.fromkeys(own["layer"])):
                one = _binned(own[own["layer"] == layer])
                colour = _colour(layer, place)
                of_a_dot += one["tested"].tolist()
                axis.plot(one["round"], 100 * one["value"], marker="o", markersize=3, color=colour, label=layer)
            _chance(axis, own["chance"].iloc[0])
            axis.set_title(f"{attribute}, {ATTACKERS[attacker][2]}, {knowledge}")
            axis.set_ylabel("UAR (%)")
        axes[-1].set_xlabel(f"round (neighbouring ones put together: a dot is of {np.mean(of_a_dot):.0f} updates)")
        axes[-1].legend(ncols=5, loc="upper center", bbox_to_anchor=(0.5, -0.3), fontsize=6.5)
        set_title(figure, title)
    return figure


def _draw_layers(axes: Axes, rows: pd.DataFrame, what: str) -> None:
    layers = [layer for layer in dict.fromkeys(rows["layer"]) if layer not in (ALL, NONE)]
    layers += [layer for layer in (ALL, NONE) if layer in set(rows["layer"])]
    there = [name for name in ATTACKERS if name in set(rows["attacker"])]
    for place, attacker in enumerate(there):
        colour, marker, label = ATTACKERS[attacker]
        own = rows[rows["attacker"] == attacker].set_index("layer")
        aside = 0.16 * (place - (len(there) - 1) / 2)
        for position, layer in enumerate(layers):
            if layer not in own.index:
                continue
            row, x = own.loc[layer], position + aside
            axes.plot([x, x], [100 * row["control_low"], 100 * row["control_high"]], color=LIGHT, linewidth=4, zorder=0)
            axes.plot([x, x], [100 * row["low"], 100 * row["high"]], color=colour, linewidth=1.2)
            named = label if layer == own.index[0] else None
            axes.plot(x, 100 * row["value"], marker, color=colour, markersize=4.5, linestyle="none", label=named)
    axes.plot([], [], color=LIGHT, linewidth=4, label="taught shuffled values")
    _chance(axes, rows["chance"].iloc[0])
    axes.set_xticks(range(len(layers)), ["no update" if layer == NONE else layer for layer in layers])
    axes.set_xlim(-0.6, len(layers) - 0.4)
    axes.set_ylabel("UAR (%)")
    axes.set_title(f"{what}: one update")


def _draw_numbers(axes: Axes, rows: pd.DataFrame) -> None:
    numbers = _numbers(rows)
    rows = rows[rows["updates"].isin(numbers)]
    for attacker in READERS:
        own = rows[(rows["attacker"] == attacker) & (rows["layer"] != NONE)]
        layers = list(dict.fromkeys(own["layer"]))
        for place, layer in enumerate(layers):
            one = own[own["layer"] == layer].sort_values("updates")
            colour = _colour(layer, place)
            style = "-" if attacker == LOGISTIC else "--"
            label = layer if attacker == LOGISTIC or LOGISTIC not in set(rows["attacker"]) else None
            aside = 0.08 * (place - (len(layers) - 1) / 2) + (0.03 if attacker == CNN else 0.0)
            x = np.array([numbers.index(number) for number in one["updates"]]) + aside
            axes.plot(
                x, 100 * one["value"], style, color=colour, marker=ATTACKERS[attacker][1], markersize=3.5,
                linewidth=1.1, label=label,
            )  # fmt: skip
            axes.vlines(x, 100 * one["low"], 100 * one["high"], color=colour, linewidth=0.8)
    seen = rows.groupby("updates")["seen"].max()
    labels = [f"{number}" if seen[number] > 0.95 * number else f"≤{number} ({seen[number]:.0f})" for number in numbers]
    axes.set_xticks(range(len(numbers)), labels)
    axes.set_xlabel("updates of a client that are averaged")
    _chance(axes, rows["chance"].iloc[0])
    axes.set_title("the mean of several")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.32), ncols=4, fontsize=6.5)


def _colour(layer: str, place: int) -> str:
    return INK if layer == ALL else LAYER_COLOURS[place % len(LAYER_COLOURS)]


def _numbers(rows: pd.DataFrame) -> list[int]:
    """Return how many updates are seen, as far as more of them are more: clients may have sent fewer."""
    seen = rows.groupby("updates")["seen"].max()
    return [
        int(number)
        for place, number in enumerate(seen.index)
        if not place or seen.iloc[place] > seen.iloc[place - 1] * 1.01
    ]


def _chance(axes: Axes, chance: float) -> None:
    axes.axhline(100 * chance, color=GREY, linestyle=(0, (4, 3)), linewidth=0.8, zorder=0)
    axes.grid(axis="y", color=LIGHT, linewidth=0.4)


def _binned(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means over neighbouring rounds, weighted by how many updates each has."""
    rows = rows.dropna(subset="value").sort_values("round")
    parts = np.array_split(np.arange(len(rows)), max(1, min(ROUNDS_PER_DOT, len(rows))))
    told = [rows.iloc[part] for part in parts if len(part)]
    return pd.DataFrame(
        {
            "round": [own["round"].mean() for own in told],
            "value": [np.average(own["value"], weights=own["tested"]) for own in told],
            "tested": [own["tested"].sum() for own in told],
        }
    )


def _nothing(rows: pd.DataFrame, title: str) -> Figure:
    """Draw what there is to say where nothing was attacked."""
    figure = new_figure(FULL_WIDTH, 1.2)
    axes = figure.subplots()
    axes.axis("off")
    reasons = list(dict.fromkeys(rows["verdict"])) if "verdict" in rows else []
    axes.text(0, 0.5, "\n".join(reasons) or "nothing was attacked", va="center", color=INK, wrap=True)
    set_title(figure, title)
    return figure
