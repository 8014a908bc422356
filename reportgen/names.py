"""Names: what a page's Jinja asks for of the facts, the projects, the claims and the tools, and what there is not.

Rendering stops at the first name that is unknown. Here each is found, by file and line (variables of a page once its
filters are known); and so is each fact that is absent where a reader would stumble over that.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import is_dataclass
from typing import Any

from jinja2 import Environment, meta, nodes

from reportgen.errors import ReportError, nearest
from reportgen.evidence import refuse_given
from reportgen.facts import Fact, ProjectFacts, Summary, parts_of, subject
from reportgen.figures import Figures
from reportgen.finding import Finding
from reportgen.material import Material
from reportgen.render import FUNCTIONS
from reportgen.source import HOLE, Source

OF_A_PROJECT = ("project", "since", "against")
"""What the functions call an argument that names a project, or a variant; a claim's is its `identifier`."""
INLINE = ("title", "variant", "setting", "dataset", "same_class", "given", "claim", "general")
"""The functions that write words or a number; all others make a block."""
FENCED = ("code", "claim_entry")
"""The functions that make a block of code, and no HTML."""
BARE = ("value", "exact", "unrounded", "values", "records")
"""Parts of facts and of projects that are no facts."""
_JINJA = Environment()
_SINGLE = re.compile(r"(?<!\{)\{[\s(]*(\w+)([.(])")
"""How an expression begins that lacks a brace."""


def check_names(page: Source, material: Material) -> Iterator[Finding]:
    """Every name on one page that is unknown, or that stands in prose within single braces, as readers would see it."""
    known = {*material.facts, *FUNCTIONS, *_JINJA.globals}
    operations = [*_operations(page.tree)]
    for line, name, every in operations:
        yield _unknown(page, line, name, "filter or test of Jinja's", every)
    undeclared = set() if operations else _undeclared(page.tree, known)
    for node in page.tree.find_all((nodes.Name, nodes.Getattr, nodes.Call)):
        match node:
            case nodes.Name(name=name) if name in undeclared:
                yield _unknown(page, node.lineno, name, "known name", known)
            case nodes.Getattr(node=whole, attr=attr):
                value = value_of(whole, material.facts)
                if is_dataclass(value) and not hasattr(value, attr):
                    parts = [part for part in dir(value) if not part.startswith("_")]
                    numbers = [part for part in parts if is_dataclass(getattr(value, part))]
                    yield _unknown(page, node.lineno, attr, f"part of {_written(whole)}", parts, numbers)
            case nodes.Call(node=nodes.Name(name=called)) if called in FUNCTIONS:
                if wrong := _misfit(node, FUNCTIONS[called]):
                    what = f"{called}() is called with other arguments than it has ({wrong})"
                    yield Finding(page.file, what, "", node.lineno)
                elif called == "given" and "value" in (constants := _constants(node, FUNCTIONS[called])):
                    try:
                        refuse_given(**constants)
                    except ReportError as problem:
                        yield Finding(page.file, str(problem).removesuffix("."), "", node.lineno)
                texts = _texts(node, FUNCTIONS[called])
                if called == "setting" and texts.keys() == {"project", "name"}:
                    yield from _check_setting(page, node.lineno, material, **texts)
                for argument, text in texts.items():
                    if argument in OF_A_PROJECT:
                        if parts_of(text)[0] not in material.facts:
                            yield _unknown(page, node.lineno, text, "known project", material.facts)
                        elif parts_of(text)[1]:
                            yield from check_variant(page.file, node.lineno, text, material)
                    if argument == "identifier" and text not in material.judgements:
                        file = material.report.relative(material.report.claims)
                        yield _unknown(page, node.lineno, text, f"claim of {file}", material.judgements)
    for passage in (passage for section in page.sections for passage in section.passages):
        for brace in _SINGLE.finditer(passage.text):
            if brace[1] in (material.facts if brace[2] == "." else FUNCTIONS):
                what = f"'{brace[0]}…' stands within single braces, and a reader sees it as it is written"
                yield Finding(page.file, what, f"{{{{ {brace[1]}… }}}}", passage.line(brace.start()))


def check_variant(file: str, line: int, name: str, material: Material) -> Iterator[Finding]:
    """A word in the name of a variant that is nearly one of another's; a run still to be made has other words."""
    project, variant = parts_of(name)
    known = {
        word for one in material.facts.values() for other in one.variants for word in (other.name or "").split("-")
    }
    for word in (variant or "").split("-"):
        if word not in known and (near := nearest(word, known, cutoff=0.7)):
            what = f"no run of {project} is called '{variant}', and no variant has '{word}' in its name"
            yield Finding(file, what, f"'{near}', if that is meant", line, "warning")


def check_blocks(page: Source) -> Iterator[Finding]:
    """Every call that makes a block, such as a table, where Markdown would make a ruin of it: amid other text of its
    line; indented, as in an admonition, an item or a tab, for its other lines begin at the margin; and a figure within
    HTML whose Markdown is read, which tears its parts asunder.
    """
    for output in page.tree.find_all(nodes.Output):
        written = [part.data if isinstance(part, nodes.TemplateData) else HOLE for part in output.nodes]
        for place, node in enumerate(output.nodes):
            match node:
                case nodes.Call(node=nodes.Name(name=called)) if called in FUNCTIONS and called not in INLINE:
                    *above, indent = "".join(written[:place]).split("\n")
                    after = "".join(written[place + 1 :]).partition("\n")[0]
                    # A little does no harm to HTML that continues no paragraph or item.
                    harmless = 0 if called in FENCED or (above and above[-1].strip()) else 3
                    if indent.strip() or after.strip():
                        what = f"{called}() makes a block and stands amid a line"
                        yield Finding(page.file, what, "a line of its own", node.lineno)
                    elif len(indent.expandtabs(4)) > harmless:
                        what = f"{called}() makes a block and is indented, as in an admonition or in an item of a list"
                        yield Finding(page.file, what, "a line of its own at the margin", node.lineno)
    for item in (item for section in page.sections for item in section.items if item.in_html):
        if (called := item.key.partition("(")[0]) in Figures.NAMES and called not in INLINE:
            what = f"{called}() makes a figure and stands in HTML with `markdown`, where its parts would come apart"
            yield Finding(page.file, what, "the tag without `markdown`, or a line outside of it", item.line)


def check_bare(page: Source) -> Iterator[Finding]:
    """Every place where a page writes a number taken out of its fact, or goes through such numbers: it would be in
    Python's way of writing, of no known origin, and after a rounding of the page's own. What a condition asks for is
    not written, nor is a count.
    """
    through = (nodes.Output([loop.iter]) for loop in page.tree.find_all(nodes.For))
    for output in (*page.tree.find_all(nodes.Output), *through):
        counted = {id(one.node) for one in output.find_all(nodes.Filter) if one.name in ("length", "count")}
        called = {id(one.node) for one in output.find_all(nodes.Call)}  # such as values() of a page's own names
        for node in output.find_all(nodes.Getattr):
            if node.attr in BARE and id(node) not in counted | called:
                what = (
                    f".{node.attr} takes a number out of its fact, so that it is written as Python writes it, without "
                    "its source"
                )
                remedy = "the fact itself, such as … .accuracy.mean, .min or .max; every run stands in results()"
                yield Finding(page.file, what, remedy, node.lineno)


def check_absent(page: Source, material: Material) -> Iterator[Finding]:
    """Every fact amid a sentence that is absent: the words that stand for it make sense behind a colon or in a cell.

    What a page says on a condition is left to it, and what stands on the other side of a claim's tag is not seen.
    """
    conditional = {id(part) for branch in page.tree.find_all(nodes.If) for part in branch.find_all(nodes.Output)}
    for output in page.tree.find_all(nodes.Output):
        if id(output) in conditional:
            continue
        written = [part.data if isinstance(part, nodes.TemplateData) else "" for part in output.nodes]
        for node, before, after in zip(output.nodes, ["", *written], [*written[1:], ""], strict=False):
            absent = _absent(node, material.facts)
            if absent and not _LABEL.search(before) and not (_BEGIN.search(before) and _END.match(after)):
                what = f"a fact in this sentence is absent, and a reader sees '{absent}' in its place"
                yield Finding(
                    page.file, what, "a label and a colon before it, or another sentence", node.lineno, "warning"
                )


_LABEL = re.compile(r"[:|(\[][\s*_]*$")
_BEGIN = re.compile(r"(?:^\s*|\n[ \t]*\n[ \t]*|\n[ \t]*(?:[-*+>]|\d+\.)[ \t]+)[*_]*$")
_END = re.compile(r"[ \t*_]*(?:$|\n[ \t]*(?:\n|$|[-*+>]|\d+\.))")
"""Of a block of its own, or of an item of a list."""


def _absent(node: nodes.Node, facts: Mapping[str, ProjectFacts]) -> str | None:
    """The words that stand for a fact, or for a difference of facts, that is absent."""
    if isinstance(node, nodes.Sub):
        return _absent(node.left, facts) or _absent(node.right, facts)
    match value_of(node, facts):
        case Fact(value=None, absent=words) | Summary(values=(), absent=words):
            return words
    return None


def value_of(node: nodes.Node, facts: Mapping[str, ProjectFacts]) -> object:
    """What an expression such as `project.published.test` stands for; None if it is no such chain, or leads nowhere."""
    match node:
        case nodes.Name(name=name):
            return facts.get(name)
        case nodes.Getattr(node=whole, attr=attr):
            return getattr(value_of(whole, facts), attr, None)
        case nodes.Call(node=nodes.Name(name="variant"), args=[nodes.Const(value=str(name))]):
            return subject(facts, name) if parts_of(name)[0] in facts else None
    return None


def _written(node: nodes.Node) -> str:
    """A chain that `value_of` follows, as a page writes it."""
    match node:
        case nodes.Getattr(node=whole, attr=attr):
            return f"{_written(whole)}.{attr}"
        case nodes.Call(args=[nodes.Const(value=name)]):
            return f'variant("{name}")'
        case nodes.Name(name=name):
            return str(name)
    return "it"


def _operations(tree: nodes.Template) -> Iterator[tuple[int, str, Collection[str]]]:
    """Filters and tests that Jinja does not have: where, which, and those that it has."""
    for kind, every in ((nodes.Filter, _JINJA.filters), (nodes.Test, _JINJA.tests)):
        for node in tree.find_all(kind):
            if node.name not in every:
                yield node.lineno, node.name, every


def _undeclared(tree: nodes.Template, known: Collection[str]) -> set[str]:
    """Names that are neither known nor the page's own, such as those of a loop."""
    if all(node.name in known for node in tree.find_all(nodes.Name)):
        return set()  # as almost always, and told in a tenth of the time
    return meta.find_undeclared_variables(tree) - set(known)


def _misfit(call: nodes.Call, signature: inspect.Signature) -> str:
    """What is wrong with the number or the names of a call's arguments; empty if nothing is, or more is handed on."""
    if call.dyn_args or call.dyn_kwargs or "caller" in signature.parameters:  # which a tag gives
        return ""
    try:
        signature.bind("self", *call.args, **{keyword.key: keyword.value for keyword in call.kwargs})
    except TypeError as problem:
        return str(problem)
    return ""


def _check_setting(page: Source, line: int, material: Material, project: str, name: str) -> Iterator[Finding]:
    """Whether a project that is known has the setting that a page asks for, as far as anything tells its settings."""
    plan = material.planned(project) if parts_of(project)[0] in material.facts else None
    if plan and name not in plan.settings:
        yield _unknown(page, line, name, f"setting of {project}", plan.settings, plan.settings)


def _texts(call: nodes.Call, signature: inspect.Signature) -> dict[str, str]:
    """The arguments of a call that are texts, by what the function calls them."""
    return {name: value for name, value in _constants(call, signature).items() if isinstance(value, str)}


def _constants(call: nodes.Call, signature: inspect.Signature) -> dict[str, Any]:
    """The arguments of a call that are known before it is made, by what the function calls them."""
    names = [name for name in signature.parameters if name != "self"]
    given = [*zip(names, call.args, strict=False), *((keyword.key, keyword.value) for keyword in call.kwargs)]
    found = {}
    for name, node in given:
        with suppress(nodes.Impossible):
            found[name] = node.as_const()
    return found


def _unknown(
    page: Source, line: int, name: str, what: str, known: Collection[str], offered: Collection[str] = ()
) -> Finding:
    """A name that is not among those `known`; where none of them is near, those `offered` are told."""
    near = nearest(name, known)
    remedy = f"'{near}', if that is meant" if near else f"one of {', '.join(offered)}" if offered else ""
    return Finding(page.file, f"'{name}' is no {what}", remedy, line)
