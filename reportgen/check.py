"""Everything that a writer should look at, of the whole report: nothing is rendered and nothing is written.

An error is what makes the report say something that nobody stands for: a page that lacks what its other version has, or
is older; an unknown name; a number typed by hand; a comparison outside a claim; a claim that its writer takes the study
to bear out, and it does not; a mean over runs of different things; a record that today's sources no longer stand for. A
warning is what a writer may know and leave. The build refuses only what it cannot show truthfully: an unknown name, a
page without counterpart, a claim untrue of the study.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from jinja2.nodes import Call, Name

from reportgen import chapter, fingerprint, navigation, parity, prose, record, source, translations
from reportgen.claims import projects
from reportgen.errors import nearest
from reportgen.facts import ProjectFacts, subject
from reportgen.finding import Finding
from reportgen.language import language, unlike, untranslated
from reportgen.material import Material
from reportgen.names import check_absent, check_bare, check_blocks, check_names, check_variant
from reportgen.record import Record
from reportgen.report import CATALOGUE, Catalogue, Report
from reportgen.source import Source, Sources

GONE = "the script under its old name"
"""What mends a record or a declaration whose script is gone; or it goes, too."""


def check(material: Material) -> list[Finding]:
    """Every finding, by file and line."""
    report = material.report
    sources = source.read_all(report, material.pages)
    confirmed = translations.read(report)
    found = [
        *_parts(report),
        *_records(material),
        *_declarations(material),
        *_claims(material, sources),
        *_mixed(material),
    ]
    catalogues = {code: report.catalogue(code) for code in report.languages}
    for code, catalogue in catalogues.items():
        found += prose.check_catalogue(report, code, catalogue)
    found += navigation.check(report, material.pages, catalogues)
    found += [*_catalogues(material, catalogues, sources), *_words(report)]
    found += translations.check(CATALOGUE, source.read_catalogues(report), confirmed)
    for page, versions in sources.items():
        found += parity.check(versions)
        found += translations.check(page, versions, confirmed)
        for code, version in versions.items():
            found += prose.check_page(version, code, catalogues[code])
            found += check_names(version, material)
            found += check_blocks(version)
            found += dict.fromkeys(check_bare(version))
            found += dict.fromkeys(check_absent(version, material))  # several in one line are told once
            found += _included(version, material.pages)
            found += navigation.check_links(version, page, material.pages)
            found += _unanswered(version, code)
    return sorted(found, key=lambda finding: (finding.where, finding.line or 0))


def _unanswered(version: Source, code: str) -> Iterator[Finding]:
    """What a chapter that was begun by a program still asks its writer: its readers find nothing there."""
    for line, question in chapter.unanswered(version.text, language(code)):
        what = f"the comment “{question}” of a new chapter still stands where words belong"
        yield Finding(version.file, what, "your answer in its place, or nothing", line, "warning")


def _parts(report: Report) -> Iterator[Finding]:
    """Every part of the report that may be missing, is, and has a namesake beside it, which is probably meant.

    Without it the pages would say that nothing has been run, declared or claimed.
    """
    for name in ("results", "claims", "declared", "pretraining", "bench"):
        path = getattr(report, name)
        if path is None or path.exists() or not path.parent.is_dir():
            continue
        # The claims are a file, and all others folders.
        alike = [file.name for file in path.parent.iterdir() if file.is_dir() != (name == "claims")]
        if near := nearest(path.name, sorted(alike)):
            yield Finding(
                where="pyproject.toml",
                what=f"[tool.reportgen] names {report.relative(path)} for {name}, and there is nothing of that name",
                remedy=f'{name} = "{report.relative(path.with_name(near))}"',
            )


def _records(material: Material) -> Iterator[Finding]:
    """Every record whose sources changed since it was made or confirmed."""
    report = material.report
    for known in material.facts.values():
        for run in known.every_record:
            confirmations = material.confirmations[run.key]
            changed = fingerprint.changed(run, confirmations, report.root)
            if changed:
                file = record.folder_of(run, report.results) / record.RECORD_FILE
                what = f"unconfirmed: changed since the run are {', '.join(changed)}"
                remedy = fingerprint.remedy(run, report.root)
                if remedy and run.variant:
                    remedy += f"; if that finds it stale, `{run.command}`, or delete this folder"
                if remedy is None:
                    what = f"its script {run.script} is gone"
                    remedy = f"{GONE}; or delete this folder, or move it out of {report.relative(report.results)}"
                yield Finding(where=report.relative(file), what=what, remedy=remedy)


def _declarations(material: Material) -> Iterator[Finding]:
    """Every declaration whose script changed since it was written down."""
    report = material.report
    for declaration in material.declarations.values():
        now = fingerprint.fingerprints(declaration.sources, report.root)
        if changed := [file for file, known in declaration.sources.items() if now.get(file) != known]:
            what = f"older than the script: changed since are {', '.join(changed)}"
            remedy = f"python -m experiments declare {declaration.project}"
            if not (report.root / declaration.script).is_file():
                what, remedy = f"its script {declaration.script} is gone", f"{GONE}; or delete this file"
            yield Finding(report.relative(report.declared / f"{declaration.project}.json"), what, remedy)


def _included(page: Source, pages: Collection[str]) -> Iterator[Finding]:
    """What a page takes from files that are no pages, and that nothing here looks at."""
    for item in (item for section in page.sections for item in section.items if item.kind == "tag"):
        name, _, rest = item.key.partition(" ")
        if name in ("include", "import", "from", "extends") and not any(
            rest.startswith(f'"{known}"') for known in pages
        ):
            what = f"{item} takes words from a file that is no page, and nobody checks them"
            yield Finding(page.file, what, "a page in every language, or the words here", item.line)


def _catalogues(material: Material, catalogues: Mapping[str, Catalogue], sources: Sources) -> Iterator[Finding]:
    """What a catalogue lacks that another has, a project or the checklist asks for, and projects that are not there."""
    report = material.report
    named = {
        code: {
            f"{part}.{key}"
            for part, names in catalogue.model_dump().items()
            if isinstance(names, dict)
            for key in names
        }
        for code, catalogue in catalogues.items()
    }
    every = set().union(*named.values()) | {f"projects.{identifier}" for identifier in material.facts}
    runs = [run for known in material.facts.values() for run in known.every_record]
    listed = _asks(sources, "checklist") and not material.smoke
    terms = {f"licences.{run.dataset.name}" for run in runs if listed}
    for code, names in named.items():
        file = report.relative(report.docs / code / CATALOGUE)
        for name in sorted(every - names - terms):
            part, _, identifier = name.partition(".")
            untold = part == "projects" and identifier in material.facts and identifier not in material.chapters
            remedy = f"python -m reportgen chapter {identifier}" if untold else ""
            yield Finding(file, f"there is no {name}, which another catalogue or a project asks for", remedy)
        for name in sorted(terms - names):
            yield Finding(file, f"there is no {name}, the terms of those images, which the checklist asks for")
        for identifier in sorted(material.facts.keys() & material.chapters.keys()):
            if catalogues[code].projects.get(identifier) == identifier:
                what = f"projects.{identifier} is called by its identifier"
                yield Finding(file, what, f"a title in place of {identifier}", severity="warning")
        called: dict[str, list[str]] = {}
        for identifier, name in catalogues[code].short.items():
            called.setdefault(name, []).append(identifier)
        for name, several in called.items():
            if len(several) > 1:
                what = f"{name!r} is the short name of {' and '.join(sorted(several))}, which no reader can tell apart"
                yield Finding(file, what, "a name for each in `short`", severity="warning")
        titled = catalogues[code].projects.keys() | catalogues[code].short.keys()
        if gone := sorted(titled - material.facts.keys()):
            yield Finding(file, f"it names projects that are not there: {', '.join(gone)}", severity="warning")


def _asks(sources: Sources, function: str) -> bool:
    """Whether a page calls a function of the report."""
    calls = (node for versions in sources.values() for page in versions.values() for node in page.tree.find_all(Call))
    return any(isinstance(call.node, Name) and call.node.name == function for call in calls)


def _words(report: Report) -> Iterator[Finding]:
    """Words of the generator that a language of the report lacks, and those that cannot be filled in."""
    for code in report.languages:
        for line, told in unlike(code):
            yield Finding(f"reportgen/locale/{code}.po", told, "the names of the message, untranslated", line)
        if missing := untranslated(code):
            what = (
                f"{len(missing)} messages are not translated, and readers see them in English (first: {missing[0]!r})"
            )
            yield Finding(f"reportgen/locale/{code}.po", what)


def _mixed(material: Material) -> Iterator[Finding]:
    """Where runs are taken together that differ in more than seed and machine, or are compared on other images."""
    report = material.report
    for known in material.facts.values():
        for runs in _groups(known):
            where = report.relative(record.folder_of(runs[0], report.results).parent)
            if len(names := _datasets(runs)) > 1:
                yield Finding(
                    where,
                    what=f"one mean would be taken of runs on different images: {', '.join(names)}",
                    remedy="records on the same images; those of other runs into a folder of results of their own",
                )
            elif told := record.renamed(runs):
                what, command = told
                yield Finding(where, f"one mean would be taken of runs with other names of classes: {what}", command)
            if names := _differences(runs):
                yield Finding(
                    where,
                    what=f"one mean would be taken of runs that differ in more than the seed: {', '.join(names)}",
                    remedy="records that differ in nothing else; the others into a folder of results of their own",
                )
    for identifier, judgement in material.judgements.items():
        compared = [run for name in projects(judgement.claim) for run in subject(material.facts, name).records]
        if len(names := _datasets(compared)) > 1:
            yield Finding(
                where=report.relative(report.claims),
                what=f"claim {identifier} compares runs on different images: {', '.join(names)}",
                remedy="runs of all these projects on the same images",
                line=judgement.claim.line,
            )


def _groups(known: ProjectFacts) -> Iterable[Sequence[Record]]:
    """The runs of which one mean is taken, those of a project and of each variant, as prose names it."""
    groups: dict[object, list[Record]] = {}
    for variant in known.variants:
        groups.setdefault(variant.name or variant.differences, []).extend(variant.records)
    return filter(None, (known.records, *groups.values()))


def _differences(runs: Sequence[Record]) -> list[str]:
    """In what `runs` differ, of all that makes them runs of the same thing."""
    first, *others = ({**run.settings, "precision": run.precision, "network": run.network} for run in runs)
    names = {name for other in others for name in first.keys() | other.keys() if first.get(name) != other.get(name)}
    return sorted(names)


def _datasets(runs: Iterable[Record]) -> list[str]:
    """The images that `runs` saw, each set once, by name and the beginning of its hash."""
    return sorted({f"{run.dataset.name} ({run.dataset.sha256[:8]})" for run in runs})


def _claims(material: Material, sources: Sources) -> Iterator[Finding]:
    """Claims that are not what their writer expects of them, and those that no page makes."""
    file = material.report.relative(material.report.claims)
    said = source.claims(sources)
    for identifier, judgement in material.judgements.items():
        line, expected = judgement.claim.line, judgement.claim.expect
        where = f"; it is said in {' and '.join(said[identifier])}" if identifier in said else ""
        if judgement.study.verdict != expected.study:
            what = f"claim {identifier} is expected of the study: {expected.study}, found: {judgement.study.verdict}"
            yield Finding(file, what + where, "the claim, or the prose that makes it", line)
        if judgement.unexpected:
            verdict = judgement.reproduction.verdict
            what = f"claim {identifier} is expected of the reproduction: {expected.reproduction}, found: {verdict}"
            remedy = f"`expect: {{reproduction: {verdict}}}`, and prose that says so; or runs that decide otherwise"
            yield Finding(file, what + where, remedy, line, "warning")
        if identifier not in said:
            yield Finding(file, f"claim {identifier} is made on no page", "a page, or no claim", line, "warning")
        for name in projects(judgement.claim):
            if "/" in name:
                yield from check_variant(file, line, name, material)
