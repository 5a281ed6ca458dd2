"""The house style of printed figures: fonts, colours for colour-blind readers too, files with the same bytes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from candor.tables.base import atomic
from candor.tables.figures import forms_of

#: Okabe and Ito's colours, told apart with every kind of colour vision.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
INK, GREY, LIGHT = "#222222", "#767676", "#D9D9D9"

#: What curves of several kinds are told apart by, in this order; with a marker more than colours, 42 kinds differ.
COLOURS = (VERMILION, BLUE, GREEN, PURPLE, ORANGE, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every step in which it makes a font smaller

#: Inches, as wide as the text of a page of two columns.
FULL_WIDTH = 7.0

_STYLE: Any = {
    # DejaVu Sans comes with matplotlib, so that figures do not depend on the fonts of the machine.
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 8,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "text.color": INK,
    # Longer caps would draw an interval wider than it is.
    "lines.solid_capstyle": "butt",
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "figure.facecolor": "white",
    "savefig.dpi": 200,
    "svg.hashsalt": "candor",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
}

_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@contextmanager
def house_style() -> Iterator[None]:
    """Make figures that are built inside follow the house style."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches that no global state knows of."""
    return Figure(figsize=(width, height), layout="constrained")


def set_title(figure: Figure, title: str) -> None:
    """Write `title` at the upper left of the whole figure."""
    figure.suptitle(title, x=0.008, ha="left", fontsize=10, fontweight="bold")


def _settle(figure: Figure) -> None:
    """Lay the figure out once and for all.

    What the solver of the layout finds differs in the last digits from run to run, and a SVG names its parts by them.
    """
    if figure.get_layout_engine() is None:
        return
    figure.set_dpi(_STYLE["savefig.dpi"])  # letters are as wide as they will be in the picture
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        axes.set_position(tuple(round(edge, 6) for edge in axes.get_position().bounds))


@contextmanager
def _outside_time() -> Iterator[None]:
    """Keep the time of day out of what is saved: the fonts inside a PDF would bear it."""
    kept = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = "0"
    try:
        yield
    finally:
        if kept is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = kept


def save_in_print(figure: Figure, path: str | Path) -> None:
    """Write `figure` as PNG to `path`, and beside it as SVG and PDF."""
    for file in forms_of(str(path)):
        save_figure(figure, file)


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write `figure` as PNG, SVG or PDF, by the ending of `path`; the same figure gives the same bytes.

    Raises
    ------
    ValueError
        If `path` has another ending.
    """
    kind = Path(path).suffix.removeprefix(".").lower()
    if kind not in _METADATA:
        raise ValueError(f"{path}: a figure is saved as {', '.join(sorted(_METADATA))}, not as {kind or 'nothing'}")
    with house_style(), _outside_time(), atomic(path, "wb") as handle:
        _settle(figure)
        figure.savefig(handle, format=kind, metadata=_METADATA[kind])
