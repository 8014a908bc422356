"""What Jinja compiled is used again, until the page or what compiles it changes."""

from __future__ import annotations

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
