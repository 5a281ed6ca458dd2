"""One corpus trains and selects, another one is tested."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candor.splits.folds import SplitError
from candor.splits.joined import joined
from candor.splits.tabulate import overview_rows, trust_ser_lists
from splits.manifests import manifest, part, parts_of


def clips(dataset: str, side: str, speakers: dict[str, str], times: int = 2, **more: str) -> list[dict]:
    """Clips of speakers, whose genders are given."""
    own = {"split": side, "label": "anger", **more}
    return [
        {"path": f"{dataset}/{speaker}_{n}.wav", "utterance": f"{dataset}__{speaker}_{n}", "speaker": speaker, **own}
        | {"gender": gender}
        for speaker, gender in speakers.items()
        for n in range(times)
    ]


def people(corpus: str, count: int) -> dict[str, str]:
    return {f"{corpus}_{n:02}": ["female", "male"][n % 2] for n in range(count)}


def test_a_fifth_of_the_training_speakers_selects_and_all_others_are_tested():
    utterances = manifest(clips("emodb", "train", people("emodb", 10)) + clips("ravdess", "test", people("ravdess", 8)))
    (fold,) = joined(utterances, 0, [])
    assert set(fold.parts) == set(utterances["utterance"])
    assert part(fold, utterances, "test") == set(people("ravdess", 8))
    assert sorted(part(fold, utterances, "dev", "gender")) == ["female", "male"]
    assert len(part(fold, utterances, "dev")) == 2
    assert part(fold, utterances, "train") == set(people("emodb", 10)) - part(fold, utterances, "dev")


@settings(deadline=None, max_examples=40)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=3).filter(lambda sizes: sum(sizes) > 1),
    seed=st.integers(0, 99),
    order=st.randoms(use_true_random=False),
)
def test_speakers_are_disjoint_each_corpus_selects_and_order_makes_no_difference(sizes, seed, order):
    rows = clips("t", "test", people("t", 3))
    for number, size in enumerate(sizes):
        rows += clips(f"c{number}", "train", people(f"c{number}", size))
    utterances = manifest(rows)
    (fold,) = joined(utterances, seed, [])
    assert all(len(parts) == 1 for parts in parts_of(fold, utterances, "speaker").values())
    dev = part(fold, utterances, "dev")
    for number, size in enumerate(sizes):
        own = dev & set(people(f"c{number}", size))
        if size > 1:
            assert len(own) == -(-size // min(size, 5))
        elif max(sizes) > 1:
            assert not own
    order.shuffle(rows)
    assert joined(manifest(rows), seed, [])[0].parts == fold.parts


def test_seeds_choose_others():
    utterances = manifest(clips("c", "train", people("c", 20)) + clips("t", "test", people("t", 2)))
    assert len({frozenset(part(joined(utterances, seed, [])[0], utterances, "dev")) for seed in range(5)}) > 1


def test_those_who_talk_to_each_other_stay_together():
    rows = clips("t", "test", people("t", 2), session="t_1")
    for session in range(5):
        rows += clips("iemocap", "train", people(f"i{session}", 2), session=f"iemocap_Ses0{session}")
    # In this corpus all share one session, and its people do not talk to each other.
    rows += clips("meld", "train", people("meld", 10), session="meld_dia")
    utterances = manifest(rows)
    (fold,) = joined(utterances, 0, ["iemocap"])
    dev = part(fold, utterances, "dev", "session")
    assert len(dev) == 2
    assert len(part(fold, utterances, "dev")) == 4
    assert (dev - {"meld_dia"}).isdisjoint(part(fold, utterances, "train", "session"))


def test_two_datasets_of_one_corpus_share_their_speakers():
    speakers = people("crema_d", 10)
    rows = clips("men", "train", speakers) + clips("voice", "train", speakers) + clips("t", "test", people("t", 2))
    utterances = manifest(rows)
    (fold,) = joined(utterances, 0, [])
    assert len(part(fold, utterances, "dev")) == 2
    assert part(fold, utterances, "dev").isdisjoint(part(fold, utterances, "train"))


def test_who_is_not_known_takes_part_and_who_is_on_both_sides_is_counted():
    rows = clips("a", "train", people("iemocap", 10) | {"": ""}) + clips("b", "test", people("iemocap", 4) | {"": ""})
    utterances = manifest(rows)
    (fold,) = joined(utterances, 0, [])
    train, dev, test = overview_rows([fold], utterances)
    assert train["utterances"] + dev["utterances"] == 22
    assert test["utterances"] == 10
    assert test["speakers_in_train"] == len(part(fold, utterances, "train") & set(people("iemocap", 4))) > 0
    assert "also in train; 2 clips of unknown speakers" in test["warning"]
    assert dev["warning"] == ""


@pytest.mark.parametrize(("count", "told"), [(1, "but train_on has 1"), (0, "but train_on has 0")])
def test_nobody_who_could_select_is_an_error(count, told):
    rows = clips("a", "train", people("a", count) or {"": ""}) + clips("b", "test", people("b", 4))
    with pytest.raises(SplitError, match=f"need two speakers who are known, {told}"):
        joined(manifest(rows), 0, [])


def test_lists_have_the_paths_of_each_corpus():
    rows = clips("a", "train", people("a", 2), times=1) + clips("b", "test", people("b", 1), times=1)
    utterances = manifest(rows)
    lists = trust_ser_lists(joined(utterances, 0, [])[0], utterances, {"a": Path("/data/a"), "b": "/elsewhere"})
    paths = {name: [row[3] for row in part] for name, part in lists.items()}
    assert sorted(paths["train"] + paths["dev"]) == ["/data/a/a_00_0.wav", "/data/a/a_01_0.wav"]
    assert paths["test"] == ["/elsewhere/b_00_0.wav"]
