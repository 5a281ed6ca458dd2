import logging
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_inspection import LFS_STUB, Memory

from candor.corpora.manifest import TooManyRejects, build
from candor.corpora.reader import CorpusError
from candor.tables.corpora import Counts, Rejected, Utterances

EMOTIONS = {1: "neutral", 3: "happiness", 4: "sadness", 5: "anger"}


@pytest.fixture
def tree(tmp_path, write_wav) -> Path:
    """Four actors of RAVDESS with four emotions, two statements and two repetitions: 64 clips."""
    root = tmp_path / "ravdess"
    for actor in range(1, 5):
        for emotion in EMOTIONS:
            for statement, repetition in ((1, 1), (1, 2), (2, 1), (2, 2)):
                name = f"03-01-{emotion:02d}-01-{statement:02d}-{repetition:02d}-{actor:02d}.wav"
                write_wav(root / f"Actor_{actor:02d}" / name, seconds=0.2)
    return root


def make(root: Path, **choices):
    return build(root, **{"dataset": "mine", "corpus": "ravdess", "max_rejected": 0.5, **choices})


def reasons(built) -> dict[str, tuple[str, str]]:
    return {row["path"]: (row["kind"], row["reason"]) for row in built.rejected}


def clip(root: Path, emotion: int, statement: int, repetition: int, actor: int) -> Path:
    return root / f"Actor_{actor:02d}" / f"03-01-{emotion:02d}-01-{statement:02d}-{repetition:02d}-{actor:02d}.wav"


def test_the_tables_keep_their_contracts(tree, tmp_path):
    shutil.copy(clip(tree, 1, 1, 1, 1), clip(tree, 1, 1, 2, 1))
    built = make(tree)
    for table, rows in ((Utterances, built.utterances), (Rejected, built.rejected), (Counts, built.counts)):
        table.write(rows, tmp_path / f"{table.name}.tsv")
        assert len(table.read(tmp_path / f"{table.name}.tsv")) == len(rows) > 0
    assert [row["utterance"] for row in built.utterances] == sorted(row["utterance"] for row in built.utterances)


def test_the_same_rows_whatever_the_workers_and_the_memory(tree):
    ledger = Memory()
    once = make(tree, workers=1, ledger=ledger)
    assert once == make(tree, workers=2)
    assert once == make(tree, workers=1, ledger=ledger)


def test_every_kind_of_broken_recording_is_listed_and_the_rest_takes_part(tree, write_wav):
    stub, empty, silent, cut = (clip(tree, 3, 1, 1, actor) for actor in (1, 2, 3, 4))
    nan, long, stereo, rate = (clip(tree, 4, 1, 1, actor) for actor in (1, 2, 3, 4))
    stub.write_bytes(LFS_STUB)
    empty.write_bytes(b"")
    soundfile.write(silent, np.zeros(8000), 16000)
    cut.write_bytes(cut.read_bytes()[:1000])
    soundfile.write(nan, np.array([0.1, np.nan] * 4000), 16000, subtype="FLOAT")
    write_wav(long, seconds=61)
    write_wav(stereo, channels=2)
    write_wav(rate, rate=44100)
    (tree / "Actor_01" / "._03-01-03-01-01-01-01.wav").write_bytes(b"\x00\x05\x16\x07")
    built = make(tree)
    found = {Path(path).name: reason.partition(":")[0] for path, (_, reason) in reasons(built).items()}
    assert found == {
        stub.name: "git-LFS stub",
        empty.name: "empty file",
        silent.name: "silent",
        cut.name: "truncated",
        nan.name: "contains NaN or infinity",
        long.name: "too long",
        "._03-01-03-01-01-01-01.wav": "macOS resource fork",
    }
    notes = {row["path"]: row["note"] for row in built.utterances if row["note"]}
    assert notes == {
        stereo.relative_to(tree).as_posix(): "stereo, mixed down",
        rate.relative_to(tree).as_posix(): "44100 Hz where most have 16000 Hz, resampled",
    }
    assert len(built.utterances) == 64 - 6


def test_of_equal_recordings_the_first_stays(tree):
    for repetition, statement in ((2, 1), (1, 2)):
        shutil.copy(clip(tree, 5, 1, 1, 2), clip(tree, 5, statement, repetition, 2))
    built = make(tree)
    assert set(reasons(built).values()) == {("audio", "duplicate: same samples as 03-01-05-01-01-01-02")}
    assert len(built.rejected) == 2
    assert "03-01-05-01-01-01-02" in {row["utterance"] for row in built.utterances}


@pytest.mark.parametrize("other", [(3, 1, 1, 2), (5, 1, 1, 3)], ids=["another label", "another speaker"])
def test_of_equal_recordings_that_contradict_each_other_none_stays(tree, other):
    shutil.copy(clip(tree, 5, 1, 1, 2), clip(tree, *other))
    built = make(tree)
    assert len(built.rejected) == 2
    assert all(reason.startswith("contradiction: same samples as") for _, reason in reasons(built).values())
    assert len(built.utterances) == 62


def test_parity_keeps_equal_recordings_and_notes_them(tree):
    shutil.copy(clip(tree, 5, 1, 1, 2), clip(tree, 3, 1, 1, 2))
    built = make(tree, parity="trust-ser")
    assert built.rejected == []
    assert sorted(row["note"] for row in built.utterances if row["note"]) == [
        "same samples as 03-01-03-01-01-01-02",
        "same samples as 03-01-05-01-01-01-02",
    ]


def test_too_many_broken_recordings_stop_the_run_with_a_summary(tree):
    for actor in (1, 2):
        clip(tree, 3, 1, 1, actor).write_bytes(LFS_STUB)
    clip(tree, 3, 1, 1, 3).write_bytes(b"")
    assert len(make(tree, max_rejected=3 / 64).rejected) == 3
    with pytest.raises(TooManyRejects) as caught:
        make(tree, max_rejected=2.9 / 64)
    said = str(caught.value)
    assert "3 of 64 recordings (4.7%)" in said
    assert "git-LFS stub (2)" in said
    assert "empty file (1)" in said
    assert "git lfs pull" in said
    assert "max_rejected" in said
    assert len(caught.value.rejected) == 3


def test_clips_left_out_by_choice_are_not_opened_and_do_not_count_as_broken(tree):
    for actor in range(1, 5):
        for statement, repetition in ((1, 1), (1, 2), (2, 1), (2, 2)):
            clip(tree, 3, statement, repetition, actor).write_bytes(b"")
    built = make(tree, classes=["neutral", "anger"], max_rejected=0.0)
    assert Counter(row["label"] for row in built.utterances) == {"neutral": 16, "anger": 16}
    assert Counter((row["kind"], row["reason"]) for row in built.rejected) == {
        ("filter", "class not kept: happiness"): 16,
        ("filter", "class not kept: sadness"): 16,
    }


def test_a_filter_keeps_what_it_names_and_lists_the_rest(tree):
    built = make(tree, filter={"gender": ["female"], "text": ["01"]})
    assert {(row["gender"], row["text"]) for row in built.utterances} == {("female", "01")}
    assert len(built.utterances) == 16
    assert Counter(row["reason"] for row in built.rejected) == {
        "filtered by gender: male": 32,
        "filtered by text: 02": 16,
    }


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (
            {"filter": {"speaker": ["ravdess_Actor_77"]}},
            r"no clip has the speaker ravdess_Actor_77.*ravdess_Actor_01 \(16\)",
        ),
        ({"filter": {"age": ["20"]}}, "no column is called 'age'; there are speaker"),
        ({"filter": {"gender": ["female"], "speaker": ["ravdess_Actor_01"]}}, r"keep no clip.*anger \(16\)"),
        ({"classes": ["fury"]}, r"'fury' is no emotion of the common code; the corpus has anger \(16\)"),
        ({"classes": ["fear"]}, r"'fear' has no clip; the corpus has anger \(16\)"),
        ({"label_policy": "loud"}, "label_policy is 'loud'; RAVDESS.* has calm_as_neutral, calm_apart"),
        ({"corpus": "ravdes"}, "did you mean 'ravdess'"),
        ({"corpus": "crema_d"}, "nothing in it matches"),
    ],
)
def test_a_choice_that_fits_nothing_is_answered_with_what_there_is(tree, choices, said):
    with pytest.raises(CorpusError, match=said):
        make(tree, **choices)


def test_a_filter_value_that_does_not_occur_beside_others_is_warned_of(tree, caplog):
    make(tree, filter={"speaker": ["ravdess_Actor_01", "ravdess_Actor_77"]})
    assert "no clip has the speaker ravdess_Actor_77" in caplog.text


def test_calm_takes_part_by_default_where_it_is_a_class_of_its_own(tree, write_wav):
    write_wav(clip(tree, 2, 1, 1, 1))
    together = make(tree)
    apart = make(tree, label_policy="calm_apart")
    assert Counter(row["label"] for row in together.utterances)["neutral"] == 17
    assert Counter(row["label"] for row in apart.utterances)["calm"] == 1


def test_a_partial_corpus_is_accepted_and_called_so(tree, caplog):
    with caplog.at_level(logging.INFO):
        assert make(tree).comparison.verdict == "partial"
    assert "partial: 64 of 1440 published files, 4 of 24 speakers" in caplog.text


def test_a_whole_corpus_with_other_counts_is_said_loudly(tmp_path, write_wav, caplog):
    from test_ravdess import names

    sound = write_wav(tmp_path / "sound.wav")
    for name in names()[1:]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(sound)
    built = make(tmp_path, filter={"speaker": ["ravdess_Actor_03"]}, parity="trust-ser")
    [warning] = [
        record for record in caplog.records if record.levelno == logging.WARNING and "publish" in record.getMessage()
    ]
    assert "files: got 1439, published 1440" in warning.getMessage()
    assert "ravdess_Actor_01 has 59" in warning.getMessage()
    assert {"what": "files", "value": "", "got": 1439, "published": 1440, "verdict": "differs"} in built.counts


def test_missing_recordings_of_a_table_count_as_broken(tmp_path, write_wav):
    write_wav(tmp_path / "a.wav")
    (tmp_path / "labels.csv").write_text("path,speaker,label\na.wav,s1,anger\nb.wav,s1,anger\n")
    choices = {"corpus": "table", "options": {"file": "labels.csv"}}
    with pytest.raises(TooManyRejects, match=r"missing file \(1\)"):
        make(tmp_path, max_rejected=0.1, **choices)
    assert len(make(tmp_path, max_rejected=0.5, **choices).utterances) == 1
    (tmp_path / "a.wav").unlink()
    with pytest.raises(CorpusError, match="none of the 2 recordings is there, such as"):
        make(tmp_path, **choices)


def of_table(root: Path, write_wav, rows: str, **choices):
    """Build from rows ``name,speaker,gender``, all of them angry, with a recording for each."""
    (root / "labels.csv").write_text(
        "utterance,path,speaker,gender,label\n"
        + "".join(
            f"{row.split(',')[0]},{row.split(',')[0]}.wav,{row.partition(',')[2]},anger\n" for row in rows.split()
        )
    )
    for row in rows.split():
        write_wav(root / f"{row.split(',')[0]}.wav")
    return make(root, corpus="table", options={"file": "labels.csv"}, **choices)


def test_a_speaker_with_two_genders_is_left_out_as_a_whole(tmp_path, write_wav, caplog):
    built = of_table(tmp_path, write_wav, "a,ann,female b,ann,male c,ann, d,ben,male")
    assert [(row["speaker"], row["gender"]) for row in built.utterances] == [("mine_ben", "male")]
    assert reasons(built) == dict.fromkeys(
        ("a.wav", "b.wav", "c.wav"), ("label", "contradictory gender: female and male")
    )
    assert "mine_ann" in caplog.text


def test_a_blank_gender_is_that_of_the_speakers_other_clips(tmp_path, write_wav):
    rows = "a,ann,female b,ann, c,ben,"
    built = of_table(tmp_path, write_wav, rows)
    assert [row["gender"] for row in built.utterances] == ["female", "female", ""]
    assert built.rejected == []
    kept = of_table(tmp_path, write_wav, rows, filter={"gender": ["female"]})
    assert [row["utterance"] for row in kept.utterances] == ["a", "b"]


def test_a_corpus_without_one_usable_clip_says_why(tmp_path, write_wav):
    with pytest.raises(CorpusError, match=r"mine: no clip can be used\. label, contradictory gender \(2\)"):
        of_table(tmp_path, write_wav, "a,ann,female b,ann,male")


def test_when_nothing_is_left_the_reasons_are_given(tree):
    for file in tree.rglob("*.wav"):
        file.write_bytes(LFS_STUB)
    with pytest.raises(CorpusError, match=r"nothing is left of 64 clips. audio, git-LFS stub \(64\)"):
        make(tree, max_rejected=1.0)


def test_a_file_name_that_no_table_holds_is_listed(tree):
    (tree / "Actor_01" / "caf\udce9.wav").touch()
    assert reasons(make(tree))["Actor_01/caf\\udce9.wav"][0] == "label"


def test_what_is_left_out_is_said_in_the_log(tmp_path, write_wav, caplog):
    caplog.set_level(logging.INFO)
    for name in ("a", "b", "c"):
        write_wav(tmp_path / f"{name}.wav")
    (tmp_path / "labels.csv").write_text("path,speaker,label\na.wav,s1,anger\nb.wav,s1,Zorn\nc.wav,s2,Zorn\n")
    make(tmp_path, corpus="table", options={"file": "labels.csv"})
    said = caplog.text
    assert "1 utterances take part" in said
    assert "2 left out and listed in rejected.tsv" in said
    assert "Zorn" in said or "label" in said
