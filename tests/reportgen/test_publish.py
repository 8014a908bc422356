"""Publishing, with real git and a bare repository for a remote."""

from __future__ import annotations

import os
import re
import subprocess
from functools import partial
from pathlib import Path

import ghp_import
import pytest
from typer.testing import CliRunner

from reportgen import report as reports
from reportgen import source, translations
from reportgen.__main__ import app
from reportgen.errors import ReportError
from reportgen.publish import prepare, publish, site_url
from tests.conftest import SECTIONS


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    folder = tmp_path / "remote.git"
    folder.mkdir()
    git(folder, "init", "--quiet", "--bare")
    return folder


@pytest.fixture
def checkout(tmp_path: Path, remote: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.name", "A reader")
    git(folder, "config", "user.email", "reader@example.org")
    git(folder, "config", "commit.gpgsign", "false")
    git(folder, "remote", "add", "origin", str(remote))
    (folder / ".gitignore").write_text("/site/\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "The sources")
    return folder


@pytest.fixture
def site(checkout: Path) -> Path:
    folder = checkout / "site"
    (folder / "en").mkdir(parents=True)
    (folder / ".nojekyll").touch()
    (folder / "index.html").write_text("the root")
    (folder / "en" / "index.html").write_text("62.56% in English")
    return folder


def added(remote: Path, other: Path, branch: str, name: str, text: str) -> None:
    """A commit of somebody else's, from the checkout `other`, that gives a file of the branch a new text."""
    git(remote, "init", "--quiet", "--initial-branch", branch, str(other))
    if git(remote, "branch", "--list", branch):
        git(other, "pull", "--quiet", str(remote), branch)
    (other / name).write_text(text)
    git(other, "add", name)
    git(other, "-c", "user.name=B", "-c", "user.email=b@example.org", "commit", "--quiet", "--message", "Elsewhere")
    git(other, "push", "--quiet", str(remote), branch)


def files(remote: Path) -> list[str]:
    return git(remote, "ls-tree", "-r", "--name-only", "gh-pages").splitlines()


def test_the_first_time_makes_the_branch_with_the_site_and_nothing_else(
    site: Path, checkout: Path, remote: Path
) -> None:
    assert prepare(checkout, "origin", "gh-pages") is None
    assert publish(site, checkout, "origin", "gh-pages") == "published"
    assert files(remote) == [".nojekyll", "en/index.html", "index.html"]
    assert git(remote, "show", "gh-pages:en/index.html") == "62.56% in English"
    assert git(remote, "rev-list", "--count", "gh-pages") == "1"


def test_a_repository_that_the_environment_names_as_in_a_hook_of_it_is_left_alone(
    site: Path, checkout: Path, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = tmp_path / "another"
    git(tmp_path, "init", "--quiet", "--initial-branch", "main", str(another))
    sent = str(another / ".git")
    monkeypatch.setenv("GIT_DIR", sent)
    assert prepare(checkout, "origin", "gh-pages") is None
    assert publish(site, checkout, "origin", "gh-pages") == "published"
    assert os.environ["GIT_DIR"] == sent
    monkeypatch.delenv("GIT_DIR")
    assert files(remote) == [".nojekyll", "en/index.html", "index.html"]
    assert git(another, "for-each-ref") == ""


def test_the_commit_names_the_sources_that_the_site_was_built_from(site: Path, checkout: Path, remote: Path) -> None:
    publish(site, checkout, "origin", "gh-pages")
    assert git(checkout, "rev-parse", "--short", "HEAD") in git(remote, "log", "-1", "--format=%s", "gh-pages")


def test_a_change_is_a_second_commit_and_a_file_that_is_gone_goes(site: Path, checkout: Path, remote: Path) -> None:
    publish(site, checkout, "origin", "gh-pages")
    (site / "en" / "index.html").unlink()
    (site / "es").mkdir()
    (site / "es" / "índice.html").write_text("62,56 %")
    assert publish(site, checkout, "origin", "gh-pages") == "published"
    assert git(remote, "-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", "gh-pages").splitlines() == [
        ".nojekyll",
        "es/índice.html",
        "index.html",
    ]
    assert git(remote, "rev-list", "--count", "gh-pages") == "2"


def test_an_unchanged_site_is_nothing_new_and_makes_no_commit(site: Path, checkout: Path, remote: Path) -> None:
    publish(site, checkout, "origin", "gh-pages")
    before = git(remote, "rev-parse", "gh-pages")
    assert publish(site, checkout, "origin", "gh-pages") == "nothing new"
    assert git(remote, "rev-parse", "gh-pages") == before


def test_a_commit_that_another_checkout_published_is_built_upon(
    site: Path, checkout: Path, remote: Path, tmp_path: Path
) -> None:
    publish(site, checkout, "origin", "gh-pages")
    added(remote, tmp_path / "other", "gh-pages", "index.html", "from elsewhere")
    assert publish(site, checkout, "origin", "gh-pages") == "published"
    assert git(remote, "rev-list", "--count", "gh-pages") == "3"
    assert git(remote, "show", "gh-pages:index.html") == "the root"


def test_a_branch_that_was_deleted_at_the_remote_is_published_anew(site: Path, checkout: Path, remote: Path) -> None:
    publish(site, checkout, "origin", "gh-pages")
    git(remote, "branch", "-D", "gh-pages")
    assert publish(site, checkout, "origin", "gh-pages") == "published"
    assert "index.html" in files(remote)


def test_a_domain_that_github_gave_the_branch_stays_and_is_its_address(
    site: Path, checkout: Path, remote: Path, tmp_path: Path
) -> None:
    publish(site, checkout, "origin", "gh-pages")
    added(remote, tmp_path / "github", "gh-pages", "CNAME", "report.example.org")
    assert prepare(checkout, "origin", "gh-pages") == "https://report.example.org/"
    assert publish(site, checkout, "origin", "gh-pages") == "nothing new"
    (site / "index.html").write_text("the new root")
    assert publish(site, checkout, "origin", "gh-pages") == "published"
    assert git(remote, "show", "gh-pages:CNAME") == "report.example.org"
    assert git(remote, "show", "gh-pages:index.html") == "the new root"


def test_a_branch_of_sources_is_never_replaced_by_the_site(site: Path, checkout: Path, remote: Path) -> None:
    git(checkout, "push", "--quiet", "origin", "main")
    with pytest.raises(ReportError, match=r"^main is the branch that is checked out here"):
        prepare(checkout, "origin", "main")
    git(checkout, "switch", "--quiet", "--create", "draft")
    for asked in (partial(prepare, checkout), partial(publish, site, checkout)):
        with pytest.raises(
            ReportError, match=r"main of origin holds something else, .*: \.gitignore is no part of a site"
        ):
            asked("origin", "main")
    assert git(remote, "ls-tree", "--name-only", "main") == ".gitignore"


def test_a_branch_of_something_else_is_never_replaced_by_a_report_in_a_folder_of_its_repository(
    site: Path, checkout: Path, remote: Path
) -> None:
    git(checkout, "push", "--quiet", "origin", "main:notes")
    report = checkout / "my report"
    report.mkdir()
    for asked in (partial(prepare, report), partial(publish, site, report)):
        with pytest.raises(ReportError, match=r"notes of origin holds something else, .*: \.gitignore is no part"):
            asked("origin", "notes")
    assert git(remote, "ls-tree", "--name-only", "notes") == ".gitignore"


def test_a_dry_run_pushes_nothing(site: Path, checkout: Path, remote: Path) -> None:
    assert publish(site, checkout, "origin", "gh-pages", dry_run=True) == "dry run"
    assert git(remote, "branch", "--list") == ""


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_branches_and_the_tree_of_the_checkout_stay_as_they_were(site: Path, checkout: Path, dry_run: bool) -> None:
    publish(site, checkout, "origin", "gh-pages", dry_run=dry_run)
    assert git(checkout, "branch", "--format", "%(refname:short)") == "main"
    assert git(checkout, "status", "--porcelain") == ""


def test_another_remote_and_branch_can_be_named(site: Path, checkout: Path, remote: Path) -> None:
    git(checkout, "remote", "rename", "origin", "mirror")
    assert publish(site, checkout, "mirror", "pages") == "published"
    assert git(remote, "branch", "--list", "--format", "%(refname:short)") == "pages"


def test_a_dirty_tree_is_refused_and_the_file_named(checkout: Path) -> None:
    (checkout / "draft.md").write_text("not committed")
    with pytest.raises(ReportError, match=r"uncommitted changes: 1 \(first: draft\.md\)\. Commit or stash"):
        prepare(checkout, "origin", "gh-pages")


def test_a_missing_remote_is_refused_with_those_that_there_are(checkout: Path) -> None:
    with pytest.raises(ReportError, match=r"no git remote 'upstream' \(found: origin\).*git remote add upstream"):
        prepare(checkout, "upstream", "gh-pages")


def test_a_folder_outside_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="not a git checkout"):
        prepare(tmp_path, "origin", "gh-pages")


def test_nobody_to_commit_as_is_refused(checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    git(checkout, "config", "--unset", "user.email")
    with pytest.raises(ReportError, match=r"git has no user\.email .*git config user\.email"):
        prepare(checkout, "origin", "gh-pages")


def test_a_site_that_was_never_built_is_refused_with_the_command_that_builds_it(checkout: Path) -> None:
    with pytest.raises(ReportError, match="there is no built site; `nox -s docs` makes it"):
        publish(checkout / "site", checkout, "origin", "gh-pages")


def test_a_remote_out_of_reach_is_told_in_git_s_words(site: Path, checkout: Path, tmp_path: Path) -> None:
    git(checkout, "remote", "set-url", "origin", str(tmp_path / "gone.git"))
    with pytest.raises(ReportError, match="could not reach origin: fatal"):
        publish(site, checkout, "origin", "gh-pages")


def test_a_push_that_the_remote_rejects_is_told_and_leaves_no_branch(site: Path, checkout: Path, remote: Path) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho protected >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(ReportError, match=r"could not push to origin \(gh-pages\)(.|\n)*protected"):
        publish(site, checkout, "origin", "gh-pages")
    assert git(checkout, "branch", "--format", "%(refname:short)") == "main"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/Owner/report.git", "https://owner.github.io/report/"),
        ("https://github.com/owner/report", "https://owner.github.io/report/"),
        ("https://someone@github.com/owner/report.git", "https://owner.github.io/report/"),
        ("https://me:ghp_0@github.com/owner/report", "https://owner.github.io/report/"),
        ("git@github.com:owner/my.report.git", "https://owner.github.io/my.report/"),
        ("ssh://git@github.com/owner/report.git", "https://owner.github.io/report/"),
        ("git@github.com:Owner/owner.github.io.git", "https://owner.github.io/"),
        ("git@github.com:Owner/Owner.github.io.git", "https://owner.github.io/"),
        ("https://github.com/owner/report/", "https://owner.github.io/report/"),
        ("https://example.org/owner/report.git", None),
        ("../report.git", None),
    ],
)
def test_the_address_of_the_site_follows_from_the_address_of_a_github_remote(remote: str, address: str | None) -> None:
    assert site_url(remote) == address


def test_what_the_check_refuses_is_not_published(
    small_report: Path, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole command: a page that nobody has confirmed, and then the same confirmed, at the report's own address."""
    monkeypatch.setenv("SITE_URL", "")
    own = "https://report.example.org"
    with (small_report / "mkdocs.yml").open("a", encoding="utf-8") as settings:
        settings.write(f"site_url: {own}/\n")
    git(small_report, "init", "--quiet")
    (small_report / ".gitignore").write_text("/build/\n/site/\n/.cache/\n")
    for name, value in (("user.name", "A"), ("user.email", "a@example.org")):
        git(small_report, "config", name, value)
    git(small_report, "remote", "add", "origin", str(remote))
    added(remote, tmp_path / "github", "gh-pages", "CNAME", "domain.example.org")
    git(small_report, "add", "--all")
    git(small_report, "commit", "--quiet", "--message", "A report")
    refused = CliRunner().invoke(app, ["publish", "--root", str(small_report)])
    assert isinstance(refused.exception, ReportError)
    assert re.match(
        r"`reportgen check` finds errors \(8\), and nothing was published\. First: docs/en/catalogue\.yml, line 5: .* "
        "never confirmed",
        str(refused.exception),
    )
    assert files(remote) == ["CNAME"]
    report = reports.load(small_report)
    translations.confirm(report, source.read_all(report, report.pages()), SECTIONS)
    git(small_report, "add", "--all")
    git(small_report, "commit", "--quiet", "--message", "In step")
    done = CliRunner().invoke(app, ["publish", "--root", str(small_report)])
    assert done.exit_code == 0 and f"Published to origin (gh-pages). {own}" in done.output
    assert {"CNAME", "en/further/index.html"} <= set(files(remote))
    assert f'<link rel="canonical" href="{own}/en/further/">' in git(remote, "show", "gh-pages:en/further/index.html")


def test_a_branch_whose_history_was_written_anew_at_the_remote_is_published_upon(
    site: Path, checkout: Path, remote: Path
) -> None:
    publish(site, checkout, "origin", "gh-pages")
    tree = git(remote, "rev-parse", "gh-pages^{tree}")
    who = ("-c", "user.name=B", "-c", "user.email=b@example.org")
    git(remote, "update-ref", "refs/heads/gh-pages", git(remote, *who, "commit-tree", tree, "-m", "Anew"))
    (site / "index.html").write_text("the new root")
    assert publish(site, checkout, "origin", "gh-pages") == "published"
    assert git(remote, "log", "--format=%s", "gh-pages").splitlines()[1:] == ["Anew"]


def test_a_folder_that_is_no_finished_site_is_not_published(checkout: Path, remote: Path) -> None:
    (checkout / "site" / "en").mkdir(parents=True)
    with pytest.raises(ReportError, match="there is no built site"):
        publish(checkout / "site", checkout, "origin", "gh-pages")
    assert git(remote, "branch", "--list") == ""


def test_what_an_interrupted_run_left_is_no_part_of_what_is_published(site: Path, checkout: Path, remote: Path) -> None:
    git(checkout, "branch", "reportgen-publish-draft")
    assert publish(site, checkout, "origin", "gh-pages") == "published"
    assert git(remote, "rev-list", "--count", "gh-pages") == "1"


def test_a_dry_run_finds_out_that_nothing_could_be_pushed(site: Path, checkout: Path, tmp_path: Path) -> None:
    git(checkout, "remote", "set-url", "--push", "origin", str(tmp_path / "gone.git"))
    with pytest.raises(ReportError, match=r"could not push to origin \(gh-pages\)"):
        publish(site, checkout, "origin", "gh-pages", dry_run=True)


def test_what_somebody_publishes_at_the_same_moment_is_not_overwritten(
    site: Path, checkout: Path, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(site, checkout, "origin", "gh-pages")
    commit = ghp_import.ghp_import

    def slowly(*arguments: object, **options: object) -> None:
        commit(*arguments, **options)
        added(remote, tmp_path / "other", "gh-pages", "index.html", "from elsewhere")

    monkeypatch.setattr(ghp_import, "ghp_import", slowly)
    (site / "index.html").write_text("the new root")
    with pytest.raises(ReportError, match=r"could not push to origin \(gh-pages\)"):
        publish(site, checkout, "origin", "gh-pages")
    assert git(remote, "show", "gh-pages:index.html") == "from elsewhere"


def test_who_commits_may_be_named_by_the_environment_alone(
    site: Path, checkout: Path, remote: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for key, value in (("name", "A machine"), ("email", "machine@example.org")):
        git(checkout, "config", "--unset", f"user.{key}")
        monkeypatch.setenv(f"GIT_COMMITTER_{key.upper()}", value)
    assert prepare(checkout, "origin", "gh-pages") is None
    publish(site, checkout, "origin", "gh-pages")
    assert git(remote, "log", "-1", "--format=%cn <%ce>", "gh-pages") == "A machine <machine@example.org>"


def test_a_branch_that_cannot_be_fetched_is_told_and_not_taken_for_an_empty_one(
    site: Path, checkout: Path, remote: Path
) -> None:
    git(checkout, "push", "--quiet", "origin", "main:pages")
    git(checkout, "update-ref", "-d", "refs/remotes/origin/pages")
    git(checkout, "update-ref", "refs/remotes/origin/pages/old", "HEAD")  # beside which there is no `pages`
    with pytest.raises(ReportError, match=r"could not fetch pages from origin: (.|\n)*pages"):
        publish(site, checkout, "origin", "pages")
    assert git(remote, "ls-tree", "--name-only", "pages") == ".gitignore"


def test_a_site_that_cannot_be_committed_is_a_sentence_and_leaves_no_branch(
    site: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ghp_import.GhpError("no room")

    monkeypatch.setattr(ghp_import, "ghp_import", refuse)
    with pytest.raises(ReportError, match=r"^The site could not be committed: no room$"):
        publish(site, checkout, "origin", "gh-pages")
    assert git(checkout, "branch", "--format", "%(refname:short)") == "main"
