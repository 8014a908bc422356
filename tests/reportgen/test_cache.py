"""A chart that was drawn before is read again, and never instead of another."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from reportgen import cache, plot
from reportgen.cache import Cache, kept
from reportgen.charts import curves
from reportgen.fingerprint import dependencies
from reportgen.language import Language, language
from reportgen.plot import draw
from tests.synthetic import record

ROOT = Path(__file__).resolve().parents[2]
ENGLISH, SPANISH = language("en"), language("es")


@pytest.mark.parametrize("words", [ENGLISH, SPANISH], ids=lambda words: words.code)
def test_a_chart_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: Language) -> None:
    kept = Cache(tmp_path / "build" / "charts")
    drawing = curves([record()], words)
    first = kept.svg(drawing, words)
    assert first == draw(drawing, words)
    monkeypatch.delattr(plot, "draw")
    assert kept.svg(curves([record()], words), words) == first


def test_what_a_power_cut_left_empty_is_drawn_again(tmp_path: Path) -> None:
    kept = Cache(tmp_path)
    drawing = curves([record()], ENGLISH)
    first = kept.svg(drawing, ENGLISH)
    (file,) = tmp_path.iterdir()
    file.write_text("")
    assert kept.svg(drawing, ENGLISH) == first
    assert file.read_text() == first


def test_another_number_language_word_or_program_is_drawn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Cache(tmp_path)
    drawing = curves([record()], ENGLISH)
    kept.svg(drawing, ENGLISH)
    kept.svg(curves([record(length=8)], ENGLISH), ENGLISH)
    kept.svg(drawing, SPANISH)
    kept.svg(drawing, replace(ENGLISH, _translate=str.upper))
    monkeypatch.setattr(cache, "code", lambda *_: "another version")
    kept.svg(drawing, ENGLISH)
    assert len(list(tmp_path.iterdir())) == 5


def test_all_code_that_draws_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a record is and what an error says decide nothing of a chart's looks."""
    with monkeypatch.context() as patched:
        patched.setattr("reportgen.fingerprint.GENERATOR", "another")
        drawing = {Path(file).name for file in dependencies(["reportgen/plot.py"], ROOT)}
    assert drawing - {"record.py", "errors.py"} == set(cache.CODE)


def fill(folder: Path) -> str:
    """What one of several builds does."""
    return Cache(folder).svg(curves([record()], ENGLISH), ENGLISH)


def test_builds_at_the_same_time_get_whole_charts(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        found = list(pool.map(fill, [tmp_path] * 4))
    assert set(found) == {draw(curves([record()], ENGLISH), ENGLISH)}
    assert [file.suffix for file in tmp_path.iterdir()] == [".svg"], "and nothing half-written is left"


@pytest.mark.parametrize("library", cache.LIBRARIES)
def test_charts_of_another_version_of_a_library_are_drawn_anew(
    library: str, code_anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cache.code(cache.CODE, cache.LIBRARIES)
    cache.code.cache_clear()
    monkeypatch.setattr("reportgen.cache.version", lambda name: "another" if name == library else version(name))
    assert cache.code(cache.CODE, cache.LIBRARIES) != before


@pytest.mark.parametrize("name", cache.CODE)
def test_charts_of_a_module_that_changed_are_drawn_anew(
    name: str, code_anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cache.code(cache.CODE, cache.LIBRARIES)
    cache.code.cache_clear()
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda file: b"another" if file.name == name else read(file))
    assert cache.code(cache.CODE, cache.LIBRARIES) != before


def test_nobody_finds_a_file_before_it_is_whole_and_none_stays_of_what_could_not_be_made(tmp_path: Path) -> None:
    file = tmp_path / "charts" / "one.svg"

    def make() -> bytes:
        assert not file.exists()
        return b"whole"

    assert kept(file, make).read_bytes() == b"whole"
    with pytest.raises(ZeroDivisionError):
        kept(tmp_path / "charts" / "two.svg", lambda: bytes([1 // 0]))
    assert [*file.parent.iterdir()] == [file]
