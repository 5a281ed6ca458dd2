import ast
import os
import shutil
from pathlib import Path

import pytest

from candor.plan.fingerprint import _facts_of, _memory_of, fingerprint, reached
from candor.plan.targets import STAGES
from paths import ROOT

SCRIPT = """
from candor.metrics import uar
import candor.runtime

def main(smk):
    from candor.late import table
    return uar(table)
"""
METRICS = """\"\"\"Metrics.\"\"\"
from candor.counts import count

def uar(x):
    \"\"\"Mean recall.\"\"\"
    return count(x) / 2
"""
LATE = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from candor.types import Table
table = []
"""
MODULES = {
    "candor/__init__.py": "",
    "candor/metrics.py": METRICS,
    "candor/counts.py": "def count(x):\n    return len(x)\n",
    "candor/late.py": LATE,
    "candor/types.py": "Table = list\n",
    "candor/runtime.py": "VERBOSE = 1\n",
    "candor/config.py": "DEFAULT = 1\n",
    "candor/other.py": "OTHER = 1\n",
    "candor/readers/__init__.py": "",
    "candor/readers/ravdess.py": "NAME = 'ravdess'\n",
    "candor/readers/crema_d.py": "NAME = 'crema_d'\n",
}


@pytest.fixture
def code(tmp_path):
    for name, text in MODULES.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "script.py").write_text(SCRIPT)
    return tmp_path


def mark(code: Path, *loaded: str) -> str:
    return fingerprint(code / "script.py", code / "src", loaded)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 1))


def test_it_reaches_what_the_script_imports_directly_late_and_through_others(code):
    assert reached(code / "script.py", code / "src") == {"candor", "candor.metrics", "candor.counts", "candor.late"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("src/candor/metrics.py", "/ 2", "/ 3"),
        ("src/candor/counts.py", "len(x)", "len(x) + 1"),
        ("src/candor/late.py", "[]", "[1]"),
        ("script.py", "uar(table)", "uar(table) + 1"),
        ("src/candor/readers/ravdess.py", "'ravdess'", "'RAVDESS'"),
    ],
)
def test_an_edit_of_reached_code_is_noticed(code, file, old, new):
    before = mark(code, "candor.readers.ravdess")
    edit(code / file, old, new)
    assert mark(code, "candor.readers.ravdess") != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("src/candor/metrics.py", '"""Mean recall."""', '"""Mean of the recalls of all classes."""'),
        ("src/candor/metrics.py", "    return count", "    # half\n    return count"),
        ("src/candor/counts.py", "def count(x):\n", "def count(x):\n\n"),
        ("src/candor/metrics.py", '"""Metrics."""', '"""Measures."""'),
        ("src/candor/other.py", "1", "2"),
        ("src/candor/types.py", "list", "tuple"),
        ("src/candor/runtime.py", "1", "2"),
        ("src/candor/config.py", "1", "2"),
        ("src/candor/readers/crema_d.py", "'crema_d'", "'CREMA-D'"),
    ],
)
def test_prose_and_code_that_is_not_reached_make_no_difference(code, file, old, new):
    before = mark(code, "candor.readers.ravdess")
    edit(code / file, old, new)
    assert mark(code, "candor.readers.ravdess") == before


def test_a_touch_and_another_place_make_no_difference(code, tmp_path):
    before = mark(code)
    for path in code.rglob("*.py"):
        os.utime(path)
    assert mark(code) == before
    shutil.copytree(code, tmp_path / "clone")
    assert mark(tmp_path / "clone") == before


def test_every_script_reaches_only_the_stages_above_its_own():
    order = [*STAGES]
    stages = {
        "synthesise": "corpora",
        "manifest": "corpora",
        "join": "corpora",
        "corpora_overview": "corpora",
        "audio": "audio",
        "join_audio": "audio",
        "splits": "splits",
        "weights": "backbones",
        "pretrain": "backbones",
        "pretraining_figure": "backbones",
        "features": "features",
        "frames": "features",
        "train_pooled": "models",
        "train_frames": "models",
        "train_audio": "models",
        "model_figures": "models",
        "performance": "performance",
        "performance_ratings": "performance",
        "performance_table": "performance",
        "comparison": "performance",
        **dict.fromkeys(("fairness", "fairness_ratings", "fairness_table"), "fairness"),
        **dict.fromkeys(("attack", "attack_summary", "attack_examples", "attack_table"), "attack"),
        **dict.fromkeys(("privacy", "privacy_layers", "privacy_summary"), "privacy"),
        **dict.fromkeys(("privacy_table", "privacy_trust_ser"), "privacy"),
        **dict.fromkeys(("robustness", "robustness_summary", "robustness_table"), "robustness"),
        **dict.fromkeys(("cost", "cost_timing", "cost_table", "cost_timing_table"), "cost"),
        **dict.fromkeys(("trust", "trust_overview"), "trust"),
        **dict.fromkeys(("federate", "federated_performance", "federated_table"), "federated"),
        **dict.fromkeys(("leakage_shadows", "leakage_attacks", "leakage_inversion", "leakage_table"), "leakage"),
        "report_summary": "report",
    }
    scripts = sorted((ROOT / "workflow" / "scripts").glob("*.py"))
    assert {script.stem for script in scripts} == set(stages)
    for script in scripts:
        below = set(order[order.index(stages[script.stem]) + 1 :])
        modules = reached(script, ROOT / "src")
        assert not {module for module in modules if module.split(".")[1:2] and module.split(".")[1] in below}
        assert "candor.plan" not in modules


def test_every_module_imports_only_from_stages_above_its_own():
    """Data flows down the list of stages and never up, so the packages do too."""
    from candor.plan.fingerprint import _stamp

    ground = {
        "tables",
        "config",
        "store",
        "stats",
        "runtime",
        "figures",
        "numbers",
        "sheets",
        "made_of",
        "memory",
        "unfinished",
    }
    order = [*STAGES, "plan", "cli"]
    for path in sorted((ROOT / "src" / "candor").rglob("*.py")):
        own = path.relative_to(ROOT / "src" / "candor").parts[0].removesuffix(".py")
        for name in _facts_of(path, _stamp(path), None).imports:
            other = name.split(".")[1] if "." in name else ""
            if own in order and other in order:
                assert order.index(other) <= order.index(own), f"{path} imports {name}"
            elif own in ground and other:
                assert other in ground, f"{path} imports {name}"


def test_what_cannot_be_followed_is_refused(code):
    with pytest.raises(ValueError, match=r"no module candor\.readers\.ravdes "):
        mark(code, "candor.readers.ravdes")
    (code / "src/candor/metrics.py").write_text("from .counts import count\n")
    with pytest.raises(ValueError, match="relative imports"):
        mark(code)


def test_what_is_remembered_between_starts_changes_no_fingerprint(code, tmp_path):
    cache = tmp_path / "cache" / "fingerprints.json"
    arguments = (code / "script.py", code / "src", ["candor.readers.ravdess"])
    before = fingerprint(*arguments)
    assert fingerprint(*arguments, cache) == before
    assert cache.exists()
    _memory_of.cache_clear()
    _facts_of.cache_clear()
    parsed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ast, "parse", lambda *_, **__: parsed.append(1))
        assert fingerprint(*arguments, cache) == before
    assert not parsed, "nothing is parsed a second time"
    edit(code / "src/candor/metrics.py", "/ 2", "/ 3")
    assert fingerprint(*arguments, cache) == fingerprint(*arguments) != before
    _memory_of.cache_clear()
    _facts_of.cache_clear()
    cache.write_text("damaged")
    assert fingerprint(*arguments, cache) == fingerprint(*arguments)
