"""From the predictions of several systems to the table and the figure of their differences."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from sklearn.metrics import f1_score, recall_score

from candor.figures import save_figure
from candor.performance.compare import System, compare
from candor.performance.comparison_figures import comparison_figure
from candor.performance.pairs import ComparisonError
from candor.performance.show import comparison_text
from candor.tables.comparison import Comparison

CLASSES = ["anger", "happiness", "sadness"]


def predictions(skill: float, speakers: int = 10, seeds: int = 2, seed: int = 0, utterances: int = 20) -> pd.DataFrame:
    """Return predictions, right with probability `skill`, for the same utterances whatever skill, seeds and seed."""
    rng = np.random.default_rng(seed)
    label = np.random.default_rng(99).integers(0, 3, speakers * utterances)
    frames = []
    for trained in range(seeds):
        said = np.where(rng.random(len(label)) < skill, label, rng.integers(0, 3, len(label)))
        number = np.arange(len(label))
        frames.append(
            pd.DataFrame(
                {
                    "utterance": [f"u{n}" for n in number],
                    "speaker": [f"s{n // utterances}" for n in number],
                    "gender": "",
                    "session": "",
                    "fold": number // (2 * utterances),
                    "seed": trained,
                    "label": np.array(CLASSES)[label],
                    "predicted": np.array(CLASSES)[said],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def system(backbone: str, recipe: str, frame: pd.DataFrame) -> System:
    return System.of(backbone, recipe, frame, CLASSES)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return compare(
        "corpus",
        [
            system("fbank", "cnn", predictions(0.5, seed=1)),
            system("wavlm", "cnn", predictions(0.9, seed=2, seeds=3)),
            system("wavlm", "linear", predictions(0.88, seed=3)),
            system("apc", "gru", predictions(0.88, seed=4)),
        ],
    )


def words(figure: Figure) -> list[str]:
    return [artist.get_text() for artist in figure.findobj() if isinstance(artist, Text)]


def test_pairs_share_their_backbone_or_their_recipe(rows: pd.DataFrame) -> None:
    uar = rows[rows["metric"] == "uar"].to_dict("records")
    assert [(row["differ_in"], row["backbone_a"], row["recipe_a"], row["backbone_b"], row["recipe_b"]) for row in uar] \
        == [("backbone", "fbank", "cnn", "wavlm", "cnn"), ("recipe", "wavlm", "cnn", "wavlm", "linear")]  # fmt: skip
    assert list(dict.fromkeys(rows["metric"])) == ["uar", "accuracy", "macro_f1"]
    assert rows[["utterances", "speakers", "pairs"]].drop_duplicates().to_numpy().tolist() == [[200, 10, 2]]
    assert [(row["seeds_a"], row["seeds_b"]) for row in uar] == [(2, 3), (3, 2)]


def test_differences_are_those_of_scikit_learn_averaged_over_seeds(rows: pd.DataFrame) -> None:
    scores = {
        "uar": lambda one: recall_score(one["label"], one["predicted"], average="macro"),
        "accuracy": lambda one: (one["label"] == one["predicted"]).mean(),
        "macro_f1": lambda one: f1_score(one["label"], one["predicted"], average="macro"),
    }
    first, second = predictions(0.5, seed=1), predictions(0.9, seed=2, seeds=3)
    for metric, score in scores.items():
        values = [np.mean([score(one) for _, one in frame.groupby("seed")]) for frame in (first, second)]
        row = rows[rows["metric"] == metric].iloc[0]
        assert (row["value_a"], row["value_b"]) == pytest.approx(tuple(values))
        assert row["difference"] == pytest.approx(values[0] - values[1])


def test_a_large_difference_is_told_and_a_small_one_is_not(rows: pd.DataFrame) -> None:
    far, near = rows[rows["metric"] == "uar"].to_dict("records")
    assert far["better"] == "wavlm"
    assert far["high"] < 0
    # All ten speakers agree, so no swap but none and all is as extreme; the smaller of two p values counts double.
    assert far["p"] == pytest.approx(2 / 2**10)
    assert far["p_holm"] == pytest.approx(2 * far["p"])
    assert near["better"] == "not told apart"
    assert near["low"] < 0 < near["high"]
    assert near["p_holm"] == pytest.approx(near["p"])


def test_equal_systems_are_not_told_apart() -> None:
    frame = predictions(0.7)
    got = compare("corpus", [system("one", "cnn", frame), system("other", "cnn", frame)])
    assert (got["difference"] == 0).all()
    assert (got["p"] == 1).all()
    assert set(got["better"]) == {"not told apart"}


def test_order_of_rows_does_not_matter(rows: pd.DataFrame) -> None:
    got = compare(
        "corpus",
        [
            system("fbank", "cnn", predictions(0.5, seed=1).sample(frac=1, random_state=1)),
            system("wavlm", "cnn", predictions(0.9, seed=2, seeds=3).sample(frac=1, random_state=2)),
        ],
    )
    kept = ["value_a", "value_b", "difference", "low", "high", "p"]
    expected = rows[rows["backbone_a"] == "fbank"]
    np.testing.assert_allclose(got[kept].to_numpy(float), expected[kept].to_numpy(float), atol=1e-12)


def test_few_speakers_tell_nothing_apart_and_one_has_no_interval() -> None:
    few = [system(name, "cnn", predictions(skill, speakers=5)) for name, skill in (("good", 1.0), ("bad", 0.3))]
    got = compare("corpus", few)
    assert (got["p"] == 2 / 2**5).all()
    assert set(got["better"]) == {"too few speakers"}
    one = [system(name, "cnn", predictions(skill, speakers=1)) for name, skill in (("good", 1.0), ("bad", 0.3))]
    got = compare("corpus", one)
    assert got[["low", "high", "p", "p_holm"]].isna().all(axis=None)
    assert set(got["better"]) == {"too few speakers"}


def test_speakers_who_are_not_known_count_by_session() -> None:
    hidden = [frame.assign(session=frame["speaker"], speaker="") for frame in (predictions(0.9), predictions(0.6))]
    named = compare("corpus", [system("a", "cnn", predictions(0.9)), system("b", "cnn", predictions(0.6))])
    got = compare("corpus", [system("a", "cnn", hidden[0]), system("b", "cnn", hidden[1])])
    pd.testing.assert_frame_equal(got, named)


def test_utterances_that_one_system_lacks_are_named() -> None:
    whole, part = predictions(0.9), predictions(0.8)
    part = part[part["utterance"] != "u17"]
    for systems in ([("a", whole), ("b", part)], [("b", part), ("a", whole)]):
        with pytest.raises(ComparisonError, match="u17 is tested by a with cnn but not by b with cnn"):
            compare("corpus", [system(name, "cnn", frame) for name, frame in systems])


@pytest.mark.parametrize(("column", "value"), [("label", "happiness"), ("speaker", "s8"), ("fold", 9)])
def test_utterances_that_differ_are_named(column: str, value: object) -> None:
    frame = predictions(0.8)
    other = frame.copy()
    place = frame.index[(frame[column] != value) & (frame["utterance"] == "u4")]
    assert len(place) == 2
    other.loc[place, column] = value
    was = frame.loc[place[0], column]
    with pytest.raises(ComparisonError, match=f"u4 has {column} {was} with a with cnn and {value} with b with cnn"):
        compare("corpus", [system("a", "cnn", frame), system("b", "cnn", other)])


@pytest.mark.filterwarnings("error")
def test_a_class_that_nobody_speaks_is_no_obstacle() -> None:
    frames = [frame[frame["label"] != "anger"] for frame in (predictions(0.9), predictions(0.6))]
    got = compare("corpus", [system("a", "cnn", frames[0]), system("b", "cnn", frames[1])])
    assert (got["difference"] > 0).all()


@pytest.mark.parametrize("number", [1, 4])
def test_rows_are_what_the_contract_says(tmp_path: Path, rows: pd.DataFrame, number: int) -> None:
    table = rows if number > 1 else compare("corpus", [system("fbank", "cnn", predictions(0.5))])
    Comparison.write(table, tmp_path / "comparison.tsv")
    pd.testing.assert_frame_equal(Comparison.read(tmp_path / "comparison.tsv"), table, check_dtype=False)


def test_figure_names_the_leader_first_and_marks_what_is_told_apart(rows: pd.DataFrame) -> None:
    figure = comparison_figure(rows)
    shown = words(figure)
    labels = [[label.get_text() for label in axes.get_yticklabels()] for axes in figure.axes]
    far, near = rows[rows["metric"] == "uar"].to_dict("records")
    ahead = ("cnn", "linear") if near["difference"] > 0 else ("linear", "cnn")
    assert labels == [["wavlm over fbank · cnn"], [f"{ahead[0]} over {ahead[1]} · wavlm"]]
    ends = [f"{-100 * far[name]:+.1f}" for name in ("difference", "high", "low")]
    assert f"{ends[0]} [{ends[1]}, {ends[2]}]  p = {far['p_holm']:.3f}" in shown
    assert sum(text.endswith("n.s.") for text in shown) == 1


def test_the_terminal_shows_the_greatest_differences_leader_first(tmp_path: Path, rows: pd.DataFrame) -> None:
    (tmp_path / "d").mkdir()
    Comparison.write(rows, tmp_path / "d" / "comparison.tsv")
    heads, *lines = comparison_text([tmp_path / "d" / "comparison.tsv"]).splitlines()
    pairs = rows[rows["metric"] == "uar"].sort_values("difference", key=abs, ascending=False)
    assert heads.startswith("dataset  ahead")
    assert len(lines) == len(pairs)
    for line, row in zip(lines, pairs.to_dict("records"), strict=True):
        assert f" {100 * abs(row['difference']):.1f} [" in line
        assert line.endswith(row["better"])


def test_figure_of_a_single_system_and_of_a_single_speaker(tmp_path: Path) -> None:
    alone = comparison_figure(compare("corpus", [system("fbank", "cnn", predictions(0.5))]))
    assert "There are no two systems to compare." in words(alone)
    one = [system(name, "cnn", predictions(skill, speakers=1)) for name, skill in (("good", 1.0), ("bad", 0.3))]
    figure = comparison_figure(compare("corpus", one))
    assert any("one speaker" in text for text in words(figure))
    for name, drawn in (("alone", alone), ("one", figure)):
        save_figure(drawn, tmp_path / f"{name}.png")
