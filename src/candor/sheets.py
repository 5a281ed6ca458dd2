"""Tables as they are set for a paper, in LaTeX, and for a page, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from candor.tables.base import atomic

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "_": r"\_",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "\u2212": "$-$",
        "\u2013": "--",
        "ε": r"$\varepsilon$",
        "δ": r"$\delta$",
    }
)
_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\|*_<>[]`~&#$"})


@dataclass(frozen=True)
class Cell:
    """A cell of a table: words, of which the first part may be bold."""

    words: str
    after: str = ""
    bold: bool = False

    def set(self, escape: Callable[[str], str], bold: str) -> str:
        """Return the cell as a language writes it, bold as `bold` has it."""
        words = escape(self.words)
        return (bold.format(words) if self.bold else words) + escape(self.after)


@dataclass(frozen=True)
class Sheet:
    """A table before it is set.

    Parameters
    ----------
    heads
        Heads of the columns.
    names
        How many columns at the left hold names; the others hold figures and are aligned to the right.
    rows
        Cells of each row, as many as there are heads.
    caption
        What the table shows.
    notes
        Sentences below it.
    """

    heads: Sequence[str]
    names: int
    rows: Sequence[Sequence[Cell]]
    caption: str
    notes: Sequence[str]

    def latex(self, label: str) -> str:
        """Return a floating `table` to refer to by `label`, which asks for no package but booktabs."""
        columns = "l" * self.names + "r" * (len(self.heads) - self.names)
        return "\n".join(
            [
                r"\begin{table}",
                r"  \centering\small\setlength{\tabcolsep}{3pt}",
                rf"  \caption{{{_latex(self.caption)}}}",
                rf"  \label{{{label}}}",
                rf"  \begin{{tabular}}{{@{{}}{columns}@{{}}}}",
                r"    \toprule",
                _latex_row([_latex(head) for head in self.heads]),
                r"    \midrule",
                *(_latex_row([cell.set(_latex, r"\textbf{{{}}}") for cell in row]) for row in self.rows),
                r"    \bottomrule",
                r"  \end{tabular}",
                "",
                r"  \smallskip",
                rf"  {{\footnotesize {_latex(' '.join(self.notes))}\par}}",
                r"\end{table}",
                "",
            ]
        )

    def markdown(self) -> str:
        """Return a table in GitHub's Markdown."""
        rules = ["---"] * self.names + ["---:"] * (len(self.heads) - self.names)
        lines = [
            [_markdown(head) for head in self.heads],
            rules,
            *([cell.set(_markdown, "**{}**") for cell in row] for row in self.rows),
        ]
        table = [f"| {' | '.join(line)} |" for line in lines]
        return "\n".join([_markdown(self.caption), "", *table, "", _markdown(" ".join(self.notes)), ""])


def save_sheet(sheet: Sheet, label: str, latex: str | Path, markdown: str | Path) -> None:
    """Write a table for a paper, where `label` refers to it, and for a page."""
    for file, text in ((latex, sheet.latex(label)), (markdown, sheet.markdown())):
        with atomic(file) as handle:
            handle.write(text)


def _latex(text: str) -> str:
    return text.translate(_LATEX)


def _latex_row(cells: Sequence[str]) -> str:
    # A row that began with one of these would be taken for an option of the line break before it.
    guard = "{}" if cells[0][:1] in ("[", "*") else ""
    return f"    {guard}{' & '.join(cells)} \\\\"


def _markdown(text: str) -> str:
    return text.translate(_MARKDOWN)
