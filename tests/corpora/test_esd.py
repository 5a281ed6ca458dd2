import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from damage import assert_never_wrong, damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from candor.corpora.manifest import build
from candor.corpora.reader import CorpusError
from candor.corpora.readers import esd
from corpora.ways_to_split import assert_splits_as_its_card_says

# Folder, emotion and Chinese name, in the order of the numbers.
EMOTIONS = [
    ("Neutral", "neutral", "中立"),
    ("Angry", "anger", "生气"),
    ("Happy", "happiness", "快乐"),
    ("Sad", "sadness", "伤心"),
    ("Surprise", "surprise", "惊喜"),
]
MANDARIN = [f"{number:04d}" for number in range(1, 11)]
ENGLISH = [f"{number:04d}" for number in range(11, 21)]
WOMEN = {"0001", "0002", "0003", "0007", "0009", "0015", "0016", "0017", "0018"}
NOT_AGREED = {"0012", "0019"}
PARTS = {"evaluation": (20, "dev"), "test": (30, "test"), "train": (300, "train")}

# As the release has them.
ENCODINGS = (
    dict.fromkeys(("0001", "0002", "0004", "0005", "0009"), "gb2312")
    | dict.fromkeys(("0011", "0015", "0020"), "utf-8")
    | dict.fromkeys(("0016", "0017"), "latin-1")
)


def path_of(speaker: str, number: int, parts: bool = True) -> str:
    block, place = divmod(number - 1, 350)
    part = "evaluation/" if place < 20 else "test/" if place < 50 else "train/"
    return f"{speaker}/{EMOTIONS[block][0]}/{part if parts else ''}{speaker}_{number:06d}.wav"


def list_of(speaker: str, numbers=range(1, 1751)) -> str:
    """The list of a speaker: what is said is the same under every emotion."""
    chinese = speaker in MANDARIN
    return "".join(
        f"{speaker}_{number:06d}\t"
        + (f"第{(number - 1) % 350 + 1}句，\t" if chinese else f"It’s number {(number - 1) % 350 + 1}.\t")
        + f"{EMOTIONS[(number - 1) // 350][2 if chinese else 0]}\n"
        for number in numbers
    )


def write_list(root: Path, speaker: str, text: str, encoding: str = "utf-8") -> Path:
    file = root / speaker / f"{speaker}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode("cp1252" if encoding == "latin-1" else encoding))
    return file


def fill(root: Path, paths) -> Path:
    paths = list(paths)
    for folder in {os.path.dirname(path) for path in paths}:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for path in paths:
        os.close(os.open(root / path, os.O_CREAT))
    return root


def read(root: Path):
    return esd.read(root, "default", None, {})


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """The whole release, without its ReadMe.txt."""
    root = tmp_path_factory.mktemp("esd") / "Emotion Speech Dataset"
    fill(root, (path_of(speaker, number) for speaker in MANDARIN + ENGLISH for number in range(1, 1751)))
    for speaker in MANDARIN + ENGLISH:
        write_list(root, speaker, list_of(speaker), ENCODINGS.get(speaker, "utf-16"))
    return root


@pytest.fixture(scope="module")
def reading(tree):
    return read(tree)


def test_the_whole_corpus_has_the_published_counts(reading):
    published = esd.CARD.published
    assert reading.rejected == []
    assert len(reading.clips) == published.files == 35000
    assert Counter(clip.speaker for clip in reading.clips) == {f"esd_{speaker}": 1750 for speaker in MANDARIN + ENGLISH}
    expected = {emotion: 7000 for _, emotion, _ in EMOTIONS}
    assert Counter(clip.label for clip in reading.clips) == expected == published.labels["default"]
    assert Counter(clip.raw_label for clip in reading.clips) == {folder: 7000 for folder, *_ in EMOTIONS}
    expected = {split: 100 * size for size, split in PARTS.values()}
    assert Counter(clip.split for clip in reading.clips) == expected == published.splits
    assert [clip.utterance for clip in reading.clips] == sorted(clip.utterance for clip in reading.clips)


def test_the_official_partition_is_that_of_the_folders_and_holds_the_same_speakers(reading):
    speakers = defaultdict(set)
    for clip in reading.clips:
        assert clip.split == PARTS[Path(clip.path).parent.name][1]
        speakers[clip.split].add(clip.speaker)
    assert speakers["train"] == speakers["dev"] == speakers["test"]


def test_women_are_no_men_and_nobody_s_gender_is_guessed(reading):
    for clip in reading.clips:
        speaker = clip.speaker.removeprefix("esd_")
        expected = "" if speaker in NOT_AGREED else "female" if speaker in WOMEN else "male"
        assert clip.gender == expected, speaker


def test_half_of_the_speakers_speak_mandarin(reading):
    for clip in reading.clips:
        assert clip.language == ("Mandarin" if clip.speaker.removeprefix("esd_") in MANDARIN else "English")


def test_a_sentence_is_the_same_for_all_speakers_and_emotions_of_a_language(reading):
    said = defaultdict(set)
    for clip in reading.clips:
        said[clip.text].add((clip.speaker, clip.label))
    assert len(said) == 2 * 350
    assert {len(who) for who in said.values()} == {10 * 5}
    text = {clip.utterance: clip.text for clip in reading.clips}
    # Two pairs of numbers under which the published lists have the same sentence.
    assert text["0015_000175"] == text["0015_000875"] == "en_175"
    assert text["0020_000831"] == text["0015_001531"] == "en_131"
    assert text["0001_000001"] == text["0001_000351"] == text["0001_001401"] == "zh_001"


def test_copies_without_folders_for_the_parts_and_without_lists_are_the_same_corpus(tmp_path, reading):
    fill(tmp_path, (path_of("0018", number, parts=False) for number in range(1, 1751)))
    assert [(clip.utterance, clip.label, clip.split, clip.text, clip.gender) for clip in read(tmp_path).clips] == [
        (clip.utterance, clip.label, clip.split, clip.text, clip.gender)
        for clip in reading.clips
        if clip.speaker == "esd_0018"
    ]


def test_a_second_copy_of_the_tree_is_listed_and_left_out(tmp_path):
    paths = [path_of("0011", number) for number in range(1, 11)]
    fill(tmp_path, [*paths, *(f"Emotion Speech Dataset/{path}" for path in paths)])
    write_list(tmp_path, "0011", list_of("0011", range(1, 11)))
    write_list(tmp_path / "Emotion Speech Dataset", "0011", "damaged")
    found = read(tmp_path)
    assert [clip.path for clip in found.clips] == paths
    assert Counter(rejection.reason.partition(":")[0] for rejection in found.rejected) == {"second copy": 10}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le with mark", "gb2312", "gbk"])
def test_lists_are_understood_in_every_encoding(tmp_path, encoding):
    """A list that names another emotion than folder and number is noticed, so it was understood."""
    fill(tmp_path, [path_of("0003", 351), path_of("0003", 352)])
    text = list_of("0003", [351, 352]).replace("生气", "伤心", 1)
    mark = "\ufeff" if "mark" in encoding else ""
    write_list(tmp_path, "0003", mark + text, encoding.partition(" ")[0])
    found = read(tmp_path)
    assert {clip.utterance: clip.label for clip in found.clips} == {"0003_000351": "anger", "0003_000352": "anger"}
    assert [
        (rejection.path, rejection.kind, rejection.reason, rejection.utterance) for rejection in found.rejected
    ] == [
        (
            "0003/0003.txt",
            "label",
            "line not used: it says sadness, folder and number anger",
            "0003_000351",
        )
    ]


def test_windows_apostrophes_do_no_harm(tmp_path):
    fill(tmp_path, [path_of("0016", 1)])
    write_list(tmp_path, "0016", list_of("0016", [1]), "latin-1")
    found = read(tmp_path)
    assert (len(found.clips), found.rejected) == (1, [])


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("0011/Happy/0011_000351.wav", "contradictory emotion: the folder says happiness, the number anger"),
        ("0011/Angry/train/0011_000001.wav", "contradictory emotion: the folder says anger, the number neutral"),
        ("0012/Angry/0011_000351.wav", "contradictory speaker: the folder says 0012, the name 0011"),
        ("0011/Angry/0011_001751.wav", "not an ESD name: 0011/Angry/0011_000351.wav would be one"),
        ("0011/Neutral/0011_000000.wav", "not an ESD name: 0011/Angry/0011_000351.wav would be one"),
        ("0021/Angry/0021_000351.wav", "not an ESD name: 0011/Angry/0011_000351.wav would be one"),
        ("0011/Fear/0011_000351.wav", "not an ESD name: 0011/Angry/0011_000351.wav would be one"),
        ("0011/0011_000351.wav", "not an ESD name: 0011/Angry/0011_000351.wav would be one"),
        ("0011/Angry/0011_351.wav", "not an ESD name: 0011/Angry/0011_000351.wav would be one"),
    ],
)
def test_what_contradicts_itself_or_is_no_clip_is_listed(tmp_path, path, reason):
    found = read(fill(tmp_path, ["0011/Angry/0011_000352.wav", path]))
    assert [clip.utterance for clip in found.clips] == ["0011_000352"]
    assert [(rejection.path, rejection.kind, rejection.reason) for rejection in found.rejected] == [
        (path, "label", reason)
    ]


def test_a_recording_in_the_folder_of_another_part_takes_part_but_not_in_the_partition(tmp_path):
    fill(tmp_path, ["0011/Angry/train/0011_000351.wav", "0011/Angry/train/0011_000401.wav"])
    assert [(clip.utterance, clip.split) for clip in read(tmp_path).clips] == [
        ("0011_000351", ""),
        ("0011_000401", "train"),
    ]


def test_a_line_that_lacks_a_cell_is_listed_and_its_recording_takes_part(tmp_path):
    fill(tmp_path, [path_of("0015", number) for number in (137, 138, 139)])
    text = list_of("0015", [137, 138, 139]).replace("138.\t", "138. ")
    write_list(tmp_path, "0015", text + "\n   \n0015_000140\tNo emotion\n")
    found = read(tmp_path)
    assert len(found.clips) == 3
    assert [(rejection.path, rejection.reason, rejection.utterance) for rejection in found.rejected] == [
        (
            "0015/0015.txt",
            f"line not used: {line} is not a name, a sentence and an emotion, with tabs between them",
            f"0015_000{number}",
        )
        for line, number in ((2, 138), (6, 140))
    ]


def test_lines_that_say_two_things_of_one_recording_count_for_nothing(tmp_path):
    fill(tmp_path, [path_of("0011", 1)])
    write_list(tmp_path, "0011", "0011_000001\ta\tNeutral\n0011_000001\ta\tSad\n")
    found = read(tmp_path)
    assert [clip.label for clip in found.clips] == ["neutral"]
    assert [rejection.reason.partition(":")[0] for rejection in found.rejected] == ["named twice"]


@pytest.mark.parametrize("parts", [True, False])
def test_a_recording_that_only_the_list_has_is_missed_where_it_should_lie(tmp_path, write_wav, parts):
    for number in (1, 351):
        write_wav(tmp_path / path_of("0011", number, parts))
    write_list(tmp_path, "0011", list_of("0011", [1, 2, 351]))
    built = build(tmp_path, dataset="esd", corpus="esd")
    assert [row["utterance"] for row in built.utterances] == ["0011_000001", "0011_000351"]
    assert [(row["path"], row["kind"], row["reason"]) for row in built.rejected] == [
        (path_of("0011", 2, parts), "audio", "missing file")
    ]
    assert built.comparison.verdict == "partial"


README = """The ESD database, in the words of this test.

0011: English Male
0012: English Male
0015: English Male
0019: English Female
"""


def test_the_corpus_s_own_word_fills_in_what_is_not_known_and_where_it_contradicts_others_nothing_is_known(tmp_path):
    fill(tmp_path, [path_of(speaker, 1) for speaker in ("0011", "0012", "0015", "0019", "0020")])
    (tmp_path / "ReadMe.txt").write_text(README)
    assert {clip.speaker[-2:]: clip.gender for clip in read(tmp_path).clips} == {
        "11": "male",
        "12": "male",
        "15": "",
        "19": "female",
        "20": "male",
    }
    assert [(rejection.path, rejection.reason) for rejection in read(tmp_path).rejected] == [
        ("ReadMe.txt", "contradictory gender: of 0015 it says male, other lists do not")
    ]


def test_a_list_that_is_no_text_is_a_sentence(tmp_path):
    fill(tmp_path, [path_of("0011", 1)])
    write_list(tmp_path, "0011", list_of("0011", [1]), "utf-16-le")
    with pytest.raises(CorpusError, match=r"0011/0011\.txt: is damaged, or text in none of its encodings"):
        read(tmp_path)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("small")
    numbers = [1, 25, 351, 352, 701, 1051, 1401, 1750]
    fill(root, [path_of(speaker, number) for speaker in ("0003", "0012") for number in numbers[1:]])
    for speaker in ("0003", "0012"):
        write_list(root, speaker, list_of(speaker, numbers))
    (root / "ReadMe.txt").write_text(README)
    return root


LISTS = {name: list_of(name[:4], [1, 25, 351, 352, 701, 1051, 1401, 1750]) for name in ("0003", "0012")}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(speaker=st.sampled_from(["0003", "0012"]), data=st.data())
def test_damaged_lists_never_make_a_wrong_row(small, speaker, data):
    write_list(small, speaker, LISTS[speaker])
    right = {clip.utterance: clip for clip in read(small).clips}
    assert len(right) == 16
    (small / speaker / f"{speaker}.txt").write_bytes(data.draw(damaged(LISTS[speaker].encode(), delimiter=b"\t")))
    try:
        assert_never_wrong(lambda: read(small), right)
    finally:
        write_list(small, speaker, LISTS[speaker])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_readme_never_makes_a_wrong_gender(small, data):
    (small / "ReadMe.txt").write_text(README)
    right = {clip.utterance: clip for clip in read(small).clips}
    (small / "ReadMe.txt").write_bytes(data.draw(damaged(README.encode())))
    try:
        assert_never_wrong(lambda: read(small), right)
    finally:
        (small / "ReadMe.txt").write_text(README)


def test_it_is_split_in_the_ways_that_its_card_says(reading):
    assert_splits_as_its_card_says("esd", reading.clips)
