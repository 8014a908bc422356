"""A YAML document that somebody wrote by hand: what stands in it and where, or the line that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

import yaml

from reportgen.errors import ReportError


class Loader(yaml.SafeLoader):
    """Says of a value that cannot be what it seems, such as the date 2020-13-45, where it stands."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """What a node holds.

        Raises:
            ConstructorError: it is not what its form or its tag says.
        """
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError) as problem:  # of a date, of `!!bool x`, of `!!timestamp x`
            what = f"{node.value!r} is no {node.tag.rpartition(':')[2]}"
            raise yaml.constructor.ConstructorError(None, None, what, node.start_mark) from problem


class Texts(Loader):
    """Takes what stands there without quotes for text, be it `0`, `yes` or `2021-02-30`; nothing at all stays None."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """What a node holds; one with a tag that its form alone would not give it is what that says."""
        if isinstance(node, yaml.ScalarNode) and node.value:
            as_it_looks: str = self.resolve(yaml.ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
            if node.tag == as_it_looks:
                return node.value
        return super().construct_object(node, deep)


@cache
def for_mkdocs() -> type[Loader]:
    """What reads the settings of MkDocs, whose `!ENV` it knows; any other tag, which only MkDocs obeys, is passed over.

    MkDocs itself would import what `!!python/name` says; to look at the settings, nobody has to.
    """
    from mkdocs.utils.yaml import get_yaml_loader

    loader: type[Loader] = get_yaml_loader(Loader)
    loader.add_constructor(None, lambda *_: None)
    return loader


def compose(text: str, shown: str) -> yaml.Node | None:
    """The nodes of a document, with their lines; None of an empty one. `shown` names the file in errors.

    Raises:
        ReportError: it is no YAML, with the line.
    """
    try:
        return yaml.compose(text, yaml.SafeLoader)
    except yaml.reader.ReaderError as problem:
        raise _invalid(shown, text.count("\n", 0, problem.position) + 1, problem.reason) from problem
    except yaml.MarkedYAMLError as problem:
        raise _marked(shown, problem) from problem


def construct(node: yaml.Node, shown: str, loader: type[Loader] = Loader) -> Any:
    """What a node of a document holds.

    Raises:
        ReportError: a value is not what its form or its tag says, with the line.
    """
    try:
        return loader("").construct_document(node)
    except yaml.MarkedYAMLError as problem:
        raise _marked(shown, problem) from problem


def nodes(node: yaml.Node, leaving_out: Collection[str] = ()) -> Iterator[yaml.Node]:
    """`node` and every one within it, in the order of the document: of a mapping what its names stand for, but for
    those `leaving_out`.
    """
    yield node
    inside = node.value if isinstance(node, yaml.SequenceNode) else []
    if isinstance(node, yaml.MappingNode):
        inside = [value for key, value in node.value if key.value not in leaving_out]
    for one in inside:
        yield from nodes(one, leaving_out)


def line(node: yaml.Node | None, *path: str | int) -> int:
    """The line, from 1, of what stands at a path of names and of places in lists, as far as that leads."""
    found = node.start_mark.line if node else 0
    for part in path:
        entries = node.value if isinstance(node, yaml.CollectionNode) else []
        pairs = entries if isinstance(node, yaml.MappingNode) else [(inside, inside) for inside in entries]
        names = [key.value for key, _ in pairs] if isinstance(node, yaml.MappingNode) else list(range(len(pairs)))
        if part not in names:
            break
        key, node = pairs[names.index(part)]
        found = key.start_mark.line
    return found + 1


def _marked(shown: str, problem: yaml.MarkedYAMLError) -> ReportError:
    mark = problem.problem_mark or problem.context_mark
    what = ", ".join(filter(None, (problem.context, problem.problem)))
    return _invalid(shown, mark.line + 1 if mark else 1, what)


def _invalid(shown: str, line: int, what: str) -> ReportError:
    quoted = " A text that holds a colon or begins with a sign stands in quotes." if "mapping values" in what else ""
    return ReportError(f"{shown}, line {line}: not valid YAML ({what}).{quoted}")


def refuse_repeated(node: yaml.Node | None, shown: str) -> None:
    """Stop where a key stands twice in one mapping: YAML keeps the last and says nothing.

    Raises:
        ReportError: names the key with both lines; or a key is no plain text, as that of `{{ name }}`.
    """
    waiting = [node] if node else []
    seen: set[int] = set()  # an alias may stand within what it names
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                if not isinstance(key, yaml.ScalarNode):
                    raise ReportError(
                        f"{shown}, line {line}: expected a name before the colon, found braces or brackets. "
                        "A text that begins with them stands in quotes."
                    )
                if key.value in lines:
                    raise ReportError(f"{shown}, line {line}: {key.value!r} stands in line {lines[key.value]} already.")
                lines[key.value] = line
                waiting.append(value)
