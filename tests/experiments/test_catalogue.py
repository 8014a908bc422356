"""Which projects there are, found by the names that a user gives, and what is said of one that is no good."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import experiments
import experiments.projects
from experiments import catalogue
from reportgen.errors import ReportError

ROOT = Path(__file__).resolve().parents[2]
GOOD = """
from experiments.project import Project, Training

def network(image_size):
    raise NotImplementedError

PROJECT = Project(network=network, training=Training(batch_size=64, early_stopping=()))
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Writes a project's file into a folder in which there is none else."""
    folder = tmp_path / "experiments" / "projects"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.setattr(catalogue, "FOLDER", folder)
    monkeypatch.setattr(catalogue, "ROOT", tmp_path)
    monkeypatch.setattr(experiments.projects, "__path__", [str(folder)])

    def write(stem: str, text: str = GOOD, encoding: str = "utf-8") -> None:
        (folder / f"{stem}.py").write_text(text, encoding=encoding)
        monkeypatch.delitem(sys.modules, f"experiments.projects.{stem}", raising=False)

    return write


def test_a_project_is_found_by_its_identifier_its_number_and_its_name(write: Callable[..., None]) -> None:
    for stem in ("p90_base", "p91_wider_still"):
        write(stem)
    assert catalogue.identifiers() == ("p90_base", "p91_wider_still")
    for word in ("p91_wider_still", "p91", "91", "wider_still"):
        assert catalogue.resolve(word) == "p91_wider_still"
    assert catalogue.load("p90_base").training.batch_size == 64
    with pytest.raises(ReportError, match=r"Unknown project 'p91_wider'\. Did you mean p91_wider_still\?"):
        catalogue.resolve("p91_wider")


@pytest.mark.project("p00_base")
def test_a_repository_that_is_reached_through_a_link_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(ROOT, target_is_directory=True)
    program = "from experiments import environment, job; environment.commit(); print(*job.sources('p00_base'))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "link")},
        capture_output=True,
        text=True,
    )
    assert "experiments/projects/p00_base.py" in done.stdout.split(), done.stderr


def test_a_number_of_two_projects_means_neither(write: Callable[..., None]) -> None:
    for stem in ("p00_another", "p00_mine"):
        write(stem)
    with pytest.raises(ReportError, match=r"'0' may be p00_another or p00_mine: name one of them"):
        catalogue.resolve("0")
    assert catalogue.resolve("p00_mine") == catalogue.resolve("mine") == "p00_mine"


@pytest.mark.parametrize("stem", ["mine", "p3_three", "p100_x", "p02_wider-net", "p02_größer", "P04_x", "p02_a.b"])
def test_a_file_that_is_called_otherwise_is_told_before_anything_trains(write: Callable[..., None], stem: str) -> None:
    write("p90_base")
    write(stem)
    with pytest.raises(ReportError, match=rf"experiments/projects/{stem}\.py: expected a name such as p00_mine\.py"):
        catalogue.identifiers()


def test_without_any_project_there_is_nothing_to_do_and_that_is_said(write: Callable[..., None]) -> None:
    with pytest.raises(ReportError, match=r"There is no project: expected a file such as experiments/projects"):
        catalogue.identifiers()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1\0", r"p92_bad\.py: SyntaxError: source code string cannot contain null bytes"),
        ("# -*- coding: none -*-", r"p92_bad\.py: unknown encoding: none"),
        ("import ast\nast.parse('x = (1')", r"p92_bad\.py, line 2: SyntaxError: '\(' was never closed"),
        ("x = (1", r"p92_bad\.py, line 1: '\(' was never closed"),
        (GOOD.replace("64", "size"), r"p92_bad\.py, line 7: NameError: name 'size' is not defined"),
        (GOOD.replace("64", "0"), r"line 7: Training: batch_size: found 0, expected greater than or equal to 1"),
        (GOOD.replace("64", "'64'"), r"line 7: Training: batch_size: found '64', expected a whole number"),
        (GOOD.replace("batch_size=64", "epoch=3"), r"line 7: Training: batch_size is missing, and epoch unknown"),
        ("from experiments.projects.p91_gone import PROJECT", r"line 1: ModuleNotFoundError: No module named"),
        ("import math\nimport kears", r"p92_bad\.py, line 2: ModuleNotFoundError: No module named 'kears'"),
        ("from keras import Sequentiall", r"line 1: ImportError: cannot import name 'Sequentiall'"),
        (GOOD.replace("()))", "()), image_size=0)"), r"line 7: Project: image_size is 0, expected a whole number"),
        (
            GOOD.replace("()))", "()), image_size=32.0)"),
            r"line 7: Project: image_size is 32\.0, expected a whole number",
        ),
        (
            GOOD.replace("()))", "()),\n    pixel_scaling='1/256',\n)"),
            r"line 8: Project: pixel_scaling is '1/256', expected '1/255' or 'BGR - ImageNet mean'\.",
        ),
        (
            GOOD.replace("()))", "()),\n    weights='imagnet',\n)"),
            r"line 8: Project: weights is 'imagnet', expected None or 'random' or 'imagenet'\.",
        ),
        (
            GOOD.replace("training=Training(", "training=dict("),
            r"line 7: Project: training is \{'batch_size': 64.*expected T",
        ),
        (
            GOOD.replace("network=network", "network='p'"),
            r"line 7: Project: network is 'p', expected a function that takes",
        ),
        (GOOD.replace("()))", "()), prepare=5)"), r"line 7: Project: prepare is 5, expected a function, or None"),
        (f"{GOOD}object.__setattr__(PROJECT, 'weights', 'own.h5')", r"line 7: Project: weights is 'own\.h5'"),
        ("import sys\nsys.exit()", r"p92_bad\.py, line 2: SystemExit"),
        ("", r"p92_bad\.py: expected a line `PROJECT = Project\(\.\.\.\)`, found none\. CONTRIBUTING"),
        ("PROJECT = 1", r"p92_bad\.py: expected a line `PROJECT = Project\(\.\.\.\)`, found int"),
    ],
)
def test_what_is_wrong_with_a_project_is_told_with_its_file_and_line(
    write: Callable[..., None], text: str, complaint: str
) -> None:
    write("p92_bad", text)
    with pytest.raises(ReportError, match=rf"^experiments/projects/.*{complaint}"):
        catalogue.load("p92_bad")


def test_a_mistake_in_a_file_beside_the_projects_is_told_with_the_name_of_that_file(
    write: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(tmp_path / "experiments")])
    (tmp_path / "experiments" / "blocks.py").write_text("import math\nx = (1")
    write("p92_bad", "from experiments.blocks import x")
    with pytest.raises(ReportError, match=r"^experiments/blocks\.py, line 2: '\(' was never closed\.$"):
        catalogue.load("p92_bad")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(GOOD, "utf-8"), (GOOD, "utf-8-sig"), (f"# -*- coding: latin-1 -*-\n{GOOD}", "latin-1")],
)
def test_a_project_that_python_can_read_has_its_sentence_however_it_was_saved(
    text: str, encoding: str, write: Callable[..., None]
) -> None:
    write("p93_good", text.replace("from experiments", '"""Ein größeres Netz."""\nfrom experiments', 1), encoding)
    assert catalogue.load("p93_good").image_size == 32
    assert catalogue.summary("p93_good") == "Ein größeres Netz."


def test_what_the_study_did_not_try_is_not_among_what_it_tried(write: Callable[..., None]) -> None:
    write("p90_base")
    write("p91_ours", GOOD.replace("()))", "()), of_the_study=False)"))
    assert catalogue.studied() == ("p90_base",)
    assert catalogue.summary("p90_base") == "", "a script may be without a sentence"


def test_the_first_project_is_found_by_each_of_its_numbers(write: Callable[..., None]) -> None:
    write("p00_mine")
    assert {catalogue.resolve(word) for word in ("p00_mine", "p00", "00", "0", "mine")} == {"p00_mine"}


@pytest.mark.parametrize(
    ("backend", "missing", "left"),
    [
        (None, "keras", True),
        (None, "cv2", True),
        (None, "tensorflow", True),
        (None, "jaxlib", False),
        ("jax", "jaxlib", True),
        ("jax", "tensorflow", False),
    ],
)
def test_a_package_that_an_extra_brings_is_no_mistake_of_the_script_which_needs_it(
    backend: str | None, missing: str, left: bool, write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`main` says how to install it; one that belongs to another backend is the script's own affair."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if backend:
        monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setitem(sys.modules, missing, None)  # as if it were not installed
    write("p92_bad", f"import {missing}")
    with pytest.raises(ModuleNotFoundError if left else ReportError, match=missing):
        catalogue.load("p92_bad")


def test_a_command_that_is_asked_to_end_while_it_reads_a_script_ends(write: Callable[..., None]) -> None:
    """A script that ends the process itself is a mistake; 143 is how `kill` ends one."""
    write("p92_bad", "import sys\nsys.exit(143)")
    with pytest.raises(SystemExit):
        catalogue.load("p92_bad")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            GOOD.replace("()))", "()), image_size=True)"),
            r"line 7: Project: image_size is True, expected a whole number",
        ),
        (
            GOOD.replace("\nPROJECT", "\nnetwork.layers = ()\nPROJECT"),
            r"line 8: Project: network is <function .*without",
        ),
        (f"PROJECT = None\n{GOOD}".replace("()))", "()), prepare=5)"), r"line 8: Project: prepare is 5, expected"),
        (GOOD.replace("()))", f"()), weights='{'x ' * 50}')"), r"Project: weights is 'x x x [x ]{,60}…, expected"),
    ],
)
def test_a_project_that_only_looks_sound_is_told_with_its_line(
    text: str, complaint: str, write: Callable[..., None]
) -> None:
    """A truth for a number, a model for what builds one, an earlier `PROJECT`, and a value that would fill a screen."""
    write("p92_bad", text)
    with pytest.raises(ReportError, match=complaint):
        catalogue.load("p92_bad")


def test_images_of_a_single_pixel_are_images(write: Callable[..., None]) -> None:
    write("p90_base", GOOD.replace("()))", "()), image_size=1)"))
    assert catalogue.load("p90_base").image_size == 1


def test_a_mistake_in_a_file_outside_the_repository_is_told_with_its_whole_path(
    write: Callable[..., None], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere: Path = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "blocks_of_mine.py").write_text("x = (1")
    monkeypatch.syspath_prepend(elsewhere)
    write("p92_bad", "from blocks_of_mine import x")
    with pytest.raises(ReportError) as told:
        catalogue.load("p92_bad")
    assert str(told.value).startswith(f"{elsewhere / 'blocks_of_mine.py'}, line 1: ")
