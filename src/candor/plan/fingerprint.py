"""A fingerprint of the code that a job really reaches.

Snakemake does not notice an edit in an imported module, and takes a mere touch of a script for a change. So
each rule passes this fingerprint as a parameter: the script and every module of this package that it imports,
directly or through others, as syntax trees without comments and docstrings. Two modules are left out, because
results cannot depend on them: `candor.config` (scripts get plain values) and `candor.runtime` (logging,
progress, processes). The members of a registry are loaded by name; a rule names the one that it uses.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from candor.tables.base import atomic

PACKAGE = "candor"
LEFT_OUT = ("candor.config", "candor.runtime")


def fingerprint(script: Path, source: Path, loaded: Iterable[str] = (), cache: Path | None = None) -> str:
    """Return the fingerprint of a script and all that it reaches.

    Parameters
    ----------
    script
        The script of a rule.
    source
        The folder that holds the package.
    loaded
        Modules that are loaded by name, such as the one reader of a corpus.
    cache
        A file that remembers what is in which module, so that a later start need not parse it again.
    """
    memory = _memory_of(cache)
    state = blake2b(_facts_of(script, _stamp(script), cache).digest.encode(), digest_size=16)
    for module in sorted(reached(script, source, loaded, cache)):
        state.update(module.encode())
        path = _path_of(module, source)
        if path is not None:
            state.update(_facts_of(path, _stamp(path), cache).digest.encode())
    memory.save()
    return state.hexdigest()


def reached(script: Path, source: Path, loaded: Iterable[str] = (), cache: Path | None = None) -> set[str]:
    """Return the modules of the package that a script reaches."""
    for module in loaded:
        if _path_of(module, source) is None:
            raise ValueError(f"there is no module {module} to take a fingerprint of")
    todo = [*_facts_of(script, _stamp(script), cache).imports, *loaded]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        path = _path_of(name, source)
        if path is None:  # `from module import name`: the name of a function, not of a module
            name = name.rpartition(".")[0]
            path = _path_of(name, source) if name else None
        if path is None or name in found or _left_out(name):
            continue
        found.add(name)
        parent = name.rpartition(".")[0]
        todo += [parent] if parent else []
        todo += _facts_of(path, _stamp(path), cache).imports
    return found


def _left_out(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in LEFT_OUT)


def _path_of(module: str, source: Path) -> Path | None:
    base = source.joinpath(*module.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


class Facts(NamedTuple):
    """What a file of code imports of this package, and a hash of its code."""

    imports: tuple[str, ...]
    digest: str


class _Memory:
    """Facts by the hash of a file's bytes, in a file that may be lost at any time."""

    def __init__(self, file: Path | None) -> None:
        self._file, self._fresh = file, False
        # What other code made of the same bytes is not believed.
        self._key = blake2b(Path(__file__).read_bytes(), digest_size=16).hexdigest()
        self.facts: dict[str, Facts] = {}
        try:
            kept = json.loads(file.read_text(encoding="utf-8")) if file else {}
            if kept.get("made_by") == self._key:
                self.facts = {name: Facts(tuple(imports), digest) for name, (imports, digest) in kept["facts"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass

    def put(self, name: str, facts: Facts) -> None:
        self.facts[name] = facts
        self._fresh = True

    def save(self) -> None:
        """Write what is new; a folder that cannot be written to does without."""
        if not self._fresh or self._file is None:
            return
        self._fresh = False
        with contextlib.suppress(OSError), atomic(self._file) as handle:
            json.dump({"made_by": self._key, "facts": self.facts}, handle)


@functools.cache
def _memory_of(file: Path | None) -> _Memory:
    return _Memory(file)


@functools.cache
def _facts_of(path: Path, stamp: tuple[int, int], cache: Path | None) -> Facts:
    del stamp  # only there to read a file again that has changed
    content = path.read_bytes()
    name, memory = blake2b(content, digest_size=16).hexdigest(), _memory_of(cache)
    if name not in memory.facts:
        tree = ast.parse(content, filename=str(path))
        code = "".join(_dump(tree)).encode()
        memory.put(name, Facts(_imports_in(tree, path), blake2b(code, digest_size=16).hexdigest()))
    return memory.facts[name]


def _imports_in(tree: ast.Module, path: Path) -> tuple[str, ...]:
    """Return the names of this package's modules that a file imports, and of functions in them."""
    found: list[str] = []
    for node in _running_code(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level or not node.module:
                raise ValueError(f"{path}: relative imports are not followed; name the module in full")
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(name for name in found if name.split(".")[0] == PACKAGE)


def _running_code(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, leaving out what only type checkers look at."""
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            todo += node.orelse
        else:
            todo += ast.iter_child_nodes(node)


def _dump(node: object) -> Iterator[str]:
    """Write a tree down the same way under every version of Python: fields that are empty are left out."""
    if isinstance(node, list):
        for item in node:
            yield from _dump(item)
            yield ","
    elif isinstance(node, ast.AST):
        yield f"{type(node).__name__}("
        for name, value in ast.iter_fields(node):
            if name == "body" and isinstance(value, list):
                value = [statement for statement in value if not _is_prose(statement)]
            if value is not None and value != []:
                yield f"{name}="
                yield from _dump(value)
                yield ";"
        yield ")"
    else:
        yield f"{type(node).__name__}:{node!r}"


def _is_prose(statement: object) -> bool:
    """Tell whether a statement is a string on its own: the docstring of a module, class, function or constant."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
