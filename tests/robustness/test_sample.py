"""Who is drawn where not all are disturbed."""

from collections import Counter

import pandas as pd

from candor.robustness.sample import drawn_evenly


def people(sizes: dict[tuple[str, str], int]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"utterance": f"{speaker}_{label}_{n}", "speaker": speaker, "session": "", "label": label}
            for (speaker, label), size in sizes.items()
            for n in range(size)
        ]
    )


def test_speakers_and_their_emotions_take_turns():
    rows = people({(f"s{n}", label): 10 + 7 * n for n in range(5) for label in ("anger", "neutral", "sadness")})
    drawn = rows[rows["utterance"].isin(drawn_evenly(rows, 73))]
    assert len(drawn) == 73
    by_speaker = Counter(drawn["speaker"])
    assert max(by_speaker.values()) - min(by_speaker.values()) <= 1
    for speaker in by_speaker:
        own = Counter(drawn[drawn["speaker"] == speaker]["label"])
        assert max(own.values()) - min(own.values()) <= 1


def test_who_has_little_gives_all_and_the_order_of_rows_does_not_matter():
    rows = people({("a", "anger"): 2, ("b", "anger"): 50, ("c", "neutral"): 50})
    drawn = drawn_evenly(rows, 42)
    assert Counter(name[0] for name in drawn) == {"a": 2, "b": 20, "c": 20}
    assert drawn_evenly(rows.sample(frac=1, random_state=3), 42) == drawn
    assert drawn_evenly(rows, None) == drawn_evenly(rows, 102) == set(rows["utterance"])
    assert drawn_evenly(rows, 41) < drawn, "fewer are among more"


def test_those_who_are_not_known_count_as_their_session():
    rows = people({("", "anger"): 30, ("a", "anger"): 30}).assign(session="one")
    assert Counter(name.partition("_")[0] for name in drawn_evenly(rows, 20)) == {"": 10, "a": 10}
