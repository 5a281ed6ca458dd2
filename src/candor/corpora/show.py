"""Print the known corpora, and what was read of one, for a terminal."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from candor.corpora import registry
from candor.corpora.counts import (
    NOT_KNOWN,
    Row,
    headline,
    in_order,
    lengths,
    many,
    sentence_of,
    unit_of,
)
from candor.corpora.reader import Card, CorpusError, Published, Scheme
from candor.tables.corpora import Counts, Rejected, Utterances

Paths = Mapping[str, Path | None]
"""Keys of `data_dir` and the folders that they name; None for a corpus that the workflow makes itself."""

OWN = ("table", "folder")
"""The readers of people's own corpora, whose paths go by the names of their datasets."""

SCHEMES: dict[Scheme, str] = {
    "speakers": "folds of speakers",
    "sessions": "folds of sessions",
    "leave_one_speaker_out": "a fold per speaker",
    "texts": "folds that share neither speakers nor sentences",
    "official": "the official partition",
}
SHOWN = 8
"""Up to so many sessions, scenarios or languages are listed; of more only the number is told."""

GENDERS = ("female", "male", NOT_KNOWN)
SETTINGS = ("scenario", "language", "session")


# Which corpora there are


def corpora_text(paths: Mapping[str, Paths], width: int) -> str:
    """Return all known corpora: a line for each, and below it licence, classes and layout.

    Parameters
    ----------
    paths
        The entries of `data_dir` that say where each corpus is.
    width
        The width of the terminal.
    """
    heads = ("name", "title", "clips", "speakers", "redistributable", "path")
    cards = {name: registry.load(name).CARD for name in registry.names()}
    lines = _aligned([heads, *(_summary(name, card, paths.get(name, {})) for name, card in cards.items())], {2, 3})
    text = [lines[0]]
    for line, card in zip(lines[1:], cards.values(), strict=True):
        told = {"licence": card.licence, "classes": ", ".join(card.classes) or "none", "layout": card.layout}
        text += ["", line, *(_paragraph(f"  {word}", what, width, 11) for word, what in told.items())]
    return "\n".join([*text, "", "More about one of them: candor corpora NAME"])


def _summary(name: str, card: Card, paths: Paths) -> tuple[str, ...]:
    published = card.published
    numbers = (f"{published.files:,}", f"{published.speakers:,}") if published else ("", "")
    path = "not set"
    if paths:
        path = f"set for {', '.join(paths)}" if name in OWN else "set" if any(paths.values()) else "made here"
    return (name, card.title, *numbers, _yes_or_no(card.redistributable), path)


def corpus_text(name: str, paths: Paths, width: int) -> str:
    """Return all that is known of one corpus.

    Parameters
    ----------
    name
        The name of its reader; hyphens count as underscores.
    paths
        The entries of `data_dir` that say where it is.
    width
        The width of the terminal.

    Raises
    ------
    CorpusError
        When there is none of that name.
    """
    name = spelled(name)
    card = registry.load(name).CARD
    told = [
        ("licence", card.licence),
        ("redistributable", _yes_or_no(card.redistributable)),
        ("source", card.url or "-"),
        ("path", "; ".join(_places(name, paths))),
        ("layout", card.layout),
        ("published", _published(card.published)),
        *_policies(card),
        ("classes", ", ".join(card.classes) or "none"),
        *((f"  {policy}", ", ".join(classes)) for policy, classes in card.policy_classes.items()),
        ("ratings", ", ".join(card.dimensions) or "none"),
        (
            "splits",
            "none"
            if not card.labelled
            else _schemes(card) + ("; the people of one session stay together" if card.dyads else ""),
        ),
        ("parity", "; ".join(f"{system}: {SCHEMES[scheme]}" for system, scheme in card.parities.items()) or "none"),
    ]
    indent = 2 + max(len(word) for word, _ in told)
    lines = [_paragraph(word, what, width, indent) for word, what in told]
    return "\n".join([f"{name}: {card.title}", "", *lines, "", "In config/config.yml, for example:", "", example(name)])


def _schemes(card: Card) -> str:
    first, *others = (f"{scheme}: {SCHEMES[scheme]}" for scheme in card.schemes)
    return ", or ".join([f"{first} (default)", *others])


def _places(name: str, paths: Paths) -> list[str]:
    """Say where a corpus is, and what is wrong with that place."""
    if not paths:
        return [f"data_dir.{'<name of your dataset>' if name in OWN else name} is empty"]
    return [
        f"data_dir.{key} is {path}{_problem(path, name)}" if path else f"data_dir.{key}: the workflow makes it"
        for key, path in paths.items()
    ]


def _problem(path: Path, name: str) -> str:
    try:
        registry.locate(path, name)
    except CorpusError as error:
        return f"; {str(error).partition('; ')[0]}"
    return ""


def spelled(name: str) -> str:
    """Return a corpus's name as its reader has it.

    >>> spelled("MSP-IMPROV")
    'msp_improv'
    """
    return name.replace("-", "_").lower()


def example(name: str) -> str:
    """Return lines for the config that set a corpus's path and make datasets of it.

    Parameters
    ----------
    name
        The name of its reader.
    """
    card = registry.load(name).CARD
    if name in OWN:
        table = ", table: {file: labels.csv}" if card.labelled else ""
        return f"data_dir:\n  mine: /path/to/it\n\ndatasets:\n  mine: {{corpus: {name}{table}}}"
    entries = {policy: f"label_policy: {policy}" for policy in card.policies[1:]}
    entries["all"] = "classes: all"
    entries |= {rating: f"pred: {rating}" for rating in card.dimensions if rating != "dominance"}
    entries |= {system.replace("-", "_"): f"parity: {system}" for system in card.parities}
    path = "synthesise" if name == "demo" else "/path/to/it"
    datasets = [f"  {name}_{end}: {{corpus: {name}, {choice}}}" for end, choice in entries.items()]
    return "\n".join([f"data_dir:\n  {name}: {path}\n\ndatasets:", *datasets])


def _published(published: Published | None) -> str:
    if published is None:
        return "no counts"
    told = [many(published.files, "clip"), many(published.speakers, "speaker")]
    told += [many(published.sessions, "session")] if published.sessions else []
    return ", ".join(told) + (f"; {_listed(published.splits)}" if published.splits else "")


def _policies(card: Card) -> list[tuple[str, str]]:
    """Return the label policies, and what each yields before any class is left out."""
    labels = card.published.labels if card.published else {}
    counts = {policy: labels.get(policy, {}) for policy in card.policies}
    ordered = {
        policy: {label: found[label] for label in sorted(found, key=in_order)} for policy, found in counts.items()
    }
    told = [(policy, _listed(found) or "no published counts") for policy, found in ordered.items()]
    if len(told) == 1:
        return [("labels", told[0][1])]
    first, *others = card.policies
    policies = f"{first} (default), {', '.join(others)}"
    return [("label_policy", policies), *((f"  {policy}", words) for policy, words in told)]


# What was read of one


def find_counts(folder: Path) -> list[Path]:
    """Return the tables of counts in a dataset's folder, or in those of a whole stage."""
    name = Path(Counts.path).name
    return [file for file in [folder / name, *sorted(folder.glob(f"*/{name}"))] if file.is_file()]


def tables_beside(counts: Iterable[Path]) -> list[Path]:
    """Return the tables of each dataset whose counts these are."""
    tables = [file.with_name(Path(table.path).name) for file in counts for table in (Counts, Utterances, Rejected)]
    return [table for table in tables if table.is_file()]


def counts_text(counts: Iterable[Path], width: int) -> str:
    """Return what was read of each dataset: how much, the verdict, classes by gender, parts, and what was left out."""
    return "\n\n\n".join(_dataset_text(file, width) for file in counts)


def _dataset_text(file: Path, width: int) -> str:
    rows = [{str(key): cell for key, cell in row.items()} for row in Counts.read(file).to_dict("records")]
    by_what: dict[str, list[Row]] = {}
    for row in rows:
        by_what.setdefault(row["what"], []).append(row)
    verdict = f"Before anything is left out: {sentence_of(rows, ',')}"
    told = {what: _setting(what, by_what[what]) for what in SETTINGS if what in by_what}
    told["speakers"] = _speakers(by_what["speaker"])
    return "\n".join(
        [
            headline(file.parent.name, rows),
            textwrap.fill(verdict, width),
            "",
            *_class_table(by_what),
            *_partition_table(by_what),
            "",
            *(_paragraph(word, what, width, 11) for word, what in told.items()),
            *_rejects(by_what.get("rejected", []), width),
        ]
    )


def _class_table(by_what: Mapping[str, Sequence[Row]]) -> list[str]:
    counts = {row["value"]: row["got"] for row in by_what["label by gender"]}
    genders = [gender for gender in GENDERS if any(row["value"] == gender for row in by_what["gender"])]
    (whole,) = by_what["utterances"]
    unit = unit_of(whole["seconds"])
    rows = [*by_what["label"], {**whole, "value": "all"}]
    counts |= {f"all, {row['value']}": row["got"] for row in by_what["gender"]}
    cells = [
        (
            row["value"],
            *(f"{counts.get(row['value'] + ', ' + gender, 0):,}" for gender in genders),
            f"{row['got']:,}",
            f"{100 * row['got'] / whole['got']:.1f} %",
            length,
        )
        for row, length in zip(rows, lengths([row["seconds"] for row in rows], unit), strict=True)
    ]
    heads = ("class", *genders, "clips", "share", unit)
    return _aligned([heads, *cells], set(range(1, len(heads))))


def _partition_table(by_what: Mapping[str, Sequence[Row]]) -> list[str]:
    """Return a line per part of the official partition: what takes part, what was read, what is published."""
    taking_part = {row["value"]: row for row in by_what.get("split", [])}
    read = {row["value"]: row for row in by_what.get("partition", [])}
    parts = sorted({*taking_part, *read}, key=in_order)
    if not parts:
        return []
    (whole,) = by_what["utterances"]
    unit = unit_of(whole["seconds"])
    told = lengths([taking_part[part]["seconds"] if part in taking_part else 0.0 for part in parts], unit)
    cells = [
        (
            part,
            f"{taking_part[part]['got']:,}" if part in taking_part else "0",
            length,
            f"{read[part]['got']:,}" if part in read else "",
            f"{int(read[part]['published']):,}" if part in read and read[part]["verdict"] else "",
        )
        for part, length in zip(parts, told, strict=True)
    ]
    return ["", *_aligned([("part", "clips", unit, "read", "published"), *cells], {1, 2, 3, 4})]


def _setting(what: str, rows: Sequence[Row]) -> str:
    counts = {row["value"]: row["got"] for row in rows}
    return _listed(counts) if len(counts) <= SHOWN else many(len(counts.keys() - {NOT_KNOWN}), what)


def _speakers(rows: Sequence[Row]) -> str:
    counts = [row["got"] for row in rows if row["value"] != NOT_KNOWN]
    unknown = sum(row["got"] for row in rows if row["value"] == NOT_KNOWN)
    told = []
    if counts:
        spread = f"{min(counts):,} to {max(counts):,} clips, median {statistics.median(counts):,.0f}"
        told.append(f"{len(counts):,} with {spread if min(counts) < max(counts) else many(counts[0], 'clip')}")
    if unknown:
        told.append(f"{many(unknown, 'clip')} of speakers not known")
    return "; ".join(told)


def _rejects(rows: Sequence[Row], width: int) -> list[str]:
    kinds = {row["value"]: row["got"] for row in rows if ": " not in row["value"]}
    if not kinds:
        return [_paragraph("left out", "nothing", width, 11)]
    text = [_paragraph("left out", f"{sum(kinds.values()):,}", width, 11)]
    for kind, count in kinds.items():
        reasons = {row["value"]: row["got"] for row in rows if row["value"].startswith(f"{kind}: ")}
        most = sorted(reasons, key=lambda reason: (-reasons[reason], reason))
        words = _listed({reason.removeprefix(f"{kind}: "): reasons[reason] for reason in most})
        text.append(_paragraph(f"  {kind}", f"{count:,}: {words}", width, 11))
    return text


# Lines

NO_BREAK = "\N{NO-BREAK SPACE}"


def _yes_or_no(said: bool) -> str:
    return "yes" if said else "no"


def _listed(counts: Mapping[str, int]) -> str:
    """Return values with their counts; no line ends between the two."""
    return ", ".join(f"{value}{NO_BREAK}{count:,}" for value, count in counts.items())


def _paragraph(word: str, text: str, width: int, indent: int) -> str:
    """Return a word and, beside it, a text in lines that the terminal holds."""
    lines = textwrap.wrap(text, max(width - indent, 20), break_long_words=False, break_on_hyphens=False)
    beside = [f"{word:<{indent}}", *[" " * indent] * (len(lines) - 1)]
    return "\n".join(map("".join, zip(beside, lines, strict=True))).replace(NO_BREAK, " ")


def _aligned(rows: Sequence[Sequence[str]], right: set[int]) -> list[str]:
    """Return rows of cells as lines, with columns as wide as their longest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
