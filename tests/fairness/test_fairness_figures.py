"""Figures and the terminal show what the tables hold."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from candor.fairness.audit import audit_classes
from candor.fairness.figures import gaps_figure, groups_figure, speakers_figure, systems_figure
from candor.fairness.groups import Asked, genders_of
from candor.fairness.show import fairness_text
from candor.figures import save_in_print
from candor.tables.fairness import FairnessSummary, Gaps, Groups
from fairness.people import CLASSES, manifest, predictions

ROWS = predictions({"female": 0.4, "male": 0.8})


@pytest.fixture(scope="module")
def audit():
    asked = Asked(["gender", "speaker", "session", "race"])
    return audit_classes(ROWS, CLASSES, manifest(ROWS), asked, 199)


@pytest.fixture(scope="module")
def project(audit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("project") / "fairness"
    Groups.write(audit.groups, folder / "corpus/fbank/cnn/groups.tsv")
    Gaps.write(audit.gaps, folder / "corpus/fbank/cnn/gaps.tsv")
    rows = Gaps.read(folder / "corpus/fbank/cnn/gaps.tsv").assign(dataset="corpus", backbone="fbank", recipe="cnn")
    FairnessSummary.write(rows, folder / "corpus/summary.tsv")
    return folder


def words(figure):
    return " ".join(artist.get_text() for artist in figure.findobj() if isinstance(artist, Text))


def test_gaps_are_drawn_with_interval_p_and_what_is_behind_them(project, audit):
    gaps = Gaps.read(project / "corpus/fbank/cnn/gaps.tsv")
    shown = words(gaps_figure(gaps, "corpus: fbank, cnn"))
    uar = gaps[(gaps["axis"] == "gender") & (gaps["metric"] == "uar") & (gaps["aggregate"] == "max")].iloc[0]
    assert f"{100 * uar['value']:.1f} [{100 * uar['low']:.1f}, {100 * uar['high']:.1f}]" in shown
    assert "by gender: UAR of male over female; 480 utterances, 12 speakers" in shown
    assert "lower is better" in shown
    assert "race" not in shown, "nothing to compare"
    nothing = gaps[gaps["axis"] == "race"]
    assert "No two groups can be compared." in words(gaps_figure(nothing, "corpus"))


def test_each_speaker_is_a_row_the_worst_first(project, audit):
    groups = Groups.read(project / "corpus/fbank/cnn/groups.tsv")
    figure = speakers_figure(audit, groups, genders_of(ROWS), "corpus: fbank, cnn")
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    own = groups[groups["axis"] == "speaker"].set_index("group")["value"]
    assert labels == list(own.sort_values().index)
    assert "female" in words(figure)


def test_each_group_has_its_confusions(audit):
    figure = groups_figure(audit, "corpus: fbank, cnn")
    shown = words(figure)
    for group in ("female", "male", "a", "b"):
        row = next(row for row in audit.groups if row["group"] == group)
        assert f"{group}: UAR {100 * row['value']:.0f} [" in shown
    for row in audit.confusions:
        if row["axis"] == "gender":
            assert f"{100 * row['share']:.0f}" in shown


def test_systems_stand_beside_each_other_the_fairest_first(project):
    rows = FairnessSummary.read(project / "corpus/summary.tsv")
    fairer = rows.assign(backbone="wavlm", value=rows["value"] / 2)
    figure = systems_figure(pd.concat([rows, fairer]), "corpus")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["wavlm · cnn", "fbank · cnn"]


def test_a_figure_is_kept_as_picture_vector_and_page_with_the_same_bytes_each_time(project, tmp_path):
    gaps = Gaps.read(project / "corpus/fbank/cnn/gaps.tsv")
    for folder in ("one", "two"):
        save_in_print(gaps_figure(gaps, "corpus"), tmp_path / folder / "gaps.png")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["gaps.pdf", "gaps.png", "gaps.svg"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_terminal_says_who_is_served_worst_and_whether_that_is_chance(project):
    said = fairness_text(FairnessSummary.found_in(project))
    assert "UAR [95 % interval]" in said.splitlines()[0]
    assert FairnessSummary.found_in(project) == FairnessSummary.found_in(project / "corpus")
    gender = next(line for line in said.splitlines() if " gender " in line)
    assert "female" in gender
    assert gender.rstrip().endswith("beyond chance")
    assert "240" in gender
    assert "lower is better" in said
    assert " race " not in said


def test_many_speakers_are_drawn_without_names():
    rows = predictions({"female": 0.5, "male": 0.6}, speakers=44, each=20, seeds=1)
    made = audit_classes(rows, CLASSES, manifest(rows), Asked(["speaker"]), 199)
    figure = speakers_figure(made, pd.DataFrame(made.groups), genders_of(rows), "corpus")
    assert "44 speakers, the worst served on top" in words(figure)
    assert np.isfinite(figure.get_size_inches()).all()
