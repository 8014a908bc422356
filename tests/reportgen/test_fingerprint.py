"""Fingerprints follow what code does, not how it looks, on every Python."""

from __future__ import annotations

import ast
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reportgen.errors import ReportError
from reportgen.fingerprint import changed, dependencies, fingerprint, fingerprints, remedy, state
from tests.synthetic import confirmation, record

SOURCE = '''
"""A module."""
import math

def area(radius: float, *, unit: str = "m") -> str:
    """Of a circle."""
    # the formula
    return f"{math.pi * radius ** 2:.2f} {unit}²"

class Shape:
    sides: int = 4
    label = "it's" 'joined'
'''
GOLDEN = "7608bd7959eb49a8d557cafae69e5203f41ab93fb00c1e97efdf3786f3a30193"
NESTED = 'f"{x:>{width}.{digits}} {x:{width}}{x:}"'
NESTED_GOLDEN = "9c7a076fbfeb82e44f1e9c929cb2071663d2fa3a1b90ffd2b5cbc887e46c8717"
ROOT = Path(__file__).resolve().parents[2]


def test_comments_layout_and_docstrings_change_nothing() -> None:
    bare = SOURCE.replace('"""A module."""', "").replace('    """Of a circle."""\n', "").replace("# the formula", "")
    assert fingerprint(bare.replace("radius: float, *", "radius: float,  *")) == fingerprint(SOURCE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("** 2", "** 3"),
        ('"m"', '"cm"'),
        ("sides: int = 4", "sides: int = 5"),
        (".2f", ".3f"),
        ("math.pi * radius", "radius * math.pi"),
    ],
)
def test_a_change_of_what_the_code_does_changes_the_fingerprint(before: str, after: str) -> None:
    assert fingerprint(SOURCE.replace(before, after)) != fingerprint(SOURCE)


def test_a_text_that_is_not_a_docstring_counts() -> None:
    assert fingerprint("x = 'a'") != fingerprint("x = 'b'")
    assert fingerprint("def f():\n    'a'\n    return 1") == fingerprint("def f():\n    return 1")


def test_a_file_that_is_no_program_has_no_fingerprint(tmp_path: Path) -> None:
    for name, content in (("a.py", b"a = 1"), ("broken.py", b"a ="), ("latin.py", "a = 'año'".encode("latin-1"))):
        (tmp_path / name).write_bytes(content)
    assert fingerprints(["a.py", "broken.py", "gone.py", "latin.py"], tmp_path) == {"a.py": fingerprint("a = 1")}


@pytest.mark.parametrize("kind", [SyntaxError, ValueError])
def test_a_file_with_a_null_byte_is_no_program_however_a_python_says_so(
    kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = ast.parse

    def told(source: str | bytes, *more: Any) -> Any:
        if source == b"a = 1\0":
            raise kind("source code string cannot contain null bytes")
        return parse(source, *more)

    (tmp_path / "a.py").write_bytes(b"a = 1\0")
    monkeypatch.setattr(ast, "parse", told)
    assert fingerprints(["a.py"], tmp_path) == {}
    with pytest.raises(ReportError, match=r"^a\.py: not valid Python \(source code string cannot contain null bytes\)"):
        dependencies(["a.py"], tmp_path)


def test_a_program_that_names_its_encoding_has_the_fingerprint_of_its_letters(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("# -*- coding: latin-1 -*-\na = 'año'", encoding="latin-1")
    assert fingerprints(["a.py"], tmp_path) == {"a.py": fingerprint("a = 'año'")}
    assert dependencies(["a.py"], tmp_path) == ("a.py",)
    (tmp_path / "b.py").write_text("a = 'año'", encoding="latin-1")
    with pytest.raises(ReportError, match=r"^b\.py, line 1: not valid Python"):
        dependencies(["b.py"], tmp_path)


def test_the_mark_that_some_editors_put_before_a_text_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1", encoding="utf-8-sig")
    assert fingerprints(["a.py"], tmp_path) == {"a.py": fingerprint("a = 1")}
    assert dependencies(["a.py"], tmp_path) == ("a.py",)


def test_the_fingerprint_is_this_one_on_every_python() -> None:
    """A golden value: committed records hold such fingerprints, and must not go stale with a new Python."""
    assert fingerprint(SOURCE) == GOLDEN
    assert fingerprint(NESTED) == NESTED_GOLDEN


def test_a_text_of_no_letters_at_the_end_of_a_format_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.12.1 sees one where others see none."""
    tree = ast.parse(NESTED)
    for node in [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]:
        node.values.append(ast.Constant(""))
    with monkeypatch.context() as there:
        there.setattr(ast, "parse", lambda _: tree)
        found = fingerprint.__wrapped__(NESTED)
    assert found == NESTED_GOLDEN


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_every_python_at_hand_agrees(version: str) -> None:
    """`record.py` needs pydantic, which another Python lacks: the module's own functions are enough."""
    found = shutil.which(f"python{version}")
    if not found or subprocess.run([found, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"there is no Python {version} on this machine")
    text = (ROOT / "reportgen" / "fingerprint.py").read_text(encoding="utf-8")
    alone = "\n".join(line for line in text.splitlines() if not line.startswith("from reportgen"))
    program = f"import sys; exec({alone!r}); print(fingerprint(sys.stdin.read()))"
    for source, golden in ((SOURCE, GOLDEN), (NESTED, NESTED_GOLDEN)):
        done = subprocess.run([found, "-c", program], input=source, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == golden


def test_the_dependencies_are_followed_and_type_checking_is_not(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text(
        "from typing import TYPE_CHECKING\nfrom pkg import b\nimport os\nif TYPE_CHECKING:\n    import pkg.d\n"
        "else:\n    import pkg.e\n"
    )
    (package / "b.py").write_text("def f():\n    from pkg.c import x\n    return x\n")
    (package / "c.py").write_text("x = 1\n")
    (package / "d.py").write_text("y = 1\n")
    (package / "e.py").write_text("y = 2\n")
    assert dependencies(["pkg/a.py"], tmp_path) == ("pkg/a.py", "pkg/b.py", "pkg/c.py", "pkg/e.py")


def test_modules_beside_the_package_are_followed_and_this_generator_is_not(tmp_path: Path) -> None:
    for file, text in {
        "pkg/a.py": "import mylayers\nfrom blocks.wide import x\nimport json\nfrom reportgen.record import Record\n",
        "mylayers.py": "import myconstants\n",
        "myconstants.py": "rate = 2.0\n",
        "blocks/wide.py": "x = 1\n",
        "reportgen/record.py": "Record = object\n",
    }.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    assert dependencies(["pkg/a.py"], tmp_path) == ("blocks/wide.py", "myconstants.py", "mylayers.py", "pkg/a.py")


@pytest.mark.parametrize("line", ["from pkg.models import build", "from pkg import models", "import pkg.models.deep"])
def test_a_package_is_followed_where_it_does_anything(tmp_path: Path, line: str) -> None:
    models = tmp_path / "pkg" / "models"
    models.mkdir(parents=True)
    (tmp_path / "pkg" / "__init__.py").write_text('"""Only says what it is."""\n')
    (tmp_path / "pkg" / "a.py").write_text(f"{line}\n")
    (models / "__init__.py").write_text("from pkg.models.deep import build\n")
    (models / "deep.py").write_text("def build(): ...\n")
    found = ("pkg/a.py", "pkg/models/__init__.py", "pkg/models/deep.py")
    assert dependencies(["pkg/a.py"], tmp_path) == found


@pytest.mark.parametrize(
    "line", ["from .p00_base import PROJECT as BASE", "from . import p00_base", "from .. import b"]
)
def test_an_import_that_names_no_package_is_refused_for_its_file_would_make_no_record_stale(
    tmp_path: Path, line: str
) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "a.py").write_text(f"import os\n{line}\n")
    with pytest.raises(ReportError, match=rf"^pkg/a\.py, line 2: found `{line}`, and imports here are absolute"):
        dependencies(["pkg/a.py"], tmp_path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 0", "x = False"),
        ("x = 0", "x = 0.0"),
        ("x = ''", "x = b''"),
        ("x = 0", "x = None"),
        ("f(a, *b)", "f(*b, a)"),
    ],
)
def test_what_counts_for_nothing_in_a_condition_counts(before: str, after: str) -> None:
    assert fingerprint(before) != fingerprint(after)


@pytest.mark.parametrize("head", ["class A", "def f()", "async def f()"])
def test_docstrings_of_every_kind_and_old_prefixes_change_nothing(head: str) -> None:
    assert fingerprint(f"{head}:\n    'One.'\n    x = 1") == fingerprint(f"{head}:\n    x = 1")
    assert fingerprint("x = u'a'") == fingerprint("x = 'a'")


def test_a_record_is_held_against_its_own_sources_and_each_confirmation_and_the_closest_tells(tmp_path: Path) -> None:
    files = {"scripts/a.py": "a = 1", "scripts/b.py": "b = 1", "scripts/c.py": "c = 1"}
    (tmp_path / "scripts").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    now = {name: fingerprint(text) for name, text in files.items()}
    old = fingerprint("old")
    run = record(script="scripts/a.py", sources={**now, "scripts/c.py": old, "scripts/a.py": old})
    one = confirmation(1, sources={**now, "scripts/b.py": old})
    far = confirmation(2, sources=dict.fromkeys(now, old))
    assert changed(run, (), tmp_path) == ("scripts/a.py", "scripts/c.py")
    assert changed(run, (one, far), tmp_path) == ("scripts/b.py",)
    assert state(run, (one, far), tmp_path) == "unconfirmed"
    assert state(run, (one, confirmation(3, sources=now), far), tmp_path) == "up to date"
    (tmp_path / "scripts" / "d.py").write_text("d = 1")
    more = confirmation(4, sources={**now, "scripts/d.py": fingerprint("d = 1")})
    assert changed(run, (more,), tmp_path) == (), "which took parts from one more script"
    assert remedy(run, tmp_path) == "python -m experiments replay p00_base"
    (tmp_path / "scripts" / "a.py").unlink()
    assert (
        changed(run, (confirmation(3, sources=now),), tmp_path) == ("scripts/a.py",) and remedy(run, tmp_path) is None
    )


def test_a_package_that_is_named_almost_like_this_generator_is_followed_and_a_circle_ends(tmp_path: Path) -> None:
    (tmp_path / "reportgenerics.py").write_text("import a\n")
    (tmp_path / "a.py").write_text("import reportgenerics\n")
    assert dependencies(["a.py"], tmp_path) == ("a.py", "reportgenerics.py")
