"""Claims and facts within a page: the mark behind a claim, the link on a number, and the notes that both lead to.

A page says `{% claim "identifier" %}a sentence{% endclaim %}`. The sentence stays as it is written; behind it comes a
mark with both verdicts, which leads to a note at the page's end: the claim again in words of the generator's, so that
prose that says the reverse is seen, and the numbers that were compared. Every fact in the prose is a link to a note on
where it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from textwrap import shorten

from jinja2 import Environment, TemplateSyntaxError, Undefined, meta, nodes, pass_context
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context
from markupsafe import escape

from reportgen.claims import METRICS, Comparison, Extreme, Judgement, Metric, Overfitting, Quantity, Ranking, Threshold
from reportgen.edition import show
from reportgen.errors import ReportError, did_you_mean
from reportgen.facts import Fact, Interval, Kind, Origin, ProjectFacts, Quoted, Summary, parts_of
from reportgen.report import Report, read_text
from reportgen.tools import PageTools
from reportgen.verbatim import CODE, for_jinja, replaced

ANCHOR = "evidence"
"""The id of the section that holds a page's notes."""
GLYPHS: Mapping[str, str] = {"holds": "✓", "contradicted": "✗", "undecided": "?"}
MESSAGES: Mapping[str, str] = {
    "better": "In {metric}, {of} does better than {than}.",
    "better by": "In {metric}, {of} does better than {than} by more than {margin}.",
    "worse": "In {metric}, {of} does worse than {than}.",
    "worse by": "In {metric}, {of} does worse than {than} by more than {margin}.",
    "higher": "In {metric}, {of} is above {than}.",
    "higher by": "In {metric}, {of} is above {than} by more than {margin}.",
    "higher times": "In {metric}, {of} is more than {times} times {than}.",
    "lower": "In {metric}, {of} is below {than}.",
    "lower by": "In {metric}, {of} is below {than} by more than {margin}.",
    "lower times": "In {metric}, {times} times {of} is still less than {than}.",
    "similar by": "In {metric}, {of} and {than} differ by at most {margin}.",
    "equal": "In {metric}, {of} is equal to {than}.",
    "best": "In {metric}, {of} does best; it was compared with {among}.",
    "worst": "In {metric}, {of} does worst; it was compared with {among}.",
    "ranked": "In {metric}, from best to worst: {order}.",
    "above": "In {metric}, {of} is above {value}.",
    "below": "In {metric}, {of} is below {value}.",
    "overfits": "{of} recognises its training images better than its test images, by more than {margin}.",
}
"""How each kind of claim is said; `by` with a margin, `times` with a factor."""
ONE: Mapping[str, str] = {"epochs": "epoch", "nats": "nat", "parameters": "parameter"}
"""The words for one of a unit, where it is a word that has a plural."""
GIVEN: Mapping[str, Kind] = {
    "count": "count",
    "decimal": "nats",
    "percent": "percent",
    "nats": "nats",
    "seconds": "seconds",
}
"""What a number that nobody measured may be, when a page gives it."""
IMPORTED = "a file knows what its page knows where that includes it, or imports it `with context`"
"""Why a name of every page's, or a value, may find nothing of its page."""


def refuse_given(value: object, kind: str = "count") -> None:
    """Nothing, where a page can give `value`, which nobody measured, as a number of a `kind`.

    Raises:
        ReportError: it is no number, more than a whole, of no such kind, or would be rounded by writing it as one.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ReportError(f"{value!r} is no number; {{{{ given(8192) }}}} writes one, without quotes.")
    if not abs(value) < 1e308:
        raise ReportError("what is given is infinite, or too large a number to be written.")
    if kind not in GIVEN:
        raise ReportError(f"'{kind}' is not a kind of number that can be given: {', '.join(GIVEN)}.")
    if kind == "percent" and abs(value) > 1:
        raise ReportError(
            f'{value} would be {value * 100:g}%, for the whole is 1; {{{{ given(0.95, "percent") }}}} writes 95%.'
        )
    if kind == "seconds" and abs(value) >= 60 and value != Fact.of(value, "seconds").value:
        raise ReportError(
            f"{value} s would be rounded; give whole seconds from a minute on, whole minutes from an hour."
        )
    if kind == "count" and value != round(value):
        raise ReportError(f'{value} is no whole number; {{{{ given({value}, "decimal") }}}} writes its decimals.')


class ClaimTags(Extension):
    """The tags `{% claim "identifier" %}…{% endclaim %}` and `{% general %}…{% endgeneral %}`.

    The second marks a sentence that compares things in general and not these results; a reader sees no difference.
    """

    tags = {"claim", "general"}  # noqa: RUF012  # as Jinja declares it

    def parse(self, parser: Parser) -> nodes.Node:
        token = next(parser.stream)
        arguments = [parser.parse_expression()] if token.value == "claim" else []
        body = parser.parse_statements((f"name:end{token.value}",), drop_needle=True)
        call = nodes.Call(nodes.Name(token.value, "load"), arguments, [], None, None)
        return nodes.CallBlock(call, [], [], body).set_lineno(token.lineno)


@pass_context
def cite(context: Context, value: object) -> object:
    """What a page writes of a value: a fact as its language does, and as a link to where it comes from.

    Raises:
        ReportError: a file writes it that does not know its page.
    """
    evidence: Evidence | None = context.get("evidence_")
    if evidence is None:
        raise ReportError(f"no value can be written here: {IMPORTED}.")
    return evidence.cite(value)


def bare(text: str) -> str:
    """`text` with each fact that `cite` has marked as no more than its own text."""
    return _CITED.sub(r"\2", text)


def placed(text: str) -> str:
    """A page's Markdown with each fact that `cite` has marked as a link to its note; as bare text where no link can be.

    That is in code, but for a piece that is nothing else, in a formula, in a tag of HTML, in the text of a link or a
    picture, and in what stands elsewhere for either.

    Raises:
        ReportError: a claim stands in one of these, where its mark would be no link, either.
    """
    text = replaced(_NO_LINK, _unlinked, text)
    return _CITED.sub(r'<a class="rg-fact" href="#\1">\2</a>', text).translate(_SHOWN)


def _unlinked(found: re.Match[str]) -> str:
    if CLAIM in found[0]:
        piece = shorten(bare(_TAGS.sub("", found[0])), 60, placeholder="…")
        name = _NAMED.search(found[0])
        claim = f"the claim {name[1]}" if name else "a claim"
        raise ReportError(
            f"{claim} stands in {piece}, where nobody could open its evidence: in code, in a formula, in a tag, or in "
            "the text of a link or a picture. Let it stand in running text, with all of that within it or beside it."
        )
    if whole := _CITED_CODE.fullmatch(found[0]):
        return f"\ue000{whole[1]}\ue001<code>{whole[2]}</code>\ue002"
    if found["formula"]:
        # TeX takes what follows a percent sign for a comment, and puts a gap behind a comma.
        return _CITED.sub(lambda fact: fact[2].replace("%", r"\%").replace(",", "{,}"), found[0])
    return bare(found[0])


CLAIM, _CLOSING = "\ue006", "\ue007"
"""What stands for the brackets of a claim's tags until they are `placed`; the first begins each of them."""
_HIDDEN = str.maketrans("<>", CLAIM + _CLOSING)
_SHOWN = str.maketrans(CLAIM + _CLOSING, "<>")
_TAGS = re.compile(f"{CLAIM}a .*?{CLAIM}/a{_CLOSING}|{CLAIM}.*?{_CLOSING}")
"""What a claim adds to its sentence, as `placed` finds it."""
_NAMED = re.compile('href="#claim-([^"]+)"')
_BLOCK = re.compile(r"#{1,6} |[-*+] |\d+[.)] |\||>|!!!|\?\?\?|===|```|~~~")
"""What makes something else than running text of a line that it begins."""
_CITED = re.compile("\ue000(.*?)\ue001(.*?)\ue002")
_CITED_CODE = re.compile("(?<!`)`\ue000([^`]*?)\ue001([^`<]*?)\ue002`(?!`)")
"""A fact between backticks: Markdown would show the link's own text."""
_NO_LINK = (
    rf"{CODE}"
    r"|(?P<formula>\$\$.+?\$\$|(?<![\\$])\$(?=[^\s$])[^$\n]*?(?<=[^\s\\])\$(?!\d)"
    r"|\\\(.+?\\\)|\\\[.+?\\\]|\\begin\{(?P<environment>\w+\*?)\}.+?\\end\{(?P=environment)\})"
    r"|<a\b[^<>]*>.*?</a>"
    r"|</?[A-Za-z][^<>]*>"
    r"|^ {0,3}\*?\[(?!\^)[^\]\n]+\]:[^\n]*(?:\n[ \t]+[\"'(][^\n]*)?"
    r"|!?\[(?:[^\[\]]|\[[^\[\]]*\])*\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\])"
)


def uses(report: Report, code: str, pages: tuple[str, ...], *names: str) -> list[dict[str, tuple[str, ...]]]:
    """For each of `names`, such as `claim`, the pages that call it with a text for its first argument, by that text."""
    found: dict[str, dict[str, list[str]]] = {name: {} for name in names}
    for page, tree in _trees(report, code, pages):
        for call in tree.find_all(nodes.Call):
            match call:
                case nodes.Call(node=nodes.Name(name=called), args=[nodes.Const(value=str(text)), *_]):
                    if called in found and page not in found[called].setdefault(text, []):
                        found[called][text].append(page)
    return [{text: tuple(where) for text, where in found[name].items()} for name in names]


def included(report: Report, code: str, pages: tuple[str, ...]) -> set[Path]:
    """The files that pages of a language are made from beside their own text."""
    return {
        report.docs / code / name
        for _, tree in _trees(report, code, pages)
        for name in meta.find_referenced_templates(tree)
        if name
    }


def _trees(report: Report, code: str, pages: tuple[str, ...]) -> Iterator[tuple[str, nodes.Template]]:
    """What Jinja reads in each page of a language; rendering says what is wrong with one that it cannot read."""
    environment = Environment(extensions=[ClaimTags])
    for page in pages:
        file = report.docs / code / page
        with suppress(TemplateSyntaxError):
            yield page, environment.parse(for_jinja(read_text(file, report.relative(file))))


@dataclass
class Evidence(PageTools):
    """What a page may call for claims, and what it has called so far."""

    NAMES = ("claim", "claim_entry", "general", "given", "findings", "claims_table")

    used: dict[str, Judgement] = field(default_factory=dict)
    origins: dict[Origin, None] = field(default_factory=dict)

    def claim(self, identifier: str, caller: Callable[[], str]) -> str:
        """The sentence between the tags, and its mark.

        Raises:
            ReportError: there is no such claim, or what is between the tags is more than running text.
        """
        judgement = self._judgement(identifier)
        # The first use is where the note leads back to.
        anchor = "" if identifier in self.used else f' id="said-{identifier}"'
        self.used[identifier] = judgement
        said = caller().strip()
        if re.search(r"\n[ \t]*\n", said):
            raise ReportError(f"the claim {identifier} goes over an empty line; a claim stands within one paragraph.")
        if block := _BLOCK.match(said):
            raise ReportError(
                f"the claim {identifier} begins with '{block[0].strip()}', which no longer begins the line then; put "
                "the tag behind it: a claim stands within a paragraph, an item, a cell or a heading."
            )
        study, reproduction = judgement.study.verdict, judgement.reproduction.verdict
        reproduces = self.edition.material.reproduces
        label = self.edition.words.gettext(
            "Evidence: {study} in the study, {reproduction} in the reproduction"
            if reproduces
            else "Evidence: {reproduction}",
            study=self.verdict(study),
            reproduction=self.verdict(reproduction),
        )
        verdicts = (study, reproduction) if reproduces else (reproduction,)
        glyphs = "".join(f'<span class="rg-{verdict}">{GLYPHS[verdict]}</span>' for verdict in verdicts)
        begin = f'<span class="rg-claim"{anchor}>'
        end = (
            f'<a class="rg-mark" href="#claim-{identifier}" role="doc-noteref" data-search-exclude '
            f'aria-label="{escape(label)}">{glyphs}</a></span>'
        )
        return f"{begin.translate(_HIDDEN)}{said}{end.translate(_HIDDEN)}"

    def claim_entry(self, identifier: str) -> str:
        """A claim's entry as it stands in the file of claims.

        Raises:
            ReportError: there is no such claim.
        """
        line = self._judgement(identifier).claim.line
        lines = read_text(self.report.claims, self.report.relative(self.report.claims)).splitlines()
        others = (judgement.claim.line for judgement in self.edition.material.judgements.values())
        entry = lines[line - 1 : min((other for other in others if other > line), default=len(lines) + 1) - 1]
        # What stands at the margin below an entry is an empty line, or a comment on the next.
        while not entry[-1].strip() or entry[-1].startswith("#"):
            entry.pop()
        return "\n".join(["```yaml", *entry, "```"])

    def _judgement(self, identifier: str) -> Judgement:
        known = self.edition.material.judgements
        if identifier not in known:
            file = self.report.relative(self.report.claims)
            raise ReportError(f"'{identifier}' is not a claim of {file}{did_you_mean(identifier, known)}")
        return known[identifier]

    def general(self, caller: Callable[[], str]) -> str:
        """The sentence between the tags."""
        return caller()

    def given(self, value: float, kind: str = "count") -> str:
        """A constant that nobody measured, written as the language writes a number of its kind.

        Raises:
            ReportError: as `refuse_given`.
        """
        refuse_given(value, kind)
        words = self.edition.words
        if kind == "percent":
            return words.share(value)
        if kind in ("nats", "decimal"):
            return words.decimal(value)
        if kind == "seconds" and abs(value) < 60:
            return f"{words.decimal(value)}\u00a0s"
        return str(show(Fact(value, GIVEN[kind]), words))

    def cite(self, value: object) -> object:
        """A fact as the language writes it, marked for `placed`; text, which a page's tools make, as it is.

        Raises:
            ReportError: it is neither, and a reader would see how Python writes it.
        """
        text = show(value, self.edition.words)
        match value:
            case str() | Fact(value=None) | Summary(values=()):
                return text  # there is nothing to trace
            case Fact(origins=origins) | Interval(origins=origins) | Quoted(origins=origins) | Summary(origins=origins):
                pass
            case Undefined():
                return str(value)  # which tells the name that is unknown
            case int() if not isinstance(value, bool):
                return text  # a count, as of the turns of a loop
            case bool():
                raise ReportError(f"{value} is no number or text; ask for it in {{% if … %}}, and say what it means.")
            case float():
                raise ReportError(
                    f"{value} is a number of no known origin; what was measured is written as its fact, such as "
                    "… .accuracy.mean, .min or .max, and every run stands in results(); a constant of the design is "
                    "{{ given(…) }}."
                )
            case _ if callable(value):
                raise ReportError(f"{getattr(value, '__name__', value)} is called with brackets: name(…).")
            case _:
                parts = ", ".join(f".{part.name}" for part in fields(value)) if is_dataclass(value) else ""
                raise ReportError(
                    f"this is no single number but a {type(value).__name__}"
                    + (f"; go on with one of its parts: {parts}." if parts else ".")
                )
        if not origins:
            return text
        self.origins.update(dict.fromkeys(origins))
        return f"\ue000{_anchor(origins[-1])}\ue001{text}\ue002"

    def findings(self) -> str:
        """The claims on which study and reproduction disagree."""
        found = [judgement for judgement in self.edition.material.judgements.values() if judgement.finding]
        words = self.edition.words
        if not self.edition.material.reproduces:
            return self.missing(words.gettext("There is no study that a claim could disagree with."))
        if not found:
            return self.missing(words.gettext("No claim that is decided on both sides divides them."))
        return self._table(found)

    def claims_table(self) -> str:
        """Every claim of the report, with both verdicts and the page that makes it."""
        return self._table(list(self.edition.material.judgements.values()))

    def _table(self, judgements: list[Judgement]) -> str:
        rows = []
        for judgement in judgements:
            identifier = judgement.claim.identifier
            pages = self.edition.material.claim_pages.get(identifier, ())
            link = f"{self.page_link(pages[0])}#claim-{identifier}" if pages else None
            rows.append((judgement, self.sentence(judgement), link))
        return self.edition.html("claims", rows, GLYPHS, self.verdict)

    def notes(self) -> str:
        """The section at the page's end that its marks and links lead to; empty if it has none."""
        if not self.used and not self.origins:
            return ""
        # In this order: a claim's note brings sources of its own.
        notes = [self._claim_note(judgement) for judgement in self.used.values()]
        sources = [self._source_note(origin) for origin in sorted(self.origins)]
        heading = self.edition.words.gettext("Evidence and sources")
        # There are many, and each is short: they share one line until a reader, or a link to one of them, unfolds it.
        folded = self.edition.html("sources", sources) if sources else ""
        listed = "\n\n".join(filter(None, [*notes, folded]))
        return f"## {heading} {{ #{ANCHOR} }}\n\n<!--held-->{listed}<!--/held-->\n"

    def _claim_note(self, judgement: Judgement) -> str:
        tables = []
        for metric in dict.fromkeys(item.test.metric for item in judgement.study.evidence):
            pairs = [
                (study, run)
                for study, run in zip(judgement.study.evidence, judgement.reproduction.evidence, strict=True)
                if study.test.metric == metric
            ]
            projects = dict.fromkeys(name for study, _ in pairs for name in (study.test.of, study.test.than) if name)
            rows = [(self.short(project), *self._compared(project, METRICS[metric])) for project in projects]
            difference, interval = None, None
            if len(pairs) == 1:
                study, run = pairs[0]
                interval = Interval(*run.interval) if run.interval else None
                if study.difference is not None and study.test.factors == (1.0, 1.0):
                    difference = (study.difference, run.difference)
            label = self.edition.words.gettext(METRICS[metric].label)
            tables.append((label[:1].upper() + label[1:], rows, difference, interval))
        return self.edition.html("claim_note", judgement, self.sentence(judgement), tables, GLYPHS, self.verdict)

    def _compared(self, project: str, metric: Metric) -> tuple[Fact, Summary]:
        """What a claim compares of a project: the study's figure and the runs'."""
        known = self.facts(project)
        published, runs = metric.published(known), metric.reproduced(known)
        origins = (*published.origins, *(known.reproduced.test.accuracy.origins if runs.values else ()))
        self.origins.update(dict.fromkeys(origins))
        return published, runs

    def _source_note(self, origin: Origin) -> str:
        known = self.facts(origin.project)
        if origin.side == "published":
            return self.edition.html(
                "published_note",
                _anchor(origin),
                self.short(origin.project),
                self.edition.material.study,
                known.published,
            )
        runs = [
            (
                run,
                self.link(self.asset(run, "record.json")),
                self.edition.material.source_link(run),
            )
            for run in known.records
        ]
        what = self._what(known)
        return self.edition.html("reproduced_note", _anchor(origin), self.short(origin.project), what, known, runs)

    def _what(self, known: ProjectFacts) -> str:
        """What the runs of a project or a variant are, beside a study or without one."""
        words, (project, variant) = self.edition.words, parts_of(known.identifier)
        if variant:
            return self.kind_of_variant(project)
        if known.studied:
            return words.gettext("Reproduction")
        return words.gettext("Beyond the study" if self.edition.material.reproduces else "Results")

    def verdict(self, verdict: str) -> str:
        """A verdict in the language's words."""
        return self.edition.words.gettext(verdict)

    def sentence(self, judgement: Judgement) -> str:
        """The claim in words of the generator's own."""
        words, statement = self.edition.words, judgement.claim.statement
        metric = words.enumeration([words.gettext(METRICS[name].label) for name in statement.metric])

        def quantity(value: Quantity) -> str:
            # A unit such as `parameters` is a word of the language; `pp` and `s` are, too.
            if value.unit == "%":
                return words.share(value.number / 100)
            unit = ONE.get(value.unit, value.unit) if value.number == 1 else value.unit
            return f"{words.decimal(value.number)}\u00a0{words.gettext(unit)}"

        key: str = statement.kind
        values: dict[str, str] = {"metric": metric}
        if not isinstance(statement, Ranking):
            values["of"] = self.mention(statement.of)
        match statement:
            case Comparison(than=than, margin=margin, times=times):
                values["than"] = words.enumeration([self.mention(name) for name in than])
                if times:
                    key, values["times"] = f"{key} times", words.decimal(times)
                elif margin and not margin.number and key == "similar":
                    key = "equal"
                elif margin:
                    key, values["margin"] = f"{key} by", quantity(margin)
            case Extreme(of=of, among=among):
                values["among"] = words.enumeration([self.mention(name) for name in among if name != of])
            case Ranking(order=order):
                values["order"] = ", ".join(self.short(name) for name in order)
            case Threshold(value=value):
                values["value"] = quantity(value)
            case Overfitting(margin=margin):
                values["margin"] = quantity(margin)
        message = MESSAGES[key]
        return words.gettext(message, **values)


def _anchor(origin: Origin) -> str:
    return f"source-{origin.project.replace('/', '-')}-{origin.side}"
