"""Is this record still what the sources say? Fingerprints of code that ignore comments, layout and docstrings.

A fingerprint is a SHA-256 over a file's syntax tree, written in a form of our own: `ast.dump` changes from one Python
to the next (new fields appear, empty ones are left out), and a record must not go stale because somebody upgraded.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

from reportgen.errors import ReportError
from reportgen.record import Confirmation, Record

PACKAGE = "__init__.py"
"""What runs where a package is imported, or anything in it."""
GENERATOR = __name__.partition(".")[0]
"""The package of this program."""
State = Literal["up to date", "unconfirmed"]
"""What can be told without training: nothing changed, or something did and nobody has shown yet that it is harmless."""


@lru_cache(maxsize=256)  # the records of one report share most of their sources
def fingerprint(source: str | bytes) -> str:
    """The SHA-256 of what `source` does: unchanged by comments, layout and docstrings, equal on every Python from 3.11.

    Letters newer than Unicode 14, which the oldest of these knows, are the exception: a Python writes those that it
    does not know as numbers.

    Raises:
        SyntaxError: `source` is not Python.
    """
    digest = hashlib.sha256()
    for token in _tokens(_parsed(source)):
        digest.update(token.encode() + b"\0")
    return digest.hexdigest()


def _parsed(source: str | bytes) -> ast.Module:
    """The syntax tree of `source`.

    Raises:
        SyntaxError: it is not Python.
    """
    try:
        return ast.parse(source)
    except ValueError as problem:  # how Pythons before 3.11.4 tell of a null byte
        raise SyntaxError(str(problem)) from problem


def _tokens(node: object) -> Iterator[str]:
    """A node as a prefix-free sequence: kind, then each field that is set, then an end mark."""
    if isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        docstring = _docstring(node)
        for field, value in sorted(ast.iter_fields(node)):
            if isinstance(node, ast.JoinedStr):
                # Python 3.12.1 ends a format such as {x:{width}} with a text of no letters.
                value = [part for part in value if not (isinstance(part, ast.Constant) and part.value == "")]
            # `kind` tells u"" from "", `type_ignores` are comments; empty fields come and go between Pythons.
            if value is None or value == [] or field in ("kind", "type_ignores"):
                continue
            yield f".{field}"
            yield from _tokens(
                [item for item in value if item is not docstring] if field == "body" and docstring else value
            )
        yield ")"
    elif isinstance(node, list):
        yield "["
        for item in node:
            yield from _tokens(item)
        yield "]"
    else:
        yield f"{type(node).__name__}:{node!r}"


def _docstring(node: ast.AST) -> ast.stmt | None:
    """The statement that is the docstring of a module, class or function."""
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    return None if ast.get_docstring(node, clean=False) is None else node.body[0]


def fingerprints(files: Iterable[str], root: Path) -> dict[str, str]:
    """The fingerprint of each of `files` (paths relative to `root`), those that are missing or broken left out."""
    found = {}
    for file in sorted(files):
        try:
            found[file] = fingerprint((root / file).read_bytes())
        except (FileNotFoundError, SyntaxError):
            continue
    return found


def dependencies(entries: Iterable[str], root: Path) -> tuple[str, ...]:
    """`entries` and every file below `root` that they import from there, directly or not, relative to it, sorted.

    Those of this generator do not count: they compute nothing that is recorded.

    Imports under `if TYPE_CHECKING:` do not run and do not count. The `__init__.py` of a package counts if it does
    anything.

    Raises:
        ReportError: a file is not Python, or imports something by its place and not by its whole name.
    """
    seen: set[str] = set()
    idle: set[str] = set()
    waiting = list(entries)
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        try:
            tree = _parsed((root / file).read_bytes())
        except SyntaxError as problem:
            line = f", line {problem.lineno}" if problem.lineno else ""  # a null byte has none
            raise ReportError(f"{file}{line}: not valid Python ({problem.msg}).") from problem
        if Path(file).name == PACKAGE and not tree.body[1 if _docstring(tree) else 0 :]:
            idle.add(file)
        waiting += [found for name in _imports(tree, file) for found in _files_of(name, root)]
    return tuple(sorted(seen - idle))


def _imports(node: ast.AST, file: str) -> Iterator[str]:
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        for other in node.orelse:
            yield from _imports(other, file)
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        if node.level or not node.module:
            # Not followed, and so never among the sources that make a record stale.
            raise ReportError(
                f"{file}, line {node.lineno}: found `{ast.unparse(node)}`, and imports here are absolute: expected the "
                "name of the module as a whole, from its package on."
            )
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, file)


def _files_of(name: str, root: Path) -> Iterator[str]:
    """What runs where `name` is imported: the packages around it, from the outermost on, and its own file."""
    if name.partition(".")[0] == GENERATOR:
        return
    for path in itertools.accumulate(name.split("."), "{}/{}".format):
        file = next((file for file in (f"{path}/{PACKAGE}", f"{path}.py") if (root / file).is_file()), None)
        if file:
            yield file


def changed(record: Record, confirmations: Sequence[Confirmation], root: Path) -> tuple[str, ...]:
    """The files that differ from those of the record and of each of its confirmations, by the closest of them."""
    known: list[Mapping[str, str]] = [record.sources, *(confirmation.sources for confirmation in confirmations)]
    now = fingerprints({file for sources in known for file in sources}, root)
    differences = [tuple(file for file in sorted(sources) if now.get(file) != sources[file]) for sources in known]
    return min(differences, key=len)


def state(record: Record, confirmations: Sequence[Confirmation], root: Path) -> State:
    """Whether the record, or one of its confirmations, was made by today's sources."""
    return "unconfirmed" if changed(record, confirmations, root) else "up to date"


def remedy(record: Record, root: Path) -> str | None:
    """What to type when the sources of `record` changed: it repeats the run's canary, and confirms or refuses.

    None where the script of the run is gone, so that nothing can be repeated.
    """
    return f"python -m experiments replay {record.project}" if (root / record.script).is_file() else None
