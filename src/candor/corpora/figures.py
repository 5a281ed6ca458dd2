"""The printed figure of the stage: what was read, on one page."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from candor.corpora.counts import (
    NO_LABEL,
    NOT_KNOWN,
    headline,
    in_order,
    lengths,
    many,
    overall,
    sentence_of,
    unit_of,
)
from candor.corpora.reasons import Reason, reasons_of
from candor.figures import (
    BLUE,
    FULL_WIDTH,
    GREEN,
    GREY,
    INK,
    LIGHT,
    ORANGE,
    PURPLE,
    VERMILION,
    house_style,
    new_figure,
    set_title,
)

Floats = NDArray[np.float64]

GENDERS = {"female": ORANGE, "male": BLUE, NOT_KNOWN: LIGHT}
KINDS = {"audio": VERMILION, "label": PURPLE, "filter": GREY}
VERDICTS = {"as published": ("✓", GREEN), "partial": ("◐", INK), "differs": ("≠", VERMILION), "": ("·", GREY)}

NAMED = 40
"""Up to so many speakers are named below their bars."""

APART = 120
"""Up to so many speakers have bars of their own; the bars of more would be thinner than the gaps between them."""

LONGEST = 42
"""Longer names and reasons are cut to so many characters."""

FEW = 8
"""Fewer clips than these are drawn one by one: a density of them would be an invention."""


def overview_figure(dataset: str, utterances: pd.DataFrame, rejected: pd.DataFrame, counts: pd.DataFrame) -> Figure:
    """Draw classes by gender, durations, speakers, the official partition and the rejects of a dataset.

    Parameters
    ----------
    dataset
        Its name.
    utterances, rejected, counts
        The tables `Utterances`, `Rejected` and `Counts`.
    """
    clips = _named(utterances)
    classes = sorted(clips["label"].unique(), key=in_order)
    reasons = reasons_of(rejected)
    rows = [{str(key): cell for key, cell in row.items()} for row in counts.to_dict("records")]
    verdict = textwrap.wrap(
        f"Before anything is left out: {sentence_of(rows, ',')}", 112, max_lines=3, placeholder=" …"
    )
    known = bool((clips["speaker"] != "").any() or (clips["split"] != NOT_KNOWN).any())
    heights = [
        0.09 + 0.15 * len(verdict),
        0.95 + 0.27 * max(len(classes), 2),
        2.1 if known else 0.35,
        0.4 + 0.21 * len(reasons),
    ]
    with house_style():
        figure = new_figure(FULL_WIDTH, 0.3 + sum(heights))
        set_title(figure, textwrap.fill(headline(dataset, rows), 76))
        parts: Any = figure.subfigures(4, 1, height_ratios=heights)
        _draw_verdict(parts[0], verdict, overall(rows))
        _draw_classes(parts[1], clips, classes)
        _draw_people(parts[2], clips)
        _draw_rejects(parts[3], reasons, Counter(rejected["kind"]), len(clips))
    return figure


def _named(utterances: pd.DataFrame) -> pd.DataFrame:
    """Return what the figure is about, with names for what is blank."""
    columns = utterances[["speaker", "duration"]].copy()
    for column, name in {"label": NO_LABEL, "gender": NOT_KNOWN, "split": NOT_KNOWN}.items():
        columns[column] = utterances[column].where(utterances[column] != "", name)
    return columns


def _speakers(clips: pd.DataFrame) -> int:
    return len(set(clips["speaker"]) - {""})


def _draw_verdict(part: SubFigure, lines: Sequence[str], verdict: str) -> None:
    mark, colour = VERDICTS[verdict]
    part.text(0.010, 0.95, mark, color=colour, fontsize=10, fontweight="bold", va="top")
    part.text(0.033, 0.95, "\n".join(lines), color=colour, va="top", linespacing=1.25)


def _set_heading(part: SubFigure, heading: str) -> None:
    """Write the heading of a part of the page at its upper left, in line with those of the other parts."""
    part.suptitle(
        heading, x=0.008 * FULL_WIDTH / part.bbox.width * part.dpi, ha="left", fontsize=8.5, fontweight="bold"
    )


# Classes and durations


def _draw_classes(part: SubFigure, clips: pd.DataFrame, classes: Sequence[str]) -> None:
    """Draw a row per class: its clips by gender on the left, their durations on the right, both with their numbers."""
    bars, densities = part.subplots(1, 2, sharey=True)
    _set_heading(part, "Classes: how many clips, and how long they are")
    table = _draw_genders(bars, clips, "label", classes)
    total = table.sum(axis=1)
    _write_columns(
        bars,
        {str(gender): [f"{number:,}" for number in table[gender]] for gender in table}
        | {"all": [f"{number:,}" for number in total]}
        | {"share": [f"{100 * number / len(clips):.1f} %" for number in total]},
    )
    durations = [clips.loc[clips["label"] == name, "duration"].to_numpy(float) for name in classes]
    _draw_durations(densities, durations)
    unit = unit_of(clips["duration"].sum())
    medians = [f"{np.median(own):.1f} s" for own in durations]
    _write_columns(densities, {"median": medians, unit: lengths([own.sum() for own in durations], unit)})


def _draw_genders(axes: Axes, clips: pd.DataFrame, column: str, values: Sequence[str]) -> pd.DataFrame:
    """Draw a bar per value, its genders one after the other; return their numbers."""
    table = pd.crosstab(clips[column], clips["gender"])
    table = table.loc[list(values), [gender for gender in GENDERS if gender in table]]
    start = np.zeros(len(values))
    for gender in table:
        widths = table[gender].to_numpy(float)
        axes.barh(
            range(len(values)),
            widths,
            left=start,
            height=0.7,
            color=GENDERS[str(gender)],
            edgecolor="white",
            linewidth=0.5,
        )
        start += widths
    axes.set_xlim(0, start.max())
    _draw_rows(axes, values)
    return table


def _draw_rows(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows of bars; their numbers stand beside them, so there is no axis below."""
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.set_yticks(range(len(names)), [_cut(name, LONGEST) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.xaxis.set_major_locator(NullLocator())


def _write_columns(axes: Axes, columns: Mapping[str, Sequence[str]]) -> None:
    """Write columns of numbers to the right of the rows; the heads of genders show their colour."""
    offset = 4.0
    outside: Any = {"textcoords": "offset points", "ha": "right", "annotation_clip": False}
    for head, cells in columns.items():
        offset += 5 + 4.6 * max(0.85 * len(head), *map(len, cells))
        above: Any = {"xycoords": "axes fraction", **outside}
        axes.annotate(head, (1, 1), xytext=(offset, 3), color=GREY, fontsize=6.5, **above)
        if head in GENDERS:
            axes.annotate("■", (1, 1), xytext=(offset, 11), color=GENDERS[head], fontsize=7, **above)
        for row, cell in enumerate(cells):
            place: Any = {"xycoords": ("axes fraction", "data"), "va": "center", **outside}
            axes.annotate(cell, (1, row), xytext=(offset, 0), fontsize=7, **place)


def _draw_durations(axes: Axes, groups: Sequence[Floats]) -> None:
    """Draw how durations are distributed, a row per class; on a logarithmic axis if they are far apart."""
    low, high = np.quantile(np.concatenate(groups), [0.005, 0.995])
    far_apart = bool(high > 10 * low)
    edges = _bins(low, high, far_apart)
    for place, durations in enumerate(groups):
        if len(durations) < FEW:
            axes.plot(durations, np.full(len(durations), place), "|", color=GREEN, markersize=9)
        else:
            _draw_density(axes, place, durations, edges)
    if far_apart:
        axes.set_xscale("log")
        axes.set_xticks([tick for tick in (0.2, 0.5, 1, 2, 5, 10, 20, 50) if edges[0] <= tick <= edges[-1]])
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlim(edges[0], edges[-1])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0, labelleft=False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("seconds; the line is from quartile to quartile", fontsize=7, color=GREY)


def _bins(low: float, high: float, far_apart: bool) -> Floats:
    """Return the edges of bins that are equally wide as drawn."""
    if far_apart:
        return np.geomspace(low / 1.15, high * 1.15, 121)
    margin = max(0.06 * (high - low), 0.05)
    return np.linspace(max(0.0, low - margin), high + margin, 121)


def _draw_density(axes: Axes, place: int, durations: Floats, edges: Floats) -> None:
    """Draw a smoothed histogram around the row, and the quartiles in it."""
    kernel = np.exp(-0.5 * (np.arange(-9, 10) / 3.0) ** 2)
    density = np.convolve(np.histogram(durations, edges)[0], kernel, mode="same")
    half = 0.4 * density / max(density.max(), 1.0)
    middles = (edges[1:] + edges[:-1]) / 2
    axes.fill_between(middles, place - half, place + half, where=half > 0.004, color=GREEN, alpha=0.35, linewidth=0)
    quarter, median, three_quarters = np.quantile(durations, [0.25, 0.5, 0.75])
    axes.plot([quarter, three_quarters], [place, place], color=INK, linewidth=1.3)
    axes.plot(median, place, "o", markersize=3.6, markerfacecolor="white", markeredgecolor=INK, markeredgewidth=0.9)


# Speakers and the official partition


def _draw_people(part: SubFigure, clips: pd.DataFrame) -> None:
    """Draw the clips of each speaker and, where there is an official partition, its parts."""
    speakers, partition = bool((clips["speaker"] != "").any()), bool((clips["split"] != NOT_KNOWN).any())
    if speakers and partition:
        halves: Any = part.subfigures(1, 2, width_ratios=[1.15, 1])
        _draw_speakers(halves[0], clips)
        _draw_partition(halves[1], clips)
    elif speakers:
        _draw_speakers(part, clips)
    elif partition:
        _draw_partition(part, clips)
    else:
        _set_heading(part, "Speakers: the corpus does not say who speaks")


def _draw_partition(part: SubFigure, clips: pd.DataFrame) -> None:
    _set_heading(part, "Partition")
    axes = part.subplots()
    parts = sorted(clips["split"].unique(), key=in_order)
    _draw_genders(axes, clips, "split", parts)
    groups = [clips[clips["split"] == name] for name in parts]
    unit = unit_of(clips["duration"].sum())
    _write_columns(
        axes,
        {
            "clips": [f"{len(own):,}" for own in groups],
            **({"speakers": [f"{_speakers(own):,}" for own in groups]} if _speakers(clips) else {}),
            unit: lengths([own["duration"].sum() for own in groups], unit),
        },
    )


def _draw_speakers(part: SubFigure, clips: pd.DataFrame) -> None:
    """Draw the clips of each speaker, the genders side by side, in each of them most clips first."""
    known = clips[clips["speaker"] != ""]
    people = known.groupby("speaker").agg(clips=("duration", "size"), gender=("gender", "first")).reset_index()
    people["rank"] = people["gender"].map(list(GENDERS).index)
    people = people.sort_values(["rank", "clips", "speaker"], ascending=[True, False, True], ignore_index=True)
    fewest, middle, most = people["clips"].quantile([0, 0.5, 1])
    spread = f"{fewest:,.0f} to {most:,.0f}, median {middle:,.0f}" if fewest < most else f"{most:,.0f}"
    _set_heading(part, f"Clips per speaker: {spread}")
    axes = part.subplots()
    shown = [gender for gender in GENDERS if (people["gender"] == gender).any()]
    for gender in shown:
        own = people[people["gender"] == gender]
        _draw_bars(axes, own.index[0], own["clips"].to_numpy(float), GENDERS[gender], apart=len(people) <= APART)
    if most > 25 * middle:
        axes.set_yscale("log")
        axes.set_ylim(0.7, 1.4 * most)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    margin = max(0.5 + 0.01 * len(people), 4 - len(people) / 2)
    axes.set_xlim(-margin, len(people) - 1 + margin)
    if len(known) < len(clips):
        axes.set_xlabel(f"and {len(clips) - len(known):,} clips of speakers not known", fontsize=7, color=GREY)
    axes.grid(axis="y", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    _name_speakers(axes, people["speaker"].tolist())
    part.legend(
        [Patch(color=GENDERS[gender]) for gender in shown],
        [f"{(people['gender'] == gender).sum():,} {gender}" for gender in shown],
        loc="outside lower center", ncols=3, handlelength=0.9, handleheight=0.9, columnspacing=1.2,
    )  # fmt: skip


def _draw_bars(axes: Axes, start: int, heights: Floats, colour: str, *, apart: bool) -> None:
    if apart:
        axes.bar(start + np.arange(len(heights)), heights, width=0.8, color=colour)
    else:
        axes.stairs(heights, start - 0.5 + np.arange(len(heights) + 1), fill=True, color=colour, linewidth=0)


def _name_speakers(axes: Axes, speakers: Sequence[str]) -> None:
    """Write speakers' names, without what all of them begin with, if there is room for them."""
    shared = len(shared_start(speakers))
    names = [_plain(name[shared:]) for name in speakers]
    if len(names) > NAMED or max(map(len, names)) > 16:
        axes.xaxis.set_major_locator(NullLocator())
        return
    axes.set_xticks(range(len(names)), names, fontsize=6.5)
    axes.tick_params(axis="x", length=0)
    if sum(map(len, names)) > 50:
        axes.tick_params(axis="x", labelrotation=90)


def shared_start(names: Sequence[str]) -> str:
    """Return what all names begin with, up to an underscore.

    >>> shared_start(["ravdess_Actor_01", "ravdess_Actor_02"])
    'ravdess_Actor_'
    """
    first, last = min(names), max(names)
    same = next((place for place, letter in enumerate(first) if last[place : place + 1] != letter), len(first))
    return first[: first.rfind("_", 0, same) + 1]


# What was left out


def _draw_rejects(part: SubFigure, reasons: Sequence[Reason], kinds: Mapping[str, int], clips: int) -> None:
    if not reasons:
        _set_heading(part, "Left out: nothing")
        return
    told = ", ".join(f"{kind} {count:,}" for kind, count in sorted(kinds.items()))
    _set_heading(part, f"Left out: {sum(kinds.values()):,} beside {many(clips, 'clip')}: {told}")
    axes = part.subplots()
    # A handful of rejects in a large corpus shall look like a handful.
    scale = max(*(reason.count for reason in reasons), 0.02 * clips)
    # Points beside the names, which are set in 8 points; a letter of the details is about 4.3 wide.
    line = 490 - 4.9 * min(max(len(reason.words) for reason in reasons), LONGEST)
    for place, reason in enumerate(reasons):
        axes.barh(place, reason.count, height=0.66, color=KINDS.get(reason.kind, LIGHT))
        beside: Any = {"textcoords": "offset points", "va": "center", "fontsize": 7}
        count = f"{reason.count:,}"
        room = round((line * (1 - reason.count / (2.6 * scale)) - 14) / 4.3) - len(count)
        number = axes.annotate(count, (reason.count, place), xytext=(4, 0), **beside)
        axes.annotate(_cut(reason.detail, room), (1, 0.5), xycoords=number, xytext=(6, 0), color=GREY, **beside)
    axes.set_xlim(0, 2.6 * scale)
    _draw_rows(axes, [reason.words for reason in reasons])


def _cut(text: str, length: int) -> str:
    return _plain(text if len(text) <= length else f"{text[: length - 1].rstrip()}…")


def _plain(text: str) -> str:
    """Return a text in which dollars are dollars and not the marks of a formula."""
    return text.replace("$", r"\$")
