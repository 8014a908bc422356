"""The command line says what it did as it was asked: names of files in full, and a mistake before it works for long."""

from __future__ import annotations

import errno
from pathlib import Path
from types import ModuleType
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

import experiments.__main__
from reportgen import __main__, growth, measure
from reportgen.__main__ import app
from reportgen.bench import Figure
from reportgen.errors import ReportError


def said(*arguments: str) -> str:
    """What a command that ends well writes, on lines as wide as they get."""
    done = CliRunner().invoke(app, [*arguments], env={"COLUMNS": "500"})
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("main", [__main__, experiments.__main__])
def test_what_the_system_refuses_of_a_file_is_a_sentence_and_what_has_no_file_a_defect(
    main: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = PermissionError(errno.EACCES, "Permission denied", "build/reportgen.lock")
    monkeypatch.setattr(main, "app", Mock(side_effect=problem))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("error: build/reportgen.lock: Permission denied. See that")
    monkeypatch.setattr(main, "app", Mock(side_effect=OSError(errno.EIO, "Input/output error")))
    with pytest.raises(OSError, match="Input/output"):
        main.main()


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (__main__, ("build", "--results", "")),
        (__main__, ("build", "--site=")),
        (experiments.__main__, ("run", "--data", "")),
        (experiments.__main__, ("run", "0", "--data", "sample", "--results", "")),
        (experiments.__main__, ("features", "--records=")),
    ],
)
def test_an_empty_value_stands_for_nothing(
    main: ModuleType, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder of that name would be the one in which the command is given; images that are named replace records."""
    monkeypatch.setattr(main, "app", Mock(side_effect=AssertionError("the command is begun")))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    monkeypatch.setattr("sys.argv", ["reportgen", *words])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    option = next(word for word in words[::-1] if word.startswith("--")).removesuffix("=")
    assert capsys.readouterr().err.startswith(f"error: There is an empty value behind {option}, ")


@pytest.mark.parametrize("folder", ["o [bold] t/s[1]", "x[/y]/s"])
def test_a_folder_whose_name_looks_like_markup_is_told_as_it_is(small_report: Path, folder: str) -> None:
    site = small_report / folder
    assert f" s: {folder}/\n" in said("build", "--root", str(small_report), "--site", str(site))
    assert (site / "en" / "index.html").is_file()


def test_a_page_whose_name_looks_like_markup_is_told_as_it_is(small_report: Path) -> None:
    assert "written: docs/es/a[b].md\n" in said("chapter", "first", "a[b].md", "--root", str(small_report))


def test_a_selector_that_looks_like_markup_is_told_as_it_is(
    small_report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = "1: image-alt (img[src=a.png])"
    monkeypatch.setattr(measure, "figures", lambda _: [Figure("pages [bold]", found, "none [/]", True)])
    assert said("measure", "--root", str(small_report)) == f"pages [bold]: {found}; limit: none [/]\n"


@pytest.mark.parametrize(
    ("figure", "complaint"),
    [
        ("docs", "docs: expected a file to write to, found a folder."),
        ("mkdocs.yml/a.svg", "mkdocs.yml: expected a fol"),
    ],
)
def test_a_figure_that_could_not_be_written_is_refused_before_anything_is_measured(
    small_report: Path, monkeypatch: pytest.MonkeyPatch, figure: str, complaint: str
) -> None:
    monkeypatch.setattr(growth, "measure", lambda _: pytest.fail("measured"))
    done = CliRunner().invoke(app, ["bench", "--root", str(small_report), "--figure", str(small_report / figure)])
    assert isinstance(done.exception, ReportError)
    assert str(done.exception).startswith(str(small_report / complaint))
