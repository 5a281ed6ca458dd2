"""The front, the figure and the text from rows whose answers are known."""

import itertools
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from candor.cost.figures import apart, pareto_figure
from candor.cost.overview import all_systems
from candor.cost.show import cost_text, timings_beside, with_prefix
from candor.figures import save_figure
from candor.tables.cost import CostSummary, CostTiming, SystemCost

TALLY = {
    "parameters": 10,
    "trainable": 5,
    "backbone_parameters": 5,
    "head_parameters": 5,
    "mean_seconds": 2.0,
    "utterances": 96,
}


def cost(name: str, flops: float | None, note: str = "") -> dict:
    counted = {column.name: flops for column in SystemCost.columns if "flops" in column.name}
    return {"dataset": "d", "backbone": name, "recipe": "cnn", **TALLY, **counted, "note": note}


def score(name: str, value: float, interpretable: str = "yes", metric: str = "uar") -> dict:
    return {
        "dataset": "d", "backbone": name, "recipe": "cnn", "metric": metric, "value": value, "low": value - 0.1,
        "high": value + 0.1, "fold_sd": 0.02, "seed_sd": 0.01, "chance": 0.25, "interpretable": interpretable,
        "utterances": 96, "speakers": 8, "speakers_in_train": 0, "speakers_in_pretraining": 0, "folds": 4, "seeds": 3,
    }  # fmt: skip


def summary_of(*systems: tuple, metric: str = "uar") -> pd.DataFrame:
    """Return the summary of systems: name, operations, score and whether that means something."""
    costs = pd.DataFrame(
        [cost(name, flops, "operations not counted: so" if flops is None else "") for name, flops, *_ in systems]
    )
    scores = pd.DataFrame([score(name, value, *rest, metric=metric) for name, _, value, *rest in systems])
    return all_systems(costs, scores, metric)


def outdone(systems: list[tuple[str, float, float]]) -> set[str]:
    """Return who is outdone, by the definition."""
    return {
        one
        for (one, cost, score), (_, other_cost, other_score) in itertools.permutations(systems, 2)
        if other_cost <= cost and other_score >= score and (other_cost, other_score) != (cost, score)
    }


def test_the_front_is_what_the_definition_says():
    random = np.random.default_rng(0)
    systems = [(f"b{n}", float(random.integers(1, 9)), float(random.integers(30, 40)) / 100) for n in range(40)]
    rows = summary_of(*systems).set_index("backbone")
    assert set(rows.index[rows["pareto"] == "no"]) == outdone(systems)
    assert set(rows["pareto"]) == {"yes", "no"}


def test_equals_share_the_front_and_who_is_outdone_is_told_by_whom():
    rows = summary_of(("a", 1e6, 0.5), ("twin", 1e6, 0.5), ("dear", 2e6, 0.5), ("best", 3e6, 0.6)).set_index("backbone")
    assert rows["pareto"].to_dict() == {"a": "yes", "twin": "yes", "dear": "no", "best": "yes"}
    assert rows.loc["dear", "note"] == "a with cnn costs no more and scores no lower"


def test_what_cannot_be_counted_or_is_at_chance_takes_no_part():
    rows = summary_of(("smile", None, 0.9), ("cheap", 1e3, 0.26, "at chance"), ("apc", 1e8, 0.5)).set_index("backbone")
    assert rows["pareto"].to_dict() == {"smile": "", "cheap": "", "apc": "yes"}
    assert rows.loc["cheap", "note"] == "not interpretable: at chance"
    assert rows.loc["smile", "note"] == "operations not counted: so"


def test_a_system_without_a_score_is_an_error():
    with pytest.raises(ValueError, match="no uar of b with cnn"):
        all_systems(pd.DataFrame([cost("a", 1.0), cost("b", 1.0)]), pd.DataFrame([score("a", 0.5)]), "uar")


@pytest.fixture
def summary(tmp_path):
    rows = summary_of(("smile", None, 0.45), ("apc", 1.01e8, 0.5751), ("fbank", 1.13e7, 0.26, "at chance"))
    CostSummary.write(rows, tmp_path / "d" / "summary.tsv")
    return tmp_path / "d" / "summary.tsv"


def words(figure) -> list[str]:
    return [artist.get_text() for artist in figure.findobj() if isinstance(artist, Text)]


def test_the_figure_names_every_system_and_gives_the_same_bytes(summary, tmp_path):
    rows = CostSummary.read(summary)
    said = words(pareto_figure(rows))
    assert "apc · cnn  101 M" in said
    assert "fbank · cnn  11.3 M  at chance" in said
    assert any("smile · cnn: UAR 45.0 [35.0, 55.0]" in own for own in said)
    assert "d: 96 test utterances of 8 speakers" in said
    for name in ("one.png", "two.png"):
        save_figure(pareto_figure(rows), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


@pytest.mark.parametrize("systems", [1, 14, 42])
def test_no_label_lies_on_another(systems):
    random = np.random.default_rng(systems)
    rows = summary_of(
        *((f"backbone{n}", float(10 ** random.uniform(6, 11)), random.uniform(0.5, 0.52)) for n in range(systems))
    )
    figure = pareto_figure(rows.assign(low=rows["score"] - 0.01, high=rows["score"] + 0.01))
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(own) for own in figure.axes[0].texts if own.get_text().startswith("backbone")]
    assert len(boxes) == systems
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert all(box.y0 >= 0 and box.y1 <= figure.bbox.y1 and box.x1 <= figure.bbox.x1 for box in boxes)


def test_without_a_single_count_there_is_a_figure_all_the_same():
    assert any("smile · cnn" in own for own in words(pareto_figure(summary_of(("smile", None, 0.4)))))


def test_labels_are_pushed_no_further_than_they_must():
    assert apart([0.1, 0.5, 0.9], 0.1) == [0.1, 0.5, 0.9]
    assert apart([0.5, 0.52, 0.54], 0.1) == pytest.approx([0.42, 0.52, 0.62])
    assert apart([0.99, 1.0], 0.1) == pytest.approx([0.9, 1.0])


def test_the_terminal_says_all_that_counts(summary):
    timing = {column.name: None for column in CostTiming.columns if column.kind != "text"}
    timing |= {
        "dataset": "d",
        "backbone": "apc",
        "recipe": "cnn",
        "device": "cpu",
        "processor": "Some CPU",
        "threads": 1,
    }
    timing |= {
        "inference_seconds": 16.53,
        "energy_source": "no counter below /sys/class/powercap",
        "note": "extraction: so",
    }
    CostTiming.write([timing], summary.with_name("summary.timing.tsv"))
    assert CostSummary.found_in(summary.parent.parent) == CostSummary.found_in(summary.parent) == [summary]
    text = cost_text([summary], timings_beside([summary]))
    lines = text.splitlines()
    assert [line.split()[1] for line in lines[1:4]] == ["fbank", "apc", "smile"], (
        "the cheapest first, uncounted ones last"
    )
    assert "101 M" in lines[2]
    assert "UAR 57.5 [47.5, 67.5]" in lines[2]
    assert "(at chance)" in lines[1]
    assert "16.53" in text
    assert "Energy: no counter below /sys/class/powercap." in text
    assert "d, smile, cnn: operations not counted: so" in text
    assert "d, apc, cnn: extraction: so" in text


def test_ratings_have_a_front_too():
    rows = summary_of(("a", 1e6, 0.5), ("b", 2e6, 0.4), metric="ccc")
    assert rows["pareto"].tolist() == ["yes", "no"]
    assert any("CCC" in own for own in words(pareto_figure(rows)))


def test_numbers_are_written_short():
    assert [with_prefix(own) for own in (999, 1000, 1.5e12, 999.9e6, 12345)] == [
        "999",
        "1 k",
        "1.5 T",
        "1000 M",
        "12.3 k",
    ]


def test_the_table_and_the_terminal_need_no_torch():
    modules = (f"candor.cost.{name}" for name in ("figures", "overview", "show", "spent"))
    program = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
