from candor.tables import reference
from candor.tables.base import Table


def test_the_page_is_up_to_date():
    assert reference.PAGE.read_text(encoding="utf-8") == reference.reference(), "run `make docs`"


def test_every_contract_has_its_section_and_every_column_its_line():
    page = reference.PAGE.read_text(encoding="utf-8")
    tables = [table for own in reference.contracts().values() for table in own]
    assert set(tables) == {table for table in Table.__subclasses__() if table.__module__.startswith("candor.tables.")}
    for table in tables:
        section = page.split(f"\n## {table.name}\n")[1].split("\n## ")[0]
        assert f"`{table.path}`" in section
        listed = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        assert listed == [column.name for column in table.columns]


def test_names_of_contracts_are_unique_so_that_links_reach_them():
    names = [table.name for own in reference.contracts().values() for table in own]
    assert len(names) == len(set(names))


def test_a_cell_that_would_break_the_page_is_escaped():
    assert reference.row(reference.Column("a", "x | y", blank=True)) == "| `a` | text |  | yes | x \\| y |"
