import csv
from collections import Counter
from pathlib import Path

import pytest

from candor.corpora.manifest import build
from candor.corpora.reader import CorpusError
from candor.corpora.readers import crema_d

FOUR = {"neutral", "anger", "sadness", "happiness"}

# clip, heard, heard and seen, raters of both by A D F H N S
CLIPS = [
    ("1001_IEO_NEU_XX", "N", "N", (0, 0, 0, 1, 10, 0), (0, 0, 0, 0, 9, 1)),
    ("1001_IEO_HAP_LO", "N", "H", (0, 0, 0, 3, 6, 0), (0, 0, 0, 8, 2, 0)),
    ("1002_TIE_ANG_XX", "A:N", "A", (4, 0, 0, 0, 4, 0), (9, 0, 0, 0, 1, 0)),
    ("1002_DFA_DIS_XX", "D", "A:D", (0, 6, 0, 0, 3, 0), (5, 5, 0, 0, 0, 0)),
    ("1076_MTI_SAD_XX", "N", "S", (0, 0, 0, 0, 6, 2), (0, 0, 0, 0, 2, 7)),
]


@pytest.fixture
def tree(tmp_path, write_wav) -> Path:
    for name, *_ in CLIPS:
        write_wav(tmp_path / "AudioWAV" / f"{name}.wav")
    results = tmp_path / "processedResults"
    results.mkdir()
    with (results / "summaryTable.csv").open("w", newline="") as handle:
        table = csv.writer(handle, quoting=csv.QUOTE_ALL)
        table.writerow(["", "FileName", "VoiceVote", "VoiceLevel", "FaceVote", "FaceLevel", "MultiModalVote", "M"])
        for number, (name, voice, both, *_) in enumerate(CLIPS, 1):
            table.writerow([number, name, voice, 50, "N", 50, both, 50])
    with (results / "tabulatedVotes.csv").open("w", newline="") as handle:
        table = csv.writer(handle)
        table.writerow(["", "A", "D", "F", "H", "N", "S", "fileName"])
        for modality, column in ((1, 3), (2, 3), (3, 4)):
            for number, clip in enumerate(CLIPS, 1):
                table.writerow([modality * 100_000 + number, *clip[column], clip[0]])
    with (tmp_path / "VideoDemographics.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows(
            [("ActorID", "Age", "Sex"), (1001, 51, "Male"), (1002, 21, "Female"), (1076, 25, "Female")]
        )
    return tmp_path


def labels(root: Path, policy: str, parity: str | None = None) -> dict[str, str]:
    return {clip.utterance: clip.label for clip in crema_d.read(root, policy, parity, {}).clips}


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
    assert labels(tree, "multimodal")["1076_MTI_SAD_XX"] == "sadness"
    assert labels(tree, "multimodal", "trust-ser")["1076_MTI_SAD_XX"] == ""


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
    speakers = {clip.speaker: clip.gender for clip in reading.clips}
    assert Counter(speakers.values()) == {"male": 48, "female": 43}


def test_real_label_files_with_parity_have_4798(corpora):
    clips = crema_d.read(corpora / "crema_d", "multimodal", "trust-ser", {}).clips
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


@pytest.mark.parametrize("policy", ["multimodal", "voice"])
def test_real_votes_agree_with_the_real_labels(corpora, policy):
    for clip in crema_d.read(corpora / "crema_d", policy, None, {}).clips:
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
