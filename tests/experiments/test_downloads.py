"""What Keras downloads is fetched and read by one process at a time."""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from experiments import __main__, data, downloads, vgg16
from reportgen.errors import ReportError
from tests.experiments.command_line import said


@pytest.mark.parametrize("home", ["cache/keras", "a file/keras"])
@pytest.mark.cifar10
def test_no_two_at_once_use_what_keras_downloads(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras unpacks its archive anew each time; where its folder cannot be written to, it has another."""
    (tmp_path / "a file").touch()
    inside = threading.Semaphore(1)

    def used(*_: object) -> None:
        assert inside.acquire(blocking=False), "another is at it"
        time.sleep(0.05)
        inside.release()

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / home))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(data, "load", used)
    monkeypatch.setattr(vgg16, "imagenet", used)
    with ThreadPoolExecutor(4) as pool:
        asked: list[Future[Any]] = [pool.submit(downloads.images, "keras") for _ in range(2)]
        asked += [pool.submit(downloads.weights) for _ in range(2)]
    for one in asked:
        one.result()


def test_other_images_wait_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "none"))
    assert downloads.images("sample").name == "sample"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("setting", "value"),
    [("CLASSES", (*data.CIFAR10, "moon")), ("CLASSES", tuple("0123456789")), ("SIDE", 28)],
)
def test_keras_s_images_are_not_taken_for_those_of_a_report_of_others(
    setting: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its networks have an output for each of theirs, and would learn CIFAR-10 under their names."""
    monkeypatch.setattr(data, setting, value)
    monkeypatch.setattr(data, "load", lambda source: pytest.fail("nothing is fetched"))
    with pytest.raises(ReportError, match=r"are CIFAR-10's, and CLASSES or SIDE in .* speak of others"):
        downloads.images("keras")


def test_a_report_of_others_takes_its_own_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "CLASSES", tuple("0123456789"))
    loaded: list[str] = []
    monkeypatch.setattr(data, "load", loaded.append)
    for source in ("sample", "my images"):
        downloads.images(source)
    assert loaded == ["sample", "my images"]


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("CLASSES", (0, 1, 2), r"CLASSES is \(0, 1, 2\), expected a tuple of at least two different names"),
        ("CLASSES", "abc", r"CLASSES is 'abc', expected a tuple"),
        ("CLASSES", ("a", "a", "c"), r"CLASSES is \('a', 'a', 'c'\), expected a tuple"),
        ("CLASSES", ("a",), r"CLASSES is \('a',\), expected a tuple"),
        ("CLASSES", ("a", " "), r"CLASSES is \('a', ' '\), expected a tuple"),
        ("CLASSES", (), r"CLASSES is \(\), expected a tuple"),
        ("CLASSES", None, r"CLASSES is None, expected a tuple"),
        ("SIDE", "64", "SIDE is '64', expected a whole number from 1 on"),
        ("SIDE", (64, 64), r"SIDE is \(64, 64\), expected a whole number"),
        ("SIDE", 0, "SIDE is 0, expected a whole number"),
        ("SIDE", 32.0, "SIDE is 32.0, expected a whole number"),
        ("SIDE", True, "SIDE is True, expected a whole number"),
    ],
)
def test_classes_and_a_size_that_no_images_have_are_told_with_their_file_by_every_command(
    setting: str, value: object, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, setting, value)
    with pytest.raises(ReportError, match=rf"^experiments/data\.py: {told}"):
        downloads.refuse_unsound_images()
    monkeypatch.setattr(__main__, "app", lambda: pytest.fail("the command is begun"))
    status, _, complaints = said("declare")
    assert (status, complaints[:21]) == (1, "error: experiments/da")


@pytest.mark.parametrize("classes", [("cat", "dog"), ["cat", "dog"], tuple(map(str, range(1_000)))])
def test_classes_of_any_names_are_sound(classes: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "CLASSES", classes)
    monkeypatch.setattr(data, "SIDE", 1)
    downloads.refuse_unsound_images()
