"""Write the reference page of the data contracts.

python -m candor.tables.reference [--check]
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

from candor import tables
from candor.tables.base import Column, Table

PAGE = Path(__file__).resolve().parents[3] / "docs" / "tables.md"
INTRODUCTION = """# Every table, column by column

Made from the contracts in `src/candor/tables/` by `make docs`; do not edit.

All are tab-separated text in UTF-8 with a header. Cells hold no tab, no line break and no quotes around them, so
any program reads them without options. Numbers are written with all their digits. A cell is blank where nothing
is known or nothing applies, and only in columns that say so. The last column, `schema`, is the table's name and
version, the same in every row: Candor refuses to read another version. Paths are below `project_dir`, by default
`results/`.
"""


def contracts() -> dict[str, list[type[Table]]]:
    """Return the contracts by the module that holds them, in the order in which it names them."""
    found: dict[str, list[type[Table]]] = {}
    for module in pkgutil.iter_modules(tables.__path__):
        loaded = importlib.import_module(f"{tables.__name__}.{module.name}")
        own = [
            thing
            for thing in vars(loaded).values()
            if isinstance(thing, type) and issubclass(thing, Table) and thing.__module__ == loaded.__name__
        ]
        if own and loaded.__name__ != Table.__module__:
            found[module.name] = own
    return found


def reference() -> str:
    """Return the reference page."""
    sections = [section(table) for own in contracts().values() for table in own]
    contents = [f"- [`{table.name}`](#{table.name}): `{table.path}`" for own in contracts().values() for table in own]
    return "\n".join([INTRODUCTION, *contents, "", "\n".join(sections)])


def section(table: type[Table]) -> str:
    """Return the section of one contract."""
    key = ", ".join(f"`{name}`" for name in table.key) or "none; rows may repeat"
    lines = [
        f"## {table.name}",
        "",
        table.description,
        "",
        f"- file: `{table.path}`",
        f"- schema: `{table.schema()}`",
        f"- key: {key}",
        "",
        "| column | kind | unit | may be blank | meaning |",
        "|---|---|---|---|---|",
        *map(row, table.columns),
        "",
    ]
    return "\n".join(lines)


def row(column: Column) -> str:
    """Return the line of one column."""
    cells = (f"`{column.name}`", column.kind, column.unit, "yes" if column.blank else "no", column.description)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def main() -> None:
    """Write the page, or check that it is as it would be written."""
    parser = argparse.ArgumentParser(description="Write docs/tables.md.")
    parser.add_argument("--check", action="store_true", help="only tell whether it is up to date")
    check = parser.parse_args().check
    text = reference()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return
    if check:
        sys.exit("docs/tables.md no longer matches the contracts in src/candor/tables; run `make docs`")
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
