from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from damage import assert_never_wrong, damaged
from hypothesis import given, settings
from hypothesis import strategies as st

from candor.corpora.counts import compare
from candor.corpora.reader import Clip, CorpusError, Reading
from candor.corpora.readers import msp_podcast

HEADER = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set\n"

# Release 1.11: segments of each part; the labels of Test3 are not released.
RELEASE = {"Train": 84_030, "Development": 19_815, "Test1": 30_647, "Test2": 14_815, "Test3": 2_347}
WOMEN, MEN = 904, 1268
CODES = "ASHUFDCNOX"

ROWS = [
    "MSP-PODCAST_0001_0008.wav,N,4.200000,4.600000,4.000000,127,Male,Train",
    "MSP-PODCAST_0001_0019.wav,A,5.400000,2.200000,5.200000,8,Female,Train",
    "MSP-PODCAST_0002_0033.wav,X,3.800000,4.800000,4.600000,127,Male,Development",
    "MSP-PODCAST_0023_0048_0005.wav,O,4.000000,3.400000,3.600000,Unknown,Unknown,Test1",
    "MSP-PODCAST_0153_0005.wav,S,2.200000,1.600000,3.200000,Unknown,Female,Test1",
    "MSP-PODCAST_1904_0060_0001.wav,H,6.200000,6.400000,5.600000,1042,Female,Test2",
]
# Who, the main emotion, activation, valence and dominance.
RATERS = {
    "MSP-PODCAST_0001_0008.wav": [
        ("WORKER00000094", "Neutral", 4, 4, 4),
        ("WORKER00000312", "Neutral", 5, 6, 3),
        ("WORKER00001103", "Happy", 3, 5, 4),
        ("WORKER00000007", "Other-Curious", 4, 4, 4),
        ("WORKER00000555", "Neutral", 5, 4, 5),
    ],
    "MSP-PODCAST_0001_0019.wav": [
        ("WORKER00000094", "Angry", 6, 1, 6),
        ("WORKER00000007", "Angry", 7, 2, 5),
        ("WORKER00000312", "Contempt", 4, 3, 6),
        ("WORKER00000555", "Disgust", 5, 3, 4),
        ("WORKER00001103", "Fear", 5, 2, 5),
    ],
    "MSP-PODCAST_0153_0005.wav": [
        ("WORKER00000312", "Sad", 2, 1, 4),
        ("WORKER00000094", "Sad", 1, 2, 3),
        ("WORKER00000007", "Surprise", 4, 2, 2),
        ("WORKER00001103", "Sad", 3, 1, 3),
        ("WORKER00000555", "Other", 1, 2, 4),
    ],
}


def detailed(layout: str) -> str:
    """The table of the raters, as releases 1.6, 1.8 and 2.0 lay it out."""
    lines = {
        "1.6": ["FileName,Workers,EmoClass_Major,EmoClass_Second,EmoAct,EmoVal,EmoDom"],
        "1.8": ["FileName,EmoDetail"],
        "2.0": ["FileName,WorkerID,EmoClass_Major,EmoClass_Second,EmoAct,EmoDom,EmoVal"],
    }[layout]
    for file, opinions in RATERS.items():
        for who, emotion, a, v, d in opinions:
            lines.append(
                {
                    "1.6": f'{file},{who},{emotion},"{emotion},Concerned",{a},{v},{d}',
                    "1.8": f'{file},"{who}; {emotion}; {emotion},Concerned; A:{a}.000000; V:{v}.000000; D:{d}.000000;"',
                    "2.0": f'{file},{who},{emotion},"{emotion},Concerned",{a}.0,{d}.0,{v}.0',
                }[layout]
            )
    return "\n".join(lines) + "\n"


def write(root: Path, rows: Iterable[str], label_file: str = "labels_consensus.csv", raters: str = "") -> Path:
    (root / "Labels").mkdir(parents=True, exist_ok=True)
    (root / "Labels" / label_file).write_text(HEADER + "".join(f"{row}\n" for row in rows))
    (root / "Audios").mkdir(exist_ok=True)
    for row in rows:
        (root / "Audios" / row.split(",")[0]).touch()
    if raters:
        (root / "Labels" / "labels_detailed.csv").write_text(detailed(raters))
    return root


def read(root: Path, parity: str | None = None) -> Reading:
    return msp_podcast.read(root, "default", parity, {})


def clips_of(root: Path) -> dict[str, Clip]:
    return {clip.utterance: clip for clip in read(root).clips}


@pytest.fixture
def tree(tmp_path) -> Path:
    return write(tmp_path, ROWS)


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Reading:
    """All lines of release 1.11, and no recordings; every seventh clip is of someone not known."""
    root = tmp_path_factory.mktemp("release")
    (root / "Labels").mkdir()
    with (root / "Labels" / "labels_consensus.csv").open("w") as table:
        table.write(HEADER)
        number = 0
        for part, count in RELEASE.items():
            for _ in range(count):
                podcast, turn = divmod(number, 60)
                name = f"MSP-PODCAST_{podcast:04d}_{turn:04d}" + ("_0001" if podcast % 3 == 0 else "")
                person = number % (WOMEN + MEN)
                who = f"{person + 1},{'Female' if person < WOMEN else 'Male'}" if number % 7 else "Unknown,Unknown"
                said = ",,," if part == "Test3" else f"{CODES[number % 10]},{1 + number % 7},4.2,7.000000"
                table.write(f"{name}.wav,{said},{who},{part}\n")
                number += 1
    return read(root)


def test_every_line_of_a_release_is_a_clip_in_its_part(release):
    assert len(release.clips) == sum(RELEASE.values()) == 151_654
    assert release.rejected == []
    parts = Counter(clip.split for clip in release.clips)
    assert parts == {"train": 84_030, "dev": 19_815, "test1": 30_647, "test2": 14_815, "test3": 2_347}
    names = [clip.utterance for clip in release.clips]
    assert names == sorted(names)


def test_speakers_who_are_not_known_stay_and_are_nobody(release):
    genders = {clip.speaker: clip.gender for clip in release.clips}
    unknown = [clip for clip in release.clips if not clip.speaker]
    assert len(unknown) == -(-151_654 // 7)
    assert {clip.gender for clip in unknown} == {""}
    assert Counter(genders.values()) == {"female": WOMEN, "male": MEN, "": 1}
    compared = compare(release.clips, {clip.path for clip in release.clips}, None, "default", None)
    assert "151654 files of 2172 speakers" in compared.sentence


def test_the_letters_are_the_common_emotions(release):
    labelled = [clip for clip in release.clips if clip.split != "test3"]
    assert {clip.raw_label: clip.label for clip in labelled} == {
        "A": "anger",
        "S": "sadness",
        "H": "happiness",
        "U": "surprise",
        "F": "fear",
        "D": "disgust",
        "C": "contempt",
        "N": "neutral",
        "O": "other",
        "X": "",
    }
    assert {clip.reason for clip in labelled if not clip.label} == {"no agreement"}


def test_labels_that_are_not_released_are_blank_and_say_so(release):
    hidden = [clip for clip in release.clips if clip.split == "test3"]
    assert {(clip.label, clip.reason, clip.arousal) for clip in hidden} == {("", "label not released", None)}


def test_one_line_is_read_in_full(tree):
    clip = clips_of(tree)["MSP-PODCAST_1904_0060_0001"]
    assert clip.path == "Audios/MSP-PODCAST_1904_0060_0001.wav"
    assert (clip.speaker, clip.gender, clip.session) == ("msp_podcast_1042", "female", "1904")
    assert (clip.raw_label, clip.label, clip.split) == ("H", "happiness", "test2")
    assert (clip.arousal, clip.valence, clip.dominance) == (6.2, 6.4, 5.6)


def test_a_gender_counts_even_where_the_speaker_is_not_known(tree):
    clip = clips_of(tree)["MSP-PODCAST_0153_0005"]
    assert (clip.speaker, clip.gender) == ("", "female")


@pytest.mark.parametrize("development", ["Validation", "Development"])
@pytest.mark.parametrize("spelling", ["labels_consensus.csv", "labels_concensus.csv"])
def test_all_releases_spellings_are_known(tmp_path, spelling, development):
    write(tmp_path, [row.replace("Development", development) for row in ROWS], spelling)
    for parity in (None, "trust-ser"):
        reading = read(tmp_path, parity)
        assert [clip.utterance for clip in reading.clips if clip.split == "dev"] == ["MSP-PODCAST_0002_0033"]
    assert any(any(tmp_path.glob(marker)) for marker in msp_podcast.CARD.markers)


def test_of_two_spellings_side_by_side_the_newer_one_counts(tree):
    (tree / "Labels" / "labels_concensus.csv").write_text("of another release")
    reading = read(tree)
    assert len(reading.clips) == len(ROWS)
    [rejection] = reading.rejected
    assert rejection.path == "Labels/labels_concensus.csv"
    assert rejection.reason == "not read: Labels/labels_consensus.csv lies beside it"


def test_tables_of_earlier_releases_deeper_down_are_not_read(tree):
    for name in ("Before/v1.10/Labels/labels_consensus.csv", "Previous/v1.8/Labels/labels_concensus.csv"):
        (tree / name).parent.mkdir(parents=True)
        (tree / name).write_text("of another release")
    reading = read(tree)
    assert (len(reading.clips), reading.rejected) == (len(ROWS), [])


def test_the_tree_may_lie_one_folder_down(tmp_path):
    write(tmp_path / "MSP-PODCAST-Publish-1.11", ROWS, raters="2.0")
    reading = read(tmp_path)
    assert all((tmp_path / clip.path).is_file() for clip in reading.clips)
    assert reading.clips[0].votes
    assert any(any(tmp_path.glob(marker)) for marker in msp_podcast.CARD.markers)


def test_a_single_test_part_is_called_test(tmp_path):
    write(tmp_path, [row.replace("Test1", "Test").replace("Test2", "Test") for row in ROWS])
    assert Counter(clip.split for clip in read(tmp_path).clips) == {"train": 2, "dev": 1, "test": 3}


def test_a_part_cut_short_is_no_part_of_its_own(tree):
    file = tree / "Labels" / "labels_consensus.csv"
    file.write_text(file.read_text().replace("Unknown,Unknown,Test1", "Unknown,Unknown,Test"))
    reading = read(tree)
    assert "MSP-PODCAST_0023_0048_0005" not in {clip.utterance for clip in reading.clips}
    [rejection] = reading.rejected
    assert rejection.reason == "unknown part of the partition: line 5 says 'Test'"


def test_a_last_line_without_its_end_does_not_count_where_it_may_be_cut_short(tree):
    file = tree / "Labels" / "labels_consensus.csv"
    whole = file.read_text().rstrip("\n")
    file.write_text(whole)
    assert len(read(tree).clips) == len(ROWS)
    assert whole.endswith("Test2")
    file.write_text(whole[:-1])
    reading = read(tree)
    assert len(reading.clips) == len(ROWS) - 1
    [rejection] = reading.rejected
    assert (rejection.utterance, rejection.reason) == (
        "MSP-PODCAST_1904_0060_0001",
        "cut short: line 7 ends with the file",
    )


def test_trust_ser_leaves_out_who_is_not_known_other_tests_and_missing_files(tree):
    write(tree, [*ROWS, "MSP-PODCAST_2000_0001.wav,H,6.2,6.4,5.6,1042,Unknown,Train"])
    (tree / "Audios" / "MSP-PODCAST_0001_0019.wav").unlink()
    reading = read(tree, "trust-ser")
    assert {clip.utterance: clip.excluded for clip in reading.clips} == {
        "MSP-PODCAST_0001_0008": "",
        "MSP-PODCAST_0001_0019": "left out by trust-ser: missing file",
        "MSP-PODCAST_0002_0033": "",
        "MSP-PODCAST_0023_0048_0005": "left out by trust-ser: speaker or gender not known",
        "MSP-PODCAST_0153_0005": "left out by trust-ser: speaker or gender not known",
        "MSP-PODCAST_1904_0060_0001": "left out by trust-ser: part test2",
        "MSP-PODCAST_2000_0001": "left out by trust-ser: speaker or gender not known",
    }
    assert len(read(tree).clips) == len(ROWS) + 1


def test_published_counts_differ_by_release_so_that_none_are_held_against():
    assert msp_podcast.CARD.published is None
    assert (msp_podcast.CARD.schemes[0], msp_podcast.CARD.parities) == ("official", {"trust-ser": "official"})


@pytest.mark.parametrize("layout", ["1.6", "1.8", "2.0"])
def test_votes_count_raters_by_their_main_emotion_in_every_release(tmp_path, layout):
    clips = clips_of(write(tmp_path, ROWS, raters=layout))
    assert clips["MSP-PODCAST_0001_0008"].votes == {"neutral": 3, "happiness": 1, "other": 1}
    assert clips["MSP-PODCAST_0001_0019"].votes == {"anger": 2, "contempt": 1, "disgust": 1, "fear": 1}
    # The table does not name all clips, so that it may end within the last one.
    assert clips["MSP-PODCAST_0153_0005"].votes == {}
    assert clips["MSP-PODCAST_0002_0033"].votes == {}


def test_a_whole_table_of_raters_gives_votes_to_all(tmp_path):
    rows = [row for row in ROWS if row.split(",")[0] in RATERS]
    reading = read(write(tmp_path, rows, raters="1.8"))
    assert [sum(clip.votes.values()) for clip in reading.clips] == [5, 5, 5]
    assert reading.rejected == []


@pytest.mark.parametrize("harm", ["lost", "another rater", "unreadable", "not a word"])
def test_votes_are_left_blank_where_raters_lines_do_not_add_up(tmp_path, harm):
    write(tmp_path, [row for row in ROWS if row.split(",")[0] in RATERS], raters="1.8")
    file = tmp_path / "Labels" / "labels_detailed.csv"
    lines = file.read_text().splitlines()
    changed = {
        "lost": lines[:2] + lines[3:],
        "another rater": [*lines[:2], lines[2].replace("WORKER00000312", "WORKER00000094"), *lines[3:]],
        "unreadable": [*lines[:2], lines[2].replace("; D:3", " "), *lines[3:]],
        "not a word": [*lines[:2], lines[2].replace("Neutral;", "Neutrol;"), *lines[3:]],
    }
    file.write_text("\n".join(changed[harm]) + "\n")
    reading = read(tmp_path)
    assert [sum(clip.votes.values()) for clip in reading.clips] == [0, 5, 5]
    [rejection] = reading.rejected
    assert rejection.path == "Labels/labels_detailed.csv"
    assert rejection.reason.startswith("votes left blank: ")
    assert "1 clips, such as MSP-PODCAST_0001_0008" in rejection.reason


def test_a_rater_listed_twice_has_one_vote(tmp_path):
    write(tmp_path, ROWS, raters="1.8")
    file = tmp_path / "Labels" / "labels_detailed.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], lines[1], *lines[2:]]) + "\n")
    assert clips_of(tmp_path)["MSP-PODCAST_0001_0008"].votes == {"neutral": 3, "happiness": 1, "other": 1}


def test_a_table_of_raters_of_an_unknown_release_leaves_votes_blank(tmp_path):
    write(tmp_path, ROWS, raters="1.8")
    file = tmp_path / "Labels" / "labels_detailed.csv"
    file.write_text("FileName,Opinion\nMSP-PODCAST_0001_0008.wav,nice\n")
    reading = read(tmp_path)
    assert all(not clip.votes for clip in reading.clips)
    [rejection] = reading.rejected
    assert rejection.reason.startswith("votes left blank: the columns are FileName, Opinion")


@pytest.mark.parametrize(
    ("cell", "value", "reason"),
    [
        (0, "MSP-PODCAST_1_8.wav", "not a MSP-Podcast name"),
        (0, "MSP-PODCAST_0001_0008_0001_0001.wav", "not a MSP-Podcast name"),
        (1, "Z", "unknown label: line 2 says 'Z'"),
        (2, "7.1", "impossible rating: line 2, 7.1 is not between 1 and 7"),
        (3, "high", "impossible rating: line 2, 'high' is no number"),
        (5, "-3", "impossible speaker: line 2 says '-3'"),
        (5, "127.5", "impossible speaker: line 2 says '127.5'"),
        (5, "99999999999999999999", "impossible speaker: line 2"),
        (6, "Both", "gender is neither Male nor Female: line 2"),
        (7, "", "unknown part of the partition: line 2 says ''"),
    ],
)
def test_lines_that_cannot_be_are_listed_and_their_clip_is_left_out(tree, cell, value, reason):
    cells = ROWS[0].split(",")
    cells[cell] = value
    (tree / "Labels" / "labels_consensus.csv").write_text(
        HEADER + "".join(f"{row}\n" for row in [",".join(cells), *ROWS[1:]])
    )
    reading = read(tree)
    assert [clip.utterance for clip in reading.clips] == [row.split(".wav")[0] for row in ROWS[1:]]
    first = reading.rejected[0]
    assert (first.path, first.kind) == ("Labels/labels_consensus.csv", "label")
    assert first.reason.startswith(reason)


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("Audios/MSP-PODCAST_0001_0009.wav", "label", "no line in Labels/labels_consensus.csv"),
        ("Audios/._MSP-PODCAST_0001_0008.wav", "audio", "macOS resource fork"),
        ("Audios/MSP-PODCAST_0001.wav", "label", "not a MSP-Podcast name"),
        ("16k/MSP-PODCAST_0001_0008.wav", "filter", "second copy: Audios/MSP-PODCAST_0001_0008.wav"),
    ],
)
def test_files_that_are_no_clip_are_listed(tree, name, kind, reason):
    (tree / name).parent.mkdir(exist_ok=True)
    (tree / name).touch()
    reading = read(tree)
    assert len(reading.clips) == len(ROWS)
    [rejection] = reading.rejected
    assert (rejection.path, rejection.kind) == (name, kind)
    assert rejection.reason.startswith(reason)


def test_hidden_labels_may_have_no_line_at_all(tree):
    for number in range(3):
        (tree / "Audios" / f"MSP-PODCAST_5000_{number:04d}.wav").touch()
    reasons = Counter(rejection.reason for rejection in read(tree).rejected)
    assert reasons == {"no line in Labels/labels_consensus.csv": 3}


def test_the_audio_folder_may_have_another_name(tree):
    (tree / "Audios").rename(tree / "Audio")
    reading = read(tree)
    assert all((tree / clip.path).is_file() for clip in reading.clips)
    assert reading.rejected == []


def test_a_clip_with_two_labels_has_none(tree):
    file = tree / "Labels" / "labels_consensus.csv"
    file.write_text(file.read_text() + ROWS[0].replace(",N,", ",S,") + "\n")
    reading = read(tree)
    assert "MSP-PODCAST_0001_0008" not in {clip.utterance for clip in reading.clips}
    [rejection] = reading.rejected
    assert rejection.reason == "named twice: lines 2, 8 say different things"


def test_a_folder_without_labels_is_a_sentence(tree):
    (tree / "Labels" / "labels_consensus.csv").unlink()
    with pytest.raises(CorpusError, match=r"lacks Labels/labels_consensus\.csv"):
        read(tree)


@pytest.fixture(scope="module")
def right(tmp_path_factory) -> dict[str, Clip]:
    """The clips with all votes, of which a table that may end early gives the last clip none."""
    clips = clips_of(write(tmp_path_factory.mktemp("right"), ROWS, raters="1.8"))
    last = "MSP-PODCAST_0153_0005"
    return clips | {last: replace(clips[last], votes={"sadness": 3, "surprise": 1, "other": 1})}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_table_of_labels_never_gives_a_wrong_row(right, data, tmp_path_factory):
    root = write(tmp_path_factory.getbasetemp() / "labels", ROWS, raters="1.8")
    file = root / "Labels" / "labels_consensus.csv"
    file.write_bytes(data.draw(damaged(file.read_bytes(), delimiter=b",")))
    assert_never_wrong(lambda: read(root), right)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), layout=st.sampled_from(["1.6", "1.8"]))
def test_a_damaged_table_of_raters_never_gives_a_wrong_vote(right, data, layout, tmp_path_factory):
    root = write(tmp_path_factory.getbasetemp() / "raters", ROWS, raters=layout)
    file = root / "Labels" / "labels_detailed.csv"
    file.write_bytes(data.draw(damaged(file.read_bytes(), delimiter=b",")))
    assert_never_wrong(lambda: read(root), right)


def test_numbers_of_speakers_may_have_become_decimals(tree):
    right = read(tree).clips
    write(tree, [row.replace(",127,", ",127.0,") for row in ROWS])
    assert read(tree).clips == right


def test_the_hidden_recordings_of_test3_have_names_of_their_own(tree):
    (tree / "Audios" / "MSP-PODCAST_test3_0001.wav").touch()
    [rejection] = read(tree).rejected
    assert rejection.reason == "no line in Labels/labels_consensus.csv"
    assert rejection.utterance == "MSP-PODCAST_test3_0001"
