import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candor.corpora.manifest import build
from candor.corpora.reader import Clip, CorpusError
from candor.corpora.readers import crema_d
from corpora.damage import assert_never_wrong, damaged
from corpora.ways_to_split import assert_splits_as_its_card_says

FOUR = {"neutral", "anger", "sadness", "happiness"}

# clip, heard, heard and seen, raters of both by A D F H N S
CLIPS = [
    ("1001_IEO_NEU_XX", "N", "N", (0, 0, 0, 1, 10, 0), (0, 0, 0, 0, 9, 1)),
    ("1001_IEO_HAP_LO", "N", "H", (0, 0, 0, 3, 6, 0), (0, 0, 0, 8, 2, 0)),
    ("1002_TIE_ANG_XX", "A:N", "A", (4, 0, 0, 0, 4, 0), (9, 0, 0, 0, 1, 0)),
    ("1002_DFA_DIS_XX", "D", "A:D", (0, 6, 0, 0, 3, 0), (5, 5, 0, 0, 0, 0)),
    ("1076_MTI_SAD_XX", "N", "S", (0, 0, 0, 0, 6, 2), (0, 0, 0, 0, 2, 7)),
]


ACTORS = [
    ("1001", 51, "Male", "Caucasian", "Not Hispanic"),
    ("1002", 21, "Female", "African American", "Hispanic"),
    ("1076", 25, "Female", "Unknown", "Not Hispanic"),
]
DEMOGRAPHICS, SUMMARY = "VideoDemographics.csv", "processedResults/summaryTable.csv"
VOTES = "processedResults/tabulatedVotes.csv"


def write_tables(root: Path, clips, actors) -> None:
    """Write the three label files with the columns and the quotes that the published ones have."""
    (root / "processedResults").mkdir(exist_ok=True)
    with (root / DEMOGRAPHICS).open("w", newline="") as handle:
        table = csv.writer(handle, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        table.writerow(["ActorID", "Age", "Sex", "Race", "Ethnicity"])
        table.writerows((int(number), *told) for number, *told in actors)
    with (root / SUMMARY).open("w", newline="") as handle:
        table = csv.writer(handle, quoting=csv.QUOTE_ALL, lineterminator="\n")
        header = ["VoiceVote", "VoiceLevel", "FaceVote", "FaceLevel", "MultiModalVote", "MultiModalLevel"]
        table.writerow(["", "FileName", *header])
        for number, (name, voice, both, *_) in enumerate(clips, 1):
            table.writerow([number, name, voice, 50, "N", 50.25, both, 50])
    with (root / VOTES).open("w", newline="") as handle:
        table = csv.writer(handle, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        table.writerow(["", "A", "D", "F", "H", "N", "S", "fileName", "numResponses", "agreement", "emoVote"])
        for modality, column in ((1, 3), (2, 3), (3, 4)):
            for number, clip in enumerate(clips, 1):
                label = leading(clip[column])
                table.writerow([f"{modality}{number:05d}", *clip[column], clip[0], sum(clip[column]), 0.9, label])


def leading(raters) -> str:
    return ":".join(code for code, count in zip("ADFHNS", raters, strict=True) if count == max(raters))


@pytest.fixture
def tree(tmp_path, write_wav) -> Path:
    for name, *_ in CLIPS:
        write_wav(tmp_path / "AudioWAV" / f"{name}.wav")
    write_tables(tmp_path, CLIPS, ACTORS)
    return tmp_path


def labels(root: Path, policy: str) -> dict[str, str]:
    return {clip.utterance: clip.label for clip in crema_d.read(root, policy, None, {}).clips}


def test_the_three_policies_are_three_datasets(tree):
    names = [name for name, *_ in CLIPS]
    order = {policy: [labels(tree, policy)[name] for name in names] for policy in crema_d.CARD.policies}
    assert order["multimodal"] == ["neutral", "happiness", "anger", "", "sadness"]
    assert order["voice"] == ["neutral", "neutral", "", "disgust", "neutral"]
    assert order["intended"] == ["neutral", "happiness", "anger", "disgust", "sadness"]


def test_a_tie_has_no_label_and_says_between_what(tree):
    clips = {clip.utterance: clip for clip in crema_d.read(tree, "multimodal", None, {}).clips}
    assert (clips["1002_DFA_DIS_XX"].label, clips["1002_DFA_DIS_XX"].reason) == ("", "tie A:D")


def test_soft_labels_are_the_votes_of_the_policys_raters(tree):
    voice = {clip.utterance: clip.votes for clip in crema_d.read(tree, "voice", None, {}).clips}
    both = {clip.utterance: clip.votes for clip in crema_d.read(tree, "multimodal", None, {}).clips}
    assert voice["1001_IEO_HAP_LO"] == {"happiness": 3, "neutral": 6}
    assert both["1001_IEO_HAP_LO"] == {"happiness": 8, "neutral": 2}
    assert all(clip.votes == {} for clip in crema_d.read(tree, "intended", None, {}).clips)


def test_parity_leaves_the_silent_clip_out(tree):
    for parity, reason in (None, ""), ("trust-ser", "left out by trust-ser: silent"):
        clips = {clip.utterance: clip for clip in crema_d.read(tree, "multimodal", parity, {}).clips}
        assert (clips["1076_MTI_SAD_XX"].label, clips["1076_MTI_SAD_XX"].excluded) == ("sadness", reason)


def test_names_speakers_genders_and_sentences(tree):
    clip = crema_d.read(tree, "multimodal", None, {}).clips[-2]
    assert (clip.utterance, clip.path) == ("1002_TIE_ANG_XX", "AudioWAV/1002_TIE_ANG_XX.wav")
    assert (clip.speaker, clip.gender, clip.text) == ("crema_d_1002", "female", "TIE")


def test_files_that_are_no_clips_are_listed(tree):
    for name in ("._1001_IEO_NEU_XX.wav", "take2.wav", "notes.txt"):
        (tree / "AudioWAV" / name).touch()
    reading = crema_d.read(tree, "multimodal", None, {})
    assert len(reading.clips) == len(CLIPS)
    assert sorted((rejection.path, rejection.kind) for rejection in reading.rejected) == [
        ("AudioWAV/._1001_IEO_NEU_XX.wav", "audio"),
        ("AudioWAV/take2.wav", "label"),
    ]


def test_a_clip_without_votes_has_no_label_but_an_intention(tree, write_wav):
    write_wav(tree / "AudioWAV" / "1003_IEO_FEA_HI.wav")
    assert labels(tree, "multimodal")["1003_IEO_FEA_HI"] == ""
    assert labels(tree, "intended")["1003_IEO_FEA_HI"] == "fear"


def test_the_votes_and_summary_may_be_missing_where_they_are_not_needed(tree):
    (tree / "processedResults" / "tabulatedVotes.csv").unlink()
    assert all(not clip.votes for clip in crema_d.read(tree, "multimodal", None, {}).clips)
    (tree / "processedResults" / "summaryTable.csv").unlink()
    assert len(crema_d.read(tree, "intended", None, {}).clips) == len(CLIPS)
    with pytest.raises(CorpusError, match=r"summaryTable.csv.*intended"):
        crema_d.read(tree, "voice", None, {})


def test_label_files_that_are_not_what_they_should_be(tree):
    file = tree / "processedResults" / "summaryTable.csv"
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(CorpusError, match="git lfs pull"):
        crema_d.read(tree, "voice", None, {})
    file.write_text("FileName,FaceVote\n")
    with pytest.raises(CorpusError, match="VoiceVote"):
        crema_d.read(tree, "voice", None, {})
    (tree / "VideoDemographics.csv").unlink()
    with pytest.raises(CorpusError, match=r"VideoDemographics\.csv"):
        crema_d.read(tree, "intended", None, {})


def test_demographics_may_lie_with_the_results(tree):
    (tree / "VideoDemographics.csv").rename(tree / "processedResults" / "VideoDemographics.csv")
    assert {clip.gender for clip in crema_d.read(tree, "voice", None, {}).clips} == {"male", "female"}


def test_age_race_and_ethnicity_are_those_of_the_actor(tree):
    actors = {clip.speaker: clip for clip in crema_d.read(tree, "voice", None, {}).clips}
    told = {name: (clip.gender, clip.age, clip.race, clip.ethnicity, clip.language) for name, clip in actors.items()}
    assert told == {
        "crema_d_1001": ("male", 51, "Caucasian", "Not Hispanic", ""),
        "crema_d_1002": ("female", 21, "African American", "Hispanic", ""),
        "crema_d_1076": ("female", 25, "", "Not Hispanic", ""),
    }


def test_demographics_without_the_other_columns_tell_the_gender(tree):
    (tree / DEMOGRAPHICS).write_text("ActorID,Sex\n1001,Male\n1002,Female\n1076,Female\n")
    clips = crema_d.read(tree, "voice", None, {}).clips
    assert {(clip.age, clip.race, clip.ethnicity) for clip in clips} == {(None, "", "")}
    assert {clip.gender for clip in clips} == {"male", "female"}


def test_parity_with_fed_ser_leakage_reads_the_same_clips(tree):
    for policy in crema_d.CARD.policies:
        assert crema_d.read(tree, policy, "fed-ser-leakage", {}) == crema_d.read(tree, policy, None, {})


@pytest.mark.parametrize(
    ("name", "old", "new", "line"),
    [
        (DEMOGRAPHICS, '1002,21,"Female"', '1002,210,"Female"', 3),
        (DEMOGRAPHICS, '1002,21,"Female"', '1002,21,"Femme"', 3),
        (DEMOGRAPHICS, '"African American"', '"African"', 3),
        (DEMOGRAPHICS, '"Hispanic"', '"Hisp"', 3),
        (DEMOGRAPHICS, "1002,", "2,", 3),
        (DEMOGRAPHICS, "1002,21,", "1002,", 3),
        (SUMMARY, '"1002_TIE_ANG_XX"', '"1002_TIE_ANG"', 4),
        (SUMMARY, '"A","50"\n', '"anger","50"\n', 4),
        (SUMMARY, '"A","50"\n', '"A;N","50"\n', 4),
        (SUMMARY, '"A","50"\n', '"A"\n', 4),
        (VOTES, '"300003",9,', '"300003",-9,', 14),
        (VOTES, '"300003",9,', '"300003",99,', 14),
        (VOTES, '"300003",9,', '"300003",9.5,', 14),
        (VOTES, '"300003",9,', '"300003",,', 14),
        (VOTES, '"300003",9,', '"3",9,', 14),
    ],
)
def test_a_damaged_line_is_listed_and_its_cells_stay_blank(tree, name, old, new, line):
    right = {clip.utterance: clip for clip in crema_d.read(tree, "multimodal", None, {}).clips}
    file = tree / name
    assert file.read_text().count(old) == 1
    file.write_text(file.read_text().replace(old, new))
    reading = crema_d.read(tree, "multimodal", None, {})
    assert_never_wrong(lambda: reading, right)
    found = {clip.utterance: clip for clip in reading.clips}
    assert found.keys() == right.keys()
    assert [name for name in right if found[name] != right[name]] == [
        utterance for utterance in right if utterance.startswith("1002" if name == DEMOGRAPHICS else "1002_TIE")
    ]
    [rejection] = reading.rejected
    assert (rejection.path, rejection.kind) == (name, "label")
    assert re.search(rf"line:? {line}\b", rejection.reason)


def test_votes_that_say_another_label_do_not_count(tree):
    file = tree / VOTES
    file.write_text(file.read_text().replace('"300003",9,0,0,0,1,0', '"300003",1,0,0,0,9,0'))
    reading = crema_d.read(tree, "multimodal", None, {})
    clip = next(clip for clip in reading.clips if clip.utterance == "1002_TIE_ANG_XX")
    assert (clip.label, clip.votes) == ("anger", {})
    [rejection] = reading.rejected
    assert (rejection.path, rejection.utterance) == (VOTES, "1002_TIE_ANG_XX")
    assert rejection.reason.startswith("votes differ from the label: N in")


def test_lines_that_contradict_each_other_do_not_count(tree):
    for name, line in (
        (DEMOGRAPHICS, '1001,51,"Female","Caucasian","Not Hispanic"\n'),
        (SUMMARY, '"1","1001_IEO_NEU_XX","N","50","N","50","A","50"\n'),
        (VOTES, '"300001",0,0,0,0,10,0,"1001_IEO_NEU_XX",10,1,"N"\n'),
    ):
        with (tree / name).open("a") as handle:
            handle.write(line)
    reading = crema_d.read(tree, "multimodal", None, {})
    clip = next(clip for clip in reading.clips if clip.utterance == "1001_IEO_NEU_XX")
    assert (clip.gender, clip.age, clip.label, clip.votes) == ("", None, "", {})
    assert [rejection.path for rejection in reading.rejected] == [DEMOGRAPHICS, SUMMARY, VOTES]
    assert all(rejection.reason.startswith("named twice") for rejection in reading.rejected)


# Twelve clips of three actors, with raters of both kinds for each.
TWELVE = [
    (f"{actor}_{sentence}_{emotion}_{level}", leading(heard), leading(both), heard, both)
    for (actor, *_), rotation in zip(ACTORS, (0, 2, 4), strict=True)
    for sentence, emotion, level, heard, both in [
        ("IEO", "ANG", "HI", (7, 0, 1, 0, 2, 0), (9, 1, 0, 0, 0, 0)),
        ("TIE", "HAP", "XX", (0, 0, 0, 4, 4, 0), (rotation, 0, 0, 11, 0, 0)),
        ("MTI", "SAD", "XX", (0, 2, 1, 0, 1, 5), (0, 0, 3, 0, 3, rotation)),
        ("DFA", "NEU", "XX", (0, 0, 0, 1, 10, 0), (1, 0, 0, 0, 8, 1)),
    ]
]


@pytest.fixture(scope="module")
def twelve(tmp_path_factory) -> tuple[Path, dict[str, bytes], dict[str, dict[str, Clip]]]:
    """A small corpus, its label files, and what they say under each policy."""
    root = tmp_path_factory.mktemp("twelve")
    (root / "AudioWAV").mkdir()
    for name, *_ in TWELVE[:-2]:
        (root / "AudioWAV" / f"{name}.wav").touch()
    write_tables(root, TWELVE, ACTORS)
    tables = {name: (root / name).read_bytes() for name in (DEMOGRAPHICS, SUMMARY, VOTES)}
    right = {
        policy: {clip.utterance: clip for clip in crema_d.read(root, policy, None, {}).clips}
        for policy in crema_d.CARD.policies
    }
    return root, tables, right


def test_the_small_corpus_is_read_in_full(twelve):
    *_, right = twelve
    assert {policy: len(clips) for policy, clips in right.items()} == dict.fromkeys(crema_d.CARD.policies, 12)
    assert all(clip.votes and clip.age for clip in right["voice"].values())
    assert {clip.reason for clip in right["multimodal"].values()} == {"", "tie F:N"}


@pytest.mark.parametrize("name", [DEMOGRAPHICS, SUMMARY, VOTES])
@pytest.mark.parametrize("policy", crema_d.CARD.policies)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damaged_label_files_give_no_wrong_row(twelve, name, policy, data):
    root, tables, right = twelve
    for table, content in tables.items():
        (root / table).write_bytes(content)
    (root / name).write_bytes(data.draw(damaged(tables[name], delimiter=b",")))
    assert_never_wrong(lambda: crema_d.read(root, policy, None, {}), right[policy])


@pytest.mark.parametrize("policy", crema_d.CARD.policies)
def test_real_label_files_have_the_published_counts(corpora, policy):
    reading = crema_d.read(corpora / "crema_d", policy, None, {})
    assert len(reading.clips) == 7442
    counts = Counter(clip.label for clip in reading.clips if clip.label)
    assert counts == crema_d.CARD.published.labels[policy]
    ties = sum(clip.reason.startswith("tie ") for clip in reading.clips)
    assert ties == {"multimodal": 420, "voice": 644, "intended": 0}[policy]
    assert (
        sum(clip.label in FOUR for clip in reading.clips)
        == {"multimodal": 4799, "voice": 5606, "intended": 4900}[policy]
    )
    assert reading.rejected == []
    speakers = {clip.speaker: clip for clip in reading.clips}.values()
    assert Counter(clip.gender for clip in speakers) == {"male": 48, "female": 43}
    assert Counter(clip.race for clip in speakers) == {"Caucasian": 61, "African American": 22, "Asian": 7, "": 1}
    assert Counter(clip.ethnicity for clip in speakers) == {"Not Hispanic": 81, "Hispanic": 10}
    assert (min(clip.age for clip in speakers), max(clip.age for clip in speakers)) == (20, 74)


def test_real_label_files_with_parity_have_4798(corpora):
    reading = crema_d.read(corpora / "crema_d", "multimodal", "trust-ser", {})
    clips = [clip for clip in reading.clips if not clip.excluded]
    assert Counter(clip.label for clip in clips if clip.label in FOUR) == {
        "neutral": 1972,
        "anger": 1019,
        "sadness": 588,
        "happiness": 1219,
    }
    # Test folds of the published lists: speakers in five contiguous parts.
    bounds = [(1001, 1019, 1025), (1020, 1037, 945), (1038, 1055, 930), (1056, 1073, 943), (1074, 1091, 955)]
    for first, last, count in bounds:
        assert sum(clip.label in FOUR and first <= int(clip.speaker[-4:]) <= last for clip in clips) == count


@pytest.mark.parametrize("policy", crema_d.CARD.policies)
def test_it_is_split_in_the_ways_that_its_card_says(corpora, policy):
    assert_splits_as_its_card_says("crema_d", crema_d.read(corpora / "crema_d", policy, None, {}).clips)


@pytest.mark.parametrize("policy", ["multimodal", "voice"])
def test_real_votes_agree_with_the_real_labels(corpora, policy):
    for clip in crema_d.read(corpora / "crema_d", policy, None, {}).clips:
        assert 4 <= sum(clip.votes.values()) <= 12
        most = max(clip.votes.values())
        leaders = {emotion for emotion, count in clip.votes.items() if count == most}
        assert leaders == ({clip.label} if clip.label else {crema_d.VOTED[code] for code in clip.raw_label.split(":")})


def test_eight_real_clips_make_a_partial_corpus(corpora):
    built = build(corpora / "crema_d", dataset="crema_d", corpus="crema_d", workers=1)
    assert built.comparison.verdict == "partial"
    assert "8 of 7442" in built.comparison.sentence
    kept = {row["utterance"] for row in built.utterances}
    assert len(kept) + sum(row["path"].startswith("AudioWAV") for row in built.rejected) == 7442
    ties = next(row["got"] for row in built.counts if row["value"] == "label: tie")
    assert ties == 420
