import re
from pathlib import Path

import pytest

from candor.config.loading import ConfigError, load
from candor.plan.datasets import at_hand, require, resolve
from candor.plan.targets import Final, folder_targets, offered, unknown_target


def said(raw) -> str:
    with pytest.raises(ConfigError) as error:
        resolve(load(raw))
    return str(error.value)


def test_a_corpus_is_a_dataset_of_its_own_name():
    datasets = resolve(load({"data_dir": {"ravdess": "/data/ravdess", "crema_d": None}}))
    assert {"ravdess", "crema_d", "demo"} <= set(datasets)
    assert "table" not in datasets
    assert datasets["ravdess"].raw == Path("/data/ravdess")
    assert datasets["ravdess"].choices["label_policy"] == "calm_as_neutral"
    assert at_hand(datasets) == ["ravdess"]


def test_an_entry_is_a_view_of_a_corpus():
    raw = {
        "data_dir": {"crema_d": "~/crema"},
        "splits": {"folds": 4},
        "datasets": {"voice": {"corpus": "crema_d", "label_policy": "voice", "splits": {"folds": 6}}},
    }
    datasets = resolve(load(raw))
    assert datasets["voice"].raw == datasets["crema_d"].raw == Path("~/crema").expanduser()
    assert (datasets["voice"].folds, datasets["crema_d"].folds) == (6, 4)
    assert datasets["voice"].choices["label_policy"] == "voice"
    assert set(at_hand(datasets)) == {"voice", "crema_d"}


def test_a_table_has_a_path_of_its_own():
    raw = {"data_dir": {"mine": "/data/mine"}, "datasets": {"mine": {"corpus": "table", "table": {"file": "a.csv"}}}}
    assert resolve(load(raw))["mine"].raw == Path("/data/mine")


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (
            {"data_dir": {"ravdes": "/x"}},
            r"data_dir\.ravdes is not a known key; allowed: .*Did you mean 'ravdess'\?",
        ),
        ({"datasets": {"x": {"corpus": "crema"}}}, r"datasets\.x\.corpus is 'crema'; allowed: .*crema_d"),
        (
            {"datasets": {"x": {"corpus": "crema_d", "label_policy": "vioce"}}},
            r"datasets\.x\.label_policy is 'vioce' for crema_d; allowed: multimodal, voice, intended. Did you mean",
        ),
        ({"datasets": {"x": {"corpus": "ravdess", "classes": ["angry"]}}}, r"classes is 'angry'.*Did you mean 'anger'"),
        (
            {"datasets": {"x": {"corpus": "table", "table": {"file": "a.csv", "labels": {"wut": "angr"}}}}},
            r"datasets\.x\.table\.labels\.wut is 'angr' .*; allowed: neutral, anger, .*Did you mean 'anger'\?",
        ),
        ({"datasets": {"x": {"corpus": "table"}}}, r"datasets\.x\.table is missing"),
        (
            {"datasets": {"ravdess": {"table": {"file": "a.csv"}}}},
            r"table is only for datasets whose corpus is 'table'",
        ),
    ],
)
def test_a_wrong_entry_is_one_line(raw, line):
    assert re.search(line, said(raw)), said(raw)
    assert "\n" not in said(raw)


def test_labels_of_a_table_may_be_left_out():
    raw = {"datasets": {"x": {"corpus": "table", "table": {"file": "a.csv", "labels": {"wut": "anger", "egal": ""}}}}}
    assert resolve(load(raw))["x"].choices["options"]["labels"] == {"wut": "anger", "egal": ""}


def test_a_missing_path_names_the_key_the_path_and_what_was_looked_for(tmp_path):
    datasets = resolve(load({"data_dir": {"ravdess": str(tmp_path / "nowhere"), "crema_d": None}}))
    with pytest.raises(ConfigError, match=r"data_dir\.ravdess is '.*nowhere'.*Actor_"):
        require(datasets["ravdess"])
    with pytest.raises(ConfigError, match=r"data_dir\.crema_d is empty; set it to the folder that holds .*AudioWAV"):
        require(datasets["crema_d"])
    (tmp_path / "nowhere").mkdir()
    with pytest.raises(ConfigError, match=r"data_dir\.ravdess is .*Actor_"):
        require(datasets["ravdess"])


def test_a_dataset_changes_only_what_it_says_of_the_splits():
    raw = {"splits": {"folds": 4, "seed": 7}, "datasets": {"ravdess": {"splits": {"folds": 6}}}}
    dataset = resolve(load(raw))["ravdess"]
    assert (dataset.folds, dataset.splits.options["seed"]) == (6, 7)


def test_folders_are_targets_down_to_the_backbone_and_ask_for_what_they_rest_on():
    finals = [
        Final("corpora/demo/utterances.tsv", "corpora", "demo"),
        Final("features/demo/fbank/index.tsv", "features", "demo", "fbank"),
        Final("features/demo/apc/index.tsv", "features", "demo", "apc"),
        Final("performance/demo/summary.tsv", "performance", "demo"),
        Final("performance/demo/fbank/linear/summary.tsv", "performance", "demo", "fbank"),
        Final("performance/ravdess/summary.tsv", "performance", "ravdess"),
    ]
    targets = {target.name: target for target in folder_targets(finals, ["demo"])}
    assert {"results/performance", "results/performance/demo", "results/performance/demo/fbank"} <= set(targets)
    assert {"results/features/demo/apc", "results/performance/ravdess", "results/audio"} <= set(targets)
    assert "results/corpora/demo/utterances.tsv" not in targets
    assert set(targets["results/performance"].files) == {final.path for final in finals if final.dataset == "demo"}
    assert set(targets["results/performance/demo/fbank"].files) == {
        "corpora/demo/utterances.tsv",
        "features/demo/fbank/index.tsv",
        "performance/demo/fbank/linear/summary.tsv",
    }
    assert targets["results/features/demo"].files == (
        "features/demo/fbank/index.tsv",
        "features/demo/apc/index.tsv",
        "corpora/demo/utterances.tsv",
    )
    assert targets["results/performance/ravdess"].dataset == "ravdess"
    assert list(targets["results/performance"].spellings()) == ["results/performance", "results/performance/"]


def test_a_missing_table_is_said_before_anything_runs(tmp_path):
    raw = {
        "data_dir": {"mine": str(tmp_path)},
        "datasets": {"mine": {"corpus": "table", "table": {"file": "label.csv"}}},
    }
    (tmp_path / "labels.csv").touch()
    with pytest.raises(ConfigError, match=r"datasets\.mine\.table\.file is 'label\.csv'; there is none in"):
        require(resolve(load(raw))["mine"])
    (tmp_path / "label.csv").touch()
    require(resolve(load(raw))["mine"])


@pytest.mark.parametrize(
    ("corpus", "scheme", "folds"),
    [
        ("crema_d", "speakers", 5),
        ("emodb", "speakers", 5),
        ("esd", "speakers", 5),
        ("iemocap", "sessions", 5),
        ("meld", "official", 1),
        ("msp_improv", "sessions", 6),
        ("msp_podcast", "official", 1),
        ("ravdess", "speakers", 5),
        ("savee", "leave_one_speaker_out", 4),
        ("tess", "leave_one_speaker_out", 2),
    ],
)
def test_each_corpus_is_split_its_own_way_and_the_number_of_folds_is_known_before_it_is_read(corpus, scheme, folds):
    dataset = resolve(load({}))[corpus]
    assert (dataset.splits.options["scheme"], dataset.folds) == (scheme, folds)


@pytest.mark.parametrize(
    ("general", "entry", "scheme", "folds"),
    [
        ({"folds": 4}, {"corpus": "crema_d"}, "speakers", 4),
        ({"folds": 4}, {"corpus": "iemocap"}, "sessions", 5),
        ({"folds": 4}, {"corpus": "meld"}, "official", 1),
        ({"scheme": "sessions", "folds": 4}, {"corpus": "iemocap"}, "sessions", 4),
        ({}, {"corpus": "iemocap", "splits": {"folds": 3}}, "sessions", 3),
        ({}, {"corpus": "iemocap", "splits": {"scheme": "leave_one_speaker_out"}}, "leave_one_speaker_out", 10),
        ({}, {"corpus": "crema_d", "splits": {"scheme": "texts", "folds": 3}}, "texts", 12),
        ({}, {"corpus": "crema_d", "splits": {"scheme": "texts", "text_folds": 6}}, "texts", 30),
        ({}, {"corpus": "iemocap", "filter": {"session": ["Ses01", "Ses02", "Ses03"]}}, "sessions", 3),
        ({}, {"corpus": "savee", "filter": {"speaker": ["savee_DC", "savee_JK"]}}, "leave_one_speaker_out", 2),
        ({}, {"corpus": "tess", "splits": {"scheme": "texts"}}, "texts", 8),
        ({}, {"corpus": "savee", "splits": {"scheme": "speakers"}}, "speakers", 4),
        ({}, {"corpus": "crema_d", "splits": {"scheme": "texts", "folds": 2}}, "texts", 8),  # for a folder of two
        ({}, {"corpus": "iemocap", "filter": {"session": ["Ses01", "Ses01", "Ses02", "Ses03"]}}, "sessions", 3),
        ({"folds": 12}, {"corpus": "emodb", "splits": {"folds": None}}, "speakers", 5),
        ({}, {"corpus": "esd", "filter": {"speaker": ["esd_0001", "esd_0002"]}}, "speakers", 0),
        ({}, {"corpus": "meld", "splits": {"scheme": "sessions"}}, "sessions", 0),
        ({}, {"corpus": "meld", "splits": {"scheme": "leave_one_speaker_out"}}, "leave_one_speaker_out", 0),
        ({"scheme": "official"}, {"corpus": "esd", "splits": {"folds": 5}}, "official", 0),
        ({"scheme": "sessions"}, {"corpus": "crema_d"}, "sessions", 0),
        ({"scheme": "speakers", "folds": 30}, {"corpus": "ravdess"}, "speakers", 0),
        ({"scheme": "speakers", "folds": 7}, {"corpus": "iemocap"}, "speakers", 0),
        ({"folds": 7}, {"corpus": "iemocap", "splits": {"scheme": "speakers"}}, "speakers", 0),
        ({}, {"corpus": "msp_podcast", "splits": {"scheme": "sessions"}}, "sessions", 0),
        ({"scheme": "leave_one_speaker_out"}, {"corpus": "msp_podcast"}, "leave_one_speaker_out", 0),
        ({}, {"corpus": "iemocap", "parity": "trust-ser"}, "sessions", 5),
        ({}, {"corpus": "iemocap", "parity": "fed-ser-leakage"}, "speakers", 5),
        ({}, {"corpus": "msp_improv", "parity": "trust-ser"}, "sessions", 6),
        ({}, {"corpus": "msp_podcast", "parity": "trust-ser"}, "official", 1),
    ],
)
def test_schemes_and_folds_are_said_for_all_or_for_one(general, entry, scheme, folds):
    dataset = resolve(load({"splits": general, "datasets": {"mine": entry}}))["mine"]
    assert (dataset.splits.options["scheme"], dataset.folds) == (scheme, folds)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            {"corpus": "meld", "splits": {"folds": 5}},
            r"datasets\.mine\.splits\.folds is 5; an official partition is one",
        ),
        (
            {"corpus": "crema_d", "splits": {"folds": 2}},
            r"datasets\.mine\.splits\.folds is 2; train, dev and test need",
        ),
        (
            {"corpus": "iemocap", "parity": "trust-ser", "splits": {"folds": 3}},
            r"datasets\.mine\.splits\.folds is 3; parity has its own folds",
        ),
        (
            {"corpus": "iemocap", "parity": "trust-ser", "splits": {"scheme": "speakers"}},
            r"datasets\.mine\.splits\.scheme is 'speakers'; parity has its own folds",
        ),
        (
            {"corpus": "emodb", "parity": "trust-ser"},
            r"datasets\.mine\.parity is 'trust-ser'; leave it out, as emodb has only one reading",
        ),
        (
            {"corpus": "tess", "splits": {"scheme": "speakers"}},
            r"scheme is 'speakers', which TESS cannot have; set datasets\.mine\.splits\.scheme to one of leave_one_",
        ),
        (
            {"corpus": "emodb", "splits": {"scheme": "official"}},
            r"which EmoDB cannot have; set .* to one of speakers, ",
        ),
        (
            {"corpus": "iemocap", "splits": {"folds": 7}},
            r"datasets\.mine\.splits\.folds is 7, but IEMOCAP has 5 sessions; set datasets\.mine\.splits\.folds to 5",
        ),
        (
            {"corpus": "msp-improv", "splits": {"scheme": "speakers", "folds": 12}},
            r"splits\.folds is 12, but MSP-IMPROV has 6 sessions",
        ),
        (
            {"corpus": "emodb", "splits": {"scheme": "official", "folds": 5}},
            r"splits\.scheme is 'official', which EmoDB cannot have",
        ),
        (
            {"corpus": "iemocap", "filter": {"session": ["Ses01", "Ses02", "Ses03"]}, "splits": {"folds": 5}},
            r"splits\.folds is 5, but datasets\.mine\.filter leaves 3 sessions; set .*\.folds to 3 or less",
        ),
        (
            {"corpus": "iemocap", "splits": {"scheme": "leave_one_speaker_out", "folds": 11}},
            r"folds is 11, but IEMOCAP has 10 speakers; set datasets\.mine\.splits\.folds to 10$",
        ),
        ({"corpus": "emodb", "splits": {"folds": 11}}, r"splits\.folds is 11, but EmoDB has 10 speakers"),
        ({"corpus": "crema_d", "pred": "arousal"}, r"datasets\.mine\.pred is 'arousal', which crema_d does not rate"),
    ],
)
def test_a_scheme_that_does_not_suit_is_one_line(entry, line):
    assert re.search(line, said({"datasets": {"mine": entry}})), said({"datasets": {"mine": entry}})


def test_corpora_may_be_written_with_hyphens():
    raw = {
        "data_dir": {"msp-improv": "/data/improv", "crema-d": "/data/crema"},
        "datasets": {"msp-podcast": {"classes": "all"}, "st": {"corpus": "msp-improv", "filter": {"scenario": ["S"]}}},
    }
    datasets = resolve(load(raw))
    assert "msp-improv" not in datasets
    assert datasets["msp_improv"].raw == datasets["st"].raw == Path("/data/improv")
    assert datasets["crema_d"].raw == Path("/data/crema")
    assert datasets["msp_podcast"].choices["classes"] == "all"
    assert (datasets["msp_improv"].alias, datasets["st"].alias) == ("msp-improv", "")
    twice = said({"data_dir": {"msp-improv": "/a", "msp_improv": "/b"}})
    assert "data_dir.msp_improv is there twice, as data_dir.msp-improv as well" in twice
    for paths in ({"msp-improv": "/a", "msp_improv": None}, {"msp_improv": None, "msp-improv": "/a"}):
        assert resolve(load({"data_dir": paths}))["msp_improv"].raw == Path("/a")


def test_targets_may_be_written_with_hyphens():
    finals = [Final("features/msp_improv/fbank/index.tsv", "features", "msp_improv", "fbank")]
    targets = {target.name: target for target in folder_targets(finals, [], {"msp_improv": "msp-improv"})}
    assert list(targets["results/features/msp_improv"].spellings()) == [
        "results/features/msp_improv",
        "results/features/msp_improv/",
        "results/features/msp-improv",
        "results/features/msp-improv/",
    ]
    assert "results/features/msp-improv/fbank" in targets["results/features/msp_improv/fbank"].spellings()


def test_audio_without_labels_is_told_where_it_ends():
    raw = {"data_dir": {"libri": "/data/libri"}, "datasets": {"libri": {"corpus": "folder"}}}
    datasets = resolve(load(raw))
    assert unknown_target("results/performance/libri", [], datasets) == (
        "target: results/performance/libri is not offered, as libri has no labels; there are corpora, audio"
    )
    assert offered("models", "arousal")
    assert offered("fairness", "arousal")
    assert not offered("attack", "arousal")
    aroused = resolve(load({"datasets": {"aroused": {"corpus": "iemocap", "pred": "arousal"}}}))
    assert unknown_target("results/attack/aroused", [], aroused) == (
        "target: results/attack/aroused is not offered, as aroused predicts arousal, and an attack is on classes; "
        "there are corpora, audio, splits, backbones, features, models, performance, fairness, privacy, "
        "robustness, cost, trust, report"
    )
    assert offered("audio", datasets["libri"].pred)
    with pytest.raises(ConfigError, match=r"datasets\.libri\.classes does nothing, as a folder has no labels"):
        resolve(load({"datasets": {"libri": {"corpus": "folder", "classes": "all"}}}))


def test_what_is_said_for_all_datasets_and_does_not_suit_one_stops_only_runs_of_that_one():
    datasets = resolve(load({"splits": {"scheme": "sessions"}, "datasets": {"mine": {"corpus": "emodb"}}}))
    assert datasets["iemocap"].splits.problem == ""
    said = "splits.scheme is 'sessions', which EmoDB cannot have; set datasets.mine.splits.scheme to one of speakers, "
    with pytest.raises(ConfigError, match=re.escape(said)):
        require(datasets["mine"], splits=True)
    datasets = resolve(load({"splits": {"scheme": "speakers", "folds": 12}}))
    said = "splits.folds is 12, but EmoDB has 10 speakers; set datasets.emodb.splits.folds to 10 or less"
    with pytest.raises(ConfigError, match=re.escape(said)):
        require(datasets["emodb"], splits=True)
    assert datasets["ravdess"].folds == 12


def test_a_number_of_folds_that_nothing_tells_is_asked_for_where_it_is_needed(tmp_path):
    """A scheme for all datasets must not stop a run that concerns others."""
    (tmp_path / "a.csv").touch()
    mine = {"corpus": "table", "table": {"file": "a.csv"}}
    raw = {"data_dir": {"mine": str(tmp_path)}, "splits": {"scheme": "sessions"}, "datasets": {"mine": mine}}
    datasets = resolve(load(raw))
    assert datasets["iemocap"].folds == 5
    line = r"datasets\.mine\.splits\.folds is empty; with sessions set it to the number of sessions"
    with pytest.raises(ConfigError, match=line):
        require(datasets["mine"], splits=True)
    require(datasets["mine"])  # what was read is shown all the same: it tells the number
    mine["splits"] = {"folds": 3}
    require(resolve(load(raw))["mine"])


ACROSS = {"train_on": ["emodb"], "test_on": ["ravdess"]}


def across(entry, **more) -> dict:
    return {"data_dir": {}, **more, "datasets": {"across": entry, **more.get("datasets", {})}}


def test_a_cross_corpus_dataset_has_one_fold_and_is_at_hand_when_all_its_parts_are():
    raw = across({"train_on": ["emodb", "iemocap"], "test_on": ["msp-improv"]}, splits={"folds": 7, "seed": 3})
    dataset = resolve(load(raw))["across"]
    assert [part.name for part in dataset.train_on] == ["emodb", "iemocap"]
    assert [part.name for part in dataset.test_on] == ["msp_improv"]
    assert dataset.folds == 1
    assert dataset.splits.options == {"scheme": "joined", "folds": 1, "seed": 3, "dyads": ["iemocap"]}
    paths = {"emodb": "/a", "iemocap": "/b"}
    assert at_hand(resolve(load(raw | {"data_dir": paths}))) == ["emodb", "iemocap"]
    paths["msp-improv"] = "/c"
    assert at_hand(resolve(load(raw | {"data_dir": paths}))) == ["across", "emodb", "iemocap", "msp_improv"]


def test_a_cross_corpus_dataset_joins_entries_of_the_config_too():
    impro = {"corpus": "iemocap", "filter": {"scenario": ["impro"]}}
    entry = {"train_on": ["iemocap_impro"], "test_on": ["meld"], "classes": "all", "splits": {"seed": 5}}
    dataset = resolve(load(across(entry, datasets={"iemocap_impro": impro})))["across"]
    assert dataset.choices["parts"] == [
        {"name": "iemocap_impro", "key": "iemocap", "side": "train"},
        {"name": "meld", "key": "meld", "side": "test"},
    ]
    assert (dataset.choices["classes"], dataset.splits.options["seed"], dataset.pred) == ("all", 5, "emotion")


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"train_on": ["emodb"]}, r"datasets\.across\.test_on is missing; train_on is of use only together with it"),
        ({"test_on": ["emodb"]}, r"datasets\.across\.train_on is missing"),
        (ACROSS | {"train_on": []}, r"datasets\.across\.train_on is \[\]"),
        (ACROSS | {"train_on": "emodb"}, r"datasets\.across\.train_on is 'emodb'; .*list"),
        (
            ACROSS | {"train_on": ["emobd"]},
            r"datasets\.across\.train_on is 'emobd'; allowed: .*Did you mean 'emodb'\?",
        ),
        (ACROSS | {"test_on": ["other"]}, r"across\.test_on names other, which is cross-corpus itself"),
        (ACROSS | {"test_on": ["across"]}, r"across\.test_on names across, which is cross-corpus itself"),
        (ACROSS | {"test_on": ["emodb"]}, r"test_on names emodb, which is there in train_on as well"),
        (ACROSS | {"test_on": ["ravdess", "ravdess"]}, r"test_on names ravdess, which is there twice"),
        (ACROSS | {"train_on": ["rated"]}, r"train_on names rated, which predicts arousal, for which scales differ"),
        (ACROSS | {"train_on": ["libri"]}, r"train_on names libri, which has no labels"),
        (ACROSS | {"pred": "arousal"}, r"datasets\.across\.pred is 'arousal'; across corpora only 'emotion'"),
        (ACROSS | {"corpus": "emodb"}, r"datasets\.across\.corpus does nothing beside train_on"),
        (ACROSS | {"filter": {"gender": ["female"]}}, r"datasets\.across\.filter does nothing beside train_on; say it"),
        (ACROSS | {"parity": "trust-ser"}, r"datasets\.across\.parity does nothing beside train_on"),
        (ACROSS | {"classes": ["angry"]}, r"datasets\.across\.classes is 'angry'.*Did you mean 'anger'"),
        (ACROSS | {"splits": {"folds": 5}}, r"across\.splits\.folds is 5; a cross-corpus dataset has one fold"),
        (ACROSS | {"splits": {"scheme": "texts"}}, r"across\.splits\.scheme is 'texts'; a cross-corpus dataset has"),
    ],
)
def test_a_wrong_cross_corpus_entry_is_one_line(entry, line):
    others = {
        "other": ACROSS,
        "rated": {"corpus": "iemocap", "pred": "arousal"},
        "libri": {"corpus": "folder"},
    }
    message = said(across(entry, datasets=others))
    assert re.search(line, message), message
    assert "\n" not in message


def test_a_cross_corpus_entry_does_not_hide_a_corpus():
    assert "datasets.savee has train_on and test_on, but savee is a corpus; give" in said(
        {"datasets": {"savee": ACROSS}}
    )


def test_a_part_without_a_path_names_the_key_and_who_needs_it(tmp_path):
    dataset = resolve(load(across(ACROSS)))["across"]
    with pytest.raises(ConfigError, match=r"data_dir\.emodb is empty; set it to .*; datasets\.across needs it"):
        require(dataset)
    (tmp_path / "wav").mkdir()
    (tmp_path / "wav" / "03a01Fa.wav").touch()
    dataset = resolve(load(across(ACROSS, data_dir={"emodb": str(tmp_path), "ravdess": "/nowhere"})))["across"]
    with pytest.raises(ConfigError, match=r"data_dir\.ravdess is '/nowhere'; .*; datasets\.across needs it"):
        require(dataset)


def test_a_part_may_be_told_to_split_as_it_cannot():
    """Only its clips are taken; the folds are those of the cross-corpus dataset."""
    datasets = resolve(load(across(ACROSS, splits={"scheme": "sessions"})))
    assert datasets["emodb"].splits.problem
    assert datasets["across"].splits.problem == ""
