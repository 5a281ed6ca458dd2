"""The tables for papers: what is in them, that names cannot break them, and that they parse."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from candor.performance.typeset import comparison_sheet, summary_sheet
from candor.sheets import save_sheet

ODD = r"50%_a&b#1$x^2~{c}\d|e<f>*g*[h]`i`"


def summary(systems: list[tuple[str, str, float]], **more: Any) -> pd.DataFrame:
    rows = []
    for backbone, recipe, value in systems:
        for metric, shift in (("uar", 0.0), ("accuracy", 0.02), ("macro_f1", -0.01)):
            rows.append(
                {
                    "dataset": "ravdess_4", "backbone": backbone, "recipe": recipe, "metric": metric,
                    "value": value + shift, "low": value + shift - 0.05, "high": value + shift + 0.04,
                    "chance": 0.25, "interpretable": "yes", "utterances": 1440, "speakers": 24,
                    "speakers_in_train": 0, "speakers_in_pretraining": 0,
                } | more
            )  # fmt: skip
    return pd.DataFrame(rows)


def comparison(**more: Any) -> pd.DataFrame:
    row = {
        "dataset": "ravdess_4", "metric": "uar", "differ_in": "backbone", "backbone_a": "fbank", "recipe_a": "cnn_2",
        "backbone_b": "wavlm", "recipe_b": "cnn_2", "difference": -0.0512, "low": -0.08, "high": -0.0204,
        "p": 0.0004, "p_holm": 0.0012, "better": "wavlm", "pairs": 3, "speakers": 24,
    }  # fmt: skip
    return pd.DataFrame([row, row | {"metric": "accuracy"}]).assign(**more)


def summary_latex(rows: pd.DataFrame) -> str:
    return summary_sheet(rows).latex("tab:ravdess_4-summary")


def summary_markdown(rows: pd.DataFrame) -> str:
    return summary_sheet(rows).markdown()


def comparison_latex(rows: pd.DataFrame) -> str:
    return comparison_sheet(rows).latex("tab:ravdess_4-comparison")


def comparison_markdown(rows: pd.DataFrame) -> str:
    return comparison_sheet(rows).markdown()


def cells_of_latex(text: str) -> list[list[str]]:
    """Return the cells of the tabular, split where an unescaped ampersand or line break stands."""
    columns, body = re.search(r"\\begin{tabular}{(.*)}\n(.*)\\end{tabular}", text, re.DOTALL).groups()  # type: ignore[union-attr]
    rows = [line.strip() for line in body.splitlines() if line.strip()]
    assert [row for row in rows if row.endswith("rule")] == [r"\toprule", r"\midrule", r"\bottomrule"]
    cells = [re.split(r"(?<!\\) *& *", row.removesuffix(r"\\").strip()) for row in rows if not row.endswith("rule")]
    assert all(row.endswith(r"\\") for row in rows if not row.endswith("rule"))
    assert {len(row) for row in cells} == {len(re.sub("@{}", "", columns))}
    return cells


def check_latex(text: str) -> None:
    """Assert what LaTeX insists on: matching braces and environments, no special character out of place."""
    depth = 0
    for token in re.findall(r"\\.|[{}]", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(token, 0)
        assert depth >= 0
    assert depth == 0
    opened: list[str] = []
    for action, name in re.findall(r"\\(begin|end){(\w+)}", text):
        if action == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    without_labels = re.sub(r"\\label{[^}]*}", "", text)
    assert not re.search(r"(?<!\\)[%#_^~]", without_labels)
    assert text.isascii()
    allowed = {
        "begin", "end", "centering", "caption", "label", "toprule", "midrule", "bottomrule", "textbf", "smallskip",
        "footnotesize", "par", "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater",
        "textbar", "small", "setlength", "tabcolsep",
    }  # fmt: skip
    assert set(re.findall(r"\\([a-zA-Z]+)", text)) <= allowed


def table_of_markdown(text: str) -> list[list[str]]:
    """Return the cells as a reader of the page sees them, bold between two stars; the page must hold one table."""
    rows: list[list[str]] = []
    for token in (tokens := MarkdownIt("commonmark").enable("table").parse(text)):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and token.level >= 4:
            marks = {"strong_open": "**", "strong_close": "**"}
            rows[-1].append("".join(marks.get(part.type, part.content) for part in token.children or []))
    assert sum(token.type == "table_open" for token in tokens) == 1
    return rows


def test_summary_is_sorted_and_the_best_is_bold() -> None:
    rows = summary([("fbank", "cnn", 0.41), ("wav_lm", "cnn", 0.634)])
    latex, markdown = summary_latex(rows), summary_markdown(rows)
    check_latex(latex)
    head, best, other = cells_of_latex(latex)
    assert head == ["backbone", "recipe", "UAR", "accuracy", "macro-F1", "chance", "n", "speakers"]
    assert best[:3] == [r"wav\_lm", "cnn", r"\textbf{63.4} [58.4, 67.4]"]
    assert best[3:] == [r"\textbf{65.4}", r"\textbf{62.4}", "25.0", "1440", "24"]
    assert other == ["fbank", "cnn", "41.0 [36.0, 45.0]", "43.0", "40.0", "25.0", "1440", "24"]
    expected = [["wav_lm", "cnn", "**63.4** [58.4, 67.4]", "**65.4**", "**62.4**", "25.0", "1440", "24"], other]
    assert table_of_markdown(markdown) == [head, *expected]


def test_figures_that_print_alike_are_bold_together() -> None:
    latex = summary_latex(summary([("one", "cnn", 0.6341), ("other", "cnn", 0.6339), ("third", "cnn", 0.6)]))
    assert latex.count(r"\textbf{63.4}") == 2
    assert latex.count(r"\textbf") == 6


def test_what_is_not_to_be_interpreted_or_shares_speakers_is_said() -> None:
    rows = summary([("fbank", "cnn", 0.26)], interpretable="at chance", speakers_in_train=5, low=np.nan, high=np.nan)
    for text in (summary_latex(rows), summary_markdown(rows).replace("\\", "")):
        assert "* [one speaker]" in text
        assert "*: at chance, not to be interpreted." in text
        assert "5 of 24 test speakers are also in train" in text


def test_whom_a_backbone_was_pretrained_on_is_said_of_that_backbone_alone() -> None:
    rows = summary([("ours", "cnn", 0.5), ("fbank", "cnn", 0.4)])
    rows.loc[rows["backbone"] == "ours", "speakers_in_pretraining"] = 5
    text = summary_markdown(rows)
    assert "ours was pretrained on audio of 5 of" in text
    assert "fbank was" not in text


def test_the_caption_names_the_dataset() -> None:
    rows = summary([("fbank", "cnn", 0.41)])
    assert r"\caption{Recognition of emotion in ravdess\_4, in per cent}" in summary_latex(rows)


def test_a_sheet_is_saved_in_both_languages_under_its_label(tmp_path: Path) -> None:
    sheet = summary_sheet(summary([("fbank", "cnn", 0.41)]))
    save_sheet(sheet, "tab:ravdess_4-summary", tmp_path / "summary.tex", tmp_path / "summary.md")
    latex, markdown = ((tmp_path / name).read_text(encoding="utf-8") for name in ("summary.tex", "summary.md"))
    assert r"\label{tab:ravdess_4-summary}" in latex
    check_latex(latex)
    assert table_of_markdown(markdown)[1][:2] == ["fbank", "cnn"]


def test_comparison_has_signs_and_the_better_in_bold() -> None:
    latex = comparison_latex(comparison())
    check_latex(latex)
    head, row = cells_of_latex(latex)
    assert head == ["first", "second", "both with", "difference", "p", "p (Holm)"]
    assert row == [
        "fbank", r"\textbf{wavlm}", r"cnn\_2", "$-$5.1 [$-$8.0, $-$2.0]", r"\textless{}0.001", "0.001",
    ]  # fmt: skip
    assert "adjusted by Holm for 3 pairs" in latex
    shown = table_of_markdown(comparison_markdown(comparison()))
    assert shown[1] == ["fbank", "**wavlm**", "cnn_2", "−5.1 [−8.0, −2.0]", "<0.001", "0.001"]


def test_systems_not_told_apart_are_not_bold() -> None:
    rows = comparison(better="not told apart", difference=-0.0001, p=0.8, p_holm=1.0)
    latex = comparison_latex(rows)
    assert r"\textbf" not in latex
    assert cells_of_latex(latex)[1][3].startswith("0.0 [")


def test_one_speaker_and_one_system_still_make_a_table() -> None:
    rows = comparison(low=np.nan, high=np.nan, p=np.nan, p_holm=np.nan, better="too few speakers", speakers=1)
    latex = comparison_latex(rows)
    check_latex(latex)
    assert cells_of_latex(latex)[1][3:] == ["$-$5.1 [one speaker]", "--", "--"]
    assert "With one speaker no outcome of the test could tell systems apart." in latex
    empty = comparison()[:0]
    check_latex(comparison_latex(empty))
    assert len(table_of_markdown(comparison_markdown(empty))) == 1


@pytest.mark.parametrize("names", [(ODD, "cnn"), ("[a]", "*b*"), ("*x", "y_z")])
def test_no_name_breaks_a_table(names: tuple[str, str]) -> None:
    backbone, recipe = names
    rows = summary([(backbone, recipe, 0.5), ("plain", "cnn", 0.4)])
    pairs = comparison(backbone_b=backbone, better=backbone, recipe_a=recipe, recipe_b=recipe)
    for latex in (summary_latex(rows), comparison_latex(pairs)):
        check_latex(latex)
        for line in cells_of_latex(latex):
            assert not line[0].startswith(("[", "*"))
    assert table_of_markdown(summary_markdown(rows))[1][:2] == [backbone, recipe]
    assert table_of_markdown(comparison_markdown(pairs))[1][1:3] == [f"**{backbone}**", recipe]
