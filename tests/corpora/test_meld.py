import csv
import io
import re
from collections import Counter
from pathlib import Path

import pytest
from damage import assert_never_wrong, damaged
from hypothesis import given, settings
from hypothesis import strategies as st

from candor.corpora import registry
from candor.corpora.counts import compare
from candor.corpora.manifest import build
from candor.corpora.reader import Clip, CorpusError
from candor.corpora.readers import meld
from corpora.ways_to_split import assert_splits_as_its_card_says
from media import make_media

HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime"
EMOTIONS = ("neutral", "joy", "surprise", "anger", "sadness", "disgust", "fear")
PUBLISHED = {  # utterances per emotion, dialogues and speakers of each part
    "train": ((4710, 1743, 1205, 1109, 683, 271, 268), 1038, 260),
    "dev": ((470, 163, 150, 153, 111, 22, 40), 114, 47),
    "test": ((1256, 402, 281, 345, 208, 68, 50), 280, 100),
}
FOLDERS = {"train": "train/train_splits", "dev": "dev_splits_complete", "test": "output_repeated_splits_test"}
TABLES = {"train": "train/train_sent_emo.csv", "dev": "dev_sent_emo.csv", "test": "test_sent_emo.csv"}

Row = tuple[str, str, str, int, int]
"""Wording, speaker and emotion, number of the dialogue and of the utterance in it."""

FEW: dict[str, list[Row]] = {
    "train": [
        ("You must’ve had your hands full, Ross.", "The Interviewer", "neutral", 0, 1),
        ("That I did. That I did.", "Chandler", "joy", 0, 2),
        ("No don’t, I beg of you!", "Richard’s Date", "fear", 11, 0),
    ],
    "dev": [("That I did! That I did…", "Phoebe", "sadness", 0, 1), ("What?", "Monica", "surprise", 0, 2)],
    "test": [("“Hey,” she said", "Phoebe", "anger", 0, 1), ("!", "Ross", "disgust", 3, 0)],
}


def table(rows: list[Row]) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    for number, (wording, speaker, emotion, dialogue, utterance) in enumerate(rows, 1):
        times = ("00:16:16,059", "00:16:21,731")
        lines.writerow([number, wording, speaker, emotion, "neutral", dialogue, utterance, 8, 21, *times])
    return f"{HEADER}\r\n{text.getvalue()}"


def write(root: Path, rows: dict[str, list[Row]], suffix: str = ".mp4") -> Path:
    for part, of_part in rows.items():
        folder = root / FOLDERS[part]
        folder.mkdir(parents=True, exist_ok=True)
        (root / TABLES[part]).write_bytes(table(of_part).encode())
        for *_, dialogue, utterance in of_part:
            (folder / f"dia{dialogue}_utt{utterance}{suffix}").touch()
    return root


def published_rows(part: str) -> list[Row]:
    """As many lines per emotion, dialogue and speaker as the real table of the part has."""
    counts, dialogues, speakers = PUBLISHED[part]
    emotions = [emotion for emotion, count in zip(EMOTIONS, counts, strict=True) for _ in range(count)]
    known = {"train": 260, "dev": 34, "test": 69}[part]  # of the others, the train part knows none
    names = [f"Guest {number}" if number < known else f"{part} {number}" for number in range(speakers)]
    return [
        (f"{part} {number}", names[number % speakers], emotion, number % dialogues, number // dialogues)
        for number, emotion in enumerate(emotions)
    ]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("MELD.Raw"), {part: published_rows(part) for part in PUBLISHED})


@pytest.fixture
def tree(tmp_path) -> Path:
    return write(tmp_path, FEW)


def read(root: Path, parity: str | None = None) -> dict[str, Clip]:
    return {clip.utterance: clip for clip in meld.read(root, "default", parity, {}).clips}


def rejected(root: Path, parity: str | None = None) -> list[tuple[str, str, str]]:
    found = meld.read(root, "default", parity, {}).rejected
    return sorted((rejection.path, rejection.kind, rejection.reason) for rejection in found)


def test_the_whole_corpus_has_the_published_counts(corpus):
    reading = meld.read(corpus, "default", None, {})
    published = meld.CARD.published
    assert reading.rejected == []
    assert len(reading.clips) == published.files + 1 == 9989 + 1109 + 2610
    assert Counter(clip.split for clip in reading.clips) == published.splits
    assert Counter(clip.label for clip in reading.clips) == published.labels["default"]
    assert len({clip.session for clip in reading.clips}) == published.sessions
    assert len({clip.speaker for clip in reading.clips}) == published.speakers
    assert all((corpus / clip.path).is_file() for clip in reading.clips)
    assert [clip.utterance for clip in reading.clips] == sorted(clip.utterance for clip in reading.clips)
    # Of one utterance of the tables, dia110_utt7 of dev, no recording was released.
    there = {clip.path for clip in reading.clips} - {"dev_splits_complete/dia0_utt1.mp4"}
    assert compare(reading.clips, there, published, "default", None).verdict == "as published"


def test_a_clip_is_named_by_its_part_too(tree):
    """One dialogue and utterance is another in each part; a published system overwrites one with the other."""
    clips = read(tree)
    assert {clips[f"{part}_dia0_utt1"].path for part in FEW} == {f"{FOLDERS[part]}/dia0_utt1.mp4" for part in FEW}
    assert {clips[f"{part}_dia0_utt1"].label for part in FEW} == {"neutral", "sadness", "anger"}
    assert {clips[f"{part}_dia0_utt1"].session for part in FEW} == {"train_dia0", "dev_dia0", "test_dia0"}
    assert len(read(tree, "trust-ser")) == len(clips) == 7


def test_one_line_is_read_in_full(tree):
    assert read(tree)["train_dia0_utt2"] == Clip(
        utterance="train_dia0_utt2",
        path="train/train_splits/dia0_utt2.mp4",
        speaker="meld_Chandler",
        gender="male",
        session="train_dia0",
        text="that i did that i did",
        split="train",
        raw_label="joy",
        label="happiness",
    )


def test_genders_are_known_of_the_six_leads(tree):
    rows = [
        ("Hi.", name, "joy", 0, place) for place, name in enumerate(["Ross", "Rachel", "Young Ethan", "Ross and Joey"])
    ]
    (tree / TABLES["dev"]).write_text(table(rows))
    assert [clip.gender for name, clip in read(tree).items() if name.startswith("dev")] == ["male", "female", "", ""]
    assert {clip.gender for clip in read(tree, "trust-ser").values()} == {""}


def test_equal_wordings_are_one_text_whatever_their_typography(tree):
    clips = read(tree)
    assert clips["dev_dia0_utt1"].text == clips["train_dia0_utt2"].text == "that i did that i did"
    assert clips["test_dia3_utt0"].text == ""


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode().replace(b"\xe2\x80\x99", b"\xc2\x92").replace(b"\xe2\x80\xa6", b"\xc2\x85"),
        lambda text: text.encode().decode("cp1252", errors="replace").replace("\ufffd", "\x9d").encode(),
        lambda text: text.encode().decode("latin-1").encode(),
        lambda text: text.replace("’", "'").replace("…", "...").encode(),
    ],
)
def test_copies_whose_typography_was_spoilt_say_the_same(tree, spoil):
    right = read(tree)
    for name in TABLES.values():
        (tree / name).write_bytes(spoil((tree / name).read_bytes().decode()))
    found = read(tree)
    assert {name: (clip.text, clip.speaker.replace("'", "’"), clip.label) for name, clip in found.items()} == {
        name: (clip.text, clip.speaker, clip.label) for name, clip in right.items()
    }


def test_stray_bytes_of_cp1252_are_no_reason_to_refuse_a_file(tree):
    (tree / TABLES["train"]).write_bytes((tree / TABLES["train"]).read_bytes().decode().encode("cp1252"))
    clips = read(tree)
    assert clips["train_dia0_utt1"].text == "you mustve had your hands full ross"
    # Within a name such a byte may be anything.
    assert rejected(tree) == [(TABLES["train"], "label", r"no speaker: line 4 says 'Richard\udc92s Date'")]


def test_recordings_that_are_not_there_are_named_where_the_others_lie(tree):
    (tree / "train" / "train_splits" / "dia0_utt2.mp4").unlink()
    assert read(tree)["train_dia0_utt2"].path == "train/train_splits/dia0_utt2.mp4"
    for file in tree.rglob("*.mp4"):
        (file.parent / "waves").mkdir(exist_ok=True)
        file.rename(file.parent / "waves" / f"{file.stem}.wav")
    assert read(tree)["train_dia0_utt2"].path == "train/train_splits/waves/dia0_utt2.wav"


def test_tables_alone_name_the_recordings_of_the_release(tmp_path):
    for part, rows in FEW.items():
        (tmp_path / f"{part}_sent_emo.csv").write_text(table(rows))
    assert read(tmp_path)["train_dia0_utt2"].path == "train_splits/dia0_utt2.mp4"
    assert read(tmp_path)["test_dia3_utt0"].path == "output_repeated_splits_test/dia3_utt0.mp4"
    assert {clip.excluded for clip in read(tmp_path, "trust-ser").values()} == {"left out by trust-ser: missing file"}


def test_parity_drops_what_is_not_there(tree):
    (tree / "dev_splits_complete" / "dia0_utt2.mp4").unlink()
    assert len(read(tree)) == 7
    assert [clip.utterance for clip in read(tree, "trust-ser").values() if clip.excluded] == ["dev_dia0_utt2"]


@pytest.mark.parametrize("folder", ["dev_splits_complete", "dev_splits_complete/waves"])
def test_a_wav_counts_and_the_video_beside_it_does_not(tree, folder):
    (tree / folder).mkdir(exist_ok=True)
    (tree / folder / "dia0_utt1.wav").touch()
    assert read(tree)["dev_dia0_utt1"].path == f"{folder}/dia0_utt1.wav"
    assert rejected(tree) == [
        ("dev_splits_complete/dia0_utt1.mp4", "filter", f"video beside its wav: {folder}/dia0_utt1.wav is read")
    ]


def test_files_that_are_no_clips_are_listed(tree):
    for name in (
        "output_repeated_splits_test/final_videos_testdia3_utt0.mp4",
        "output_repeated_splits_test/._dia3_utt0.mp4",
        "output_repeated_splits_test/dia03_utt0.mp4",
        "dev_splits_complete/dia110_utt7.mp4",
        "dia0_utt0.mp4",
        "copy/train/train_splits/dia0_utt2.mp4",
        "copy/dev_sent_emo.csv",
        "README.txt",
    ):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()
    folders = "train_splits, dev_splits_complete, output_repeated_splits_test"
    assert rejected(tree) == [
        ("copy/dev_sent_emo.csv", "filter", "second copy: dev_sent_emo.csv is read"),
        ("copy/train/train_splits/dia0_utt2.mp4", "filter", "second copy: train/train_splits/dia0_utt2.mp4 is read"),
        ("dev_splits_complete/dia110_utt7.mp4", "label", "no line in dev_sent_emo.csv"),
        ("dia0_utt0.mp4", "label", f"no folder of MELD: {folders} tell the part"),
        ("output_repeated_splits_test/._dia3_utt0.mp4", "audio", "macOS resource fork"),
        ("output_repeated_splits_test/dia03_utt0.mp4", "label", "not a MELD name: dia0_utt3.mp4 would be one"),
        (
            "output_repeated_splits_test/final_videos_testdia3_utt0.mp4",
            "filter",
            "double: the same turn as dia3_utt0",
        ),
    ]
    assert len(read(tree)) == 7


@pytest.mark.parametrize("folder", [".", "MELD.Raw"])
def test_the_tree_may_lie_one_folder_down(tmp_path, folder):
    write(tmp_path / folder, FEW)
    registry.locate(tmp_path, "meld")
    assert len(read(tmp_path)) == 7


def test_a_part_without_its_table_is_an_error(tree):
    (tree / "dev_sent_emo.csv").unlink()
    with pytest.raises(CorpusError, match=r"lacks dev_sent_emo\.csv"):
        read(tree)


def test_lines_that_cannot_be_used_are_listed(tree):
    rows = [("Hi.", "Ross", "joy", 0, 1), ("Hi.", "Ross", "happy", 0, 2), ("Hi.", " ", "joy", 0, 3)]
    rows += [("Hi.", "Ross", "joy", -1, 4), ("Hi.", "Ross", "joy", 0, 5), ("Hi.", "Ross", "anger", 0, 5)]
    (tree / TABLES["dev"]).write_text(table([*rows, rows[0]]))
    assert [(kind, reason) for *_, kind, reason in rejected(tree)] == [
        ("label", "named twice: lines 6, 7 say different things"),
        ("label", "no numbers of dialogue and utterance: line 5 gives 'dia-1_utt4'"),
        ("label", "no speaker: line 4 says ''"),
        ("label", "repeated line: 8 says what 2 says"),
        ("label", "unknown emotion: line 3 says 'happy'"),
    ]
    assert [name for name in read(tree) if name.startswith("dev")] == ["dev_dia0_utt1"]


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("few"), FEW)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), part=st.sampled_from(list(FEW)))
def test_damaged_tables_never_give_wrong_rows(few, data, part):
    file, right = few / TABLES[part], None
    whole = table(FEW[part]).encode()
    file.write_bytes(whole)
    right = read(few)
    try:
        file.write_bytes(data.draw(damaged(whole, delimiter=b",")))
        assert_never_wrong(lambda: meld.read(few, "default", None, {}), right)
    finally:
        file.write_bytes(whole)


def test_videos_make_a_manifest_and_one_cut_short_is_listed(tree):
    for place, file in enumerate(sorted(tree.rglob("*.mp4"))):
        make_media(file, "-c:a", "aac", seconds=0.5 + place / 10)
    broken = tree / "train/train_splits/dia0_utt2.mp4"
    broken.write_bytes(broken.read_bytes()[:-500])
    built = build(tree, dataset="meld", corpus="meld", classes="all", max_rejected=0.5)
    assert [row["path"] for row in built.rejected] == ["train/train_splits/dia0_utt2.mp4"]
    assert built.rejected[0]["reason"].startswith("truncated: ")
    assert {(row["rate"], row["note"]) for row in built.utterances} == {(48000, "stereo, mixed down")}
    assert Counter(row["split"] for row in built.utterances) == {"train": 2, "dev": 2, "test": 2}


def test_the_real_tables_have_the_published_counts(corpora):
    reading = meld.read(corpora / "meld", "default", None, {})
    assert not [rejection for rejection in reading.rejected if rejection.kind == "label"]
    by_part = {part: [clip for clip in reading.clips if clip.split == part] for part in PUBLISHED}
    for part, (counts, dialogues, speakers) in PUBLISHED.items():
        assert Counter(clip.raw_label for clip in by_part[part]) == dict(zip(EMOTIONS, counts, strict=True))
        assert len({clip.session for clip in by_part[part]}) == dialogues
        assert len({clip.speaker for clip in by_part[part]}) == speakers
    speakers = {part: {clip.speaker for clip in clips} for part, clips in by_part.items()}
    assert len(speakers["test"] & speakers["train"]) == 69
    assert len(set.union(*speakers.values())) == meld.CARD.published.speakers
    assert Counter(clip.label for clip in reading.clips) == meld.CARD.published.labels["default"]
    leads = {clip.speaker: clip.gender for clip in reading.clips if clip.gender}
    assert Counter(leads.values()) == {"male": 3, "female": 3}
    assert sum(bool(clip.gender) for clip in reading.clips) / len(reading.clips) == pytest.approx(0.83, abs=0.005)


def test_it_is_split_in_the_ways_that_its_card_says(corpora):
    assert_splits_as_its_card_says("meld", meld.read(corpora / "meld", "default", None, {}).clips)


def test_the_real_wordings_are_whole(corpora):
    """A single utterance, an exclamation mark, has no words; the others are in letters, with two accents."""
    clips = meld.read(corpora / "meld", "default", None, {}).clips
    assert [clip.utterance for clip in clips if not clip.text] == ["train_dia369_utt0"]
    assert set(re.sub(r"[a-z0-9 ]", "", "".join(clip.text for clip in clips))) == {"é", "ó"}
    assert Counter(clip.text for clip in clips).most_common(1) == [("hey", 162)]
