"""One corpus is trained on, the other tested: an ordinary dataset for every stage."""

import csv

import pytest

pytestmark = pytest.mark.workflow

ACROSS = {"across": {"train_on": ["mine"], "test_on": ["ravdess"]}}


@pytest.fixture
def across(fresh):
    """A checkout with a cross-corpus dataset that is to be made."""
    return type(fresh)(fresh.path, fresh.project, {**fresh.config, "datasets": fresh.config["datasets"] | ACROSS})


def rows(file):
    with file.open(newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def test_every_stage_takes_it_and_nothing_is_read_or_converted_twice(across):
    joined = {"manifest": 2, "join": 1, "corpora_overview": 1}
    assert across.jobs("results/corpora/across") == joined
    assert across.jobs("results/audio/across") == joined | {"audio": 2, "join_audio": 1}
    jobs = across.jobs("results/performance/across")
    assert (jobs["manifest"], jobs["audio"], jobs["join_audio"], jobs["splits_1"]) == (2, 2, 1, 1)
    assert (jobs["features"], jobs["train_linear"]) == (1, 1)
    assert across.jobs("results/corpora") == {"manifest": 2, "join": 1, "corpora_overview": 3}


def test_one_corpus_trains_and_the_other_is_tested(across):
    across.snakemake("results/splits/across", "results/audio/across", cold=True)
    fold = rows(across.project / "splits/across/fold1.tsv")
    corpora = {
        part: {row["utterance"].split("__")[0] for row in fold if row["part"] == part} for part in ("train", "dev")
    }
    assert corpora == {"train": {"mine"}, "dev": {"mine"}}
    tested = [row for row in fold if row["part"] == "test"]
    assert {row["label"] for row in tested} == {"anger", "sadness"}
    assert len(tested) == 6 * 2 * 2
    shown = {row["utterance"]: row["file"] for row in rows(across.project / "audio/across/index.tsv")}
    assert set(shown) == {row["utterance"] for row in fold}
    assert all((across.project / "audio/across" / file).stat().st_size > 44 for file in shown.values())
    assert "Nothing to be done" in across.snakemake("--dry-run", "results/splits/across", "results/audio/across")


def test_a_part_that_is_missing_is_one_line(across):
    said = across.snakemake("--dry-run", "results/audio/across", check=False, data_dir={"ravdess": None})
    assert "config: data_dir.ravdess is empty; set it to the folder that holds" in said
    assert "datasets.across needs it" in said
