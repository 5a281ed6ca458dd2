from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candor.corpora.manifest import build
from candor.corpora.reader import Clip
from candor.corpora.readers import savee
from corpora.ways_to_split import assert_splits_as_its_card_says

CODES = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}
SPEAKERS = ("DC", "JE", "JK", "KL")
NAMES = [
    f"{speaker}_{code}{number:02d}"
    for speaker in SPEAKERS
    for code in CODES
    for number in range(1, 31 if code == "n" else 16)
]


def in_folders(name: str) -> str:
    return name.replace("_", "/") + ".wav"


def fill(root: Path, paths) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """The folder AudioData of the release."""
    return fill(tmp_path_factory.mktemp("savee"), [*map(in_folders, NAMES), "Info.txt"])


def read(root: Path):
    return savee.read(root, "default", None, {})


def test_the_whole_corpus_has_the_published_counts(tree):
    reading = read(tree)
    published = savee.CARD.published
    assert reading.rejected == []
    assert len(reading.clips) == published.files == 480
    assert Counter(clip.speaker for clip in reading.clips) == {f"savee_{speaker}": 120 for speaker in SPEAKERS}
    expected = {"neutral": 120} | {emotion: 60 for emotion in CODES.values() if emotion != "neutral"}
    assert Counter(clip.label for clip in reading.clips) == expected == published.labels["default"]
    assert {clip.gender for clip in reading.clips} == {"male"}
    assert {clip.age for clip in reading.clips} == {None}  # only the range, 27 to 31, is published


def test_sadness_and_surprise_are_not_taken_for_anger_and_nothing(tree):
    labels = {clip.utterance: clip.label for clip in read(tree).clips}
    assert (labels["DC_sa01"], labels["DC_a01"], labels["KL_su15"]) == ("sadness", "anger", "surprise")


def test_the_copy_with_all_files_in_one_folder_is_the_same_corpus(tree, tmp_path):
    flat = read(fill(tmp_path, [f"ALL/{name}.wav" for name in NAMES]))
    as_released = read(tree)
    assert [clip.utterance for clip in flat.clips] == sorted(NAMES)
    assert [(clip.utterance, clip.speaker, clip.label, clip.text) for clip in flat.clips] == [
        (clip.utterance, clip.speaker, clip.label, clip.text) for clip in as_released.clips
    ]


def test_a_folder_with_both_spellings_has_each_recording_once(tmp_path):
    both = [path for name in NAMES for path in (f"AudioData/{in_folders(name)}", f"ALL/{name}.wav")]
    reading = read(fill(tmp_path, both))
    assert len(reading.clips) == 480
    assert {rejection.reason.partition(":")[0] for rejection in reading.rejected} == {"second copy"}


def test_sentences_recur_as_published(tree):
    """Per emotion 3 common, 2 of its own and 10 others; neutral are the common ones, 15 and the 2 of each emotion."""
    said = defaultdict(set)
    for clip in read(tree).clips:
        said[clip.text].add(clip.label)
    assert len(said) == 3 + 6 * 12 + 15
    recurring = Counter(frozenset(labels) for labels in said.values() if len(labels) > 1)
    assert recurring.pop(frozenset(CODES.values())) == 3
    assert recurring == {frozenset(("neutral", emotion)): 2 for emotion in CODES.values() if emotion != "neutral"}
    spoken = Counter(clip.text for clip in read(tree).clips)
    assert all(count % 4 == 0 for count in spoken.values())


# Seconds of DC, JE, JK and KL. The third sentence is a short one under every emotion, and the emotions' own
# sentences, 04 and 05, are as long as the neutral ones that the reader takes for the same wording.
SECONDS = {
    "a03": (2.08, 2.20, 2.52, 1.76),
    "d03": (2.35, 2.51, 2.60, 1.85),
    "f03": (2.29, 2.93, 2.38, 1.81),
    "h03": (2.26, 2.56, 2.58, 1.63),
    "n03": (2.05, 2.10, 2.49, 1.65),
    "sa03": (2.42, 2.54, 3.22, 1.77),
    "su03": (1.87, 2.91, 2.64, 1.70),
    "d04": (4.38, 4.12, 4.44, 3.41),
    "d05": (3.10, 3.53, 3.36, 2.92),
    "h04": (3.23, 3.62, 3.51, 2.69),
    "h05": (4.36, 4.31, 4.17, 3.38),
    "sa04": (5.98, 5.03, 5.65, 4.73),
    "sa05": (4.74, 4.83, 5.87, 4.30),
    "su04": (3.35, 4.19, 3.90, 2.86),
    "su05": (2.83, 3.74, 2.95, 2.38),
    "n21": (4.08, 3.83, 3.87, 3.30),
    "n22": (3.05, 3.04, 3.11, 2.46),
    "n25": (4.03, 3.64, 3.48, 3.15),
    "n26": (3.13, 2.50, 2.91, 2.43),
    "n27": (5.45, 5.27, 4.61, 4.11),
    "n28": (5.50, 4.94, 4.59, 3.86),
    "n29": (3.29, 3.35, 3.01, 2.77),
    "n30": (4.63, 3.69, 4.11, 3.56),
}


def test_sentences_that_are_taken_for_the_same_are_about_as_long():
    of_text = defaultdict(list)
    for name, seconds in SECONDS.items():
        code = name.rstrip("0123456789")
        of_text[savee.sentence_of(code, int(name.removeprefix(code)))].append(sum(seconds) / 4)
    assert {text: len(lengths) for text, lengths in of_text.items()} == {"common3": 7} | {
        f"{code}{number}": 2 for code in ("d", "h", "sa", "su") for number in ("04", "05")
    }
    for lengths in of_text.values():
        assert max(lengths) < 1.25 * min(lengths)


@pytest.mark.parametrize(
    "name",
    ["DC/sa16.wav", "DC/n31.wav", "DC/a00.wav", "DC/s01.wav", "XX/a01.wav", "a01.wav", "DC_a1.wav", "DC/A01.wav"],
)
def test_what_is_no_clip_is_listed(tmp_path, name):
    reading = read(fill(tmp_path, ["KL/n30.wav", name]))
    assert [clip.utterance for clip in reading.clips] == ["KL_n30"]
    [rejection] = reading.rejected
    assert (rejection.path, rejection.kind) == (name, "label")
    assert rejection.reason == "not a SAVEE name: DC/sa15.wav or DC_sa15.wav would be one"


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 6), st.sampled_from("0123456789adfhnsuDCJEKL_/ \u0663"))
def test_a_letter_changed_makes_another_name_or_none(name, place, letter):
    changed = name[:place] + letter + name[place + 1 :]
    found = savee.read_name(f"ALL/{changed}.wav")
    if isinstance(found, Clip):
        assert found.utterance in NAMES
        speaker, _, rest = found.utterance.partition("_")
        assert changed.replace("/", "_").endswith(found.utterance)
        assert (found.speaker, found.label) == (f"savee_{speaker}", CODES[rest[:-2]])


def test_a_tree_is_recognised_in_either_spelling(tmp_path, write_wav):
    for root, name in (("one", "AudioData/JE/su01.wav"), ("two", "JE/su01.wav"), ("three", "ALL/JE_su01.wav")):
        write_wav(tmp_path / root / name)
        built = build(tmp_path / root, dataset="savee", corpus="savee")
        assert [row["utterance"] for row in built.utterances] == ["JE_su01"]
        assert built.comparison.verdict == "partial"


def test_it_is_split_in_the_ways_that_its_card_says(tree):
    assert_splits_as_its_card_says("savee", read(tree).clips)
