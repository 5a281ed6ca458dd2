import csv
import importlib
import pkgutil

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import candor.tables
from candor.tables.base import Column, Table, TableError, atomic


class Clips(Table):
    name = "clips"
    version = 2
    path = "clips.tsv"
    description = "For the tests."
    key = ("clip",)
    columns = (
        Column("clip", "Name"),
        Column("count", "Whole number", "integer", blank=True),
        Column("level", "Number", "number", "dB", blank=True),
        Column("p_*", "Probabilities", "number"),
    )


ROW = {"clip": "03", "count": 1, "level": 0.1, "p_a": 0.25, "p_b": 0.75}
cells = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1).map(str.strip).filter(bool)


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "clip": cells,
                "count": st.none() | st.integers(-(10**12), 10**12),
                "level": st.none() | st.floats(allow_nan=False, allow_infinity=False),
                "p_a": st.floats(0, 1),
            }
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda row: row["clip"],
    )
)
def test_what_is_written_is_read_back_to_the_last_digit(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("tables") / "clips.tsv"
    Clips.write(rows, path)
    back = Clips.read(path).to_dict("records")
    for row, got in zip(rows, back, strict=True):
        for name, value in row.items():
            assert pd.isna(got[name]) if value is None else got[name] == value


def test_any_program_can_read_it(tmp_path):
    Clips.write([ROW], tmp_path / "clips.tsv")
    with open(tmp_path / "clips.tsv", newline="") as handle:
        row = next(csv.DictReader(handle, delimiter="\t"))
    assert row == {"clip": "03", "count": "1", "level": "0.1", "p_a": "0.25", "p_b": "0.75", "schema": "clips/2"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"clip": "a", "level": 1.0, "p_a": 1.0}, "missing columns \\['count'\\]"),
        (ROW | {"colour": "red"}, "unknown columns \\['colour'\\]"),
        (ROW | {"clip": ""}, "column clip is blank in row 1"),
        (ROW | {"p_b": float("nan")}, "column p_b is blank in row 1"),
    ],
)
def test_rows_that_break_the_contract_are_refused(tmp_path, row, said):
    with pytest.raises(TableError, match=said):
        Clips.write([row], tmp_path / "clips.tsv")
    assert not list(tmp_path.iterdir())


def test_two_rows_for_one_key_are_refused(tmp_path):
    with pytest.raises(TableError, match="two rows for"):
        Clips.write([ROW, ROW], tmp_path / "clips.tsv")


@pytest.mark.parametrize("mark", ["clips/1", "clips/3", "cards/2"])
def test_another_version_is_refused(tmp_path, mark):
    path = tmp_path / "clips.tsv"
    Clips.write([ROW], path)
    path.write_text(path.read_text().replace("clips/2", mark))
    with pytest.raises(TableError, match=f"holds {mark}, but clips/2 is needed"):
        Clips.read(path)


def test_another_file_is_refused(tmp_path):
    (tmp_path / "x.tsv").write_text("clip\tcount\na\t1\n")
    with pytest.raises(TableError, match="no `schema` column"):
        Clips.read(tmp_path / "x.tsv")


def test_an_empty_table_has_its_header(tmp_path):
    Clips.write([], tmp_path / "clips.tsv")
    assert (tmp_path / "clips.tsv").read_text() == "clip\tcount\tlevel\tschema\n"
    assert Clips.read(tmp_path / "clips.tsv").empty


def test_tabs_and_line_breaks_cannot_break_a_row(tmp_path):
    Clips.write([ROW | {"clip": 'a\tb\nc"d'}], tmp_path / "clips.tsv")
    assert Clips.read(tmp_path / "clips.tsv")["clip"].tolist() == ['a b c"d']


def test_a_failing_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail():
        with atomic(path) as handle:
            handle.write("half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def contracts() -> list[type[Table]]:
    for module in pkgutil.iter_modules(candor.tables.__path__):
        importlib.import_module(f"candor.tables.{module.name}")
    return [table for table in Table.__subclasses__() if table.__module__.startswith("candor.")]


def test_every_contract_says_what_it_holds():
    assert len({table.name for table in contracts()}) == len(contracts()) > 8
    for table in contracts():
        assert table.description.endswith(".")
        assert table.columns
        for column in table.columns:
            assert column.description
            assert column.kind != "text" or not column.unit
