import subprocess
import sys
from pathlib import Path

import pytest

from candor.corpora import registry
from candor.corpora.emotions import EMOTIONS
from candor.corpora.reader import CorpusError


def test_readers_are_found():
    assert {"crema_d", "demo", "ravdess", "table"} <= set(registry.names())


@pytest.mark.parametrize("name", registry.names())
def test_cards_say_what_a_person_asks(name):
    card = registry.load(name).CARD
    assert card.title
    assert card.licence
    assert card.layout
    assert card.markers
    for policy in card.policies:
        assert set(card.classes_of(policy)) <= set(EMOTIONS)
        if card.published:
            named = max(card.published.files, sum(card.published.splits.values()))
            assert sum(card.published.labels[policy].values()) <= named
            assert set(card.classes_of(policy)) <= set(card.published.labels[policy])


def test_a_workflow_that_asks_for_a_corpus_loads_nothing_heavy():
    code = (
        "import sys; from candor.corpora import registry; [registry.load(name) for name in registry.names()];"
        "print(sorted({'numpy', 'pandas', 'torch', 'soundfile', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_unknown_reader_is_answered_with_those_there_are():
    with pytest.raises(CorpusError, match=r"'cremad'; there are .*did you mean 'crema_d'"):
        registry.load("cremad")


def test_a_right_path_passes(tmp_path):
    (tmp_path / "Actor_01").mkdir()
    (tmp_path / "Actor_01" / "03-01-01-01-01-01-01.wav").touch()
    registry.locate(tmp_path, "ravdess")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (None, "no path is given"),
        ("nowhere", "no such folder"),
        ("file", "a file, not a folder"),
        ("", "nothing in it"),
    ],
)
def test_a_wrong_path_is_told_with_what_was_looked_for(tmp_path, path, said):
    (tmp_path / "file").touch()
    root = None if path is None else tmp_path / path
    with pytest.raises(CorpusError, match=said) as caught:
        registry.locate(root, "ravdess")
    assert "Actor_01" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_path_one_folder_off_is_recognised(tmp_path: Path):
    inside = tmp_path / "CREMA-D"
    (inside / "processedResults").mkdir(parents=True)
    (inside / "processedResults" / "summaryTable.csv").touch()
    with pytest.raises(CorpusError, match=r"Did you mean .*CREMA-D\?"):
        registry.locate(tmp_path, "crema_d")
    with pytest.raises(CorpusError, match=r"Did you mean .*CREMA-D\?"):
        registry.locate(inside / "processedResults", "crema_d")
