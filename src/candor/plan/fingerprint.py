"""A fingerprint of the code that a job really reaches.

Snakemake does not notice an edit in an imported module, and takes a mere touch of a script for a change. So
each rule passes this fingerprint as a parameter: the script and every module of this package that it imports,
directly or through others, as syntax trees without comments and docstrings. Two modules are left out, because
results cannot depend on them: `candor.config` (scripts get plain values) and `candor.runtime` (logging,
progress, processes). The members of a registry are loaded by name; a rule names the one that it uses.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

PACKAGE = "candor"
LEFT_OUT = ("candor.config", "candor.runtime")


def fingerprint(script: Path, source: Path, loaded: Iterable[str] = ()) -> str:
    """Return the fingerprint of a script and all that it reaches.

    Parameters
    ----------
    script
        The script of a rule.
    source
        The folder that holds the package.
    loaded
        Modules that are loaded by name, such as the one reader of a corpus.
    """
    state = blake2b(_code_of(script, _stamp(script)), digest_size=16)
    for module in sorted(reached(script, source, loaded)):
        state.update(module.encode())
        path = _path_of(module, source)
        if path is not None:
            state.update(_code_of(path, _stamp(path)))
    return state.hexdigest()


def reached(script: Path, source: Path, loaded: Iterable[str] = ()) -> set[str]:
    """Return the modules of the package that a script reaches."""
    for module in loaded:
        if _path_of(module, source) is None:
            raise ValueError(f"there is no module {module} to take a fingerprint of")
    todo = [*_imports_of(script, _stamp(script)), *loaded]
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
        todo += _imports_of(path, _stamp(path))
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


@functools.cache
def _tree_of(path: Path, stamp: tuple[int, int]) -> ast.Module:
    del stamp  # only there to read a file again that has changed
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@functools.cache
def _imports_of(path: Path, stamp: tuple[int, int]) -> tuple[str, ...]:
    """Return the names of this package's modules that a file imports, and of functions in them."""
    found: list[str] = []
    for node in _running_code(_tree_of(path, stamp)):
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


@functools.cache
def _code_of(path: Path, stamp: tuple[int, int]) -> bytes:
    """Return a file's syntax tree as text, without comments, docstrings and places."""
    return "".join(_dump(_tree_of(path, stamp))).encode()


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
