"""The command `candor` says which corpora there are and what was read of them."""

from __future__ import annotations

import re

import pytest
import yaml

from candor import cli
from candor.config.loading import load
from candor.corpora import registry
from candor.corpora.counts import compare, tally
from candor.corpora.reader import Clip, CorpusError, Published
from candor.corpora.show import corpora_text, corpus_text, counts_text, example, find_counts
from candor.plan.datasets import resolve
from candor.tables.corpora import Counts
from candor.tables.performance import Summary


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder with a config, as a user has it; the command runs there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()

    def write(**config) -> None:
        (tmp_path / "config/config.yml").write_text(yaml.safe_dump(config))

    write(project_dir=str(tmp_path / "out"))
    return write


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    said = capsys.readouterr()
    code = end.value.code
    return (0 if code is None else code if isinstance(code, int) else 1), said.out, said.err + str(code)


def make_counts(folder, dataset, *, published=None, clips=12, rejected=()):
    """Write the counts of a dataset of two speakers, one of whom is not known, and 300 s clips."""
    rows = [
        {
            "utterance": f"u{number}",
            "path": f"u{number}.wav",
            "speaker": "toy_a" if number % 2 else "",
            "gender": "female" if number % 2 else "",
            "session": "",
            "scenario": ("impro", "read")[number % 3 == 0],
            "language": "",
            "split": ("train", "test")[number % 4 == 0],
            "label": ("anger", "neutral")[number % 3 == 0],
            "duration": 300.0,
        }
        for number in range(clips)
    ]
    read = [Clip(row["utterance"], row["path"], row["speaker"], split=row["split"], label=row["label"]) for row in rows]
    found = compare(read, {clip.path for clip in read}, published, "default", None)
    file = folder / "corpora" / dataset / "counts.tsv"
    Counts.write(found.rows + tally(rows, list(rejected)), file)
    return file


# candor corpora


def test_every_corpus_is_listed_with_licence_redistribution_and_layout(checkout, capsys):
    code, said, _ = run(capsys, "corpora")
    assert code == 0
    blocks = said.split("\n\n")
    for name in registry.names():
        card = registry.load(name).CARD
        (block,) = [" ".join(block.split()) for block in blocks if block.split()[0] == name]
        assert card.title in block
        assert f" {'yes' if card.redistributable else 'no'} " in block
        assert f"licence {card.licence}" in block
        assert f"layout {' '.join(card.layout.split())}" in block
        assert f"classes {', '.join(card.classes) or 'none'}" in block
        if card.published:
            assert f" {card.published.files:,} {card.published.speakers:,} " in block


def test_the_list_says_which_paths_are_set(checkout, tmp_path, capsys):
    checkout(
        data_dir={"demo": "synthesise", "ravdess": "/data/RAVDESS", "crema-d": "/data/CREMA-D", "mine": "/data/mine"},
        datasets={"mine": {"corpus": "table", "table": {"file": "labels.csv"}}},
    )
    _, said, _ = run(capsys, "corpora")
    ends = {line.split()[0]: line for line in said.splitlines() if line and not line.startswith(" ")}
    assert ends["ravdess"].endswith("  set")
    assert ends["crema_d"].endswith("  set")
    assert ends["demo"].endswith("  made here")
    assert ends["table"].endswith("  set for mine")
    assert ends["savee"].endswith("  not set")


def test_a_config_that_is_wrong_does_not_hide_the_names_that_would_put_it_right(checkout, capsys):
    checkout(data_dir={"ravdes": "/data/RAVDESS"})
    code, said, warned = run(capsys, "corpora")
    assert code == 0
    assert "config: data_dir.ravdes is not a known key" in warned
    assert "ravdess" in said


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_the_terminal(width):
    for text in (corpora_text({}, width), *(corpus_text(name, {}, width) for name in registry.names())):
        for line in text.partition("In config/config.yml")[0].splitlines():
            words = line.strip().split("  ")[-1].split()
            alone = len(words) == 1 or line[0:1].isalnum()  # one long word, or a row of the table
            assert len(line) <= width or alone, line


def test_the_card_of_a_corpus_says_all_that_is_known(checkout, tmp_path, capsys):
    (tmp_path / "raw/Actor_01").mkdir(parents=True)
    checkout(data_dir={"ravdess": str(tmp_path / "raw")})
    _, said, _ = run(capsys, "corpora", "ravdess")
    said = re.sub(r"\s+", " ", said)
    for words in (
        "RAVDESS (speech)",
        "CC BY-NC-SA 4.0",
        "redistributable no",
        "https://zenodo.org/records/1188976",
        f"data_dir.ravdess is {tmp_path / 'raw'}; nothing in it matches Actor_*/03-01-*.wav",
        "Actor_01 to Actor_24, each with 60 files",
        "1,440 clips, 24 speakers",
        "calm_as_neutral (default), calm_apart",
        "calm_as_neutral neutral 288, anger 192,",
        "calm_apart neutral 96, anger 192,",
        "calm 192",
        "folds of speakers",
        "trust-ser: folds of speakers",
    ):
        assert words in said


@pytest.mark.parametrize("spelling", ["crema_d", "crema-d", "CREMA-D"])
def test_a_corpus_may_be_written_as_its_authors_write_it(checkout, capsys, spelling):
    code, said, _ = run(capsys, "corpora", spelling)
    assert code == 0
    assert said.startswith("crema_d: CREMA-D\n")


def test_an_unknown_corpus_is_answered_in_one_line_with_the_nearest(checkout, capsys):
    code, said, error = run(capsys, "corpora", "ravdes")
    assert code == 1
    assert said == ""
    assert error.startswith("candor: no reader is called 'ravdes'; there are ")
    assert error.endswith("did you mean 'ravdess'?")
    assert "\n" not in error
    with pytest.raises(CorpusError):
        corpus_text("nothing", {}, 80)


@pytest.mark.parametrize("name", registry.names())
def test_the_example_of_every_corpus_is_a_config_that_is_right(name):
    config = yaml.safe_load(example(name))
    datasets = resolve(load(config))
    assert set(config["datasets"]) <= set(datasets)
    assert {datasets[entry].corpus for entry in config["datasets"]} == {name}
    assert all(datasets[entry].raw for entry in config["datasets"])


# candor show


def test_counts_are_shown_as_a_compact_text(tmp_path):
    rejected = [
        *[{"kind": "label", "reason": f"tie A:{letter}"} for letter in "DFN"],
        {"kind": "audio", "reason": "silent: peak at -80 dBFS"},
    ]
    published = Published(1200, 2, splits={"train": 900, "test": 300})
    file = make_counts(tmp_path, "toy", published=published, rejected=rejected)
    said = counts_text([file], 100)
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert lines[:2] == [
        "toy: 12 clips, 1.0 hours, 1 speaker",
        "Before anything is left out: partial: 12 of 1,200 published files, 1 of 2 speakers",
    ]
    for line in (
        "class female not known clips share hours",
        "neutral 2 2 4 33.3 % 0.3",
        "anger 4 4 8 66.7 % 0.7",
        "all 6 6 12 100.0 % 1.0",
        "part clips hours read published",
        "train 9 0.8 9 900",
        "test 3 0.2 3 300",
        "scenario impro 8, read 4",
        "speakers 1 with 6 clips; 6 clips of speakers not known",
        "left out 4",
        "audio 1: silent 1",
        "label 3: tie 3",
    ):
        assert line in lines, said


def test_nothing_left_out_is_said(tmp_path):
    said = counts_text([make_counts(tmp_path, "toy")], 100)
    assert re.search(r"^left out +nothing$", said, re.M)
    assert "there are no published counts to compare with" in said


def test_show_prints_counts_and_where_tables_and_figure_are(checkout, tmp_path, capsys):
    file = make_counts(tmp_path / "out", "toy")
    file.with_name("overview.png").write_bytes(b"")
    file.with_name("rejected.tsv").write_text("")
    make_counts(tmp_path / "out", "other")
    code, said, _ = run(capsys, "show", "results/corpora/toy")
    assert code == 0
    assert "toy: 12 clips" in said
    assert "other" not in said
    assert f"tables   {file}\n" in said
    assert f"tables   {file.with_name('rejected.tsv')}\n" in said
    assert "utterances.tsv" not in said
    assert f"figures  {file.with_name('overview.png')}\n" in said
    for folder in ("corpora", "results", "."):
        _, said, _ = run(capsys, "show", folder)
        assert said.index("other: 12 clips") < said.index("toy: 12 clips")
    assert find_counts(tmp_path / "out/corpora/toy") == [file]


def test_a_corpus_is_found_under_its_authors_spelling(checkout, tmp_path, capsys):
    make_counts(tmp_path / "out", "msp_improv")
    make_counts(tmp_path / "out", "with-hyphen")
    assert "msp_improv: 12 clips" in run(capsys, "show", "corpora/msp-improv")[1]
    assert "with-hyphen: 12 clips" in run(capsys, "show", "corpora/with-hyphen/")[1]
    row = {column.name: "x" if column.kind == "text" else 1 for column in Summary.columns} | {"dataset": "msp_improv"}
    rows = [row | {"metric": metric} for metric in ("uar", "accuracy", "macro_f1")]
    summary = tmp_path / "out/performance/msp_improv/summary.tsv"
    Summary.write(rows, summary)
    code, said, _ = run(capsys, "show", "performance/msp-improv")
    assert code == 0
    assert f"tables   {summary}" in said
    # The whole project: corpora first, as data flows.
    _, said, _ = run(capsys, "show", "results")
    assert said.index("msp_improv: 12 clips") < said.index(str(summary))


def test_what_cannot_be_shown_is_answered_with_what_can(checkout, tmp_path, capsys):
    make_counts(tmp_path / "out", "toy")
    for folder in ("features/toy", "corpora/toi", "performance/toy", "nonsense"):
        code, said, error = run(capsys, "show", folder)
        assert code == 1
        assert said == ""
        assert "holds nothing that can be shown; what can: corpora/toy." in error
    assert "Did you mean 'corpora/toy'?" in run(capsys, "show", "corpora/toi")[2]
    code, _, error = run(capsys, "show", "corpora/toy", "--project", str(tmp_path / "elsewhere"))
    assert code == 1
    stages = ["performance", "fairness", "attack", "privacy", "robustness", "cost", "trust", "federated", "leakage"]
    assert f"{' '.join(f'results/{stage}' for stage in stages)}` makes all that can" in error
    # A run alone has no table over all runs.
    (tmp_path / "out" / "leakage" / "toy" / "apc_fed_avg").mkdir(parents=True)
    for folder in ("leakage/toy", "leakage/toy/apc_fed_avg"):
        code, _, error = run(capsys, "show", folder)
        assert code == 1
        assert "shown yet; `snakemake --cores all results/leakage/toy` makes it" in error
    # What lies outside the project is none of its results.
    assert run(capsys, "show", "../out/corpora", "--project", str(tmp_path / "elsewhere"))[0] == 1


def test_counts_of_another_version_are_said_to_be_so(checkout, tmp_path, capsys):
    file = make_counts(tmp_path / "out", "toy")
    file.write_text(file.read_text().replace(Counts.schema(), "counts/1"))
    code, _, error = run(capsys, "show", "corpora/toy")
    assert code == 1
    assert "holds counts/1, but counts/2 is needed; delete it to have it rebuilt" in error
