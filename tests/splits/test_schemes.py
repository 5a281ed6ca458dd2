import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import LeaveOneGroupOut

from candor.splits.folds import SplitError
from splits.manifests import manifest, manifests, part, parts_of, split, times_tested

ROTATING = ("speakers", "sessions", "leave_one_speaker_out", "texts")


def components(known: pd.DataFrame) -> int:
    """The number of groups of speakers that share no session, as scipy counts them."""
    speakers = sorted(set(known["speaker"]))
    heard = [set(known["session"][known["speaker"] == speaker]) - {""} for speaker in speakers]
    meet = np.array([[bool(one & other) for one in heard] for other in heard], dtype=int)
    return int(connected_components(meet)[0])


def must_refuse(known: pd.DataFrame, scheme: str, folds: int, dyads: bool) -> bool:
    speakers = known["speaker"].nunique()
    groups = components(known) if dyads or scheme == "sessions" else speakers
    if scheme == "leave_one_speaker_out":
        lone = speakers == 2 and known["speaker"].value_counts().min() == 1
        return speakers < 2 or folds != speakers or (groups < min(3, speakers)) or lone
    homeless = scheme == "sessions" and not known.groupby("speaker")["session"].max().astype(bool).all()
    return homeless or groups < 3 or not 3 <= folds <= groups


@pytest.mark.parametrize("scheme", ROTATING)
@settings(max_examples=100, deadline=None)
@given(
    utterances=manifests(),
    folds=st.sampled_from([3, 3, 4, 5, 2]),
    text_folds=st.sampled_from([4, 3, 5, 2]),
    seed=st.integers(0, 3),
    dyads=st.booleans(),
)
def test_no_fold_shares_who_and_what_it_must_not_and_all_are_tested_once(
    scheme, utterances, folds, text_folds, seed, dyads
):
    known = utterances[utterances["speaker"] != ""]
    speakers = known["speaker"].nunique()
    if scheme == "leave_one_speaker_out" and folds != 5:
        folds = speakers
    if scheme == "texts" and folds != 5:
        folds = 2 if speakers == 2 else max(folds, 3)
    options = {"text_folds": text_folds, "seed": seed, "dyads": dyads}
    try:
        made, said = split(utterances, scheme, folds, **options), ""
    except SplitError as error:
        made, said = [], str(error)
    event(said[:30] or "split")
    if scheme != "texts":  # whether its folds can be filled depends on the deal
        assert bool(said) == (known.empty or must_refuse(known, scheme, folds, dyads))
    if said:
        assert re.fullmatch(r"splits: [^\n]+", said)
        return
    assert [fold.number for fold in made] == list(range(1, folds * (text_folds if scheme == "texts" else 1) + 1))
    assert times_tested(made) == Counter(known["utterance"])
    dev_may_speak_like_train = speakers == 2
    allowed = [{"train"}, {"dev"}, {"test"}] + ([{"train", "dev"}] if dev_may_speak_like_train else [])
    for fold in made:
        assert set(fold.parts.values()) == {"train", "dev", "test"}
        assert set(fold.parts) <= set(known["utterance"])
        assert all(parts in allowed for parts in parts_of(fold, utterances, "speaker").values())
        if dyads or scheme == "sessions":
            assert all(parts in allowed for parts in parts_of(fold, utterances, "session").values())
        if scheme == "texts":
            assert all(len(parts) == 1 for parts in parts_of(fold, utterances, "text").values())
    assert split(utterances, scheme, folds, **options) == made
    assert split(utterances.sample(frac=1, random_state=1), scheme, folds, **options) == made


def people(genders: dict[str, str], sessions: dict[str, str] | None = None, clips: int = 2) -> pd.DataFrame:
    return manifest(
        {"speaker": speaker, "gender": gender, "session": (sessions or {}).get(speaker, "")}
        for speaker, gender in genders.items()
        for _ in range(clips)
    )


@given(
    genders=st.dictionaries(st.text("abcdef0123", min_size=1), st.sampled_from(["female", "male", ""]), min_size=3),
    folds=st.integers(3, 12),
    seed=st.integers(0, 5),
)
def test_speakers_are_dealt_evenly_by_gender(genders, folds, seed):
    utterances = people(genders)
    if len(genders) < folds:
        with pytest.raises(SplitError, match=f"{folds} folds need at least as many speakers, but there are"):
            split(utterances, "speakers", folds, seed=seed)
        return
    tested = [part(fold, utterances, "test") for fold in split(utterances, "speakers", folds, seed=seed)]
    selected = [part(fold, utterances, "dev") for fold in split(utterances, "speakers", folds, seed=seed)]
    assert selected == [*tested[1:], tested[0]]
    for gender in ("female", "male", ""):
        sizes = [sum(genders[speaker] == gender for speaker in hand) for hand in tested]
        assert max(sizes) - min(sizes) <= 1
    sizes = [len(hand) for hand in tested]
    assert max(sizes) - min(sizes) <= 1


def test_folds_by_speakers_stay_what_they_were():
    """Results on disk rest on these folds; a change of them must be meant, and told in the change log."""
    genders = {f"s{number}": "female" if number % 2 else "male" for number in range(8)} | {"s8": ""}
    utterances = people(genders)
    hands = [sorted(part(fold, utterances, "test")) for fold in split(utterances, "speakers", 4)]
    assert hands == [["s4", "s7", "s8"], ["s0", "s5"], ["s1", "s2"], ["s3", "s6"]]
    hands = [sorted(part(fold, utterances, "test")) for fold in split(utterances, "speakers", 4, seed=7)]
    assert hands == [["s0", "s5", "s8"], ["s2", "s7"], ["s3", "s4"], ["s1", "s6"]]


def test_dyads_are_dealt_whole_and_by_their_genders():
    genders = {f"s{number:02}": "female" if number % 4 == 1 else "male" for number in range(24)}
    sessions = {speaker: f"d{int(speaker[1:]) // 2:02}" for speaker in genders}
    utterances = people(genders, sessions)
    for fold in split(utterances, "speakers", 3, dyads=True):
        tested = part(fold, utterances, "test")
        assert Counter(genders[speaker] for speaker in tested) == {"female": 2, "male": 6}


def test_iemocap_s_folds_are_its_sessions_in_order():
    sessions = {f"iemocap_Ses0{number}{letter}": f"Session{number}" for number in range(1, 6) for letter in "FM"}
    utterances = people({speaker: "female" if speaker[-1] == "F" else "male" for speaker in sessions}, sessions)
    folds = split(utterances, "sessions", 5, dyads=True)
    tested = [part(fold, utterances, "test", "session") for fold in folds]
    assert tested == [{f"Session{number}"} for number in range(1, 6)]
    assert [part(fold, utterances, "dev", "session") for fold in folds] == [*tested[1:], tested[0]]
    groups = LeaveOneGroupOut().split(utterances, groups=utterances["session"])
    for fold, (rest, test) in zip(folds, groups, strict=True):
        assert part(fold, utterances, "test", "utterance") == set(utterances["utterance"].iloc[test])
        assert set(fold.parts) == set(utterances["utterance"].iloc[[*rest, *test]])


def test_sessions_that_share_people_are_tested_together():
    """Three people who meet in turn leave no session that could be tested without the others."""
    pairs = [("a", "d1"), ("b", "d1"), ("b", "d2"), ("c", "d2"), ("x", "d3"), ("y", "d4"), ("z", "d5")]
    utterances = manifest({"speaker": speaker, "session": session} for speaker, session in pairs)
    folds = split(utterances, "sessions", 4)
    assert [part(fold, utterances, "test", "session") for fold in folds] == [{"d1", "d2"}, {"d3"}, {"d4"}, {"d5"}]
    with pytest.raises(SplitError, match=r"5 folds need at least as many sessions, but there are 4 \(d1\+d2, d3, d4"):
        split(utterances, "sessions", 5)


def test_more_sessions_than_folds_are_dealt_out():
    utterances = people({f"s{number:02}": "" for number in range(20)}, {f"s{n:02}": f"d{n // 2:02}" for n in range(20)})
    folds = split(utterances, "sessions", 4, seed=1)
    sizes = sorted(len(part(fold, utterances, "test", "session")) for fold in folds)
    assert sizes == [2, 2, 3, 3]
    assert folds != split(utterances, "sessions", 4, seed=2)


@pytest.mark.parametrize(
    ("scheme", "speakers", "options", "said"),
    [
        ("speakers", 0, {}, "of no clip is it known who speaks. Set splits.scheme to official"),
        (
            "speakers",
            2,
            {},
            "need three speakers, but there are 2. Set splits.scheme to leave_one_speaker_out",
        ),
        ("speakers", 4, {"folds": 2}, "need three folds. Set splits.folds to 3 or more, not 2"),
        ("speakers", 4, {"dyads": True}, "need three sessions, but there are 2"),
        ("sessions", 4, {"folds": 3}, "need three sessions, but there are 2"),
    ],
)
def test_what_cannot_be_dealt_is_told_with_a_way_out(scheme, speakers, options, said):
    utterances = people({f"s{n}": "" for n in range(speakers)}, {f"s{n}": f"d{n // 2}" for n in range(speakers)})
    utterances = pd.concat([utterances, manifest([{"utterance": "x"}])])
    with pytest.raises(SplitError, match=said):
        split(utterances, scheme, **{"folds": 3, **options})


def test_folds_by_sessions_need_everyone_s_session():
    utterances = people({f"s{n}": "" for n in range(6)}, {f"s{n}": f"d{n}" for n in range(5)})
    with pytest.raises(SplitError, match=r"1 of 6 speakers have none \(s5, say\). Set splits.scheme to speakers"):
        split(utterances, "sessions", 5)


@pytest.mark.parametrize(("women", "men"), [(12, 12), (43, 48), (20, 4), (3, 30), (5, 0), (2, 1), (1, 3)])
def test_each_speaker_is_left_out_once_and_a_tenth_of_both_genders_selects(women, men):
    genders = {f"w{n:02}": "female" for n in range(women)} | {f"m{n:02}": "male" for n in range(men)}
    utterances = people(genders, clips=1)
    folds = split(utterances, "leave_one_speaker_out", women + men)
    devs = [part(fold, utterances, "dev") for fold in folds]
    groups = LeaveOneGroupOut().split(utterances, groups=utterances["speaker"])
    for fold, selecting, (_, test) in zip(folds, devs, groups, strict=True):
        tested = set(utterances["speaker"].iloc[test])
        assert part(fold, utterances, "test") == tested
        assert len(selecting) == math.ceil((women + men) / 10)
        others = {genders[speaker] for speaker in genders if speaker not in tested}
        if len(selecting) > 1:
            assert {genders[speaker] for speaker in selecting} == others
    selected = Counter(speaker for dev in devs for speaker in dev)
    if women == men:
        assert set(selected.values()) == {3}
    assert all(one != two for one, two in pairwise(devs))


def test_speakers_of_unknown_gender_select_only_where_nobody_else_can():
    genders = {f"s{n:02}": "female" if n == 3 else "male" if n == 9 else "" for n in range(11)}
    utterances = people(genders)
    for fold in split(utterances, "leave_one_speaker_out", 11):
        assert {"s03", "s09"} - part(fold, utterances, "test") <= part(fold, utterances, "dev")


def test_partners_of_the_speaker_left_out_are_set_aside():
    sessions = {f"Ses0{number}{letter}": f"Session{number}" for number in range(1, 6) for letter in "FM"}
    utterances = people(dict.fromkeys(sessions, ""), sessions)
    folds = split(utterances, "leave_one_speaker_out", 10, dyads=True)
    fold = folds[9]
    assert part(fold, utterances, "test") == {"Ses05M"}
    assert part(fold, utterances, "dev") == {"Ses01F", "Ses01M"}
    assert part(fold, utterances, "train", "session") == {"Session2", "Session3", "Session4"}
    assert "Ses05F" not in parts_of(fold, utterances, "speaker")


def test_a_plan_for_another_number_of_speakers_says_the_right_one():
    utterances = people({f"s{n}": "" for n in range(8)})
    said = "was planned for 24 speakers, but 8 take part; set splits.folds to 8"
    with pytest.raises(SplitError, match=said):
        split(utterances, "leave_one_speaker_out", 24)


def tess(texts: bool) -> pd.DataFrame:
    return manifest(
        {"speaker": f"tess_{speaker}", "text": f"word{word:03}" if texts else "", "label": label}
        for speaker in ("OAF", "YAF")
        for word in range(200)
        for label in ("neutral", "anger", "sadness")
    )


def test_two_speakers_take_turns_and_the_dev_part_says_other_sentences_than_train():
    utterances = tess(texts=True)
    first, second = split(utterances, "leave_one_speaker_out", 2)
    assert part(first, utterances, "test") == part(second, utterances, "train") == {"tess_OAF"}
    assert part(first, utterances, "train") == part(first, utterances, "dev") == {"tess_YAF"}
    for fold in (first, second):
        assert len(part(fold, utterances, "dev", "text")) == 40
        assert len(part(fold, utterances, "train", "text")) == 160
        assert len(fold.parts) == 1200
    assert first != split(utterances, "leave_one_speaker_out", 2, seed=1)[0]


@pytest.mark.parametrize("texts", ["", "say the word"])
def test_where_two_speakers_have_no_sentences_to_part_a_fifth_of_the_clips_selects(texts):
    utterances = tess(texts=False).assign(text=texts)
    for fold in split(utterances, "leave_one_speaker_out", 2):
        assert len(part(fold, utterances, "dev", "utterance")) == 120
        assert len(part(fold, utterances, "train", "utterance")) == 480
