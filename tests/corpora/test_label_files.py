"""Label files of any bytes: whole rows, rejected lines, or one sentence about the file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candor.corpora.label_files import once, rating, read_csv, read_text
from candor.corpora.reader import CorpusError

GOOD = "name,emotion\na,sad\nb,happy\n"


def write(folder, data) -> None:
    (folder / "labels.csv").write_bytes(data if isinstance(data, bytes) else data.encode())


def test_rows_come_with_their_lines(tmp_path):
    write(tmp_path, '\ufeffname, emotion ,more\r\na,sad,1\r\n\r\nb,"x\ny",2\r\n')
    lines = read_csv(tmp_path, "labels.csv", ["name", "emotion"])
    assert [(line.number, line.cells) for line in lines.whole] == [
        (2, {"name": "a", "emotion": "sad", "more": "1"}),
        (5, {"name": "b", "emotion": "x\ny", "more": "2"}),
    ]
    assert lines.rejected == []


def test_a_row_with_too_few_or_too_many_cells_is_listed(tmp_path):
    write(tmp_path, GOOD + "c\nd,sad,9\n")
    lines = read_csv(tmp_path, "labels.csv", ["name", "emotion"])
    assert [line.cells["name"] for line in lines.whole] == ["a", "b"]
    assert [(rejection.path, rejection.reason) for rejection in lines.rejected] == [
        ("labels.csv", "wrong number of cells: line 4 has 1, the header 2"),
        ("labels.csv", "wrong number of cells: line 5 has 3, the header 2"),
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "is a git-LFS stub"),
        (GOOD.encode("utf-16"), "is no plain text, but UTF-16"),
        (GOOD.encode("utf-32-le"), "is no plain text"),
        (b"name,emotion\na,sad\nb,tr\xe4urig\n", "line 3 is not UTF-8"),
        ("name,feeling\na,sad\n", "lacks the columns 'emotion'; it has name, feeling"),
        ("name,emotion,emotion\na,sad,sad\n", "names the column 'emotion' twice"),
        (GOOD + 'c,"sad\n', "cannot be read as a table"),
    ],
)
def test_a_file_that_is_none_is_one_sentence(tmp_path, data, said):
    write(tmp_path, data)
    with pytest.raises(CorpusError, match=said) as caught:
        read_csv(tmp_path, "labels.csv", ["name", "emotion"])
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "labels.csv") in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CorpusError, match=r"labels\.csv: cannot be read \(No such file"):
        read_text(tmp_path, "labels.csv")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([1, 2]))))
def test_of_lines_that_contradict_each_other_none_counts(said):
    found = [(number, key, value) for number, (key, value) in enumerate(said, 2)]
    kept, rejected = once("labels.csv", found)
    values = {key: {value for own, value in said if own == key} for key, _ in said}
    assert kept == {key: only for key, (only, *others) in values.items() if not others}
    repeats = len(said) - len(values)
    agreed = sum(len([1 for own, _ in said if own == key]) - 1 for key in kept)
    assert len(rejected) == agreed + sum(len(own) > 1 for own in values.values())
    assert len(rejected) <= repeats
    assert {rejection.reason.partition(":")[0] for rejection in rejected} <= {"repeated line", "named twice"}


@pytest.mark.parametrize(("text", "value"), [("1", 1), (" 6.25 ", 6.25), ("", None), ("NaN", None)])
def test_ratings(text, value):
    assert rating(text, 1, 7) == value


@pytest.mark.parametrize("text", ["0", "7.01", "1e9", "-1", "inf", "3,5", "two", "0x3"])
def test_absurd_ratings_are_refused(text):
    with pytest.raises(ValueError, match=r"is no number|is not between 1 and 7"):
        rating(text, 1, 7)
