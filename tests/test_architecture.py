"""The rules of the house, held against the syntax of every module rather than against good intentions."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REPORTGEN = sorted((ROOT / "reportgen").rglob("*.py"))
EXPERIMENTS = sorted((ROOT / "experiments").rglob("*.py"))
PROJECTS = sorted((ROOT / "experiments" / "projects").glob("p[0-9]*.py"))

HEAVY = {"cv2", "jax", "keras", "pyarrow", "tensorflow", "torch"}
"""What only training needs."""
SHARED = {
    "reportgen.bench",
    "reportgen.record",
    "reportgen.pretraining",
    "reportgen.features",
    "reportgen.plot",
    "reportgen.fingerprint",
    "reportgen.errors",
    "reportgen.checkout",
}
"""What the experiments may use of the generator: the formats they write and what reads their state, the figures that a
run leaves, the errors that a user sees, and what asks git."""
FITTING = {"train.py", "pretrain.py", "comparison/training.py"}
"""A project's run, the pretraining of its weights, and the bench, which fits beside a run to compare."""
IN_A_BROWSER = {"browser", "measure", "pdf"}
"""The generator's modules that need a browser, and say so where there is none."""
PARTICULAR = re.compile(r"cifar|keras|tensorflow|vgg|\bp\d\d_[a-z]", re.IGNORECASE)
"""Words of this one report."""


def named(paths: list[Path]) -> list[object]:
    return [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in paths]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> set[str]:
    """Every module that a file imports, at its top or inside a function, by its full name."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports here are absolute, so that rules can read them"
            module = node.module or ""
            # `from package import module` and `from module import name` read alike; a file tells them apart.
            for alias in node.names:
                inside = ROOT.joinpath(*module.split("."), alias.name)
                is_module = inside.with_suffix(".py").is_file() or (inside / "__init__.py").is_file()
                found.add(f"{module}.{alias.name}" if is_module else module)
    return found


def packages(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """Line and last name of everything that a file calls."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            function = node.func
            yield node.lineno, function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def spoken(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every name and string of a file, without comments and docstrings: those may give examples."""
    prose = {
        id(node.value)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


def test_there_is_something_to_hold_to_the_rules() -> None:
    assert len(REPORTGEN) > 5 and len(EXPERIMENTS) > 5 and PROJECTS


@pytest.mark.parametrize("path", named(REPORTGEN))
def test_the_generator_imports_neither_the_experiments_nor_what_trains(path: Path) -> None:
    assert not packages(path) & ({"experiments"} | HEAVY)


@pytest.mark.parametrize("path", named(EXPERIMENTS))
def test_the_experiments_use_of_the_generator_only_what_is_shared(path: Path) -> None:
    used = {name for name in imported(path) if name.partition(".")[0] == "reportgen"}
    assert used <= SHARED


def test_the_noxfile_imports_neither_package() -> None:
    assert not packages(ROOT / "noxfile.py") & {"reportgen", "experiments"}


@pytest.mark.parametrize("path", named(REPORTGEN))
def test_the_generator_has_no_word_of_this_one_report_in_its_code(path: Path) -> None:
    found = [f"{path.name}:{line}: {text!r}" for line, text in spoken(path) if PARTICULAR.search(text)]
    assert not found


@pytest.mark.parametrize(
    "path",
    named(
        sorted(
            path
            for path in (ROOT / "reportgen").rglob("*")
            if path.is_file() and path.suffix not in {".py", ".pyc", ".png", ".woff2"}
        )
    ),
)
def test_the_generator_has_no_word_of_this_one_report_in_its_templates_and_catalogues(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not [f"{path.name}:{number}: {line}" for number, line in enumerate(lines, 1) if PARTICULAR.search(line)]


@pytest.mark.parametrize("path", named(PROJECTS))
def test_a_project_declares_and_never_trains(path: Path) -> None:
    allowed = {"experiments.project", "experiments.projects"}
    own = {name for name in imported(path) if name.partition(".")[0] in {"experiments", "reportgen"}}
    assert {name for name in own if name not in allowed and not name.startswith("experiments.projects.")} == set()
    assert not [call for call in calls(path) if call[1] in {"fit", "compile", "evaluate", "predict", "open"}]


@pytest.mark.parametrize(
    "path", named([p for p in EXPERIMENTS if p.relative_to(ROOT / "experiments").as_posix() not in FITTING])
)
def test_only_training_and_pretraining_fit_and_only_the_bench_fits_beside_them(path: Path) -> None:
    assert not [line for line, name in calls(path) if name == "fit"]


PURE = {"charts", "check", "facts", "fingerprint", "language", "parity", "plot", "prose", "report", "source"}


@pytest.mark.parametrize("path", named([p for p in REPORTGEN if p.stem in PURE]))
def test_what_reads_decides_and_draws_writes_no_file(path: Path) -> None:
    writing = {"write_text", "write_bytes", "mkdir", "makedirs", "rmtree", "copyfile", "copytree", "unlink", "rename"}
    assert not [call for call in calls(path) if call[1] in writing]


@cache
def distributions() -> Mapping[str, list[str]]:
    """What every importable package was installed by; told once, for it reads the files of all that is installed."""
    return packages_distributions()


def spelt(name: str) -> str:
    """The name of a distribution as every spelling of it is compared."""
    return name.lower().replace("_", "-")


def foreign(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Every package of others that a file imports, and by what it may have been installed."""
    for package in packages(path) - set(sys.stdlib_module_names) - {"reportgen", "experiments"}:
        yield package, set(map(spelt, distributions().get(package, [package])))


@pytest.mark.parametrize("path", named(REPORTGEN))
def test_everything_that_the_generator_imports_is_in_the_lock_file_of_the_site(path: Path) -> None:
    # What needs a browser says so where there is none; everything else must do with what builds the site.
    name = "browser.txt" if path.stem in IN_A_BROWSER else "docs.txt"
    lock = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    locked = set(map(spelt, re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)))
    for package, owners in foreign(path):
        assert owners & locked, f"{path.name} imports {package}, which requirements/{name} does not install"


@pytest.mark.parametrize("path", named(REPORTGEN + EXPERIMENTS))
def test_everything_that_a_module_imports_is_declared_and_not_only_what_something_else_needs(path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"] if path in EXPERIMENTS else {}
    if path in REPORTGEN and path.stem in IN_A_BROWSER:
        extras = {"browser": project["optional-dependencies"]["browser"]}
    declared = {
        spelt(re.split(r"[<>=!~;\[ ]", requirement)[0])
        for requirement in [*project["dependencies"], *(one for extra in extras.values() for one in extra)]
    }
    for package, owners in foreign(path):
        assert owners & declared, f"{path.name} imports {package}, which pyproject.toml does not declare"


@pytest.mark.parametrize("package", ["reportgen", "experiments"])
def test_a_command_starts_without_what_trains(package: str) -> None:
    """`list` and `status` answer at once; the site builds where no such package is installed."""
    program = f"import sys, {package}.__main__; print(*sorted({HEAVY - {'pyarrow'}!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
