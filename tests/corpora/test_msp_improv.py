import random
from collections import Counter
from itertools import islice, product
from pathlib import Path

import pytest
from damage import assert_never_wrong, damaged
from hypothesis import given, settings
from hypothesis import strategies as st

from candor.corpora.counts import compare
from candor.corpora.reader import CorpusError
from candor.corpora.readers import msp_improv
from corpora.ways_to_split import assert_splits_as_its_card_says

# Turns per label, as the paper that describes the corpus counts them by scenario: target sentences improvised and
# read, all other improvisation, and talk in the breaks.
PUBLISHED = {
    "T": {"A": 115, "S": 106, "H": 136, "N": 283, "O": 1, "X": 11},
    "R": {"A": 169, "S": 80, "H": 88, "N": 241, "O": 3, "X": 39},
    "S": {"A": 470, "S": 633, "H": 1048, "N": 1789, "O": 70, "X": 371},
    "P": {"A": 38, "S": 66, "H": 1372, "N": 1164, "O": 11, "X": 134},
}
DYADS = ("01", "02", "03", "04", "05", "06")
READERS = ("F02", "F03", "F05", "F06", "M01", "M02", "M03", "M05")
WORDS = {"A": "Angry", "S": "Sad", "H": "Happy", "N": "Neutral", "O": "Other"}
VOTES = {
    "A": ("A", "A", "N", "A", "O"),
    "S": ("S", "N", "S", "S", "N"),
    "H": ("H", "H", "H", "H", "H"),
    "N": ("N", "N", "S", "N", "H"),
    "O": ("O", "O", "O", "N", "H"),
    "X": ("A", "A", "S", "S", "N"),
}


def names(scenario: str, count: int) -> list[str]:
    speakers = READERS if scenario == "R" else [f"{gender}{dyad}" for dyad in DYADS for gender in "FM"]
    turns = product(range(1, 60), ("FM", "MF"), "AHNS", range(1, 21), speakers)
    if scenario == "R":
        turns = (turn for turn in turns if turn[1] == "FM")
    return [
        f"S{sentence:02d}{target}-{speaker}-{scenario}-{speaker[0] * 2 if scenario == 'R' else to}{turn:02d}"
        for turn, to, target, sentence, speaker in islice(turns, count)
    ]


def block(name: str, label: str, number: int) -> str:
    """The lines on one clip: their means first, then five raters who heard it."""
    dice = random.Random(number)
    opinions = [[dice.randint(1, 5) for _ in "AVDN"] for _ in VOTES[label]]
    means = [sum(column) / len(column) for column in zip(*opinions, strict=True)]
    a, v, d, n = means
    lines = [f"UTD-IMPROV-{name}.avi; {label}; A:{a:.6f}; V:{v:.6f}; D:{d:.6f} ; N:{n:.6f};"]
    for rater, (vote, (a, v, d, n)) in enumerate(zip(VOTES[label], opinions, strict=True)):
        who, more = f"20130{number % 9 + 1}0{rater}_evaluator-p{rater}", f"{WORDS[vote]},Surprised"
        lines.append(f"{who}; {WORDS[vote]}; {more}; A:{a}.000000; V:{v}.000000; D:{d}.000000; N:{n}.000000;")
    return "\n".join(lines) + "\n\n"


def path_of(name: str) -> str:
    scene, speaker, scenario, _ = name.split("-")
    return f"Audio/session{speaker[2]}/{scene}/{scenario}/MSP-IMPROV-{name}.wav"


def write(root: Path, clips: list[tuple[str, str]], label_file: str = "Evalution.txt") -> Path:
    for name, _ in clips:
        file = root / path_of(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    text = "".join(block(name, label, number) for number, (name, label) in enumerate(clips))
    (root / label_file).write_text(text)
    return root


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    clips: list[tuple[str, str]] = []
    for scenario, labels in PUBLISHED.items():
        each = [label for label, count in labels.items() for _ in range(count)]
        clips += zip(names(scenario, len(each)), each, strict=True)
    return write(tmp_path_factory.mktemp("msp_improv"), clips)


@pytest.fixture(scope="module")
def whole(corpus):
    return msp_improv.read(corpus, "default", None, {})


FEW = [
    ("S01A-F02-R-FF01", "A"),
    ("S01A-M02-P-MF03", "H"),
    ("S01A-M02-S-FM01", "X"),
    ("S01N-F03-T-MF02", "N"),
    ("S20S-M06-T-FM101", "O"),
]


@pytest.fixture
def tree(tmp_path) -> Path:
    return write(tmp_path, FEW)


def clips_of(root: Path, parity: str | None = None) -> dict[str, msp_improv.Clip]:
    return {clip.utterance[11:]: clip for clip in msp_improv.read(root, "default", parity, {}).clips}


def test_the_whole_corpus_has_the_published_counts(whole):
    published = msp_improv.CARD.published
    assert len(whole.clips) == published.files == 8438
    assert len({clip.speaker for clip in whole.clips}) == published.speakers == 12
    assert len({clip.session for clip in whole.clips}) == published.sessions == 6
    labels = Counter(clip.label for clip in whole.clips if clip.label)
    assert labels == published.labels["default"]
    assert sum(labels[emotion] for emotion in msp_improv.CARD.classes) == 7798
    assert sum(clip.reason == "no agreement" for clip in whole.clips) == 8438 - 7798 - 85 == 555
    assert whole.rejected == []
    compared = compare(whole.clips, {clip.path for clip in whole.clips}, published, "default", None)
    assert compared.verdict == "as published"


def test_every_recording_is_found_where_it_lies(whole, corpus):
    assert all((corpus / clip.path).is_file() for clip in whole.clips)


def test_each_scenario_has_its_published_turns_and_labels(whole):
    for scenario, labels in PUBLISHED.items():
        own = [clip for clip in whole.clips if clip.scenario == scenario]
        assert Counter(clip.raw_label for clip in own) == labels
    assert Counter(clip.scenario for clip in whole.clips) == {"T": 652, "R": 620, "S": 4381, "P": 2785}


def test_a_sentence_has_one_identity_across_speakers_and_emotions_and_only_where_it_is_said(whole):
    texts = {clip.text for clip in whole.clips if clip.scenario in "RT"}
    assert texts == {f"S{number:02d}" for number in range(1, 21)}
    assert {clip.text for clip in whole.clips if clip.scenario in "SP"} == {""}
    improvised = next(clip for clip in whole.clips if "S01A-F01-T" in clip.utterance)
    read = next(clip for clip in whole.clips if "S01N-M02-R" in clip.utterance)
    assert improvised.text == read.text == "S01"


def test_the_pair_is_told_by_the_speakers_number_not_the_sentences(whole):
    for clip in whole.clips:
        speaker = clip.utterance.split("-")[3]
        assert clip.session == f"session{int(speaker[1:])}"
        assert clip.speaker == f"msp_improv_{speaker}"
        assert clip.gender == {"F": "female", "M": "male"}[speaker[0]]
    assert len({clip.utterance.split("-")[2][:3] for clip in whole.clips if clip.session == "session1"}) == 20


def test_folds_keep_the_pairs_together_except_in_the_system_that_splits_them():
    assert (msp_improv.CARD.schemes[0], msp_improv.CARD.dyads) == ("sessions", True)
    assert msp_improv.CARD.parities == {"trust-ser": "sessions", "fed-ser-leakage": "speakers"}


def test_trust_ser_keeps_all_scenarios_though_its_comment_says_otherwise(corpus, whole):
    assert msp_improv.read(corpus, "default", "trust-ser", {}).clips == whole.clips


def test_fed_ser_leakage_leaves_out_what_is_read_and_what_is_said_in_breaks(corpus):
    reading = msp_improv.read(corpus, "default", "fed-ser-leakage", {})
    assert Counter((clip.scenario, clip.excluded) for clip in reading.clips) == {
        ("S", ""): 4381,
        ("T", ""): 652,
        ("P", "left out by fed-ser-leakage: scenario P"): 2785,
        ("R", "left out by fed-ser-leakage: scenario R"): 620,
    }


def test_a_published_clip_has_its_published_ratings(tmp_path):
    # 2.666667, 2.333333 and 3.0 are what the lists of EMO-SUPERB have: activation runs from 5 to 1 in the label file.
    write(tmp_path, [("S01A-F02-R-FF01", "A")])
    line = "UTD-IMPROV-S01A-F02-R-FF01.avi; A; A:3.333333; V:2.333333; D:3.000000 ; N:3.666667;\n"
    (tmp_path / "Evalution.txt").write_text(line)
    clip = clips_of(tmp_path)["S01A-F02-R-FF01"]
    assert (clip.arousal, clip.valence, clip.dominance) == (2.666667, 2.333333, 3.0)
    assert clip.split == ""


def test_ratings_that_were_not_given_stay_blank(tmp_path):
    write(tmp_path, FEW[:1])
    line = "UTD-IMPROV-S01A-F02-R-FF01.avi; A; A:1.000000; V:NaN; D:NaN ; N:NaN;\n"
    (tmp_path / "Evalution.txt").write_text(line)
    clip = clips_of(tmp_path)["S01A-F02-R-FF01"]
    assert (clip.arousal, clip.valence, clip.dominance) == (5.0, None, None)


def test_votes_count_raters_by_their_main_emotion(tree):
    clips = clips_of(tree)
    assert clips["S01A-F02-R-FF01"].votes == {"anger": 3, "neutral": 1, "other": 1}
    assert clips["S01A-M02-S-FM01"].votes == {"anger": 2, "sadness": 2, "neutral": 1}
    assert (clips["S01A-M02-S-FM01"].label, clips["S01A-M02-S-FM01"].reason) == ("", "no agreement")
    assert clips["S20S-M06-T-FM101"].label == "other"


def test_a_rater_whose_line_is_there_twice_has_one_vote(tree):
    file = tree / "Evalution.txt"
    lines = file.read_text().split("\n")
    file.write_text("\n".join([*lines[:2], lines[1], *lines[2:]]))
    assert clips_of(tree)["S01A-F02-R-FF01"].votes == {"anger": 3, "neutral": 1, "other": 1}


@pytest.mark.parametrize("harm", ["lost", "elsewhere", "unknown"])
def test_votes_are_left_blank_where_raters_lines_are_missing_or_foreign(tree, harm):
    file = tree / "Evalution.txt"
    lines = file.read_text().split("\n")
    harmed = {
        "lost": lines[:1] + lines[2:],
        "elsewhere": [lines[0], lines[8], *lines[2:8], lines[1], *lines[9:]],
        "unknown": [lines[0], lines[1].replace("Angry", "Hangry"), *lines[2:]],
    }
    file.write_text("\n".join(harmed[harm]))
    reading = msp_improv.read(tree, "default", None, {})
    clips = clips_of(tree)
    assert clips["S01A-F02-R-FF01"].votes == {}
    assert clips["S01N-F03-T-MF02"].votes == {"neutral": 3, "sadness": 1, "happiness": 1}
    [rejection] = reading.rejected
    assert rejection.reason.startswith("votes left blank: ")


def test_votes_are_left_blank_where_a_raters_line_cannot_be_read_though_the_others_have_the_same_mean(tmp_path):
    write(tmp_path, FEW[:1])
    ratings = "A:3.000000; V:2.000000; D:3.000000; N:4.000000;"
    lines = [f"UTD-IMPROV-S01A-F02-R-FF01.avi; A; {ratings}"]
    lines += [f"evaluator-p{number}; Angry; Angry; {ratings}" for number in range(4)]
    (tmp_path / "Evalution.txt").write_text("\n".join([*lines, f"evaluator-p4; Sad; {ratings}", ""]))
    assert clips_of(tmp_path)["S01A-F02-R-FF01"].votes == {"anger": 4, "sadness": 1}
    (tmp_path / "Evalution.txt").write_text("\n".join([*lines, f"evaluator-p4; Sad {ratings}", ""]))
    assert clips_of(tmp_path)["S01A-F02-R-FF01"].votes == {}


def test_the_label_file_may_be_spelled_right_and_the_tree_lie_deeper(tmp_path):
    (tmp_path / "MSP-IMPROV").mkdir()
    write(tmp_path / "MSP-IMPROV", FEW, "Evaluation.txt")
    reading = msp_improv.read(tmp_path, "default", None, {})
    assert (len(reading.clips), reading.rejected) == (5, [])
    assert all((tmp_path / clip.path).is_file() for clip in reading.clips)
    for place in (tmp_path, tmp_path / "MSP-IMPROV"):
        assert any(any(place.glob(marker)) for marker in msp_improv.CARD.markers)


def test_of_two_spellings_side_by_side_the_released_one_counts(tree):
    (tree / "Evaluation.txt").write_text("something else")
    reading = msp_improv.read(tree, "default", None, {})
    assert len(reading.clips) == 5
    [rejection] = reading.rejected
    assert (rejection.path, rejection.reason) == ("Evaluation.txt", "not read: Evalution.txt lies beside it")


def test_recordings_may_bear_the_label_files_prefix_and_lie_without_the_folder_audio(tree):
    (tree / "Audio").rename(tree / "x")
    for folder in list((tree / "x").iterdir()):
        folder.rename(tree / folder.name)
    for file in list(tree.rglob("MSP-IMPROV-*.wav")):
        file.rename(file.with_name(file.name.replace("MSP-", "UTD-")))
    clip = clips_of(tree)["S01A-M02-P-MF03"]
    assert clip.utterance == "MSP-IMPROV-S01A-M02-P-MF03"
    assert clip.path == "session2/S01A/P/UTD-IMPROV-S01A-M02-P-MF03.wav"
    assert (tree / clip.path).is_file()


def test_a_recording_that_is_not_there_is_still_a_clip(tree):
    (tree / path_of("S01A-M02-P-MF03")).unlink()
    clip = clips_of(tree)["S01A-M02-P-MF03"]
    assert clip.path == "Audio/session2/S01A/P/MSP-IMPROV-S01A-M02-P-MF03.wav"


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("Audio/session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav", "label", "no line in Evalution.txt"),
        ("Audio/session1/S01A/P/._MSP-IMPROV-S01A-F01-P-FM01.wav", "audio", "macOS resource fork"),
        ("Audio/session1/S01A/MSP-IMPROV-S01A.wav", "label", "not a MSP-IMPROV name"),
        ("Audio/session1/S21A/P/MSP-IMPROV-S21A-F01-P-FM01.wav", "label", "not a MSP-IMPROV name"),
        ("Audio/session7/S01A/P/MSP-IMPROV-S01A-F07-P-FM01.wav", "label", "not a MSP-IMPROV name"),
        ("Audio/session1/S01A/S/MSP-IMPROV-S01A-F01-S-FF01.wav", "label", "not a MSP-IMPROV name"),
        ("Audio/session1/S01A/R/MSP-IMPROV-S01A-F01-R-FM01.wav", "label", "not a MSP-IMPROV name"),
        ("16k/MSP-IMPROV-S01A-F02-R-FF01.wav", "filter", "second copy"),
    ],
)
def test_files_that_are_no_clip_are_listed(tree, name, kind, reason):
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).touch()
    reading = msp_improv.read(tree, "default", None, {})
    assert len(reading.clips) == 5
    [rejection] = reading.rejected
    assert (rejection.path, rejection.kind) == (name, kind)
    assert rejection.reason.startswith(reason)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("UTD-IMPROV-S01A-F02-R-FF01.avi; A; A:3.0; V:2.3; D:3.0 ; N:3.", "cannot be read: line 1"),
        ("UTD-IMPROV-S01A-F02-R-FF01.avi; Z; A:3.0; V:2.3; D:3.0 ; N:3.0;", "unknown label: line 1 says Z"),
        ("UTD-IMPROV-S01A-F02-R-FF01.avi; A; A:5.1; V:2.3; D:3.0 ; N:3.0;", "impossible rating: line 1, 5.1 is"),
        ("UTD-IMPROV-S01A-F02-Q-FF01.avi; A; A:3.0; V:2.3; D:3.0 ; N:3.0;", "not a MSP-IMPROV name: line 1 says"),
    ],
)
def test_lines_that_cannot_be_are_listed_and_their_clip_is_left_out(tree, line, reason):
    file = tree / "Evalution.txt"
    file.write_text("\n".join([line, *file.read_text().split("\n")[1:]]))
    reading = msp_improv.read(tree, "default", None, {})
    assert [clip.utterance[11:] for clip in reading.clips] == [name for name, _ in FEW[1:]]
    assert reading.rejected[0].path == "Evalution.txt"
    assert reading.rejected[0].reason.startswith(reason)


def test_a_clip_with_two_labels_has_none(tree):
    file = tree / "Evalution.txt"
    file.write_text(file.read_text() + block("S01A-M02-P-MF03", "S", 1))
    reading = msp_improv.read(tree, "default", None, {})
    assert "MSP-IMPROV-S01A-M02-P-MF03" not in {clip.utterance for clip in reading.clips}
    assert any(rejection.reason.startswith("named twice: lines ") for rejection in reading.rejected)


def test_a_folder_without_labels_is_a_sentence(tree):
    (tree / "Evalution.txt").unlink()
    with pytest.raises(CorpusError, match=r"lacks Evalution\.txt"):
        msp_improv.read(tree, "default", None, {})


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> tuple[Path, bytes, dict[str, msp_improv.Clip]]:
    root = write(tmp_path_factory.mktemp("damaged"), FEW)
    return root, (root / "Evalution.txt").read_bytes(), {f"MSP-IMPROV-{k}": c for k, c in clips_of(root).items()}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_label_file_never_gives_a_wrong_row(sound, data):
    root, label_file, right = sound
    (root / "Evalution.txt").write_bytes(data.draw(damaged(label_file)))
    assert_never_wrong(lambda: msp_improv.read(root, "default", None, {}), right)


def test_a_byte_of_another_encoding_in_a_rater_s_line_costs_nothing_but_that_word(tree):
    right = clips_of(tree)
    file = tree / "Evalution.txt"
    text = file.read_bytes()
    assert b";" in text
    file.write_bytes(text.replace(b",Surprised;", b",Verl\xe4sslich;", 1))
    assert clips_of(tree) == right


def test_it_is_split_in_the_ways_that_its_card_says(whole):
    assert_splits_as_its_card_says("msp_improv", whole.clips)
