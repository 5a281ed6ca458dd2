from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from candor.corpora.manifest import build
from candor.corpora.reader import Clip, CorpusError, Reading
from candor.corpora.readers import iemocap
from corpora.damage import assert_never_wrong, damaged
from corpora.made_iemocap import (
    BY_SESSION,
    BY_SPEAKER,
    CROSSED,
    CROSSED_OF_ALL,
    FIVE,
    HEADER,
    IMPROVISED,
    SESSION_TOTALS,
    block,
    labels_of,
    transcripts_of,
    write_dialogue,
    write_release,
)
from corpora.ways_to_split import assert_splits_as_its_card_says


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Path:
    """The whole corpus with empty recordings."""
    root = tmp_path_factory.mktemp("corpus") / "IEMOCAP_full_release"
    write_release(root)
    return root


@pytest.fixture(scope="module")
def whole(release) -> Reading:
    return iemocap.read(release, "excited_merged", None, {})


@pytest.fixture
def tree(tmp_path) -> Path:
    """Two small dialogues of one session, and one of another."""
    root = tmp_path / "small"
    write_dialogue(root, "Ses01F_impro01", [("F000", "neu"), ("F001", "exc"), ("M000", "xxx"), ("M001", "hap")])
    write_dialogue(root, "Ses01M_script01_1", [("F000", "ang"), ("M000", "fru"), ("M001", "sad")])
    write_dialogue(root, "Ses02F_impro03", [("M000", "oth")])
    return root


def read(root: Path, policy: str = "excited_merged", parity: str | None = None) -> dict[str, Clip]:
    return {clip.utterance: clip for clip in iemocap.read(root, policy, parity, {}).clips}


def rejects(root: Path) -> list[tuple[str, str, str]]:
    found = iemocap.read(root, "excited_merged", None, {}).rejected
    return sorted((rejection.path, rejection.kind, rejection.reason) for rejection in found)


@pytest.mark.parametrize("policy", iemocap.CARD.policies)
def test_the_whole_corpus_has_the_published_counts(release, policy):
    reading = iemocap.read(release, policy, None, {})
    published = iemocap.CARD.published
    assert len(reading.clips) == published.files == 10039
    assert len({clip.speaker for clip in reading.clips}) == published.speakers == 10
    assert len({clip.session for clip in reading.clips}) == published.sessions == 5
    assert Counter(clip.label for clip in reading.clips if clip.label) == published.labels[policy]
    assert Counter(clip.raw_label for clip in reading.clips)["xxx"] == 2507
    assert all(clip.reason == "no agreement" for clip in reading.clips if clip.raw_label == "xxx")
    assert reading.rejected == []
    four = sum(clip.label in iemocap.CARD.classes_of(policy) for clip in reading.clips)
    assert four == {"excited_merged": 5531, "excited_apart": 5531, "excited_left_out": 4490}[policy]


def test_the_published_labels_count_what_the_authors_count():
    published = iemocap.CARD.published.labels
    assert published["excited_merged"]["happiness"] == 595 + 1041
    assert {sum(counts.values()) for counts in published.values()} == {10039 - 2507, 10039 - 2507 - 1041}


def test_sessions_and_speakers_have_the_published_counts(whole):
    four = [clip for clip in whole.clips if clip.label in iemocap.CARD.classes]
    assert Counter(clip.session for clip in four) == {f"Ses0{number}": n for number, n in SESSION_TOTALS.items()}
    assert Counter(clip.speaker for clip in four) == {f"iemocap_{name}": n for name, n in BY_SPEAKER.items()}
    for number, counts in BY_SESSION.items():
        here = Counter(clip.raw_label for clip in four if clip.session == f"Ses0{number}")
        assert here == dict(zip(FIVE, counts, strict=True))


def test_the_speaker_is_the_letter_of_the_last_field(whole):
    for clip in whole.clips:
        letter = clip.utterance.rsplit("_", 1)[1][0]
        assert clip.speaker == f"iemocap_{clip.utterance[:5]}{letter}"
        assert clip.gender == {"F": "female", "M": "male"}[letter]


def test_the_letter_of_the_first_field_is_somebody_else_in_half_of_the_turns(whole):
    """The rule of several published readers, which takes who wears the markers for who speaks."""
    crossed = [clip for clip in whole.clips if f"iemocap_{clip.utterance[:6]}" != clip.speaker]
    assert len(crossed) == CROSSED_OF_ALL == 4951
    assert sum(clip.label in iemocap.CARD.classes for clip in crossed) == CROSSED == 2750


def test_improvised_and_scripted_turns_are_told_apart(whole):
    assert {clip.scenario for clip in whole.clips} == {"impro", "script"}
    improvised = Counter(clip.raw_label for clip in whole.clips if clip.scenario == "impro")
    assert {code: improvised[code] for code in FIVE} == IMPROVISED
    assert all(f"_{clip.scenario}" in clip.utterance for clip in whole.clips)


def test_the_files_of_single_raters_do_not_count(release, whole):
    below = release / "Session1" / "dialog" / "EmoEvaluation"
    assert len(list(below.glob("*/Ses01F_impro01*.txt"))) == 6
    assert {clip.label for clip in whole.clips if clip.utterance.startswith("Ses01F_impro01_")} > {"sadness", "anger"}


def test_the_release_may_lie_one_folder_down(release, whole):
    deeper = iemocap.read(release.parent, "excited_merged", None, {})
    name = "IEMOCAP_full_release"
    assert [clip.path for clip in deeper.clips] == [f"{name}/{clip.path}" for clip in whole.clips]
    assert [replace(clip, path="") for clip in deeper.clips] == [replace(clip, path="") for clip in whole.clips]
    assert deeper.rejected == []


def test_two_releases_in_one_folder_are_an_error(tree, tmp_path):
    write_dialogue(tmp_path / "other", "Ses01F_impro01", [("F000", "neu")])
    with pytest.raises(CorpusError, match="2 times, in other, small"):
        iemocap.read(tmp_path, "excited_merged", None, {})
    with pytest.raises(CorpusError, match="Session1"):
        iemocap.read(tree / "Session1" / "dialog", "excited_merged", None, {})


def test_one_turn_is_read_in_full(tree):
    assert read(tree)["Ses01F_impro01_M001"] == Clip(
        utterance="Ses01F_impro01_M001",
        path="Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M001.wav",
        speaker="iemocap_Ses01M",
        gender="male",
        session="Ses01",
        scenario="impro",
        text="i feel happiness impro01",
        raw_label="hap",
        label="happiness",
        votes={"happiness": 2, "frustration": 1, "anger": 1},
        valence=2.5,
        arousal=4.0,
        dominance=1.0,
    )


def test_excited_turns_are_merged_set_apart_or_left_out(tree):
    clips = {policy: read(tree, policy)["Ses01F_impro01_F001"] for policy in iemocap.CARD.policies}
    assert [clips[policy].label for policy in iemocap.CARD.policies] == ["happiness", "excitement", ""]
    assert clips["excited_left_out"].reason == "excited, left out by the label policy"
    assert [set(clips[policy].votes) - {"anger", "frustration"} for policy in iemocap.CARD.policies] == [
        {"happiness"},
        {"excitement"},
        {"excitement"},
    ]
    assert read(tree, "excited_left_out")["Ses01F_impro01_M001"].label == "happiness"


def summary(code: str = "hap", mean: str = "[2.5000, 3.0000, 3.5000]") -> str:
    return f"[6.2901 - 8.2357]\tSes01F_impro01_F000\t{code}\t{mean}\n"


RATED = "A-E3:\tval 2; act 3; dom  3;\t()\nA-E4:\tval 3; act 3; dom  4;\t()\n"
VOTED = "C-E2:\tHappiness;\t()\nC-E3:\tHappiness; Excited;\t(laughs (twice))\nC-E4:\tNeutral state;\t()\n"


@pytest.mark.parametrize(
    ("lines", "policy", "votes"),
    [
        (VOTED + RATED, "excited_merged", {"happiness": 2, "neutral": 1}),
        (VOTED + RATED, "excited_apart", {"happiness": 2, "excitement": 1, "neutral": 1}),
        (VOTED + "C-F1:\tAnger;\t()\nC-M1:\tFear;\t()\n" + RATED, "excited_merged", {"happiness": 2, "neutral": 1}),
        (VOTED.replace("C-E4:\tNeutral state;\t()\n", "") + RATED, "excited_merged", {}),
        (VOTED.replace("E4", "E3") + RATED, "excited_merged", {}),
        (VOTED.replace("Neutral state", "Joy") + RATED, "excited_merged", {}),
        (VOTED.replace("Neutral state;\t()", "Neutral state;") + RATED, "excited_merged", {}),
        (VOTED, "excited_merged", {}),
    ],
)
def test_votes_are_the_evaluators_and_none_where_lines_are_missing(tree, lines, policy, votes):
    labels_of(tree, "Ses01F_impro01").write_text(HEADER + summary() + lines)
    assert read(tree, policy)["Ses01F_impro01_F000"].votes == votes


@pytest.mark.parametrize(
    ("mean", "lines", "ratings"),
    [
        ("[2.5000, 3.0000, 3.5000]", RATED, (2.5, 3.0, 3.5)),
        ("[2.3333, 3.0000, 3.6667]", RATED + "A-E1:\tval 2; act 3; dom  4;\t()\n", (2.3333, 3.0, 3.6667)),
        # A dominance that an evaluator left out counts as zero in the mean of the release.
        ("[2.5000, 3.0000, 0.5000]", RATED.replace("dom  3", "dom  ").replace("4;", "1;"), (2.5, 3.0, None)),
        ("[2.5000, 3.0000, 2.0000]", RATED.replace("dom  3", "dom  "), (2.5, 3.0, None)),
        ("[2.5000, 3.0000, 2.0000]", RATED.replace(" dom  3;", ""), (2.5, 3.0, None)),
        ("[2.5000, 3.0000, 0.5000]", RATED, (2.5, 3.0, None)),
        ("[5.5000, 3.0000, 3.5000]", RATED, (None, 3.0, 3.5)),
        ("[2.5000, 3.0000, 3.5000]", RATED.splitlines()[0], (None, None, None)),
    ],
)
def test_ratings_are_the_means_that_can_be_trusted(tree, mean, lines, ratings):
    labels_of(tree, "Ses01F_impro01").write_text(HEADER + summary(mean=mean) + VOTED + lines)
    clip = read(tree)["Ses01F_impro01_F000"]
    assert (clip.valence, clip.arousal, clip.dominance) == ratings
    assert clip.label == "happiness"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[6.2901 - 8.2357]\tSes01F_impro01_F009\tneu\t[2.5000, 2.5000]", "cannot be read: line 3"),
        ("[6.2901 - 8.2357]\tSes01F_impro01_F009\tneu", "cannot be read: line 3"),
        ("6.2901 - 8.2357]\tSes01F_impro01_F009\tneu\t[2.5000, 2.5000, 2.5000]", "cannot be read: line 3"),
        ("[6.2901 - 8.2357]\tSes01F_impro01_F009\tjoy\t[2.5000, 2.5000, 2.5000]", "unknown label: joy in line 3"),
        ("[6.2901 - 8.2357]\tSes01F_impro01_X009\tneu\t[2.5000, 2.5000, 2.5000]", "not an IEMOCAP name: "),
        ("[6.2901 - 8.2357]\tSes01F_impro02_F009\tneu\t[2.5000, 2.5000, 2.5000]", "turn of another dialogue: line 3"),
    ],
)
def test_a_line_that_is_none_is_listed_with_its_number(tree, line, reason):
    file = labels_of(tree, "Ses01F_impro01")
    before = read(tree)
    file.write_text(file.read_text().replace(HEADER, f"{HEADER}{line}\n\n"))
    assert read(tree) == before
    [(path, kind, said)] = rejects(tree)
    assert (path, kind) == ("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", "label")
    assert said.startswith(reason)


def test_a_turn_that_is_named_twice_counts_once_or_not_at_all(tree):
    file = labels_of(tree, "Ses02F_impro03")
    once = file.read_text()
    before = read(tree)
    file.write_text(once + once.removeprefix(HEADER))
    assert read(tree) == before
    assert [reason for *_, reason in rejects(tree)] == ["repeated line: 12 says what 3 says"]
    file.write_text(once + once.removeprefix(HEADER).replace("\toth\t", "\tneu\t"))
    assert read(tree).keys() == before.keys() - {"Ses02F_impro03_M000"}
    assert [reason for *_, reason in rejects(tree)] == [
        "named twice: lines 3, 12 say different things",
        "no usable line in its label file: Session2/dialog/EmoEvaluation/Ses02F_impro03.txt",
    ]


def test_what_is_no_turn_is_listed(tree):
    wav = tree / "Session1" / "sentences" / "wav"
    (tree / "Session1" / "dialog" / "wav").mkdir()
    extra = {
        "Session1/dialog/wav/Ses01F_impro01.wav": ("filter", "whole dialogue"),
        "Session1/sentences/wav/Ses01F_impro01/._Ses01F_impro01_F000.wav": ("audio", "macOS resource fork"),
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F099.wav": ("label", "no usable line in its label file"),
        "Session1/sentences/wav/Ses01F_impro01/take2.wav": ("label", "not an IEMOCAP name"),
        "Session1/sentences/wav/Ses01F_impro01_F000.wav": ("label", "not where its name belongs"),
        "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_MXX0.wav": ("label", "not an IEMOCAP name"),
    }
    for path in extra:
        (tree / path).touch()
    (wav / "notes.txt").touch()
    before = read(tree)
    assert len(before) == 8
    found = {path: (kind, reason.partition(":")[0]) for path, kind, reason in rejects(tree)}
    assert found == extra


def test_forks_of_macos_beside_the_label_files_are_passed_over(tree):
    before = read(tree)
    fork = labels_of(tree, "Ses01F_impro01").with_name("._Ses01F_impro01.txt")
    fork.write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    assert read(tree) == before
    assert rejects(tree) == []


@pytest.mark.parametrize("name", ["Ses01F_impro01 copy.txt", "notes.txt", "Ses02F_impro01.txt"])
def test_a_label_file_of_no_dialogue_of_its_session_is_listed(tree, name):
    file = labels_of(tree, "Ses01F_impro01")
    before = read(tree)
    file.with_name(name).write_text(file.read_text().replace("Ses01", name[:5]))
    assert read(tree) == before
    [(path, kind, reason)] = rejects(tree)
    assert (path, kind) == (f"Session1/dialog/EmoEvaluation/{name}", "label")
    assert reason.startswith("not the label file of a dialogue")


def test_a_recording_that_is_missing_still_has_its_label(tree):
    before = read(tree)
    (tree / before["Ses01F_impro01_F000"].path).unlink()
    assert read(tree) == before


def test_a_part_of_the_sessions_is_read(tree):
    (tree / "Session2").rename(tree / "elsewhere")
    assert {clip.session for clip in read(tree).values()} == {"Ses01"}


@pytest.mark.parametrize("policy", iemocap.CARD.policies)
def test_parity_keeps_the_policy_and_changes_what_differs(tree, policy):
    right = read(tree, policy)
    assert read(tree, policy, "trust-ser") == right
    taken = {name: clip for name, clip in read(tree, policy, "fed-ser-leakage").items() if not clip.excluded}
    assert taken == {name: clip for name, clip in right.items() if clip.scenario == "impro"}


def test_parity_with_fed_ser_leakage_has_its_2943_improvised_turns(release):
    reading = iemocap.read(release, "excited_merged", "fed-ser-leakage", {})
    taken = [clip for clip in reading.clips if not clip.excluded]
    four = Counter(clip.label for clip in taken if clip.label in iemocap.CARD.classes)
    assert four == {"neutral": 1099, "happiness": 284 + 663, "sadness": 608, "anger": 289}
    assert {(clip.scenario, clip.excluded) for clip in reading.clips} == {
        ("impro", ""),
        ("script", "left out by fed-ser-leakage: scripted"),
    }
    assert len(reading.clips) == 10039


def test_a_manifest_is_built(tree, write_wav):
    for clip in read(tree).values():
        write_wav(tree / clip.path)
    built = build(tree, dataset="iemocap", corpus="iemocap")
    assert built.comparison.verdict == "partial"
    assert {row["utterance"]: row["label"] for row in built.utterances} == {
        "Ses01F_impro01_F000": "neutral",
        "Ses01F_impro01_F001": "happiness",
        "Ses01F_impro01_M001": "happiness",
        "Ses01M_script01_1_F000": "anger",
        "Ses01M_script01_1_M001": "sadness",
    }
    assert Counter(row["reason"] for row in built.rejected) == {
        "no agreement": 1,
        "class not kept: frustration": 1,
        "class not kept: other": 1,
    }
    assert built.utterances[1]["votes"] == "anger:1 happiness:2 frustration:1"


SMALL = HEADER + "".join(
    block(place, f"Ses01F_impro01_{turn}", code)
    for place, (turn, code) in enumerate(
        [("F000", "neu"), ("F001", "exc"), ("F002", "ang"), ("M000", "xxx"), ("M001", "sad"), ("M002", "fru")]
    )
)


SPOKEN = "".join(
    f"Ses01F_impro01_{who}00{number} [00{number}.2500-00{number + 1}.1250]: {words}\n"
    for who, words in (("F", "Where to?"), ("M", "I don\x92t know."))
    for number in range(3)
)


@pytest.fixture(scope="module")
def one_dialogue(tmp_path_factory) -> tuple[Path, dict[str, Clip]]:
    root = tmp_path_factory.mktemp("damaged")
    write_dialogue(root, "Ses01F_impro01", [(f"{who}00{number}", "neu") for who in "FM" for number in range(3)])
    labels_of(root, "Ses01F_impro01").write_text(SMALL)
    return root, read(root)


def without_votes(reading: Reading) -> Reading:
    """Drop the votes: lines of two turns that are exchanged are another vote of each, which nothing tells."""
    return Reading([replace(clip, votes={}) for clip in reading.clips], reading.rejected)


@settings(max_examples=150, deadline=None)
@given(data=damaged(SMALL.encode()))
def test_damaged_label_files_give_no_wrong_row(one_dialogue, data):
    root, right = one_dialogue
    labels_of(root, "Ses01F_impro01").write_bytes(data)
    assert_never_wrong(lambda: without_votes(iemocap.read(root, "excited_merged", None, {})), right)


def test_votes_are_right_or_none_wherever_a_label_file_is_cut_or_a_line_is_lost_or_repeated(one_dialogue):
    root, right = one_dialogue
    file = labels_of(root, "Ses01F_impro01")
    name = file.relative_to(root).as_posix()
    lines = SMALL.splitlines(keepends=True)[:20]
    text = "".join(lines)
    cut = [text[:place] for place in range(1, len(text))]
    broken = [text[:place] + "\x1a" + text[place:] for place in range(len(text))]
    lost = ["".join(lines[:place] + lines[place + 1 :]) for place in range(len(lines))]
    repeated = ["".join([*lines[:place], line, *lines[place:]]) for line in lines for place in range(len(lines) + 1)]
    for damage in cut + broken + lost + repeated:
        file.write_text(damage)
        assert_never_wrong(lambda: iemocap.read_dialogue(root, name, "excited_merged"), right)


@settings(max_examples=100, deadline=None)
@given(data=damaged(SPOKEN.encode(), numbers=False, most=1))
def test_damaged_transcripts_give_no_wrong_text(one_dialogue, data):
    root, _ = one_dialogue
    labels_of(root, "Ses01F_impro01").write_text(SMALL)
    transcripts = transcripts_of(root, "Ses01F_impro01")
    transcripts.write_text(SPOKEN)
    right = read(root)
    transcripts.write_bytes(data)
    assert_never_wrong(lambda: iemocap.read(root, "excited_merged", None, {}), right)
    assert set(read(root)) == set(right)


def texts(root: Path) -> dict[str, str]:
    return {clip.utterance[-4:]: clip.text for clip in read(root).values() if "impro01" in clip.utterance}


def test_a_text_is_the_wording_and_blank_where_it_is_not_sure(tree):
    name = "Ses01F_impro01"
    transcripts_of(tree, name).write_bytes(
        b"Ses01F_impro01_F000 [006.29-008.23]: Don\x92t you...[LAUGHTER] dare!\r\n"
        b"M: Oh.\n"
        b"Ses01F_impro01_F001 [008.29-009.23]: One thing.\n"
        b"Ses01F_impro01_F001 [008.29-009.23]: Another thing.\n"
        b"Ses01F_impro01_M000 [010.29-012.23]: [BREATHING]\n"
        b"Ses01F_impro01_MXX0 [012.29-012.33]: not released\n"
        b"Ses01F_impro01_M001 [012.29-014.23]: The file breaks o"
    )
    assert texts(tree) == {"F000": "dont you dare", "F001": "", "M000": "", "M001": ""}
    assert any(reason.startswith("named twice: lines 3, 4") for *_, reason in rejects(tree))
    transcripts_of(tree, name).write_bytes(
        b"\xef\xbb\xbfSes01F_impro01_F000 [006.29-008.23]: After a mark.\n"
        b"Ses01F_impro01_F001 [008.29-009.23]: One. Ses01F_impro01_M000 [010.29-012.23]: Two.\n"
    )
    assert texts(tree) == {"F000": "after a mark", "F001": "", "M000": "", "M001": ""}
    transcripts_of(tree, name).write_bytes(b"<html>\nNot found\n</html>\n")
    assert any(reason.startswith("transcripts not usable: no line names") for *_, reason in rejects(tree))
    transcripts_of(tree, name).write_bytes("Ses01F_impro01_F000".encode("utf-16"))
    assert set(texts(tree).values()) == {""}
    assert any(reason.startswith("transcripts not usable: is no plain text") for *_, reason in rejects(tree))
    transcripts_of(tree, name).unlink()
    assert set(texts(tree).values()) == {""}


def test_a_stray_byte_in_a_remark_and_an_empty_label_file_cost_no_more_than_themselves(tree):
    right = read(tree)
    name = tree / "Session1" / "dialog" / "EmoEvaluation" / "Ses01F_impro01.txt"
    remark = b"C-F1:\tSurprise;\t(curious)"
    assert remark in name.read_bytes()
    name.write_bytes(name.read_bytes().replace(remark, b"C-F1:\tSurprise;\t(can\x92t tell)"))
    assert read(tree) == right
    name.write_bytes(b"")
    reading = iemocap.read(tree, "excited_merged", None, {})
    assert {clip.utterance for clip in reading.clips} == {
        utterance for utterance in right if not utterance.startswith("Ses01F_impro01_")
    }
    assert "label file not usable: is empty; fetch the file again" in {
        rejection.reason for rejection in reading.rejected
    }


def test_it_is_split_in_the_ways_that_its_card_says(whole):
    assert_splits_as_its_card_says("iemocap", whole.clips)
