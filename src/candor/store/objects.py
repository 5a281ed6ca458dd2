"""Members named by the hash of their bytes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from blake3 import blake3

from candor.runtime import Explained
from candor.store.ledger import Ledger, write_whole

Result = TypeVar("Result")


class StoreError(Explained, RuntimeError):
    """A member of the store is missing or not what its name says."""


def digest(data: bytes | memoryview, *more: bytes) -> str:
    """Return the hash that names things in the store: BLAKE3 with 32 bytes, as hexadecimal digits."""
    state = blake3(data)
    for part in more:
        state.update(part)
    return state.hexdigest()


class Store:
    """A folder of members that never change.

    A member's name is the hash of its bytes and a suffix, so the same bytes are kept once whoever puts them
    there, and damage shows on reading. Several jobs and several projects may use one store at the same time.

    Parameters
    ----------
    root
        The folder; made when it is first written to.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        # As text: members are many, and joining paths takes longer than what is done with them.
        self._incoming = os.path.join(root, "incoming")
        self._objects = os.path.join(root, "objects")

    def path(self, member: str) -> Path:
        """Return where `member` lies."""
        return Path(self._place(member))

    def _place(self, member: str) -> str:
        return f"{self._objects}/{member[:2]}/{member}"

    def put(self, data: bytes | memoryview, suffix: str) -> str:
        """Keep `data`; return its name.

        A member that is there already is left alone if it is whole and replaced if it is not. There is no
        flush to the disk: a member that a power cut leaves half-written is found out by its name.
        """
        member = digest(data) + suffix
        place = self._place(member)
        if not self._same(place, data):
            # All are begun in one folder: file systems make new files faster there than in many.
            incoming = self._incoming
            descriptor, temporary = _with_folder(incoming, lambda: tempfile.mkstemp(dir=incoming, suffix=".part"))
            try:
                with open(descriptor, "wb") as handle:  # buffered: it writes all or raises, as on a full disk
                    handle.write(data)
                    # A member is linked to from elsewhere and must not be edited there.
                    os.fchmod(handle.fileno(), 0o444)
                _with_folder(os.path.dirname(place), lambda: os.replace(temporary, place))
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        return member

    def read(self, member: str) -> bytes:
        """Return the bytes of `member`; refuse a damaged one."""
        try:
            data = self.path(member).read_bytes()
        except FileNotFoundError:
            raise StoreError(self._advice(member, "is missing")) from None
        if digest(data) != member.partition(".")[0]:
            raise StoreError(self._advice(member, "is damaged"))
        return data

    def check(self, member: str) -> None:
        """Refuse a member that is missing or damaged, without holding it in memory."""
        try:
            found = blake3().update_mmap(self._place(member)).hexdigest()
        except FileNotFoundError:
            raise StoreError(self._advice(member, "is missing")) from None
        if found != member.partition(".")[0]:
            raise StoreError(self._advice(member, "is damaged"))

    def intact(self, member: str) -> bool:
        """Tell whether `member` is there and whole."""
        try:
            self.check(member)
        except StoreError:
            return False
        return True

    def ledger(self, kind: str) -> Ledger:
        """Return the record of what was made of what, for one kind of members."""
        return Ledger(self.root / "ledgers" / kind)

    def link(self, member: str, target: str | os.PathLike[str]) -> None:
        """Let `target` show `member`, without a second copy where the file system can do that."""
        place, target = self._place(member), os.fspath(target)
        folder = os.path.dirname(target)
        try:
            _with_folder(folder, lambda: self._link_over(place, target))
        except FileNotFoundError:
            if os.path.exists(place):
                raise
            raise StoreError(self._advice(member, "is missing")) from None
        except OSError:  # another file system, or one without links
            if os.path.lexists(target):
                os.unlink(target)
            _with_folder(folder, lambda: os.symlink(os.path.realpath(place), target))

    def _link_over(self, place: str, target: str) -> None:
        """Link to `place`, over what `target` shows now."""
        try:
            os.link(place, target)
        except FileExistsError:
            if os.path.exists(target) and os.path.samefile(place, target):
                return
            # Swapped in whole. The new link waits in the store, so that a kill leaves nothing in the results.
            temporary = f"{self._incoming}/{os.getpid()}-{os.path.basename(target)}.part"
            _with_folder(self._incoming, lambda: os.link(place, temporary))
            try:
                os.replace(temporary, target)
            finally:
                Path(temporary).unlink(missing_ok=True)

    def note_use(self, name: str, members: Iterable[str]) -> None:
        """Note which members a job uses, so that a clean-up spares them while no index lists them.

        Parameters
        ----------
        name
            What uses them; a later note of the same name takes the place of this one.
        members
            Their names.
        """
        write_whole(self.root / "uses" / digest(name.encode())[:16], "".join(f"{m}\n" for m in dict.fromkeys(members)))

    @staticmethod
    def _same(place: str, data: bytes | memoryview) -> bool:
        try:
            return os.stat(place).st_size == len(data) and Path(place).read_bytes() == data
        except FileNotFoundError:
            return False

    def _advice(self, member: str, state: str) -> str:
        return (
            f"store: {self.path(member)} {state}. Run `candor store verify --repair --store {self.root}` "
            "and the same snakemake command again: only this member is made anew"
        )


def _with_folder(folder: str, act: Callable[[], Result]) -> Result:
    """Do something in a folder that is nearly always there already; make it only when it is not."""
    try:
        return act()
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
        return act()
