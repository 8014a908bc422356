"""Which projects there are: the files in `experiments/projects/`, found by the names that a user gives."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from textwrap import shorten
from typing import get_args

from experiments.environment import BACKENDS, ROOT, chosen_backend
from experiments.project import Project, Training
from experiments.scaling import Scaling
from reportgen.errors import ReportError, asked_to_end, nearest, place, told

FOLDER = ROOT / "experiments" / "projects"
"""Where the projects stand, one file each."""
NAME = re.compile(r"p\d\d_[a-z0-9_]+")
"""How a project's file is called, without its ending: its number gives it its place."""
EXAMPLE = "p00_mine.py"
EXTRA = ("keras", "cv2", "pyarrow")
"""What the extra `experiments` brings beside that, as it is imported; the site does without."""
STARTS = (None, "random", "imagenet")
"""What the VGG16 layers of a project may start from; a file is named with `--vgg16-weights`, whatever is declared."""


def identifiers() -> tuple[str, ...]:
    """Every project's identifier, which is the name of its file, in the order of their numbers.

    Raises:
        ReportError: there is none, or a file is called in another way.
    """
    stems = sorted(file.stem for file in FOLDER.glob("*.py") if file.name != "__init__.py")
    if misnamed := [stem for stem in stems if not NAME.fullmatch(stem)]:
        raise ReportError(
            f"{_shown(misnamed[0])}: expected a name such as {EXAMPLE}: p, two digits, and then small letters without "
            "accents, digits and underscores. Rename the file, or move what is no project elsewhere."
        )
    if not stems:
        raise ReportError(f"There is no project: expected a file such as {_shown(EXAMPLE.removesuffix('.py'))}.")
    return tuple(stems)


def studied() -> tuple[str, ...]:
    """The identifiers of the projects that the study tried."""
    return tuple(identifier for identifier in identifiers() if load(identifier).of_the_study)


def resolve(word: str) -> str:
    """The identifier that a user means by `word`: itself, its number (`0`, `00`, `p00`), or its name (`base`).

    Raises:
        ReportError: no project is called so, or several are; the message names the nearest one and lists all.
    """
    known = identifiers()
    meant = [one for one in known if word == one] or [one for one in known if word in _names(one)]
    if len(meant) > 1:
        raise ReportError(f"{word!r} may be {' or '.join(meant)}: name one of them.")
    if meant:
        return meant[0]
    near = nearest(word, known, cutoff=0.4)
    hint = f" Did you mean {near}?" if near else ""
    raise ReportError(f"Unknown project {word!r}.{hint} The projects are: {', '.join(known)}.")


def _names(identifier: str) -> tuple[str, ...]:
    number, _, name = identifier.partition("_")
    return number, number[1:], str(int(number[1:])), name


def load(identifier: str) -> Project:
    """The declaration in a project's file.

    Raises:
        ReportError: the file is no Python that runs, declares no `PROJECT`, or one with a part that is not what it
            should be, such as images of no size; with file and line.
    """
    try:
        module = importlib.import_module(f"experiments.projects.{identifier}")
    except ModuleNotFoundError as problem:
        if problem.name in brought():
            raise  # `main` says how to install it
        raise _broken(identifier, problem) from problem
    except (Exception, SystemExit) as problem:
        if asked_to_end(problem):
            raise
        raise _broken(identifier, problem) from problem
    project = getattr(module, "PROJECT", None)
    if not isinstance(project, Project):
        found = "none" if project is None else type(project).__name__
        raise ReportError(
            f"{_shown(identifier)}: expected a line `PROJECT = Project(...)`, found {found}. "
            "CONTRIBUTING.md has an example."
        )
    _check(project, identifier)
    return project


def brought() -> tuple[str, ...]:
    """What the extras of this repository bring under the backend that was chosen, as it is imported."""
    return (*EXTRA, *BACKENDS.get(chosen_backend(), ()))


def _check(project: Project, identifier: str) -> None:
    """Refuse what a `Project` takes as it is written, and what training would silently take for something else.

    Raises:
        ReportError: the network, the training or what prepares it are not what they should be, an image size is no
            size, a scaling of pixels is unknown, or weights are.
    """
    size, network = project.image_size, project.network
    sound = {
        # A Keras model can be called, too.
        "network": (
            callable(network) and not hasattr(network, "layers"),
            "a function that takes the side of the images and returns a keras.Model, without brackets behind its name",
        ),
        "training": (isinstance(project.training, Training), "Training(…)"),
        "prepare": (project.prepare is None or callable(project.prepare), "a function, or None"),
        "image_size": (isinstance(size, int) and not isinstance(size, bool) and size >= 1, "a whole number from 1 on"),
        "pixel_scaling": (project.pixel_scaling in get_args(Scaling), " or ".join(map(repr, get_args(Scaling)))),
        "weights": (project.weights in STARTS, " or ".join(map(repr, STARTS))),
    }
    for field, (is_sound, expected) in sound.items():
        if not is_sound:
            raise ReportError(
                f"{_shown(identifier)}{_line(identifier, field)}: Project: {field} is "
                f"{shorten(repr(getattr(project, field)), 60, placeholder='…')}, expected {expected}."
            )


def _line(identifier: str, field: str) -> str:
    """Where a project's file gives `field` its value, or else declares its `PROJECT`; empty where it does neither."""
    for statement in reversed(ast.parse(script(identifier).read_bytes()).body):
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "PROJECT":
            given = (node for node in ast.walk(statement) if isinstance(node, ast.keyword) and node.arg == field)
            return f", line {next(given, statement).lineno}"
    return ""


def _broken(identifier: str, problem: BaseException) -> ReportError:
    """What is wrong in a project's file, or in one that it builds on."""
    # Where a file holds a null byte, Python does not say which, only who imports it.
    if isinstance(problem, SyntaxError) and (file := Path(problem.filename or "")).is_file():
        shown = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else str(file)
        line = f", line {problem.lineno}" if problem.lineno else ""  # an unknown encoding has none
        return ReportError(f"{shown}{line}: {problem.msg}.")
    return ReportError(f"{place(problem, FOLDER, ROOT) or _shown(identifier)}: {told(problem)}")


def script(identifier: str) -> Path:
    """The file of a project."""
    return FOLDER / f"{identifier}.py"


def summary(identifier: str) -> str:
    """The first line of a project's docstring: what it tries, in a sentence."""
    docstring = ast.get_docstring(ast.parse(script(identifier).read_bytes()))
    return (docstring or "").partition("\n")[0]


def _shown(stem: str) -> str:
    return f"experiments/projects/{stem}.py"
