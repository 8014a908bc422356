"""The whole way from pages to a site, with the real MkDocs; and what it says when something is wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
import yaml
from playwright.sync_api import Browser

from reportgen import cards
from reportgen import report as reports
from reportgen.browser import served
from reportgen.build import LOCK, RENDERED, SIGNS, alone, build, configure, render
from reportgen.edition import Edition
from reportgen.errors import ReportError
from reportgen.language import FOLDER
from reportgen.material import gather
from reportgen.report import Report
from reportgen.serve import watched_places

REPOSITORY = Path(__file__).resolve().parents[2]
LANGUAGES = ("en", "es")
PAGES = ("index.html", "further/index.html")
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
XHTML = "{http://www.w3.org/1999/xhtml}"


class Links(HTMLParser):
    """Collects every link and its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes of links, all other tags pass."""
        if tag == "a":
            self.found.append({name: value or "" for name, value in attrs})


@pytest.fixture(autouse=True)
def no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of the machine that runs the tests does not matter."""
    monkeypatch.delenv("SITE_URL", raising=False)


def made(root: Path) -> Path:
    """Build the report and return the folder of the site."""
    build(reports.load(root), root / "site")
    return root / "site"


@contextmanager
def held_elsewhere(report: Report, patience: float = 0.1) -> Iterator[threading.Event]:
    """Somebody else builds the report until the event is set, at the latest in the end, and nobody waits long."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with alone(report), alone(report):  # as `publish` does, which builds while it holds
            held.set()
            done.wait()

    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("reportgen.build.PATIENCE", patience)
        try:
            yield done
        finally:
            done.set()
            other.join()


def command(root: Path, *arguments: str, program: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """Run a Python module in the root of a report, as a user does."""
    paths = {"PYTHONPATH": str(program), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=root, env={**os.environ, **paths}, capture_output=True, text=True
    )


def test_every_page_is_built_in_every_language_with_its_own_words_and_numbers(small_report: Path) -> None:
    site = made(small_report)
    assert all((site / code / page).is_file() for code in LANGUAGES for page in PAGES)
    english, spanish = ((site / code / "index.html").read_text(encoding="utf-8") for code in LANGUAGES)
    assert '<html lang="en"' in english
    assert '<html lang="es"' in spanish
    assert "62.56% · 47.4 s" in re.sub(r"<[^>]*>", "", re.sub(r"\s", " ", english))
    assert "62,56 % · 47,4 s" in re.sub(r"<[^>]*>", "", re.sub(r"\s", " ", spanish))
    assert "Further" in english and "Más" in spanish
    assert "A small report" in english and "Un informe breve" in spanish
    assert (site / ".nojekyll").is_file()
    edition = Edition(gather(reports.load(small_report)), "es")
    card = (site / "es" / "assets" / "cards" / "further.png").read_bytes()
    assert card == cards.draw(edition, "2").read_bytes() != cards.draw(edition, "es").read_bytes()


@pytest.mark.parametrize("page", PAGES)
def test_the_switch_leads_to_the_same_page_by_relative_links(small_report: Path, page: str) -> None:
    site = made(small_report)
    links = Links((site / "en" / page).read_text(encoding="utf-8")).found
    switch = {link["hreflang"]: link["href"] for link in links if "hreflang" in link}
    here = f"https://host.example/repository/en/{page.removesuffix('index.html')}"
    assert {code: urljoin(here, href) for code, href in switch.items()} == {
        code: here.replace("/en/", f"/{code}/") for code in LANGUAGES
    }
    assert not any(href.startswith(("/", "http")) for href in switch.values())


def test_the_root_page_links_to_every_language_without_a_script(small_report: Path) -> None:
    page = (made(small_report) / "index.html").read_text(encoding="utf-8")
    links = Links(page).found
    assert [link["href"] for link in links] == ["en/", "es/"]
    assert [link["lang"] for link in links] == ["en", "es"] and '<html lang="en">' in page
    assert ">Español: Un informe breve</a>" in page


def test_with_an_address_sitemaps_name_every_page_in_every_language(
    small_report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "https://owner.example/repository/"
    monkeypatch.setenv("SITE_URL", address)
    site = made(small_report)
    index = ElementTree.parse(site / "sitemap.xml")
    assert [found.text for found in index.iter(f"{SITEMAP}loc")] == [
        f"{address}{code}/sitemap.xml" for code in LANGUAGES
    ]
    for code in LANGUAGES:
        pages = {}
        for url in ElementTree.parse(site / code / "sitemap.xml").iter(f"{SITEMAP}url"):
            pages[url.findtext(f"{SITEMAP}loc")] = {
                link.get("hreflang"): link.get("href") for link in url.iter(f"{XHTML}link")
            }
        every = {f"{address}{other}/further/" for other in LANGUAGES}
        further = pages[f"{address}{code}/further/"]
        assert {further[other] for other in LANGUAGES} == every
        assert further["x-default"] == f"{address}en/further/"
        assert pages[f"{address}{code}/"]["x-default"] == address


@pytest.mark.parametrize(("address", "path"), [("", "/"), ("https://owner.example/repository", "/repository/")])
def test_a_lost_reader_finds_every_language_from_any_depth(
    small_report: Path, monkeypatch: pytest.MonkeyPatch, address: str, path: str
) -> None:
    monkeypatch.setenv("SITE_URL", address)
    site = made(small_report)
    page = (site / "404.html").read_text(encoding="utf-8")
    assert [link["href"] for link in Links(page).found] == [f"{path}en/", f"{path}es/"]
    assert ">Esta página no existe. Español: Un informe breve</a>" in page
    for code in LANGUAGES:
        lost = Links((site / code / "404.html").read_text(encoding="utf-8")).found
        assert not [link["href"] for link in lost if link["href"].startswith("//")]


@pytest.mark.parametrize(
    ("site", "complaint"),
    [
        (".", "the site cannot stand there, for . does"),
        ("..", "the site cannot stand there, for . does"),
        ("/", "the site cannot stand there, for . does"),
        ("docs/en", "the site cannot stand there, for docs does"),
        ("results", "the site cannot stand there, for results does"),
        ("build", "the site cannot stand there, for build/nox-s-docs does"),
        ("build/nox-s-docs/en", "the site cannot stand there, for build/nox-s-docs does"),
        ("mine", "what stands there, and thesis.tex is no part of a site"),
        ("locales", r"what stands there, and without index\.html and \.nojekyll it is no site"),
        ("pyproject.toml", "expected a folder for the site, found a file"),
    ],
)
def test_a_site_never_takes_the_place_of_what_is_none(small_report: Path, site: str, complaint: str) -> None:
    (small_report / "mine" / "en").mkdir(parents=True)
    (small_report / "mine" / "thesis.tex").touch()
    (small_report / "results").mkdir()
    (small_report / "locales" / "es").mkdir(parents=True)
    before = sorted(small_report.rglob("*"))
    with pytest.raises(ReportError, match=complaint):
        build(reports.load(small_report), (small_report / site).resolve())
    assert sorted(small_report.rglob("*")) == before


def test_a_file_where_the_folder_of_a_build_would_stand_is_told(small_report: Path) -> None:
    (small_report / "build").touch()
    with pytest.raises(ReportError, match=r"^build: expected a folder.*Move what stands there elsewhere"):
        made(small_report)


@pytest.mark.parametrize("code", ["pt-BR", "pt-br", "zh-TW", "sr-Latn-RS"])
def test_a_site_takes_the_place_of_one_that_had_another_language(small_report: Path, code: str) -> None:
    site = made(small_report)
    (site / code).mkdir()
    assert not (made(small_report) / code).exists()


def test_the_name_and_the_description_of_a_site_are_no_markup(small_report: Path) -> None:
    for code in ("en", "es"):
        file = small_report / "docs" / code / "catalogue.yml"
        text = re.sub(r"site_name: .*", "site_name: 'A \"small\" <b> & more'", file.read_text(encoding="utf-8"))
        file.write_text(
            re.sub(r"site_description: .*", "site_description: 'What \"small\" means'", text), encoding="utf-8"
        )
    site = made(small_report)
    page, root = ((site / name).read_text(encoding="utf-8") for name in ("en/index.html", "index.html"))
    assert all('<meta name="description" content="What &#34;small&#34; means">' in text for text in (page, root))
    assert "<b>" not in root and root.count("&lt;b&gt;") == 4, "in the title, above the languages and in each"
    assert 'aria-label="A &#34;small&#34; &lt;b&gt; &amp; more"' in page
    assert '"small"' not in page and "<b>" not in page.partition("</head>")[0]


def test_a_report_in_one_language_offers_no_other(small_report: Path) -> None:
    switch = 'class="md-select"'
    assert switch in (made(small_report) / "en" / "index.html").read_text(encoding="utf-8")
    file = small_report / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('["en", "es"]', '["en"]'), encoding="utf-8")
    shutil.rmtree(small_report / "docs" / "es")
    assert switch not in (made(small_report) / "en" / "index.html").read_text(encoding="utf-8")


def test_a_theme_by_its_name_and_a_single_scheme_of_colours_are_mkdocs_s_own_and_work(small_report: Path) -> None:
    file = small_report / "mkdocs.yml"
    shared = yaml.safe_load(file.read_text(encoding="utf-8"))
    shared["theme"] = {"name": "material", "palette": {"scheme": "slate"}}
    file.write_text(yaml.safe_dump(shared), encoding="utf-8")
    assert 'data-md-color-scheme="slate"' in (made(small_report) / "en" / "index.html").read_text(encoding="utf-8")
    file.write_text(yaml.safe_dump({**shared, "theme": "material"}), encoding="utf-8")
    assert (made(small_report) / "en" / "index.html").is_file()


def settings(root: Path, **changes: object) -> None:
    """Change mkdocs.yml."""
    file = root / "mkdocs.yml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text("utf-8")), **changes}), encoding="utf-8")


def test_hooks_and_templates_of_the_report_s_own_work_beside_ours(small_report: Path) -> None:
    (small_report / "myhook.py").write_text(
        "def on_page_content(html, **_):\n    return html + '<p>By my own hook.</p>'\n", encoding="utf-8"
    )
    partials = small_report / "overrides" / "partials"
    partials.mkdir(parents=True)
    (partials / "copyright.html").write_text("<p>By my own template.</p>", encoding="utf-8")
    (small_report / "overrides" / "404.html").write_text("Lost by my own template.", encoding="utf-8")
    settings(small_report, hooks=["myhook.py"], theme={"name": "material", "custom_dir": "overrides"})
    page = (made(small_report) / "es" / "index.html").read_text(encoding="utf-8")
    lost = (small_report / "site" / "es" / "404.html").read_text(encoding="utf-8")
    assert lost == "Lost by my own template.", "ours, of the same name, stands behind it"
    assert "By my own hook." in page and "By my own template." in page
    assert "<!--held" not in page and 'hreflang="en"' in page, "ours work as before"
    watched = {small_report / "myhook.py", small_report / "overrides"}
    assert watched <= set(watched_places(reports.load(small_report)))


def test_tags_that_mkdocs_alone_obeys_reach_it(small_report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SITE", "https://host.example/mine")
    file = small_report / "mkdocs.yml"
    emoji = "  pymdownx.emoji:\n    emoji_index: !!python/name:material.extensions.emoji.twemoji\n"
    text = file.read_text(encoding="utf-8").replace("markdown_extensions:\n", f"markdown_extensions:\n{emoji}")
    file.write_text(f"{text}site_url: !ENV MY_SITE\n", encoding="utf-8")
    with (small_report / "docs" / "en" / "index.md").open("a", encoding="utf-8") as page:
        page.write("\n:smile:\n")
    (small_report / "docs" / "en" / ".#index.md").symlink_to("somebody@host.1234:1")
    page_made = (made(small_report) / "en" / "index.html").read_text(encoding="utf-8")
    assert 'alt="😄"' in page_made
    assert '<link rel="canonical" href="https://host.example/mine/en/">' in page_made


def test_a_folder_of_templates_that_is_not_there_is_named(small_report: Path) -> None:
    settings(small_report, theme={"name": "material", "custom_dir": "overrides"})
    with pytest.raises(ReportError, match=r"^mkdocs\.yml: theme\.custom_dir is 'overrides', and there is no such"):
        made(small_report)


@pytest.mark.parametrize(
    ("nav", "complaint"), [(None, None), ([], None), (["index.md", {"more": None}], "Expected nav to be a list")]
)
def test_without_a_navigation_mkdocs_lists_the_pages_and_a_wrong_one_it_refuses(
    small_report: Path, nav: object, complaint: str | None
) -> None:
    settings(small_report, nav=nav)
    if complaint:
        with pytest.raises(ReportError, match=complaint):
            made(small_report)
    else:
        assert "further/" in (made(small_report) / "en" / "index.html").read_text(encoding="utf-8")


def test_a_command_waits_for_another_that_builds_the_report_but_not_for_ever(
    small_report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = reports.load(small_report)
    with (
        held_elsewhere(report),
        pytest.raises(ReportError, match=rf"^{LOCK}: another command .* wait until it is done"),
    ):
        build(report, small_report / "site")
    assert not (small_report / "site").exists()
    capsys.readouterr()
    with held_elsewhere(report, patience=60) as done:
        threading.Timer(0.2, done.set).start()
        with alone(report):
            assert done.is_set()
    said = " ".join(capsys.readouterr().err.split())
    assert said == "Another command is at work on this report; waiting for it, at most 60 s …"
    with alone(report), alone(report):
        assert not capsys.readouterr().err, "nobody waits"


def test_the_last_site_stays_where_the_new_one_cannot_take_its_place(small_report: Path) -> None:
    site = small_report / "site"
    (site / "en" / "old").mkdir(parents=True)
    for name in SIGNS:
        (site / name).touch()
    before = {file.name for file in small_report.iterdir()} | {"build"}
    with pytest.raises(ReportError, match=r"cannot take its place \(No such file .*\), and what stood there stays"):
        build(reports.load(small_report), site, finish=lambda fresh, _: shutil.rmtree(fresh))
    assert (site / "en" / "old").is_dir() and {file.name for file in small_report.iterdir()} == before
    site.rename(small_report / ".site.last")  # as a command leaves it that is cut off in just that moment
    (small_report / "docs" / "en" / "index.md").unlink()
    with pytest.raises(ReportError, match="Missing in one language"):
        made(small_report)
    assert (site / "en" / "old").is_dir()


def test_a_language_without_a_first_page_is_named(small_report: Path) -> None:
    for code in LANGUAGES:
        (small_report / "docs" / code / "index.md").unlink()
    settings = small_report / "mkdocs.yml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("- index.md\n", ""), encoding="utf-8")
    with pytest.raises(ReportError, match=r"^docs/en/index\.md: there is no such page"):
        made(small_report)
    assert not (small_report / "site").exists()


def test_a_new_site_takes_the_place_of_the_last_and_leaves_nothing_beside_it(small_report: Path) -> None:
    site = made(small_report)
    (site / "en" / "old").mkdir()
    before = {file.name for file in small_report.iterdir()}
    assert made(small_report) == site
    assert not (site / "en" / "old").exists() and {file.name for file in small_report.iterdir()} == before


def test_two_builds_of_the_same_sources_are_alike_byte_for_byte(
    small_report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_URL", "https://owner.example/repository/")

    def contents() -> dict[str, bytes]:
        site = made(small_report)
        return {file.relative_to(site).as_posix(): file.read_bytes() for file in site.rglob("*") if file.is_file()}

    first, second = contents(), contents()
    assert [name for name in first if first[name] != second.get(name)] == []
    assert first.keys() == second.keys()
    day = int.from_bytes(first["en/sitemap.xml.gz"][4:8], "little")
    assert day == 315532800, "that of the last commit, or in 1980 where there is none, and never that of the build"


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="There is no ssh-keygen to sign a commit with.")
def test_a_site_is_dated_to_its_last_commit_also_where_git_shows_signatures(small_report: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    for arguments in (
        ("init", "--quiet"),
        *(("config", name, value) for name, value in (("user.name", "N"), ("user.email", "n@example.org"))),
        *(("config", name, value) for name, value in (("gpg.format", "ssh"), ("user.signingkey", f"{key}.pub"))),
        ("config", "log.showSignature", "true"),
        ("commit", "--quiet", "--allow-empty", "-S", "--message", "Signed"),
    ):
        subprocess.run(
            ["git", *arguments], cwd=small_report, env={**os.environ, "GIT_COMMITTER_DATE": "@86400 +0000"}, check=True
        )
    packed = (made(small_report) / "en" / "sitemap.xml.gz").read_bytes()
    assert int.from_bytes(packed[4:8], "little") == 86400


@pytest.mark.parametrize(("given", "dated"), [("", 315532800), ("0", 0), ("86400", 86400)])
def test_a_site_is_dated_as_the_environment_says_and_an_empty_variable_says_nothing(
    small_report: Path, monkeypatch: pytest.MonkeyPatch, given: str, dated: int
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", given)
    assert int.from_bytes((made(small_report) / "en" / "sitemap.xml.gz").read_bytes()[4:8], "little") == dated


@pytest.mark.parametrize("given", ["abc", "-5", "4294967296", "1.5", "９"])
def test_a_date_of_the_environment_that_is_none_is_told(
    small_report: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", given)
    with pytest.raises(ReportError, match=rf"^SOURCE_DATE_EPOCH is '{re.escape(given)}', expected whole seconds since"):
        made(small_report)


def test_a_broken_link_is_refused_by_page_without_a_path_of_the_machine_and_the_last_site_stays(
    small_report: Path,
) -> None:
    site = made(small_report)
    page = small_report / "docs" / "es" / "index.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n[?](nowhere.md)\n", encoding="utf-8")
    with pytest.raises(ReportError, match=r"index\.md.*nowhere\.md") as refused:
        made(small_report)
    assert "nox-s-docs/es, made from docs/es:\n" in str(refused.value)
    assert "INFO" not in str(refused.value)
    assert str(small_report) not in str(refused.value)
    assert "62.56%" in (site / "en" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("variable", [False, True])
def test_a_setting_that_mkdocs_refuses_is_told_of_the_file_or_the_variable_that_has_it(
    small_report: Path, monkeypatch: pytest.MonkeyPatch, variable: bool
) -> None:
    if variable:
        monkeypatch.setenv("SITE_URL", "nowhere")
        where = r"mkdocs\.yml or of SITE_URL, which stands for site_url"
    else:
        settings(small_report, site_url="nowhere")
        where = r"mkdocs\.yml"
    with pytest.raises(ReportError, match=rf"^MkDocs refused the settings of {where}:\n.*Config value 'site_url'"):
        made(small_report)


def test_a_language_of_a_region_has_the_words_of_material_for_its_language_and_one_without_any_is_refused(
    small_report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reportgen.language.FOLDER", tmp_path)
    file = small_report / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    (small_report / "build").mkdir()

    def theme(code: str) -> str:
        shutil.copy(FOLDER / "es.po", tmp_path / f"{code}.po")
        shutil.copytree(small_report / "docs" / "en", small_report / "docs" / code, dirs_exist_ok=True)
        file.write_text(text.replace('["en", "es"]', f'["{code}"]'), encoding="utf-8")
        configuration = configure(reports.load(small_report), code, tmp_path)
        return str(yaml.safe_load(configuration.read_text(encoding="utf-8"))["theme"]["language"])

    assert [theme(code) for code in ("fr", "en-GB", "pt-BR", "zh-Hans")] == ["fr", "en", "pt-BR", "zh"]
    with pytest.raises(ReportError, match=r"no words of its own in 'ga'.* only in af, .* partials/languages/ga\.html"):
        theme("ga")
    (small_report / "own" / "partials" / "languages").mkdir(parents=True)
    (small_report / "own" / "partials" / "languages" / "ga.html").touch()
    settings(small_report, theme={"name": "material", "custom_dir": "own"})
    assert theme("ga") == "ga"
    settings(small_report, theme="readthedocs")
    assert theme("en-GB") == "en-GB", "the words of Material are Material's"


def test_what_mkdocs_is_told_of_a_language_is_in_its_words_and_at_its_address(
    small_report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_URL", "https://owner.example/repository/")
    settings(small_report, site_url="https://elsewhere.example/", hooks=["mine.py"])
    (small_report / "build").mkdir()
    told = yaml.safe_load(configure(reports.load(small_report), "es", tmp_path).read_text(encoding="utf-8"))
    assert (told["site_name"], told["site_url"]) == ("Un informe breve", "https://owner.example/repository/es/")
    assert [Path(hook).name for hook in told["hooks"]] == ["mine.py", "hooks.py"]
    assert told["nav"] == ["index.md", {"Más": ["further.md"]}]
    toc = {"permalink_title": "Enlace a esta sección"}
    assert told["markdown_extensions"] == {"toc": toc, "reportgen.spacing": {}}
    assert [scheme["toggle"]["name"] for scheme in told["theme"]["palette"]] == [
        *("Cambiar a colores oscuros", "Cambiar a colores claros")
    ]
    assert told["extra"] == {
        "alternate": [
            {"lang": "en", "name": "English", "link": "../en/"},
            {"lang": "es", "name": "Español", "link": "../es/"},
        ],
        "code": "es",
        "root": "https://owner.example/repository/",
        "scope": "/repository/",
        "lost": "Esta página no existe.",
    }


def test_schemes_of_colours_without_a_switch_stay_as_they_are(small_report: Path, tmp_path: Path) -> None:
    palette = [{"scheme": "slate", "primary": "custom"}]
    settings(small_report, theme={"name": "material", "palette": palette})
    (small_report / "build").mkdir()
    told = configure(reports.load(small_report), "es", tmp_path).read_text(encoding="utf-8")
    assert yaml.safe_load(told)["theme"]["palette"] == palette


def test_a_section_without_a_name_in_a_language_is_named(small_report: Path) -> None:
    (small_report / "docs").rename(small_report / "prose")
    settings = small_report / "pyproject.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('"docs"', '"prose"'), encoding="utf-8")
    catalogue = small_report / "prose" / "es" / "catalogue.yml"
    catalogue.write_text(catalogue.read_text(encoding="utf-8").replace("more:", "other:"), encoding="utf-8")
    with pytest.raises(ReportError, match=r"^prose/es/catalogue\.yml: nav lacks 'more'"):
        made(small_report)


def broken_fact(root: Path) -> str:
    """A page names what nobody knows."""
    page = root / "docs" / "en" / "index.md"
    page.write_text(page.read_text(encoding="utf-8").replace("first.", "frist.", 1), encoding="utf-8")
    return "docs/en/index.md, line 3: 'frist' is not a known name; did you mean 'first'?"


def lacking_page(root: Path) -> str:
    """A page stands in one language only."""
    (root / "docs" / "es" / "further.md").unlink()
    return "Missing in one language: docs/es/further.md."


def lacking_catalogue(root: Path) -> str:
    """A language has no words."""
    (root / "docs" / "es" / "catalogue.yml").unlink()
    return "docs/es/catalogue.yml: there is no such file"


def lacking_title(root: Path) -> str:
    """A catalogue lacks an entry."""
    catalogue = root / "docs" / "es" / "catalogue.yml"
    catalogue.write_text(catalogue.read_text(encoding="utf-8").replace("site_name:", "name_of_site:"), encoding="utf-8")
    return "docs/es/catalogue.yml: site_name is missing, and name_of_site unknown."


def truncated_published(root: Path) -> str:
    """The published figures are cut off."""
    (root / "published.json").write_text('{"title": "A st', encoding="utf-8")
    return "published.json: the file: Invalid JSON: EOF while parsing a string at line 1 column 15"


def broken_record(root: Path) -> str:
    """A record is no JSON."""
    record = root / "results" / "first" / "seed-0" / "record.json"
    record.parent.mkdir(parents=True)
    record.write_text("{", encoding="utf-8")
    return "record.json"


def broken_configuration(root: Path) -> str:
    """The shared configuration is not YAML."""
    (root / "mkdocs.yml").write_text("nav: [", encoding="utf-8")
    return "mkdocs.yml, line 1: not valid YAML"


def lacking_table(root: Path) -> str:
    """The root is another project's."""
    (root / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    return "there is no [tool.reportgen]"


@pytest.mark.parametrize(
    "spoil",
    [
        broken_fact,
        lacking_page,
        lacking_catalogue,
        lacking_title,
        truncated_published,
        broken_record,
        broken_configuration,
        lacking_table,
    ],
)
def test_a_mistake_ends_the_command_with_a_sentence_and_status_1(small_report: Path, spoil: object) -> None:
    assert callable(spoil)
    sentence = spoil(small_report)
    done = command(small_report, "reportgen", "build")
    assert done.returncode == 1
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stdout + done.stderr
    assert not (small_report / "site").exists()


def test_the_command_builds_into_site_and_says_so(small_report: Path) -> None:
    done = command(small_report, "reportgen", "build")
    assert done.returncode == 0, done.stderr
    assert "2 pages in en and es" in done.stdout
    assert (small_report / "site" / "index.html").is_file()
    assert done.stderr == ""


def test_plain_mkdocs_names_the_command_before_the_pages_are_rendered_and_builds_them_afterwards(
    small_report: Path,
) -> None:
    before = command(small_report, "mkdocs", "build")
    assert before.returncode == 1
    assert "build/nox-s-docs/en" in before.stdout + before.stderr
    made(small_report)
    after = command(small_report, "mkdocs", "build", "--site-dir", "build/by-hand")
    assert after.returncode == 0, after.stderr
    assert "62.56%" in (small_report / "build" / "by-hand" / "index.html").read_text(encoding="utf-8")


def test_a_defect_of_this_program_keeps_its_traceback(small_report: Path, tmp_path: Path) -> None:
    """One that comes up while MkDocs works, put into a copy of the program."""
    program = tmp_path / "program"
    shutil.copytree(REPOSITORY / "reportgen", program / "reportgen")
    hooks = program / "reportgen" / "hooks.py"
    hooks.write_text(hooks.read_text(encoding="utf-8").replace("_held.pop(page.file.src_uri)", "_held.pop('a.mdx')"))
    done = command(small_report, "reportgen", "build", program=program)
    assert done.returncode == 1 and "MkDocs refused" not in done.stderr
    assert 'hooks.py", line' in done.stderr and done.stderr.endswith("KeyError: 'a.mdx'\n")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("mine.py", "def on_page_markdown(markdown, page, **_):\n    return page.meta['mine']\n", "KeyError: 'mine'"),
        ("mine.py", "def on_config(config, **_):\n    open('a.csv')\n", "a.csv: No such file or directory. See"),
        ("mine.py", "def on_config(\n", "SyntaxError: '(' was never closed"),
        ("own/partials/copyright.html", "{{ mine.there }}", "UndefinedError: 'mine' is undefined"),
        ("own/partials/copyright.html", "{% if %}", "TemplateSyntaxError: Expected an expression"),
        ("own/partials/copyright.html", "{{ 1 / 0 }}", "ZeroDivisionError: division by zero"),
        ("own/main.html", '{% extends "nowhere.html" %}', "TemplateNotFound: 'nowhere.html' not found"),
    ],
)
def test_an_error_in_hooks_or_templates_of_the_report_s_own_is_a_sentence(
    small_report: Path, name: str, text: str, complaint: str
) -> None:
    for file, content in ((small_report / "mine.py", ""), (small_report / name, text)):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    (small_report / "own").mkdir(exist_ok=True)
    settings(small_report, hooks=["mine.py"], theme={"name": "material", "custom_dir": "own"})
    with pytest.raises(ReportError) as refused:
        made(small_report)
    assert complaint in str(refused.value)


def with_region(root: Path, folder: Path, code: str, languages: Sequence[str]) -> Path:
    """Give a report of these `languages` one of a region, its words borrowed from Spanish; a program that knows it."""
    program = folder / "program"
    shutil.copytree(REPOSITORY / "reportgen", program / "reportgen")
    shutil.copy(FOLDER / "es.po", program / "reportgen" / "locale" / f"{code}.po")
    shutil.copytree(root / "docs" / "es", root / "docs" / code)
    file = root / "pyproject.toml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace('["en", "es"]', json.dumps(languages)), encoding="utf-8")
    return program


def test_a_region_that_the_theme_does_not_know_is_told_by_its_own_code(
    small_report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mexican Spanish, for which Material has the words of Spanish."""
    address = "https://owner.example/repository/"
    monkeypatch.setenv("SITE_URL", address)
    program = with_region(small_report, tmp_path, "es-MX", ["es-MX", "en"])
    built = command(small_report, "reportgen", "build", program=program)
    assert built.returncode == 0, built.stderr
    site = small_report / "site" / "es-MX"
    links = {link.get("href") for link in ElementTree.parse(site / "sitemap.xml").iter(f"{XHTML}link")}
    assert links == {address, *(f"{address}{page}" for page in ("en/", "es-MX/", "en/further/", "es-MX/further/"))}
    assert '<meta property="og:locale" content="es-MX">' in (site / "index.html").read_text(encoding="utf-8")


def test_a_language_of_a_region_has_a_site_and_readers_of_another_region_find_it(
    small_report: Path, browser: Browser, tmp_path: Path
) -> None:
    """Brazilian Portuguese beside English and Spanish."""
    program = with_region(small_report, tmp_path, "pt-BR", ["en", "es", "pt-BR"])
    built, checked = (command(small_report, "reportgen", what, program=program) for what in ("build", "check"))
    assert built.returncode == 0, built.stderr
    assert "its Portuguese (Brazil) text" in checked.stdout + checked.stderr
    site = small_report / "site"
    assert "62,56%" in (site / "pt-BR" / "index.html").read_text(encoding="utf-8")
    with served(site) as address:
        for asked, code in (("pt-BR", "pt-BR"), ("pt-PT", "pt-BR"), ("es-MX", "es"), ("fr", "en")):
            context = browser.new_context(locale=asked)
            page = context.new_page()
            page.goto(address)
            page.wait_for_url(f"{address}{code}/")
            context.close()


def test_ctrl_c_in_a_build_leaves_no_word_of_the_processes_of_its_languages() -> None:
    program = (
        "import sys, time\nfrom types import SimpleNamespace\nfrom reportgen.build import _at_once\n"
        "def work(material, code):\n"
        "    if code == 'es':\n        print('at work', flush=True)\n        time.sleep(60)\n"
        "try: _at_once(SimpleNamespace(report=SimpleNamespace(languages=('en', 'es'))), work)\n"
        "except KeyboardInterrupt: sys.exit(3)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout and process.stdout.readline() == "at work\n"
        time.sleep(0.3)  # until the other language is done, and its process waits
        os.killpg(process.pid, signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
    assert (process.returncode, complaints) == (3, "")


AT_WORK = """
import sys, threading, time
from types import SimpleNamespace
from reportgen.build import _at_once

def work(material, code):
    print("at work", flush=True)
    time.sleep(60)

if __name__ == "__main__":
    if sys.argv[1] == "spawn":
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    _at_once(SimpleNamespace(report=SimpleNamespace(languages=("en", "es"))), work)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there, a process is ended otherwise")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_with_a_command_that_is_killed_the_processes_of_its_languages_end(tmp_path: Path, method: str) -> None:
    """With other threads, as those of the preview, they are started afresh; else they may be copies of it."""
    program = tmp_path / "program.py"
    program.write_text(AT_WORK, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(program), method],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and [process.stdout.readline() for _ in LANGUAGES] == ["at work\n"] * len(LANGUAGES)
        process.kill()
        process.communicate(timeout=30)  # which waits for all that could write there


@pytest.mark.skipif(sys.platform == "win32", reason="there, a process is ended without being asked")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_build_that_is_asked_to_end_does_at_once_and_leaves_nothing_half_made(small_report: Path, name: str) -> None:
    (small_report / "slow.py").write_text(
        "import sys, time\n\ndef on_config(config, **_):\n"
        "    print('at work', file=sys.__stdout__, flush=True)\n    time.sleep(60)\n",
        encoding="utf-8",
    )
    settings(small_report, hooks=["slow.py"])
    before = {file.name for file in small_report.iterdir()} | {"build"}
    number = getattr(signal, name)
    with subprocess.Popen(
        [sys.executable, "-m", "reportgen", "build"],
        cwd=small_report,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # who runs the tests behind `nohup` ignores one
    ) as process:
        assert process.stdout
        while process.stdout.readline() != "at work\n":
            assert process.poll() is None, process.communicate()
        assert (small_report / ".site.new").is_dir()
        process.send_signal(number)
        _, complaints = process.communicate(timeout=30)
    assert (process.returncode, complaints) == (128 + number, "")
    assert {file.name for file in small_report.iterdir()} - {"__pycache__"} == before


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_of_a_build_that_the_system_ends_is_told_and_the_last_site_stays(small_report: Path) -> None:
    site = made(small_report)
    (site / "en" / "old").mkdir()
    (small_report / "killed.py").write_text(
        "import os, signal\n\ndef on_config(config, **_):\n    os.kill(os.getpid(), signal.SIGKILL)\n", encoding="utf-8"
    )
    settings(small_report, hooks=["killed.py"])
    with pytest.raises(ReportError, match=r"^A process of the build was ended from outside; .* memory ran out"):
        made(small_report)
    assert (site / "en" / "old").is_dir() and not (small_report / ".site.new").exists()


def test_a_picture_beside_a_page_is_shown_and_goes_with_it(small_report: Path) -> None:
    folder = small_report / "docs" / "en"
    (folder / "pictures").mkdir()
    for name in ("pictures/pic.svg", ".hidden.svg"):
        (folder / name).write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    page, before = folder / "further.md", (folder / "further.md").read_text(encoding="utf-8")
    page.write_text(f"{before}\n![A picture](pictures/pic.svg)\n", encoding="utf-8")
    site = made(small_report)
    assert (site / "en" / "pictures" / "pic.svg").is_file()
    assert not {"catalogue.yml", ".hidden.svg"} & {file.name for file in site.rglob("*")}
    page.write_text(before, encoding="utf-8")
    shutil.rmtree(folder / "pictures")
    assert not (made(small_report) / "en" / "pictures").exists()


def test_a_rendered_file_is_written_when_it_changes_and_else_left_with_its_date(small_report: Path) -> None:
    report, rendered = reports.load(small_report), small_report / RENDERED / "en"
    render(gather(report), "en")
    for file in rendered.rglob("*.md"):
        os.utime(file, (0, 0))
    page = small_report / "docs" / "en" / "further.md"
    page.write_text(page.read_text(encoding="utf-8") + "\nMore.\n", encoding="utf-8")
    render(gather(report), "en")
    assert {file.name for file in rendered.rglob("*.md") if file.stat().st_mtime > 0} == {"further.md"}
