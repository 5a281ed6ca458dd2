import csv
import io
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from candor.corpora.manifest import build
from candor.corpora.reader import CorpusError
from candor.corpora.readers import table

CSV = """\
utterance,path,speaker,gender,session,text,label,arousal
u1,wav/u1.wav,ann,F,1,t1,angry,4.5
u2,wav/u2.wav,ben,male,1,t2,NEU,
u3,wav/u3.wav,ann,female,2,t1,Happiness,2
"""

EMODB_NAME = re.compile(r"(03|08|09|1[0-6])([ab]\d{2})([WLEAFTN])[a-f]")
EMODB_LABELS = {"W": "anger", "F": "happiness", "T": "sadness", "N": "N"}
EMODB_MALE = ("03", "10", "11", "12", "15")


def read(root: Path, text: str | bytes, name: str = "labels.csv", **options):
    (root / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return table.read(root, "default", None, {"file": name, "dataset": "mine", **options})


def test_a_plain_table(tmp_path):
    reading = read(tmp_path, CSV)
    assert reading.rejected == []
    assert [
        (clip.utterance, clip.path, clip.speaker, clip.gender, clip.session, clip.text, clip.raw_label, clip.label)
        for clip in reading.clips
    ] == [
        ("u1", "wav/u1.wav", "mine_ann", "female", "1", "t1", "angry", "anger"),
        ("u2", "wav/u2.wav", "mine_ben", "male", "1", "t2", "NEU", "neutral"),
        ("u3", "wav/u3.wav", "mine_ann", "female", "2", "t1", "Happiness", "happiness"),
    ]
    assert [clip.arousal for clip in reading.clips] == [4.5, None, 2.0]


def test_the_three_formats_say_the_same(tmp_path):
    rows = list(csv.DictReader(io.StringIO(CSV)))
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    one = read(tmp_path, CSV)
    assert read(tmp_path, CSV.replace(",", "\t"), "labels.tsv").clips == one.clips
    assert read(tmp_path, lines, "labels.jsonl").clips == one.clips
    assert read(tmp_path, b"\xef\xbb\xbf" + CSV.encode()).clips == one.clips
    assert read(tmp_path, CSV.replace("\n", "\r\n")).clips == one.clips


def test_columns_and_labels_by_other_names(tmp_path):
    text = "Datei,Wer,Gefühl\nu1.wav,ann,Wut\nu2.wav,ann,egal\nu3.wav,ann,Liebe\n"
    columns = {"path": "Datei", "speaker": "Wer", "label": "Gefühl"}
    reading = read(tmp_path, text, columns=columns, labels={"wut": "anger", "egal": ""})
    assert [(clip.utterance, clip.label, clip.reason) for clip in reading.clips] == [
        ("u1", "anger", ""),
        ("u2", "", "label left out by the config: egal"),
        ("u3", "", "unknown label: Liebe"),
    ]


def test_a_speaker_who_bears_the_datasets_name_keeps_it(tmp_path):
    reading = read(tmp_path, "path,speaker,label\na.wav,mine_ann,sad\n")
    assert reading.clips[0].speaker == "mine_ann"


def test_names_are_made_of_paths(tmp_path):
    reading = read(tmp_path, f"path,speaker,label\ns1/a.wav,1,sad\ns2\\a.wav,2,sad\n{tmp_path}/b.flac,3,sad\n")
    assert [(clip.utterance, clip.path) for clip in reading.clips] == [
        ("b", "b.flac"),
        ("s1_a", "s1/a.wav"),
        ("s2_a", "s2/a.wav"),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("u9,wav/u9.wav,ann,F,1,t1", "wrong number of cells: line 5, 6 where the header has 8"),
        ("u9,wav/u9.wav,ann,F,1,t1,sad,1,2", "wrong number of cells: line 5, 9 where the header has 8"),
        ("u9,wav/u9.wav,,F,1,t1,sad,1", "no speaker: line 5"),
        ("u9,wav/u9.wav,Unknown,F,1,t1,sad,1", "no speaker: line 5"),
        ("u9,,ann,F,1,t1,sad,1", "no path: line 5"),
        ("u9,wav/u9.wav,ann,ferret,1,t1,sad,1", "gender is neither male nor female: line 5, 'ferret'"),
        ("u9,wav/u9.wav,ann,F,1,t1,sad,much", "arousal is not a number: line 5, 'much'"),
        ("u9,wav/u9.wav,ann,F,1,t1,sad,inf", "arousal is not a number: line 5, 'inf'"),
        ("u9,/etc/u9.wav,ann,F,1,t1,sad,1", "audio path outside the corpus folder: line 5, /etc/u9.wav"),
        ("u9,wav/../../u9.wav,ann,F,1,t1,sad,1", "audio path outside the corpus folder: line 5, wav/../../u9.wav"),
        ("u9,.wav/u9.wav,ann,F,1,t1,sad,1", "audio path in a hidden file or folder: line 5, .wav/u9.wav"),
        ("u9,wav/\x00u9.wav,ann,F,1,t1,sad,1", "control character: line 5, in the path"),
    ],
)
def test_a_doubtful_line_is_listed_and_left_out(tmp_path, line, reason):
    reading = read(tmp_path, CSV + line + "\n")
    rejection = reading.rejected[-1]
    assert (rejection.path, rejection.kind, rejection.reason) == ("labels.csv", "label", reason)
    # A line with too few cells may be the rest of the one beside it, which is left out as well.
    short = "6 where" in reason
    assert [clip.utterance for clip in reading.clips] == (["u1", "u2"] if short else ["u1", "u2", "u3"])
    assert len(reading.rejected) == 1 + short


@pytest.mark.parametrize("broken", ["wav/u9\n.wav,ann,sad", "wav/u9.wav,ann,sad\nness"])
def test_a_row_broken_in_two_yields_neither_half(tmp_path, broken):
    reading = read(tmp_path, f"path,speaker,label\nu1.wav,ann,sad\nu2.wav,ann,sad\n{broken}\n", "labels.csv")
    assert "u1" in {clip.utterance for clip in reading.clips}
    assert not any("9" in clip.path or clip.path == ".wav" for clip in reading.clips)
    assert {rejection.reason.partition(":")[0] for rejection in reading.rejected} == {
        "wrong number of cells",
        "beside a broken line",
    }


def test_a_gender_nobody_knows_is_blank(tmp_path):
    reading = read(tmp_path, "path,speaker,gender,label\na.wav,1,unknown,sad\nb.wav,2,,sad\n")
    assert [clip.gender for clip in reading.clips] == ["", ""]


def test_a_line_given_twice_counts_once(tmp_path):
    reading = read(tmp_path, CSV + CSV.splitlines()[1] + "\n")
    assert len(reading.clips) == 3
    assert [rejection.reason for rejection in reading.rejected] == ["repeated line: 5 says what 2 says"]


def test_lines_that_contradict_each_other_are_all_left_out(tmp_path):
    reading = read(tmp_path, CSV + CSV.splitlines()[1].replace("angry", "sad") + "\n")
    assert [clip.utterance for clip in reading.clips] == ["u2", "u3"]
    assert [rejection.reason for rejection in reading.rejected] == [
        "named twice: lines 2, 5 differ about this utterance"
    ] * 2


@pytest.mark.parametrize("letter", list("ASFDHWLET"))
def test_a_single_letter_is_no_known_label(tmp_path, letter):
    [clip] = read(tmp_path, f"path,speaker,label\na.wav,1,{letter}\n").clips
    assert (clip.label, clip.reason) == ("", f"unknown label: {letter}")


@pytest.mark.parametrize(
    ("text", "name", "options", "said"),
    [
        ("", "labels.csv", {}, "holds no rows"),
        ("path,speaker,label\n", "labels.csv", {}, "holds no rows"),
        (
            "path,emotion\na.wav,sad\n",
            "labels.csv",
            {},
            "no column holds the speaker and the label; there are path, em",
        ),
        ("a,a\n1,2\n", "labels.csv", {}, "names a column twice"),
        (
            CSV,
            "labels.csv",
            {"columns": {"label": "emotion"}},
            "no column 'emotion' for the label; there are utterance",
        ),
        (CSV, "labels.csv", {"labels": {"x": "fury"}}, "'x' stands for 'fury', which is none of neutral"),
        (CSV.replace("u2", "\xfc2").encode("latin-1"), "labels.csv", {}, "line 3 is not UTF-8"),
        (CSV.encode("utf-16"), "labels.csv", {}, "line 1 is not UTF-8"),
        (CSV + '"u4', "labels.csv", {}, "line 5 cannot be read"),
        ("version https://git-lfs.github.com/spec/v1\n", "labels.csv", {}, "git lfs pull"),
        (CSV, "labels.xlsx", {}, r"one of \.csv, \.tsv, \.jsonl, not \.xlsx"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_in_one_sentence(tmp_path, text, name, options, said):
    with pytest.raises(CorpusError, match=said) as caught:
        read(tmp_path, text, name, **options)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(CorpusError, match="there is no such table"):
        table.read(tmp_path, "default", None, {"file": "labels.csv"})


@pytest.mark.parametrize("place", ["../elsewhere.csv", "{above}/elsewhere.csv", "../*.csv"])
def test_a_table_outside_the_corpus_folder_is_refused(tmp_path, place):
    """No change of it would be noticed."""
    (tmp_path / "elsewhere.csv").write_text(CSV)
    root = tmp_path / "corpus"
    root.mkdir()
    with pytest.raises(
        CorpusError, match=r"table\.file: .*elsewhere.csv is outside the corpus folder|\*\.csv is outside"
    ):
        table.read(root, "default", None, {"file": place.format(above=tmp_path)})
    (root / "labels.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert len(table.read(root, "default", None, {"file": str(root / "labels.csv")}).clips) == 3


def test_a_pattern_reads_all_files_that_match(tmp_path):
    header, *rows = CSV.splitlines(keepends=True)
    for place, text in (("b/1.csv", header + rows[0]), ("a/2.csv", header + rows[2] + rows[1]), ("c.csv", "broken")):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(text)
    together = table.read(tmp_path, "default", None, {"file": "*/?.csv", "dataset": "mine"})
    assert together == read(tmp_path, CSV)
    assert table.read(tmp_path, "default", None, {"file": "[ab]/**/*.csv", "dataset": "mine"}) == together
    with pytest.raises(CorpusError, match="no table matches"):
        table.read(tmp_path, "default", None, {"file": "*.jsonl"})


def test_a_clip_in_the_lists_of_several_folds_counts_once(tmp_path):
    def line(number: int, emotion: str = "anger") -> str:
        name = f"03a0{number}Wa"
        return emobox_line(key=f"emodb-{name}", dataset="emodb", wav=f"downloads/emodb/wav/{name}.wav", emo=emotion)

    for fold, (train, test) in enumerate([([1, 2], [3]), ([1, 3], [2])], 1):
        (tmp_path / f"fold_{fold}").mkdir()
        (tmp_path / f"fold_{fold}" / "train.jsonl").write_text("".join(map(line, train)))
        (tmp_path / f"fold_{fold}" / "test.jsonl").write_text("".join(map(line, test)))

    def at(pattern: str):
        return table.read(tmp_path, "default", None, {"file": pattern, "dataset": "mine"})

    assert [clip.utterance for clip in at("fold_1/*.jsonl").clips] == [f"emodb-03a0{n}Wa" for n in (1, 2, 3)]
    assert at("fold_*/*.jsonl") == at("fold_1/*.jsonl")
    (tmp_path / "fold_2" / "test.jsonl").write_text(line(2, "sad") + line(3) + line(3))
    reading = at("fold_*/*.jsonl")
    assert [clip.utterance for clip in reading.clips] == ["emodb-03a01Wa", "emodb-03a03Wa"]
    assert {(rejection.path, rejection.reason) for rejection in reading.rejected} == {
        (path, "named twice: lines 2 of fold_1/train.jsonl, 1 of fold_2/test.jsonl differ about this utterance")
        for path in ("fold_1/train.jsonl", "fold_2/test.jsonl")
    } | {("fold_2/test.jsonl", "repeated line: 3 says what 2 says")}


def test_damaged_json_lines_are_listed_one_by_one(tmp_path):
    good = json.dumps({"path": "a.wav", "speaker": 7, "label": "sad", "gender": None})
    lines = [good.encode(), b'{"path": "b.wav', b"[1, 2]", b'{"path": "\xff"}', b'{"path": "c", "path": "d"}', b""]
    reading = read(tmp_path, b"\n".join(lines), "labels.jsonl")
    assert [(clip.path, clip.speaker) for clip in reading.clips] == [("a.wav", "mine_7")]
    assert [rejection.reason.partition(",")[0] for rejection in reading.rejected] == [
        "bad JSON: line 2",
        "bad JSON: line 3",
        "not UTF-8: line 4",
        "bad JSON: line 5",
    ]


ROWS = [
    {"path": f"w/{number}.wav", "speaker": f"s{number % 5}", "gender": "F", "valence": "1.5", "label": "neutral"}
    for number in range(8)
]
MARKS = ',\t"{}'
DAMAGE = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from([b"\xff", b"\x00", b"\n", *(mark.encode() for mark in MARKS)])),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=DAMAGE, name=st.sampled_from(["labels.csv", "labels.tsv", "labels.jsonl"]), replace=st.booleans())
def test_a_damaged_table_never_yields_a_row_that_was_not_in_it(tmp_path, damage, name, replace):
    if name.endswith("jsonl"):
        header, body = b"", "".join(json.dumps(row) + "\n" for row in ROWS).encode()
    else:
        handle = io.StringIO()
        writer = csv.DictWriter(handle, list(ROWS[0]), delimiter=table.DELIMITERS[Path(name).suffix])
        writer.writerows(ROWS)
        header = table.DELIMITERS[Path(name).suffix].join(ROWS[0]).encode() + b"\n"
        body = handle.getvalue().encode()
    true = {(row["path"], row["speaker"], row["label"]) for row in ROWS}
    for place, junk in damage:
        if replace and junk == b"\n":
            continue  # a letter lost at the start of a row leaves no trace but a blank line
        place %= len(body)
        body = body[:place] + junk + body[place + replace :]
    try:
        clips = read(tmp_path, header + body, name).clips
    except CorpusError:
        return
    for clip in clips:
        found = (clip.path, clip.speaker.removeprefix("mine_"), clip.label)
        # One mark lost and another put in elsewhere may leave the right number of cells; then no known label is left.
        assert clip.valence in (1.5, None) or not clip.label
        if clip.label and found not in true:
            # A mark inside a cell stays visible there: such a path leads nowhere, and the run says so.
            visible = [cell for cell in found if set(cell) & set(MARKS)]
            assert visible
            stripped = tuple("".join(letter for letter in cell if letter not in MARKS) for cell in found)
            assert replace or stripped in true


def emobox_line(**keys) -> str:
    return json.dumps({"type": "raw", "sample_rate": 16000, "task": "category", "channel": 1, **keys}) + "\n"


def test_emobox_lists_are_read_as_they_are(tmp_path):
    text = emobox_line(
        key="emodb-03a01Wa", dataset="emodb", wav="downloads/emodb/wav/03a01Wa.wav", emo="anger"
    ) + emobox_line(key="emodb-08a04Nc", dataset="emodb", wav="downloads/emodb/wav/08a04Nc.wav", emo="neutral")
    reading = read(tmp_path, text, "emodb.jsonl")
    assert [(clip.utterance, clip.path, clip.speaker, clip.gender, clip.label) for clip in reading.clips] == [
        ("emodb-03a01Wa", "wav/03a01Wa.wav", "mine_03", "male", "anger"),
        ("emodb-08a04Nc", "wav/08a04Nc.wav", "mine_08", "female", "neutral"),
    ]
    other = text.replace('"wav"', '"audio"').replace('"emo"', '"label"')
    assert read(tmp_path, other, "emodb.jsonl").clips == reading.clips
    (tmp_path / "downloads").mkdir()
    assert read(tmp_path, text, "emodb.jsonl").clips[0].path == "downloads/emodb/wav/03a01Wa.wav"


@pytest.mark.parametrize(
    ("corpus", "file", "emotion", "speaker", "gender", "label"),
    [
        ("ravdess", "03-01-08-02-01-01-12", "Surprised", "12", "female", "surprise"),
        ("ravdess", "03-01-06-02-01-01-11", "Fearful", "11", "male", "fear"),
        ("cremad", "1039_IWL_SAD_XX", "SAD", "1039", "", "sadness"),
        ("iemocap", "Ses01F_impro04_M028", "ang", "Ses01M", "male", "anger"),
        ("iemocap", "Ses05M_script01_1b_F004", "exc", "Ses05F", "female", "excitement"),
        ("savee", "JE_su07", "su", "JE", "male", "surprise"),
        ("savee", "DC_a14", "a", "DC", "male", "anger"),
        ("emodb", "11b10Td", "sadness", "11", "male", "sadness"),
        ("emodb", "13a07Fd", "happiness", "13", "female", "happiness"),
        ("tess", "OAF_bite_angry", "angry", "OA", "female", "anger"),
        ("tess", "OA_bite_neutral", "neutral", "OA", "female", "neutral"),
        ("esd", "0015_000351", "Angry", "0015", "female", "anger"),
        ("esd", "0010_000001", "Neutral", "0010", "male", "neutral"),
        ("esd", "0019_001401", "Surprise", "0019", "", "surprise"),
    ],
)
def test_emobox_speakers_are_told_by_the_file_names(tmp_path, corpus, file, emotion, speaker, gender, label):
    line = emobox_line(key=f"{corpus}-{file}", dataset=corpus, wav=f"downloads/{corpus}/x/{file}.wav", emo=emotion)
    [clip] = read(tmp_path, line, f"{corpus}.jsonl").clips
    assert (clip.speaker, clip.gender, clip.label) == (f"mine_{speaker}", gender, label)


def test_an_emobox_list_whose_names_tell_no_speaker_is_listed_line_by_line(tmp_path):
    text = emobox_line(key="meld-1", dataset="meld", wav="dia1_utt1.wav", emo="joy")
    reading = read(tmp_path, text, "meld.jsonl")
    assert (reading.clips, [rejection.reason for rejection in reading.rejected]) == ([], ["no speaker: line 1"])
    spoken = emobox_line(key="meld-1", dataset="meld", wav="dia1_utt1.wav", emo="joy", spk="Monica")
    [clip] = read(tmp_path, spoken, "meld.jsonl").clips
    assert (clip.speaker, clip.label) == ("mine_Monica", "happiness")


def test_real_emodb_as_a_table(corpora, tmp_path):
    names = sorted(file.stem for file in (corpora / "emodb" / "wav").glob("*.wav"))
    lines = ["name,file,who,sex,sentence,label"]
    for name in names:
        speaker, sentence, letter = EMODB_NAME.fullmatch(name).groups()
        sex = "m" if speaker in EMODB_MALE else "f"
        lines.append(f"{name},wav/{name}.wav,{speaker},{sex},{sentence},{EMODB_LABELS[letter]}")
    (tmp_path / "wav").symlink_to(corpora / "emodb" / "wav")
    (tmp_path / "emodb.csv").write_text("\n".join(lines) + "\n")
    columns = {"utterance": "name", "path": "file", "speaker": "who", "gender": "sex", "text": "sentence"}
    built = build(
        tmp_path,
        dataset="emodb",
        corpus="table",
        options={"file": "emodb.csv", "columns": columns},
        max_rejected=0.0,
        workers=1,
    )
    # Published counts of the four emotions; the recordings at hand are all of these.
    assert Counter(row["label"] for row in built.utterances) == {
        "anger": 127,
        "happiness": 71,
        "sadness": 62,
        "neutral": 79,
    }
    assert Counter({row["speaker"]: row["gender"] for row in built.utterances}.values()) == {"male": 5, "female": 5}
    assert {row["rate"] for row in built.utterances} == {16000}
    assert built.rejected == []


def test_people_scenarios_and_parts_are_read_and_absurd_ones_rejected(tmp_path):
    (tmp_path / "labels.csv").write_text(
        "path,speaker,label,age,race,language,scenario,split\n"
        "a.wav,ann,sad,31,Asian,Welsh,read,Validation\n"
        "b.wav,ann,sad,,,,,\n"
        "c.wav,ann,sad,400,,,,train\n"
        "d.wav,ann,sad,31,,,,fold3\n"
    )
    reading = table.read(tmp_path, "default", None, {"file": "labels.csv", "dataset": "t"})
    first, second = reading.clips
    assert (first.age, first.race, first.language, first.scenario, first.split) == (31, "Asian", "Welsh", "read", "dev")
    assert (second.age, second.race, second.split) == (None, "", "")
    assert [rejection.reason for rejection in reading.rejected] == [
        "age is not between 0 and 120: line 4, '400'",
        "split is none of train, dev, test: line 5, 'fold3'",
    ]


def test_where_a_rating_is_predicted_no_label_is_needed(tmp_path):
    (tmp_path / "labels.csv").write_text("path,speaker,arousal\na.wav,ann,2.5\n")
    [clip] = table.read(tmp_path, "default", None, {"file": "labels.csv", "dataset": "t", "pred": "arousal"}).clips
    assert (clip.arousal, clip.label) == (2.5, "")
    with pytest.raises(CorpusError, match="no column holds the label"):
        table.read(tmp_path, "default", None, {"file": "labels.csv", "dataset": "t"})
    with pytest.raises(CorpusError, match="no column holds the valence"):
        table.read(tmp_path, "default", None, {"file": "labels.csv", "dataset": "t", "pred": "valence"})
