"""Parity: a page has the same headings, facts, claims, figures, tables and code in every language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import permutations

from reportgen.evidence import ANCHOR
from reportgen.finding import Finding
from reportgen.source import Item, Section, Source


def check(page: Mapping[str, Source]) -> Iterator[Finding]:
    """What one page, by language, has in one language and lacks in another, or has in another order."""
    for source in page.values():
        yield from _identifiers(source)
    for one, other in permutations(page.values(), 2):
        for section in other.sections:
            if section.identifier and not one.section(section.identifier):
                yield Finding(
                    one.file, f"section {section.identifier} is missing, which {_place(other, section.line)}, has"
                )
    first, *others = page.values()
    for other in others:
        yield from _headings(first, other)
        for section in first.sections:
            counterpart = other.section(section.identifier) if section.identifier else None
            if counterpart:
                yield from _items(first, section, other, counterpart)


def _identifiers(source: Source) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for section in source.sections:
        if section.identifier is None:
            yield Finding(
                source.file,
                f"heading '{section.title}' has no explicit identifier",
                f"{'#' * section.level} {section.title} {{ #… }}, the same in every language",
                section.line,
            )
        elif len(words := section.identifier.split()) > 1:
            yield Finding(
                source.file,
                f"section '{section.identifier}' has a space in its identifier, and MkDocs cannot read it",
                f"{{ #{'-'.join(words)} }}, the same in every language",
                section.line,
            )
        elif section.identifier == ANCHOR:
            yield Finding(
                source.file,
                f"section {ANCHOR} has the identifier of the notes below every page",
                "another identifier, the same in every language",
                section.line,
            )
        elif section.identifier in seen:
            yield Finding(
                source.file,
                f"section {section.identifier} has the identifier of the one in line {seen[section.identifier]}",
                "another identifier, the same in every language",
                section.line,
            )
        else:
            seen[section.identifier] = section.line


def _headings(first: Source, other: Source) -> Iterator[Finding]:
    """Levels that differ, and the first place where the order does."""
    shared = [section for section in first.sections if section.identifier and other.section(section.identifier)]
    order = [section for section in other.sections if section.identifier and first.section(section.identifier)]
    for ours, theirs in zip(shared, order, strict=False):
        if ours.identifier != theirs.identifier:
            yield Finding(
                other.file,
                f"section {theirs.identifier} stands where {_place(first, ours.line)}, has {ours.identifier}",
                line=theirs.line,
            )
            return
    for ours in shared:
        theirs = other.section(ours.identifier) or ours
        if theirs.level != ours.level:
            yield Finding(
                other.file,
                f"section {theirs.identifier} is a heading of level {theirs.level}, "
                f"but of level {ours.level} in {_place(first, ours.line)}",
                line=theirs.line,
            )


def _items(first: Source, ours: Section, other: Source, theirs: Section) -> Iterator[Finding]:
    both = ((first, ours), (other, theirs))
    for (one, here), (another, there) in (both, both[::-1]):
        lacking = Counter(_key(item) for item in there.items) - Counter(_key(item) for item in here.items)
        for item in there.items:
            if lacking[_key(item)]:
                lacking[_key(item)] -= 1
                yield Finding(
                    one.file,
                    f"section {here.identifier} lacks {item}, which {_place(another, item.line)}, has",
                    line=here.line,
                )
    blocks = [[item for item in section.items if item.alone] for section in (ours, theirs)]
    if Counter(map(_key, blocks[0])) == Counter(map(_key, blocks[1])):
        for item, counterpart in zip(*blocks, strict=True):
            if _key(item) != _key(counterpart):
                yield Finding(
                    other.file,
                    f"section {theirs.identifier} has {counterpart} where {_place(first, item.line)}, has {item}",
                    line=counterpart.line,
                )
                return


def _key(item: Item) -> tuple[str, str]:
    return item.kind, item.key


def _place(source: Source, line: int) -> str:
    return f"{source.file}, line {line}"
