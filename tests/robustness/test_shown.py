"""Figures and texts from tables, those too that hold hardly anything."""

import pytest

from candor.cli import main
from candor.figures import save_figure
from candor.robustness.emotion_answers import EmotionAnswers
from candor.robustness.evaluate import results
from candor.robustness.figures import curves_figure, verdicts_figure
from candor.robustness.show import robustness_text
from candor.tables.robustness import RobustnessResult, RobustnessSummary
from candor.tables.side_by_side import side_by_side
from robustness.lab import EMOTIONS, disturbed_of, predictions_of

EVERY = {"white_noise": [20.0, 0.0], "gain": [-2.0], "room": [0.2, 0.4, 0.9], "telephone": [256.0]}


def result(share: float, tests=EVERY, predictions=None, **more):
    predictions = predictions_of(**more) if predictions is None else predictions

    def change(test, strength, row, random):
        return EMOTIONS[int(random.integers(3))] if random.random() < share else row["predicted"]

    return results(EmotionAnswers(disturbed_of(predictions, tests, change), predictions), tests)


@pytest.fixture
def summary(tmp_path):
    constant = predictions_of().assign(predicted="anger")
    found = [result(0.02, speakers=40), result(0.6), result(0.0, predictions=constant)]
    systems = [("fbank", "cnn"), ("apc", "cnn"), ("apc", "linear")]
    file = tmp_path / "robustness" / "mine" / "summary.tsv"
    RobustnessSummary.write(side_by_side("mine", systems, found), file)
    return file


def test_the_text_counts_what_is_passed_and_names_what_is_failed(summary, tmp_path, capsys):
    text = robustness_text([summary])
    lines = text.splitlines()
    assert "4 of 4" in lines[1]
    assert "0 of 4" in lines[2]
    assert lines[2].endswith("  white_noise, gain, room, telephone")
    assert "not interpretable: one class" in lines[3]
    assert robustness_text([]) == ""
    with pytest.raises(SystemExit) as end:
        main(["show", "robustness/mine", "--project", str(tmp_path)])
    assert end.value.code == 0
    assert str(summary) in capsys.readouterr().out


def test_figures_are_drawn_of_whatever_there_is_and_alike_each_time(summary, tmp_path):
    rows = RobustnessSummary.read(summary)
    for name in ("one", "two"):
        save_figure(verdicts_figure(rows, "mine"), tmp_path / f"{name}.png")
        save_figure(curves_figure(rows[rows["backbone"] == "fbank"], "mine: fbank, cnn"), tmp_path / f"{name}.svg")
    for kind in ("png", "svg"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_a_mark_says_what_the_colour_says(summary):
    figure = verdicts_figure(RobustnessSummary.read(summary), "mine")
    words = [text.get_text() for text in figure.axes[0].texts]
    assert sum("✓" in text for text in words) == 4
    assert sum("✗" in text for text in words) == 4
    assert sum("·" in text for text in words) == 4, "no verdict on models that say one thing"
    assert "4 of 4" in words
    assert not any("−0" in text for text in words)


def test_one_speaker_and_utterances_that_are_all_left_out_can_be_drawn(tmp_path):
    alone = predictions_of(speakers=1, each=60)
    tests = {"babble": [20.0], "crop_end": [0.03, 0.5]}
    disturbed = disturbed_of(alone, tests, lambda test, *_: "no other speaker" if test == "babble" else "anger")
    RobustnessResult.write(results(EmotionAnswers(disturbed, alone), tests), tmp_path / "summary.tsv")
    rows = RobustnessResult.read(tmp_path / "summary.tsv")
    save_figure(curves_figure(rows, "title"), tmp_path / "curves.png")
    table = side_by_side("mine", [("fbank", "cnn")], [rows])
    RobustnessSummary.write(table, tmp_path / "all.tsv")
    save_figure(verdicts_figure(RobustnessSummary.read(tmp_path / "all.tsv"), "title"), tmp_path / "tests.png")
    # A model that hears anger everywhere once the end is cut off: of one speaker nothing is certain.
    line = robustness_text([tmp_path / "all.tsv"]).splitlines()[1]
    assert "  0 of 1  " in line
    assert line.endswith("  crop_end (?)")
