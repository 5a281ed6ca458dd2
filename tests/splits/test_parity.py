"""The folds of the seeds, checked against what their code gives and what they publish."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from candor.splits.folds import SplitError
from candor.splits.tabulate import overview_rows
from splits.manifests import manifest, part, split


def clips_of(speakers: dict[str, str], clips: int = 10) -> pd.DataFrame:
    """Clips of speakers whose names end in F or M and a number, or M01, and their sessions."""
    return manifest(
        {"speaker": name, "session": session, "gender": "female" if "F" in name.rpartition("_")[2] else "male"}
        for name, session in speakers.items()
        for _ in range(clips)
    )


MSP_IMPROV = clips_of({f"msp_improv_{g}0{n}": f"session{n}" for n in range(1, 7) for g in "FM"}, clips=37)
IEMOCAP = clips_of({f"iemocap_Ses0{n}{g}": f"Session{n}" for n in range(1, 6) for g in "FM"}, clips=43)
CREMA_D = clips_of({f"crema_d_{actor}": "" for actor in range(1001, 1092)})


@given(count=st.integers(5, 60))
def test_trust_ser_cuts_sorted_speakers_as_scikit_learn_does(count):
    speakers = [f"s{number:03}" for number in range(count)]
    utterances = manifest({"speaker": speaker} for speaker in reversed(speakers))
    for fold, (rest, test) in zip(
        split(utterances, "speakers", 5, parity="trust-ser"), KFold(5).split(speakers), strict=True
    ):
        dev = rest[-len(rest) // 5 :]
        assert part(fold, utterances, "test") == {speakers[index] for index in test}
        assert part(fold, utterances, "dev") == {speakers[index] for index in dev}
        assert part(fold, utterances, "train") == {speakers[index] for index in rest if index not in set(dev)}


def test_trust_ser_folds_of_ravdess_have_the_published_sizes():
    utterances = manifest({"speaker": f"ravdess_Actor_{actor:02}"} for actor in range(1, 25))
    folds = split(utterances, "speakers", 5, parity="trust-ser")
    sizes = [tuple(len(part(fold, utterances, name)) for name in ("train", "dev", "test")) for fold in folds]
    assert sizes == [(15, 4, 5)] * 4 + [(16, 4, 4)]
    assert part(folds[0], utterances, "dev") == {f"ravdess_Actor_{actor}" for actor in range(21, 25)}


@pytest.mark.parametrize(
    ("utterances", "folds", "tests", "devs"),
    [
        (IEMOCAP, 5, [f"Session{n}" for n in range(1, 6)], ["Session5"] * 4 + ["Session4"]),
        (MSP_IMPROV, 6, [f"session{n}" for n in range(1, 7)], ["session6"] * 5 + ["session5"]),
    ],
)
def test_trust_ser_tests_each_session_and_selects_on_the_last(utterances, folds, tests, devs):
    made = split(utterances, "sessions", folds, dyads=True, parity="trust-ser")
    assert [part(fold, utterances, "test", "session") for fold in made] == [{name} for name in tests]
    assert [part(fold, utterances, "dev", "session") for fold in made] == [{name} for name in devs]
    assert all(len(part(fold, utterances, "train", "session")) == folds - 2 for fold in made)
    assert all(len(fold.parts) == len(utterances) for fold in made)


def who_is_tested(utterances: pd.DataFrame, **options: bool) -> list[list[str]]:
    folds = split(utterances, "speakers", 5, parity="fed-ser-leakage", **options)
    return [sorted(name.rpartition("_")[2] for name in part(fold, utterances, "test")) for fold in folds]


def test_fed_ser_leakage_cuts_dyads_of_msp_improv_as_published():
    expected = [["F01", "M01", "M02"], ["F02", "F03", "M03"], ["F04", "M04"], ["F05", "M05"], ["F06", "M06"]]
    assert who_is_tested(MSP_IMPROV, dyads=True) == expected
    fold = split(MSP_IMPROV, "speakers", 5, parity="fed-ser-leakage", dyads=True)[0]
    assert "session2" in part(fold, MSP_IMPROV, "train", "session") & part(fold, MSP_IMPROV, "test", "session")


def test_fed_ser_leakage_tests_iemocap_by_sessions_and_crema_d_by_runs():
    assert who_is_tested(IEMOCAP, dyads=True) == [[f"Ses0{n}F", f"Ses0{n}M"] for n in range(1, 6)]
    runs = who_is_tested(CREMA_D)
    assert [len(run) for run in runs] == [19, 18, 18, 18, 18]
    assert runs[0] == [str(actor) for actor in range(1001, 1020)]


def held_out_by_the_seed(keys: list[str], shards: int) -> set[str]:
    """What the clients of one speaker keep for validation, by numpy's global state as the seed uses it."""
    held = set()
    np.random.seed(8)
    order = np.random.permutation(len(keys))
    for shard in np.array_split(order, shards) if shards > 1 else [np.arange(len(keys))]:
        if shards > 1:
            np.random.seed(8)
        inner = np.random.permutation(len(shard))
        held |= {keys[shard[index]] for index in inner[int(0.8 * len(shard)) :]}
    return held


@pytest.mark.parametrize(("utterances", "shards"), [(MSP_IMPROV, 10), (IEMOCAP, 10), (CREMA_D, 1)])
def test_fed_ser_leakage_selects_on_what_the_clients_of_the_training_speakers_hold_back(utterances, shards):
    shuffled = utterances.sample(frac=1, random_state=0)
    for fold in split(shuffled, "speakers", 5, parity="fed-ser-leakage"):
        training = part(fold, utterances, "train")
        assert part(fold, utterances, "dev") == training
        held = set()
        for speaker in training:
            held |= held_out_by_the_seed(sorted(utterances["utterance"][utterances["speaker"] == speaker]), shards)
        assert part(fold, utterances, "dev", "utterance") == held
        assert len(fold.parts) == len(utterances)


def test_that_fed_ser_leakage_selects_on_training_speakers_is_said():
    folds = split(CREMA_D, "speakers", 5, parity="fed-ser-leakage")
    rows = overview_rows(folds, CREMA_D)
    assert [row["warning"] for row in rows[:3]] == ["", "72 of 72 speakers are also in train", ""]


@pytest.mark.parametrize(
    ("scheme", "parity", "folds", "said"),
    [
        ("texts", "trust-ser", 5, "parity trust-ser has speakers, sessions and official"),
        ("official", "fed-ser-leakage", 5, "parity fed-ser-leakage has speakers only"),
        (
            "speakers",
            "fed-ser-leakage",
            12,
            "12 folds of the system under parity need as many speakers, but there are 10. Complete",
        ),
        ("sessions", "trust-ser", 6, "6 folds of the system under parity need as many sessions, but there are 5"),
        ("sessions", "trust-ser", 2, "fold 1 would have no clip in train"),
    ],
)
def test_what_a_seed_never_did_is_refused(scheme, parity, folds, said):
    utterances = IEMOCAP if folds != 2 else IEMOCAP[IEMOCAP["session"].isin(["Session1", "Session2"])]
    with pytest.raises(SplitError, match=said):
        split(utterances, scheme, folds, parity=parity)
