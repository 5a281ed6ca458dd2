"""Check a store and free what nothing points to any more."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from candor.runtime import Progress
from candor.store.ledger import write_whole
from candor.store.objects import Store, StoreError, digest
from candor.tables.audio import AudioIndex
from candor.tables.features import FeatureIndex, FrameIndex


@dataclass
class Findings:
    """What `verify` saw: how many members are whole, which are damaged or missing, who needs those."""

    whole: int = 0
    damaged: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    indexes: list[Path] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.damaged or self.missing)


@dataclass
class Freed:
    """What `collect_garbage` removed, or would remove."""

    members: int = 0
    unfinished: int = 0
    size: int = 0
    kept: int = 0


def register(store: Store, project: Path) -> None:
    """Note that `project` keeps members in `store`, so that a clean-up asks its indexes."""
    place = str(project.resolve())
    note = store.root / "projects" / digest(place.encode())[:16]
    if not note.exists():
        write_whole(note, place + "\n")


def projects(store: Store) -> list[Path]:
    """Return the projects that keep members in `store`."""
    found = []
    for note in sorted((store.root / "projects").glob("*")):
        place = Path(note.read_text(encoding="utf-8").strip())
        if not place.is_absolute():
            raise StoreError(f"store: {note} names no project; write the project's full path into it, or delete it")
        found.append(place)
    return found


def forget(store: Store, project: Path) -> None:
    """Strike `project` off the store's list."""
    (store.root / "projects" / digest(str(project.resolve()).encode())[:16]).unlink(missing_ok=True)


def verify(store: Store, *, repair: bool = False) -> Findings:
    """Read every member and compare it with its name.

    Parameters
    ----------
    store
        The store.
    repair
        Remove damaged members, and the indexes that list damaged or missing ones; the next run of the
        workflow makes those members anew, and no others. A clean-up meanwhile spares the others.
    """
    findings = Findings()
    members = list(_members(store))
    with Progress(len(members), "verify", "member") as progress:
        for member in members:
            if store.intact(member):
                findings.whole += 1
            else:
                findings.damaged.append(member)
            progress.advance()
    present = set(members) - set(findings.damaged)
    for index in _indexes(projects(store)):
        needed = set(_members_of(index))
        absent = needed - present
        if absent:
            findings.indexes.append(index)
            findings.missing += sorted(absent - set(findings.damaged) - set(findings.missing))
    if repair:
        for member in findings.damaged:
            store.path(member).unlink(missing_ok=True)
        for index in findings.indexes:
            store.note_use(f"repair of {index}", _members_of(index))
            index.unlink(missing_ok=True)
    return findings


def collect_garbage(store: Store, *, days: float, dry: bool) -> Freed:
    """Remove members that no index of a registered project lists, and what killed jobs left unfinished.

    Parameters
    ----------
    store
        The store.
    days
        Members that were made or used within so many days are kept: a job may be about to list them, or an
        index of theirs may be missing only because its rule is to run again.
    dry
        Only count.

    Raises
    ------
    StoreError
        When a registered project cannot be reached: its indexes might list anything.
    """
    away = [str(project) for project in projects(store) if not project.is_dir()]
    if away:
        raise StoreError(
            f"store: cannot see {', '.join(away)}, which uses this store. "
            "Mount it, or strike it off with `candor store gc --forget PATH`"
        )
    live = {member for index in _indexes(projects(store)) for member in _members_of(index)}
    freed = Freed()
    young = time.time() - days * 86400
    for note in sorted((store.root / "uses").glob("[!.]*")):
        if note.stat().st_mtime > young:
            live.update(note.read_text(encoding="utf-8").split())
        elif not dry:
            note.unlink(missing_ok=True)
    for part in sorted((store.root / "incoming").glob("*.part")):
        try:
            status = part.stat()
        except FileNotFoundError:  # finished meanwhile
            continue
        if status.st_ctime < young:  # of a link, the time it was made; its mtime is the member's
            freed.unfinished += 1
            freed.size += status.st_size
            if not dry:
                part.unlink(missing_ok=True)
    gone: set[str] = set()
    for member in _members(store):
        path = store.path(member)
        status = path.stat()
        if member in live or status.st_mtime > young:
            freed.kept += 1
            continue
        freed.members += 1
        freed.size += status.st_size
        gone.add(member)
        if not dry:
            path.unlink(missing_ok=True)
    if not dry:
        for folder in sorted((store.root / "ledgers").glob("*")):
            store.ledger(folder.name).compact(lambda _, value: value.split(" ")[0] not in gone)
    return freed


def _members(store: Store) -> Iterator[str]:
    for path in sorted((store.root / "objects").glob("??/*")):
        if not path.name.startswith("."):
            yield path.name


def _indexes(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        for table in (AudioIndex, FeatureIndex, FrameIndex):
            yield from sorted(root.glob(re.sub(r"{\w+}", "*", table.path)))


def _members_of(index: Path) -> Iterator[str]:
    with index.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield row["member"]
