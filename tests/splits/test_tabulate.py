import importlib.util
import json
import logging
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from candor.splits.folds import SplitError
from candor.splits.tabulate import fold_rows, overview_rows, trust_ser_lists
from candor.tables.corpora import Utterances
from candor.tables.splits import FoldTable, SplitOverview
from paths import ROOT
from splits.manifests import manifest, split


def acted() -> pd.DataFrame:
    """Six speakers and one who is not known; speaker 0 is never angry."""
    rows = [
        {
            "path": f"Actor/{speaker}{label[0]}.wav",
            "speaker": f"s{speaker}" if speaker < 6 else "",
            "gender": ["female", "male"][speaker % 2],
            "session": f"d{speaker // 2}",
            "raw_label": label[0].upper(),
            "label": label,
            "arousal": speaker + 0.5 if label == "anger" else None,
            "split": ["train", "train", "dev", "test", "train", "test2", "train"][speaker],
        }
        for speaker in range(7)
        for label in ("neutral", "anger")
        if (speaker, label) != (0, "anger")
    ]
    return manifest(rows)


def test_the_overview_names_what_a_part_lacks():
    utterances = acted()
    rows = overview_rows(split(utterances, "speakers", 6), utterances)
    assert len(rows) == 6 * 4
    assert sum(row["utterances"] for row in rows if row["part"] == "test") == len(utterances) - 2
    lacking = {row["warning"] for row in rows if row["part"] == "test"}
    assert lacking == {"no anger, no male", "no male", "no female"}
    assert all(row["warning"] == "" for row in rows if row["part"] == "train")
    assert {row["speakers_in_train"] for row in rows} == {0}


def test_what_is_set_aside_has_a_row():
    utterances = acted()
    (aside,) = [row for row in overview_rows(split(utterances, "official", 1), utterances) if row["part"] == "aside"]
    assert aside == {
        "fold": 1,
        "part": "aside",
        "speakers": 1,
        "speakers_in_train": 0,
        "sessions": 1,
        "female": 0,
        "male": 1,
        "utterances": 2,
        "n_neutral": 1,
        "n_anger": 1,
        "warning": "",
    }
    aside = overview_rows(split(utterances, "speakers", 3), utterances)[3]
    assert (aside["speakers"], aside["utterances"], aside["female"]) == (0, 2, 0)
    assert aside["warning"] == "2 clips of unknown speakers"


def test_folds_by_text_say_of_how_many_clips_the_text_is_not_known():
    rows = [
        {"speaker": f"s{speaker}", "label": "anger", "text": f"t{text}" if text else ""}
        for speaker in range(3)
        for text in range(4)
    ]
    utterances = manifest(rows)
    folds = split(utterances, "texts", 3, text_folds=3)
    told = [row["warning"] for row in overview_rows(folds, utterances, by_text=True) if row["part"] == "test"]
    assert told.count("1 clip of unknown text") == 3
    assert told.count("") == 6
    assert {row["warning"] for row in overview_rows(folds, utterances) if row["part"] == "test"} == {""}


def test_an_error_names_the_dataset_and_its_keys():
    error = SplitError("splits: there are 2 splits. Set splits.folds (or splits.text_folds), or splits.scheme")
    keys = "datasets.x.splits.folds (or datasets.x.splits.text_folds), or datasets.x.splits.scheme"
    assert str(error.of("x")) == f"x: there are 2 splits. Set {keys}"


def test_who_is_heard_in_training_too_is_said_first():
    utterances = manifest(
        {"speaker": speaker, "gender": "female", "label": "anger"} for speaker in "ab" for _ in "12345"
    )
    rows = overview_rows(split(utterances, "leave_one_speaker_out", 2), utterances)
    assert [row["warning"] for row in rows[:3]] == ["", "1 of 1 speakers is also in train", ""]
    assert [row["speakers_in_train"] for row in rows] == [0, 1, 0] * 2


def test_the_table_of_a_fold_holds_its_clips_and_the_rating_that_is_predicted(tmp_path):
    utterances = acted()
    (fold,) = split(utterances, "official", 1)
    FoldTable.write(fold_rows(fold, utterances, "emotion"), tmp_path / "fold1.tsv")
    table = FoldTable.read(tmp_path / "fold1.tsv")
    assert set(table["utterance"]) == set(fold.parts)
    assert list(table["part"]) == [fold.parts[utterance] for utterance in table["utterance"]]
    assert table["value"].isna().all()
    FoldTable.write(fold_rows(fold, utterances, "arousal"), tmp_path / "fold1.tsv")
    table = FoldTable.read(tmp_path / "fold1.tsv").merge(utterances[["utterance", "arousal"]], on="utterance")
    pd.testing.assert_series_equal(table["value"], table["arousal"].astype(float), check_names=False)
    assert table["value"].notna().sum() == 5


def test_lists_have_the_seeds_format():
    utterances = acted()
    fold = split(utterances, "speakers", 3)[0]
    lists = json.loads(json.dumps(trust_ser_lists(fold, utterances, Path("/data/corpus"))))
    assert set(lists) == {"train", "dev", "test"}
    assert sum(map(len, lists.values())) == len(fold.parts)
    key, speaker, gender, path, label = lists["test"][0]
    assert utterances.set_index("utterance").loc[key, "speaker"] == speaker
    assert gender in {"female", "male"}
    assert path.startswith("/data/corpus/Actor/")
    assert label in {"N", "A"}


def test_the_script_writes_every_file_and_warns_of_speakers_in_train(tmp_path, caplog, monkeypatch):
    measured = {"duration": 1.0, "rate": 16000, "channels": 1, "audio": "x"}
    blank = {column.name: "" for column in Utterances.columns}
    utterances = acted().assign(speaker="s0")
    Utterances.write(
        pd.DataFrame([{**blank, **row, **measured} for row in utterances.to_dict("records")]), tmp_path / "u.tsv"
    )
    smk = SimpleNamespace(
        log=[tmp_path / "log"],
        wildcards=SimpleNamespace(dataset="acted"),
        input=SimpleNamespace(utterances=tmp_path / "u.tsv"),
        output=SimpleNamespace(folds=[tmp_path / "1.tsv"], lists=[tmp_path / "1.json"], overview=tmp_path / "o.tsv"),
        params=SimpleNamespace(
            options={"scheme": "official", "folds": 1, "text_folds": 4, "seed": 0, "dyads": False, "parity": None},
            pred="emotion",
            raw="/data/corpus",
        ),
    )
    path = ROOT / "workflow/scripts/splits.py"
    spec = importlib.util.spec_from_file_location("splits_script", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "start_logging", lambda file: None)
    with caplog.at_level(logging.WARNING):
        script.main(smk)
    assert "acted: fold 1, test: 1 of 1 speakers is also in train" in caplog.text
    assert len(FoldTable.read(tmp_path / "1.tsv")) == 11
    assert len(SplitOverview.read(tmp_path / "o.tsv")) == 4
    assert set(json.loads((tmp_path / "1.json").read_text())) == {"train", "dev", "test"}
