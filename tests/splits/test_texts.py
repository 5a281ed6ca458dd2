from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candor.splits.deal import deal_sentences
from candor.splits.folds import SplitError
from splits.manifests import manifest, part, parts_of, split, times_tested


def acted(speakers: int = 6, texts: int = 8, **columns: str) -> pd.DataFrame:
    return manifest(
        {"speaker": f"s{speaker}", "text": f"t{text:02}", "session": f"d{speaker // 2}", **columns}
        for speaker in range(speakers)
        for text in range(texts)
    )


def test_a_fold_tests_new_people_with_new_sentences():
    utterances = acted()
    folds = split(utterances, "texts", 3, text_folds=4)
    assert len(folds) == 12
    assert times_tested(folds) == Counter(utterances["utterance"])
    for fold in folds:
        sizes = {name: len(part(fold, utterances, name, "utterance")) for name in ("train", "dev", "test")}
        # Of six speakers two each, of eight sentences two each for dev and test and four for train.
        assert sizes == {"train": 8, "dev": 4, "test": 4}
        for column in ("speaker", "text"):
            assert all(len(parts) == 1 for parts in parts_of(fold, utterances, column).values())
    by_speakers = [part(fold, utterances, "test") for fold in split(utterances, "speakers", 3)]
    assert [part(fold, utterances, "test") for fold in folds[::4]] == by_speakers
    tested = [part(fold, utterances, "test", "text") for fold in folds[:4]]
    assert [part(fold, utterances, "dev", "text") for fold in folds[:4]] == [*tested[1:], tested[0]]


def test_partners_stay_together_where_there_are_dyads():
    utterances = acted()
    for fold in split(utterances, "texts", 3, dyads=True):
        assert all(len(parts) == 1 for parts in parts_of(fold, utterances, "session").values())


def test_two_speakers_take_turns_and_never_share_a_sentence():
    utterances = acted(speakers=2)
    folds = split(utterances, "texts", 2, text_folds=4)
    assert len(folds) == 8
    assert times_tested(folds) == Counter(utterances["utterance"])
    for fold in folds:
        assert part(fold, utterances, "train") == part(fold, utterances, "dev")
        assert part(fold, utterances, "train").isdisjoint(part(fold, utterances, "test"))
        assert all(len(parts) == 1 for parts in parts_of(fold, utterances, "text").values())
        assert len(part(fold, utterances, "train", "text")) == 4


def test_a_blank_text_is_a_sentence_that_nobody_else_says():
    improvised = manifest(
        {"utterance": f"i{n}", "path": f"i{n}", "speaker": f"s{n % 6}", "session": f"d{n % 6 // 2}"} for n in range(120)
    )
    utterances = pd.concat([acted(), improvised])
    folds = split(utterances, "texts", 3)
    assert times_tested(folds) == Counter(utterances["utterance"])
    in_test = sum(utterance.startswith("i") for utterance, own in folds[0].parts.items() if own == "test")
    assert 0 < in_test < 40  # some of the improvised clips of these people, not all in one hand


@pytest.mark.parametrize(
    ("utterances", "options", "said"),
    [
        (acted().assign(text=""), {}, "no clip says which sentence it is"),
        (acted(texts=2), {}, "need three sentences, but there are 2. Set splits.scheme to speakers"),
        (
            acted(texts=3),
            {},
            "4 hands of sentences need at least as many, but there are 3. Set splits.text_folds to at",
        ),
        (acted(), {"text_folds": 2}, "Set splits.text_folds to 3 or more, not 2"),
        (acted(speakers=2), {}, "there are two speakers. Set splits.folds to 2, not 3"),
        (acted(speakers=2), {"dyads": True}, "need three sessions, but there are 1"),
        (acted(speakers=4), {"folds": 5}, "5 folds need at least as many speakers, but there are 4"),
        (acted(speakers=3).head(20), {"text_folds": 8}, r"fold \d+ would have no clip in (dev|test)"),
    ],
)
def test_too_few_sentences_or_speakers_are_told_with_a_way_out(utterances, options, said):
    with pytest.raises(SplitError, match=said):
        split(utterances, "texts", **{"folds": 3, **options})


@settings(max_examples=150, deadline=None)
@given(counts=st.lists(st.integers(1, 30), min_size=3, max_size=60), hands=st.integers(2, 6), seed=st.integers(0, 3))
def test_hands_of_sentences_have_about_as_many_clips(counts, hands, seed):
    """The rule's known bound: no hand exceeds another by more than the largest sentence (Graham, 1969)."""
    said = pd.Series([f"t{text}" for text, count in enumerate(counts) for _ in range(count)])
    hand_of = deal_sentences(said, hands, seed)
    full = Counter(dict.fromkeys(range(hands), 0))
    full.update(hand_of[sentence] for sentence in said)
    assert max(full.values()) - min(full.values()) <= max(counts)
    assert set(hand_of) == set(said)
    assert len(counts) < hands or min(full.values()) > 0
