"""The figures show the figures of the tables, and the same figure gives the same bytes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from candor.figures import save_figure
from candor.performance.evaluate import Evaluation, evaluate
from candor.performance.figures import confusion_figure, ranking_figure

CLASSES = ["anger", "happiness", "neutral", "sadness"]


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    rng = np.random.default_rng(0)
    label = np.array(CLASSES)[np.arange(400) % 4]
    right = rng.random(400) < 0.6
    frame = pd.DataFrame(
        {
            "utterance": [f"u{n}" for n in range(400)],
            "speaker": [f"s{n // 40}" for n in range(400)],
            "session": "",
            "fold": np.arange(400) // 80,
            "seed": 0,
            "label": label,
            "predicted": np.where(right, label, "neutral"),
        }
    )
    return evaluate(frame, CLASSES)


def words(figure: Figure) -> list[str]:
    return [artist.get_text() for artist in figure.findobj() if isinstance(artist, Text)]


def test_confusion_figure_shows_shares_counts_and_recalls(evaluation: Evaluation) -> None:
    shown = words(confusion_figure(evaluation, "corpus · backbone · recipe"))
    assert "corpus · backbone · recipe" in shown
    for row in evaluation.per_class.to_dict("records"):
        assert row["class"] in shown
        assert f"{100 * row['recall']:.0f} [{100 * row['low']:.0f}, {100 * row['high']:.0f}]" in shown
    for cell in evaluation.confusion.to_dict("records"):
        assert f"{cell['count']}" in shown
        assert f"{100 * cell['share']:.0f}" in shown


def test_ranking_figure_puts_the_best_first_and_marks_what_is_at_chance(evaluation: Evaluation) -> None:
    good, bad = evaluation.summary("corpus", "good", "linear"), evaluation.summary("corpus", "bad", "linear")
    bad = bad.assign(value=0.25, low=0.2, high=0.3, interpretable="at chance")
    figure = ranking_figure(pd.concat([bad, good]))
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["good · linear", "bad · linear"]
    assert "25.0 [20.0, 30.0]  at chance" in words(figure)
    with pytest.raises(ValueError, match="no row of the summary holds ccc"):
        ranking_figure(good, "ccc")


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_same_figure_gives_same_bytes(evaluation: Evaluation, tmp_path: Path, kind: str) -> None:
    for name in ("one", "other"):
        save_figure(confusion_figure(evaluation, "title"), tmp_path / f"{name}.{kind}")
    one = (tmp_path / f"one.{kind}").read_bytes()
    assert one == (tmp_path / f"other.{kind}").read_bytes()
    assert len(one) > 1000


def test_other_kinds_of_files_are_refused(evaluation: Evaluation, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="saved as pdf, png, svg, not as jpg"):
        save_figure(confusion_figure(evaluation, "title"), tmp_path / "figure.jpg")
    assert not list(tmp_path.iterdir())


def test_one_speaker_has_points_without_intervals(evaluation: Evaluation, tmp_path: Path) -> None:
    alone = Evaluation(
        evaluation.classes,
        evaluation.counts[:1],
        evaluation.metrics,
        evaluation.per_class.assign(low=np.nan, high=np.nan),
        evaluation.confusion,
    )
    figure = confusion_figure(alone, "title")
    assert sum("one speaker" in text for text in words(figure)) == len(CLASSES)
    save_figure(figure, tmp_path / "figure.png")


def test_figures_say_so_when_test_speakers_are_also_in_train(evaluation: Evaluation) -> None:
    silent = [confusion_figure(evaluation, "title"), ranking_figure(evaluation.summary("corpus", "good", "linear"))]
    assert not any("also in train" in " ".join(words(figure)) for figure in silent)
    shared = replace(evaluation, metrics=evaluation.metrics.assign(speakers=100, speakers_in_train=69))
    for figure in (confusion_figure(shared, "title"), ranking_figure(shared.summary("corpus", "good", "linear"))):
        assert any("69 of 100 test speakers are also in train" in text for text in words(figure))
