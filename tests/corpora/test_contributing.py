"""The corpus that CONTRIBUTING.md adds works as the page says: with its one file, and nothing else."""

import importlib
import re
import sys
from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from candor.config.loading import load
from candor.corpora import readers, registry
from candor.corpora.manifest import build
from candor.plan.datasets import require, resolve

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
GENDERS = {"kim": "f", "lee": "m", "max": "m", "zoe": "f"}


@pytest.fixture
def lighthouse(tmp_path, monkeypatch) -> str:
    """The page's example as one more file among the readers."""
    section = PAGE.read_text(encoding="utf-8").split("## Add a corpus")[1].split("\n## ")[0]
    [code] = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    name = re.match(r"# src/candor/corpora/readers/(\w+)\.py\n", code)[1]
    (tmp_path / "readers").mkdir()
    (tmp_path / "readers" / f"{name}.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(tmp_path / "readers")])
    importlib.invalidate_caches()
    yield name
    sys.modules.pop(f"{readers.__name__}.{name}", None)
    vars(readers).pop(name, None)


@pytest.fixture
def tree(tmp_path, write_wav) -> Path:
    root = tmp_path / "data"
    for (keeper, gender), sentence, emotion in product(GENDERS.items(), ("01", "02"), ("neu", "ang", "sad")):
        write_wav(root / f"{keeper}_{sentence}_{emotion}_{gender}.wav", seconds=0.2)
    write_wav(root / "siren.wav")
    return root


def test_the_registry_has_it(lighthouse, tree):
    assert lighthouse in registry.names()
    card = registry.load(lighthouse).CARD
    assert sum(card.published.labels["default"].values()) == card.published.files
    registry.locate(tree, lighthouse)


def test_it_is_read_like_any_other(lighthouse, tree):
    built = build(tree, dataset=lighthouse, corpus=lighthouse)
    assert Counter(row["label"] for row in built.utterances) == {"neutral": 8, "anger": 8, "sadness": 8}
    assert {(row["speaker"], row["gender"]) for row in built.utterances} == {
        (f"lighthouse_{keeper}", {"f": "female", "m": "male"}[letter]) for keeper, letter in GENDERS.items()
    }
    assert [(row["path"], row["reason"]) for row in built.rejected] == [
        ("siren.wav", "not a Lighthouse name: kim_03_ang_f would be one")
    ]
    assert built.comparison.verdict == "partial"


def test_it_is_a_dataset_and_its_card_says_how_it_is_split(lighthouse, tree):
    dataset = resolve(load({"data_dir": {lighthouse: str(tree)}}))[lighthouse]
    assert (dataset.corpus, dataset.raw) == (lighthouse, tree)
    assert (dataset.splits.options["scheme"], dataset.folds) == ("leave_one_speaker_out", 4)
    require(dataset)
