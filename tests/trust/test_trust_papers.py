"""Radar, side by side, LaTeX, Markdown, terminal: they say what the tables say."""

import math
import re

import pandas as pd
import pytest

from candor.figures import save_figure
from candor.tables.trust import TrustProfile
from candor.trust.overview import datasets_figure
from candor.trust.profile import axis_rows, profiles
from candor.trust.radar import radar_figure
from candor.trust.sheet import trust_sheet
from candor.trust.show import trust_text
from trust.made_up import NAN, found


def made(**changes):
    rows = pd.DataFrame(profiles(found(**changes), "gender"))
    axes = pd.DataFrame([row for profile in rows.to_dict("records") for row in axis_rows(profile)])
    return rows, axes


def profiled():
    return profiles(found(), "gender")


def words(figure):
    figure.draw_without_rendering()
    return [text.get_text() for axes in figure.axes for text in axes.texts] + [
        axes.get_title(loc="left") for axes in figure.axes
    ]


def test_every_axis_of_the_radar_has_its_name_and_both_ends():
    said = words(radar_figure(*made(), "corpus"))
    for scale in (
        "UAR\n25 to 100 %", "gap in UAR\n50 to 0 points", "fooled\n100 to 0 %", "gender read\n100 to 50 %",
        "unchanged\n0 to 100 %", "FLOPs per second\n100 G to 1 M",
    ):  # fmt: skip
        assert said.count(scale) == 2


def test_ccc_is_told_in_hundredths_in_every_form(tmp_path):
    rows = pd.DataFrame(profiles(found("ccc", attacked=False), "gender")).assign(chance=0.0)
    axes = pd.DataFrame([row for profile in rows.to_dict("records") for row in axis_rows(profile)])
    said = words(radar_figure(rows, axes, "corpus"))
    assert {"CCC × 100\n0 to 100", "gap in CCC × 100\n50 to 0", "50", "25"} <= set(said)
    assert {"recognised, CCC × 100", "gap, CCC × 100", "fooled, per cent"} <= set(words(datasets_figure(rows)))
    sheet = trust_sheet(rows)
    assert sheet.caption.endswith("in per cent (CCC times 100)")
    assert "**65.0** \\[60.0, 70.0\\]" in sheet.markdown()
    TrustProfile.write(rows, tmp_path / "summary.tsv")
    text = trust_text([tmp_path / "summary.tsv"])
    assert "65.0 [60.0, 70.0]" in text
    assert "CCC times 100" in text


def test_of_datasets_with_both_metrics_each_panel_says_both_units():
    emotions, ratings = (pd.DataFrame(profiles(found(metric), "gender")) for metric in ("uar", "ccc"))
    both = pd.concat([emotions, ratings.assign(dataset="rated")])
    assert {"recognised\nper cent or CCC × 100", "gap\npoints or CCC × 100", "FLOPs/s"} <= set(
        words(datasets_figure(both))
    )
    assert trust_sheet(emotions).caption.endswith("in per cent")


def test_a_figure_that_rounds_to_nothing_has_no_sign():
    rows, _ = made(fairness={"value": -0.0001, "low": -0.0002, "high": 0.1})
    assert "**0.0** \\[0.0, 10.0\\]" in trust_sheet(rows).markdown()


def test_points_of_the_radar_lie_where_the_table_says():
    rows, axes = made()
    panel = radar_figure(rows, axes, "corpus").axes[0]
    drawn = [math.hypot(line.get_xdata()[0], line.get_ydata()[0]) for line in panel.lines if line.get_marker() == "o"]
    assert drawn == pytest.approx(axes[axes["backbone"] == "wavlm"]["place"].tolist())
    first = next(line for line in panel.lines if line.get_marker() == "o")
    assert (first.get_xdata()[0], first.get_ydata()[0]) == pytest.approx((0, axes["place"].iloc[0]), abs=1e-9)


def test_a_missing_figure_is_said_and_not_joined():
    rows, axes = made(robustness={"unchanged": NAN, "unchanged_low": NAN, "unchanged_high": NAN})
    assert words(radar_figure(rows, axes, "corpus")).count("none") == 1


def test_a_model_at_chance_is_named_so_in_every_form():
    rows, axes = made(performance={"interpretable": "at chance"})
    assert "wavlm · cnn: at chance" in words(radar_figure(rows, axes, "corpus"))
    sheet = trust_sheet(rows)
    assert "*: at chance, not to be interpreted." in sheet.markdown().replace("\\", "")
    assert "cnn*" in sheet.markdown().replace("\\", "")


def test_without_a_verdict_on_any_test_there_is_a_dash(tmp_path):
    rows, _ = made(robustness={"tests_passed": NAN, "tests_made": 0})
    assert "nan" not in trust_sheet(rows).markdown()
    assert next(line for line in trust_sheet(rows).markdown().splitlines() if "wavlm" in line).endswith("| – |")
    TrustProfile.write(rows, tmp_path / "summary.tsv")
    assert "nan" not in trust_text([tmp_path / "summary.tsv"])


def test_the_best_of_each_dataset_is_bold_unless_at_chance():
    rows, _ = made()
    markdown = trust_sheet(rows).markdown()
    assert "**65.0**" in markdown
    assert "**55.0**" not in markdown
    assert "**10.0**" in markdown  # the lower gap
    at_chance = trust_sheet(made(performance={"interpretable": "at chance"})[0]).markdown()
    assert "**" not in next(line for line in at_chance.splitlines() if line.startswith("| wavlm"))


def test_where_all_models_are_at_chance_nothing_is_best():
    rows = pd.DataFrame([{**profile, "interpretable": "one class"} for profile in profiled()])
    assert "**" not in trust_sheet(rows).markdown()
    assert "one class, not to be interpreted" in trust_sheet(rows).latex("tab:trust")


def test_an_attack_by_transfer_is_said_to_be_one_and_never_the_best():
    lent = {"method": "transfer_fgsm", "source": "fbank", "success": 0.1, "low": 0.05, "high": 0.2}
    rows, _ = made(attack=lent)
    line = next(line for line in trust_sheet(rows).markdown().splitlines() if line.startswith("| wavlm"))
    assert "| 10.0 \\[5.0, 20.0\\] by transfer |" in line
    other = next(line for line in trust_sheet(rows).markdown().splitlines() if line.startswith("| egemaps"))
    assert "**60.0**" in other
    assert "a weaker attack" in trust_sheet(rows).markdown()


def test_datasets_stand_side_by_side():
    rows, _ = made()
    both = pd.concat([rows, rows.assign(dataset="other", attack=NAN, attack_verdict="not applicable: why")])
    latex = trust_sheet(both).latex("tab:trust")
    assert latex.count("wavlm") == 3  # two rows, and why one has no attack
    assert "wavlm, fooled: not applicable: why." in latex
    assert r"\label{tab:trust}" in latex
    figure = datasets_figure(both)
    said = words(figure)
    assert said.count("none") == 2
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend[:2] == ["corpus", "other"]


def test_the_terminal_says_what_the_table_says(tmp_path):
    file = tmp_path / "summary.tsv"
    TrustProfile.write(profiles(found(), "gender"), file)
    line = next(line for line in trust_text([file]).splitlines() if "wavlm" in line)
    assert re.split(r" {2,}", line.strip()) == [
        "corpus", "wavlm", "cnn", "65.0 [60.0, 70.0]", "10.0 [5.0, 15.0]", "60.0 [55.0, 65.0]", "80.0 [75.0, 85.0]",
        "75.0 [70.0, 80.0]", "10 G", "8 of 13",
    ]  # fmt: skip


@pytest.mark.parametrize("systems", [1, 2, 7])
def test_pictures_are_the_same_bytes_whatever_the_number_of_systems(tmp_path, systems):
    rows, axes = made()
    rows = pd.concat([rows.iloc[:1].assign(backbone=f"b{number}") for number in range(systems)])
    axes = pd.concat([axes.iloc[:6].assign(backbone=f"b{number}") for number in range(systems)])
    for name in ("one.svg", "two.svg"):
        save_figure(radar_figure(rows, axes, "corpus"), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
