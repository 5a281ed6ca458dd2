from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candor.corpora.manifest import build
from candor.corpora.reader import Clip
from candor.corpora.readers import tess
from corpora.ways_to_split import assert_splits_as_its_card_says

EMOTIONS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sadness",
}
FOLDERS = {("OAF", "ps"): "OAF_Pleasant_surprise", ("YAF", "ps"): "YAF_pleasant_surprised", ("OAF", "fear"): "OAF_Fear"}
WORDS = ["back", "bite", "youth", *("".join(letters) for letters in product("bdfgk", "aeiou", "lmnprstv"))][:200]


def release() -> list[str]:
    """All 2,800 paths as released, with folders of uneven spelling and one name without its F."""
    paths = [
        f"{FOLDERS.get((speaker, emotion), f'{speaker}_{emotion}')}/{speaker}_{word}_{emotion}.wav"
        for speaker, emotion, word in product(("OAF", "YAF"), EMOTIONS, WORDS)
    ]
    return [path.replace("OAF_bite_neutral.", "OA_bite_neutral.") for path in paths]


def fill(root: Path, paths) -> Path:
    for folder in {Path(path).parent for path in paths}:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for path in paths:
        (root / path).touch()
    return root


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    return fill(tmp_path_factory.mktemp("tess"), release())


def read(root: Path):
    return tess.read(root, "default", None, {})


def test_the_whole_corpus_has_the_published_counts(tree):
    reading = read(tree)
    published = tess.CARD.published
    assert reading.rejected == []
    assert len(reading.clips) == published.files == 2800
    assert Counter(clip.speaker for clip in reading.clips) == {"tess_OAF": 1400, "tess_YAF": 1400}
    expected = dict.fromkeys(EMOTIONS.values(), 400)
    assert Counter(clip.label for clip in reading.clips) == expected == published.labels["default"]


def test_both_women_say_every_word_under_every_emotion(tree):
    said = Counter((clip.text, clip.label) for clip in read(tree).clips)
    assert set(said.values()) == {2}
    assert len({text for text, _ in said}) == 200


def test_the_older_and_the_younger_actress(tree):
    assert {(clip.speaker, clip.gender, clip.age) for clip in read(tree).clips} == {
        ("tess_OAF", "female", 64),
        ("tess_YAF", "female", 26),
    }


def test_the_name_that_lacks_a_letter_is_of_the_older_actress(tree):
    [clip] = [clip for clip in read(tree).clips if "OA_" in clip.path]
    assert clip.path == "OAF_neutral/OA_bite_neutral.wav"
    assert (clip.utterance, clip.speaker, clip.text, clip.label) == (
        "OAF_bite_neutral",
        "tess_OAF",
        "bite",
        "neutral",
    )


def test_pleasant_surprise_is_surprise_whatever_its_folder_is_called(tree):
    surprised = [clip for clip in read(tree).clips if clip.raw_label == "ps"]
    assert {clip.label for clip in surprised} == {"surprise"}
    assert {Path(clip.path).parent.name for clip in surprised} == {"OAF_Pleasant_surprise", "YAF_pleasant_surprised"}


def test_a_second_copy_of_the_tree_is_listed_and_left_out(tmp_path):
    title = "TESS Toronto emotional speech set data"
    reading = read(
        fill(tmp_path, [f"{title}/{path}" for path in release()] + [f"{title}/{title}/{path}" for path in release()])
    )
    assert len(reading.clips) == len(reading.rejected) == 2800
    assert not [clip for clip in reading.clips if clip.path.count(title) > 1]
    assert {(rejection.kind, rejection.reason.partition(":")[0]) for rejection in reading.rejected} == {
        ("filter", "second copy")
    }


def test_a_copy_that_mends_the_odd_name_is_no_second_recording(tmp_path):
    reading = read(fill(tmp_path, ["OAF_neutral/OA_bite_neutral.wav", "OAF_neutral/OAF_bite_neutral.wav"]))
    assert [clip.utterance for clip in reading.clips] == ["OAF_bite_neutral"]
    assert [rejection.reason.partition(":")[0] for rejection in reading.rejected] == ["second copy"]


@pytest.mark.parametrize(
    "name",
    ["OAF_back_calm.wav", "YA_back_sad.wav", "MAF_back_sad.wav", "OAF_sad.wav", "OAF_back_sad_2.wav", "OAF__ps.wav"],
)
def test_what_is_no_clip_is_listed(tmp_path, name):
    reading = read(fill(tmp_path, ["OAF_sad/OAF_back_sad.wav", f"OAF_sad/{name}"]))
    assert [clip.utterance for clip in reading.clips] == ["OAF_back_sad"]
    assert [(rejection.path, rejection.kind, rejection.reason) for rejection in reading.rejected] == [
        (f"OAF_sad/{name}", "label", "not a TESS name: OAF_back_angry would be one")
    ]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(release()), st.integers(0, 20), st.sampled_from("OYAFM_aeps 1\u0663"))
def test_a_letter_changed_makes_another_name_or_none(path, place, letter):
    name = Path(path).stem
    changed = name[:place] + letter + name[place + 1 :]
    found = tess.read_name(f"x/{changed}.wav")
    if isinstance(found, Clip):
        speaker, word, emotion = changed.split("_")
        assert found.speaker == {"OA": "tess_OAF"}.get(speaker, f"tess_{speaker}")
        assert found.speaker in ("tess_OAF", "tess_YAF")
        assert (found.text, found.label) == (word.lower(), EMOTIONS[emotion])


def test_the_tree_is_recognised_one_folder_down(tmp_path, write_wav):
    write_wav(tmp_path / "TESS" / "YAF_sad" / "YAF_back_sad.wav", rate=24414)
    built = build(tmp_path, dataset="tess", corpus="tess")
    assert [(row["utterance"], row["rate"]) for row in built.utterances] == [("YAF_back_sad", 24414)]
    assert built.comparison.verdict == "partial"


def test_it_is_split_in_the_ways_that_its_card_says(tree):
    assert_splits_as_its_card_says("tess", read(tree).clips)
