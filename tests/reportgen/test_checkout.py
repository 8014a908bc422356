"""What git says of a real checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reportgen.checkout import git, ignored, refuse_outside, refuse_uncommitted, run, uncommitted
from reportgen.errors import ReportError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("ignored\n", encoding="utf-8")
    return tmp_path


def test_a_command_answers_with_what_it_prints_and_with_none_where_it_fails(repository: Path) -> None:
    assert git(repository, "symbolic-ref", "--short", "HEAD") == "main"
    assert git(repository, "rev-parse", "nothing") is None
    assert "unknown revision" in run(repository, "rev-parse", "nothing").stderr


def test_a_folder_outside_of_a_checkout_is_told_apart_from_a_machine_without_git(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_outside(repository, "so that it matters")
    outside = tmp_path_factory.mktemp("outside")
    with pytest.raises(ReportError, match=rf"^{outside}: not a git checkout, so that it matters\.$"):
        refuse_outside(outside, "so that it matters")
    monkeypatch.setenv("PATH", str(outside))
    with pytest.raises(ReportError, match=r"^There is no program called git .*, so that it matters\. Install git"):
        refuse_outside(repository, "so that it matters")


def test_a_checkout_that_git_refuses_is_told_in_git_s_words(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("HOME", str(repository))  # where nobody has called it safe
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    said = r"git refuses it, so that it matters\. It says: fatal: .*dubious ownership"
    with pytest.raises(ReportError, match=rf"^{repository}: {said}"):
        refuse_outside(repository, "so that it matters")


def test_git_is_read_as_the_utf8_that_it_speaks_whatever_the_locale(repository: Path) -> None:
    subprocess.run(["git", "remote", "add", "origin", "../josé/remote.git"], cwd=repository, check=True)
    program = "from pathlib import Path; from reportgen.checkout import git; " + (
        "print(ascii(git(Path(), 'remote', 'get-url', 'origin')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=repository,
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == (f"{'../josé/remote.git'!a}\n", "")


def test_what_is_not_committed_is_listed_and_what_is_ignored_is_not(repository: Path) -> None:
    (repository / "ignored").write_text("", encoding="utf-8")
    (repository / "a b.txt").write_text("", encoding="utf-8")
    assert uncommitted(repository) == [".gitignore", '"a b.txt"']
    assert ignored(repository, repository) == ["ignored"]
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    who = ("-c", "user.name=N", "-c", "user.email=n@example.org")
    subprocess.run(["git", *who, "commit", "-qm", "all"], cwd=repository, check=True)
    assert uncommitted(repository) == []


def test_outside_of_a_checkout_git_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git(tmp_path, "status") is None
    with pytest.raises(ReportError, match="git cannot say what is not committed: fatal: not a git repository"):
        uncommitted(tmp_path)


def test_a_machine_without_git_says_nothing_either(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert git(repository, "status") is None


def test_only_what_is_ignored_in_that_folder_is_told_and_the_first_of_what_is_uncommitted(repository: Path) -> None:
    for name in ("a", "b"):
        (repository / name).mkdir()
        for file in ("ignored", "draft"):
            (repository / name / file).write_text("", encoding="utf-8")
    assert ignored(repository, repository / "a") == ["a/ignored"]
    with pytest.raises(ReportError, match=r"uncommitted changes: 3 \(first: \.gitignore\)\. Commit or stash them, as"):
        refuse_uncommitted(repository, ", as one should")
