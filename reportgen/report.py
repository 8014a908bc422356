"""The report: where its parts stand, and the words that are its own in each language."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import UnionType
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from reportgen import document
from reportgen.errors import ReportError, wrong_field

CATALOGUE = "catalogue.yml"
"""In each language's folder."""
MERGE = "tag:yaml.org,2002:merge"
"""YAML's own name for the key `<<`, which takes in the entries of another mapping."""
WORD_LISTS = ("comparing", "units", "quantities")
"""Entries of a catalogue that are no prose, and that no other language has in the same way."""
NAME = "{name}"
"""Where in a catalogue's `mention` the name stands."""


class Catalogue(BaseModel):
    """What `docs/<language>/catalogue.yml` says: names that belong to this report and to one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """The language's own name for itself."""
    site_name: str
    site_description: str
    nav: dict[str, str]
    """The title of each section of the navigation in mkdocs.yml."""
    projects: dict[str, str]
    """The title of each project."""
    short: dict[str, str] = {}
    """What a project is called where there is little room, in a chart or a claim; its title where this is silent."""
    mention: str = NAME
    """How a sentence names a project by that, such as `el {name}`."""
    bench: dict[str, str] = {}
    """What is compared in a bench, and with what, by identifier."""
    classes: dict[str, str]
    """The name of each class of the data set."""
    datasets: dict[str, str]
    """What a data set is, in a clause."""
    values: dict[str, str] = {}
    """Words for what a setting of a run may be, where the record has a name of the code's."""
    licences: dict[str, str] = {}
    """Under what terms a data set may be used, in a clause."""
    comparing: tuple[str, ...] = ()
    """Words that compare or judge, and so belong into a claim; `improv*` stands for every word that begins so."""
    units: tuple[str, ...] = ()
    """Words that make the number before them a measured one, beside the language's seconds, hours and per cent."""
    quantities: tuple[str, ...] = ()
    """Words that make the number behind them a measured one, and no version of what they name: `Loss 1.14`."""

    @field_validator("mention")
    @classmethod
    def _names(cls, mention: str) -> str:
        if mention.count(NAME) != 1:
            raise ValueError(f"expected {NAME} in it once, for what a project is called; found {mention!r}")
        return mention


@dataclass(frozen=True)
class Report:
    """One report: absolute paths of its parts."""

    root: Path
    languages: tuple[str, ...]
    """The first is the one for readers whose browser asks for none of them."""
    docs: Path
    results: Path
    published: Path
    claims: Path
    """The file of the claims, which may be missing."""
    declared: Path
    """The folder of what each project declares, which may be missing."""
    pretraining: Path | None
    """The folder of the records of pretrainings, if any is named."""
    bench: Path | None
    """The folder of what was measured side by side, a file for each machine, if the report speaks of that."""
    script: str
    """The path of a project's script from the root, with `{project}` for its identifier."""
    screenshots: Mapping[str, str] = field(default_factory=dict)
    """Pictures for a README: the page of the site, by the file that shows it."""

    def catalogue(self, code: str) -> Catalogue:
        """The report's words in one language.

        Raises:
            ReportError: the file is missing, is not YAML, lacks an entry, or has one that is unknown or given twice.
        """
        root, shown = self.catalogue_document(code), self.relative(self.docs / code / CATALOGUE)
        if not isinstance(root, yaml.MappingNode):
            raise ReportError(f"{shown}: expected entries, each by its name, as in `name: English`; found none.")
        try:
            return Catalogue.model_validate(document.construct(root, shown, document.Texts))
        except ValidationError as problem:
            raise ReportError(
                f"{shown}: {wrong_field(problem, 'the file', known=Catalogue.model_fields)}."
            ) from problem

    def catalogue_document(self, code: str) -> yaml.Node | None:
        """The same as it is written, with its lines; None of an empty file.

        Raises:
            ReportError: the file is missing, is not YAML, has a name twice, or merges entries into its own.
        """
        file = self.docs / code / CATALOGUE
        shown = self.relative(file)
        try:
            root = document.compose(read_text(file, shown), shown)
        except FileNotFoundError:
            raise ReportError(f"{shown}: there is no such file, and every language needs one.") from None
        document.refuse_repeated(root, shown)
        for key, _ in root.value if isinstance(root, yaml.MappingNode) else ():
            if key.tag == MERGE:  # whoever reads the lines of the entries would not find these
                line = key.start_mark.line + 1
                raise ReportError(f"{shown}, line {line}: expected entries, each by its name, found {key.value!r}.")
        return root

    def pages(self) -> tuple[str, ...]:
        """Every page by its path within a language's folder, the same in each language.

        Raises:
            ReportError: a page is missing in a language, would be published under another name than its own, or has the
                address of another one.
        """
        found = {
            code: {path.as_posix() for path in visible(self.docs / code) if path.suffix == ".md"}
            for code in self.languages
        }
        every = sorted(set().union(*found.values()))
        missing = [
            self.relative(self.docs / code / page)
            for code in self.languages
            for page in every
            if page not in found[code]
        ]
        if missing:
            raise ReportError(f"Missing in one language: {', '.join(missing)}. Every page stands in every language.")
        if taken := [page for page in every if page.rpartition("/")[2] == "README.md"]:
            file = self.relative(self.docs / self.languages[0] / taken[0])
            raise ReportError(
                f"{file}: MkDocs publishes a page of this name as its folder's index.md, or leaves it out. Rename it "
                "to index.md, or otherwise, in every language; notes for editors stand outside of the pages."
            )
        if twice := [page for page in every if page.removesuffix(".md") + "/index.md" in every]:
            file = self.relative(self.docs / self.languages[0] / twice[0])
            raise ReportError(
                f"{file}: it has the address of {twice[0].removesuffix('.md')}/index.md, and one of them would be "
                "lost. Rename one, in every language, or make one page of both."
            )
        return tuple(every)

    def shared(self) -> dict[str, Any]:
        """The configuration that the sites of all languages inherit: mkdocs.yml in the root.

        Raises:
            ReportError: it is missing, is not YAML, has a name twice, holds no settings, has one that a language's
                own cannot be joined to, or wants other addresses than links are made for.
        """
        base = self.root / "mkdocs.yml"
        try:
            root = document.compose(read_text(base, "mkdocs.yml"), "mkdocs.yml")
        except FileNotFoundError:
            raise ReportError(f"{base}: there is no such file, and the sites of all languages inherit it.") from None
        document.refuse_repeated(root, "mkdocs.yml")
        shared = document.construct(root, "mkdocs.yml", document.for_mkdocs()) if root else None
        if not isinstance(shared, dict):
            raise ReportError("mkdocs.yml: expected settings by name, as in `site_name: …`.")
        # An empty one is none for MkDocs.
        shared = {name: value for name, value in shared.items() if value is not None}
        for path, value, kind, expected in _joined(shared):
            if not isinstance(value, kind):
                where, name = document.line(root, *path), ".".join(map(str, path))
                raise ReportError(f"mkdocs.yml, line {where}: {name} is {value!r}, expected {expected}.")
        if shared.get("use_directory_urls", True) is not True:
            where = document.line(root, "use_directory_urls")
            raise ReportError(
                f"mkdocs.yml, line {where}: use_directory_urls is {shared['use_directory_urls']!r}, expected true, or "
                "no such line: figures and links are made for addresses that end in a slash."
            )
        return shared

    def relative(self, file: Path) -> str:
        """A file as the user knows it: from the root, if it is below it."""
        return file.relative_to(self.root).as_posix() if file.is_relative_to(self.root) else str(file)


def _joined(shared: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], object, type | UnionType, str]]:
    """Each setting of mkdocs.yml that is joined with a language's own: its place, its value, and what it has to be."""
    yield ("nav",), shared.get("nav", []), list, "a list of pages, and of sections with such a list"
    extensions = "each extension by its name, with its settings or {}, as in `tables: {}` (a list would be replaced)"
    yield ("markdown_extensions",), shared.get("markdown_extensions", {}), dict, extensions
    yield ("hooks",), shared.get("hooks", []), list, "a list of files"
    for place, hook in enumerate(shared.get("hooks", [])):
        yield ("hooks", place), hook, str, "a file"
    theme = shared.get("theme", "")
    yield ("theme",), theme, str | dict, "its name, or settings with a name among them"
    of_theme = theme if isinstance(theme, dict) else {}
    yield ("theme", "custom_dir"), of_theme.get("custom_dir", ""), str, "a folder"
    palette = of_theme.get("palette")
    for place, scheme in enumerate(palette if isinstance(palette, list) else []):
        yield ("theme", "palette", place), scheme, dict, "a scheme of colours, as in `scheme: slate`"
        yield ("theme", "palette", place, "toggle"), scheme.get("toggle", {}), dict, "an icon, as in `{icon: …}`"


def visible(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, by its path within it, sorted, but for what belongs to an editor.

    As for MkDocs, that is whatever has a name, or stands in a folder, that begins with a dot.
    """
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        # A link that leads nowhere, as Emacs marks an open page, is no file either.
        if not is_hidden(path) and file.is_file():
            yield path


def is_hidden(path: PurePath) -> bool:
    """Whether a path within a folder has a name that begins with a dot, or leads through one."""
    return any(part.startswith(".") for part in path.parts)


def read_text(file: Path, shown: str) -> str:
    """A text in UTF-8, with or without the mark that some editors put before it; `shown` names it in errors.

    Raises:
        FileNotFoundError: there is none.
        ReportError: it is in another encoding, or a folder, or nobody may read it.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except (IsADirectoryError, PermissionError) as problem:
        raise ReportError(f"{shown}: expected a file that can be read ({problem.strerror}).") from problem
    except UnicodeDecodeError as problem:
        raise ReportError(
            f"{shown}: expected text in UTF-8, found the byte {problem.object[problem.start]:#x} at {problem.start}, "
            "as other encodings have it. Save the file as UTF-8."
        ) from problem


class Settings(BaseModel):
    """What `[tool.reportgen]` in pyproject.toml says; paths are from the root."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    languages: list[str]
    docs: str
    results: str
    published: str
    claims: str
    declared: str
    pretraining: str | None = None
    bench: str | None = None
    script: str
    screenshots: dict[str, str] = {}

    @field_validator("languages")
    @classmethod
    def _each_once(cls, languages: list[str]) -> list[str]:
        if not languages or len({*languages}) < len(languages):
            raise ValueError(f"expected one language or several, each once; found {languages}")
        return languages

    @field_validator("script")
    @classmethod
    def _of_a_project(cls, script: str) -> str:
        if "{project}" not in script:
            found = f"found {script!r}"
            raise ValueError(f"expected a path with {{project}} in it, as in 'projects/{{project}}.py'; {found}")
        return script

    @field_validator("screenshots")
    @classmethod
    def _are_png(cls, screenshots: dict[str, str]) -> dict[str, str]:
        if other := [name for name in screenshots if not name.endswith(".png")]:
            raise ValueError(f"expected names of files that end in .png; found {other[0]!r}")
        return screenshots


def load(root: Path, results: Path | None = None) -> Report:
    """Read `[tool.reportgen]` in the root's pyproject.toml; `results` replaces the recorded runs.

    Raises:
        ReportError: the file or the table is missing, an entry is missing, unknown or wrong, or `results` is no folder.
    """
    file = root / "pyproject.toml"
    try:
        tools = tomllib.loads(read_text(file, str(file))).get("tool")
    except (FileNotFoundError, NotADirectoryError):
        raise ReportError(
            f"{file}: there is no such file; run this in the root of the report, or give --root."
        ) from None
    except tomllib.TOMLDecodeError as problem:
        raise ReportError(f"{file}: not valid TOML ({problem}).") from problem
    if not isinstance(tools, dict) or "reportgen" not in tools:
        raise ReportError(f"{file}: there is no [tool.reportgen], which says where the parts of the report stand.")
    try:
        settings = Settings.model_validate(tools["reportgen"])
    except ValidationError as problem:
        wrong = wrong_field(problem, "the whole of it", known=Settings.model_fields)
        raise ReportError(f"{file}, in [tool.reportgen]: {wrong}.") from problem
    if results and not results.is_dir():
        raise ReportError(f"{results}: there is no such folder of results.")
    return Report(
        root=root.resolve(),
        languages=tuple(settings.languages),
        docs=(root / settings.docs).resolve(),
        results=(results or root / settings.results).resolve(),
        published=(root / settings.published).resolve(),
        claims=(root / settings.claims).resolve(),
        declared=(root / settings.declared).resolve(),
        pretraining=(root / settings.pretraining).resolve() if settings.pretraining is not None else None,
        bench=(root / settings.bench).resolve() if settings.bench is not None else None,
        script=settings.script,
        screenshots=settings.screenshots,
    )
