"""What Jinja compiled is used again, until the page or what compiles it changes."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from reportgen import compiled


def rendered(root: Path, text: str) -> str:
    return (
        Environment(loader=DictLoader({"page": text}), bytecode_cache=compiled.kept(root)).get_template("page").render()
    )


def test_a_page_is_compiled_once_and_anew_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rendered(tmp_path, "{{ 1 + 1 }}") == "2"
    with monkeypatch.context() as patched:
        patched.delattr(Environment, "compile")
        assert rendered(tmp_path, "{{ 1 + 1 }}") == "2"
    assert rendered(tmp_path, "{{ 1 + 2 }}") == "3"


def test_other_code_compiles_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled.kept(tmp_path)
    monkeypatch.setattr(compiled, "COMPILING", ("edition.py",))
    compiled.kept(tmp_path)
    assert len(list((tmp_path / "build" / "jinja").iterdir())) == 2


def folders(root: Path) -> int:
    """How many caches there are, after one was asked for."""
    compiled.kept(root)
    return len([*(root / "build" / "jinja").iterdir()])


@pytest.mark.parametrize("library", ["jinja2", "mkdocs"])
def test_another_version_of_a_library_compiles_for_itself(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folders(tmp_path) == folders(tmp_path) == 1
    monkeypatch.setattr("reportgen.compiled.version", lambda name: "another" if name == library else version(name))
    assert folders(tmp_path) == 2


@pytest.mark.parametrize("name", compiled.COMPILING)
def test_a_module_that_changed_compiles_for_itself(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folders(tmp_path) == 1
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda file: b"another" if file.name == name else read(file))
    assert folders(tmp_path) == 2
