"""A corpus of which too much is broken."""

import shutil

import pandas as pd
import pytest

pytestmark = pytest.mark.workflow


def test_too_many_broken_files_stop_the_run_with_a_summary(fresh, tmp_path):
    raw = shutil.copytree(fresh.config["data_dir"]["ravdess"], tmp_path / "raw")
    for path in sorted(raw.rglob("*.wav"))[:10]:
        path.write_bytes(path.read_bytes()[:5000])
    config = {**fresh.config, "project_dir": str(tmp_path / "out"), "data_dir": {"demo": None, "ravdess": str(raw)}}
    del config["datasets"], config["federated"], config["leakage"]  # which name what is not here
    config |= {"backbones": {"apc_demo": False}, "recipes": {"cnn": {}}}
    broken = type(fresh)(fresh.path, tmp_path, config)
    said = broken.snakemake("results/corpora/ravdess", check=False)
    assert "10 of 48 recordings (20.8%) are broken, more than corpora.max_rejected allows (10.0%)" in said
    assert "Traceback" not in said
    assert len(pd.read_csv(tmp_path / "out/logs/manifest/ravdess.rejected.tsv", sep="\t")) == 10
    broken.snakemake("results/corpora/ravdess", corpora={"max_rejected": 0.5})
    assert len(pd.read_csv(tmp_path / "out/corpora/ravdess/rejected.tsv", sep="\t")) == 10
