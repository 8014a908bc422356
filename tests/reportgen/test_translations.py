"""A section's versions are confirmed together; whoever changes one hears that the others are older."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reportgen import report as reports
from reportgen import source, translations
from reportgen.errors import ReportError
from reportgen.source import Source, parse
from reportgen.translations import FILE, Translations

SECTION = "further.md#details"


def write(root: Path, code: str, text: str) -> None:
    (root / "docs" / code / "further.md").write_text(
        f"# Title {{ #further }}\n\n## Details {{ #details }}\n\n{text}\n", encoding="utf-8"
    )


@pytest.fixture
def root(small_report: Path) -> Path:
    write(small_report, "en", "One sentence.")
    write(small_report, "es", "Una frase.")
    return small_report


def confirm(root: Path, *names: str) -> list[str]:
    report = reports.load(root)
    return translations.confirm(report, source.read_all(report, report.pages()), names)


def findings(root: Path) -> list[str]:
    report = reports.load(root)
    versions = source.read_all(report, ["further.md"])["further.md"]
    return [str(finding) for finding in translations.check("further.md", versions, translations.read(report))]


def about_details(root: Path) -> list[str]:
    return [finding for finding in findings(root) if "section details" in finding]


def test_a_section_that_was_never_confirmed_is_named_with_the_command(root: Path) -> None:
    assert findings(root) == [
        f"docs/en/further.md, line {line}: section {name} was never confirmed to say the same as its Spanish text. "
        f"Mend it with: python -m reportgen confirm further.md#{name}"
        for line, name in [(1, "further"), (3, "details")]
    ]


def test_a_confirmed_section_is_in_step_until_its_words_change(root: Path) -> None:
    assert confirm(root, SECTION) == [f"{SECTION}: en 3 words, es 3 words"]
    assert about_details(root) == []
    write(root, "en", "One\n  sentence.")
    assert about_details(root) == []
    write(root, "en", "One {{ first.published.parameters.total }} sentence.")
    (found,) = about_details(root)
    assert found.startswith("docs/es/further.md, line 3: section details is older than its English text.")


@pytest.mark.parametrize(("code", "older", "newer"), [("en", "es", "English"), ("es", "en", "Spanish")])
def test_the_version_that_did_not_follow_is_named(root: Path, code: str, older: str, newer: str) -> None:
    confirm(root, SECTION)
    write(root, code, "Another.")
    assert about_details(root) == [
        f"docs/{older}/further.md, line 3: section details is older than its {newer} text. "
        f"Mend it with: the same change here, then python -m reportgen confirm {SECTION}"
    ]


def test_a_language_that_is_added_is_named_by_itself_and_blames_no_other(root: Path) -> None:
    confirm(root, SECTION)
    kept = json.loads((root / "docs" / FILE).read_text(encoding="utf-8"))
    del kept["sections"][SECTION]["es"]
    (root / "docs" / FILE).write_text(json.dumps(kept), encoding="utf-8")
    assert about_details(root) == [
        "docs/es/further.md, line 3: section details was never confirmed to say the same as the English text. "
        f"Mend it with: python -m reportgen confirm {SECTION}"
    ]
    write(root, "en", "Another.")
    found = about_details(root)
    assert len(found) == 2 and sum("was never confirmed" in line for line in found) == 1


def test_a_language_that_took_the_place_of_another_is_compared_with_those_that_there_are(root: Path) -> None:
    confirm(root, SECTION)
    kept = (root / "docs" / FILE).read_text(encoding="utf-8")
    (root / "docs" / FILE).write_text(kept.replace('"es":', '"fr":'), encoding="utf-8")
    assert about_details(root) == [
        "docs/es/further.md, line 3: section details was never confirmed to say the same as the English text. "
        f"Mend it with: python -m reportgen confirm {SECTION}"
    ]
    confirm(root, "further.md#further")
    assert "fr" not in (root / "docs" / FILE).read_text(encoding="utf-8").replace("further", "")
    confirm(root, SECTION)
    assert about_details(root) == []


def test_a_language_that_is_put_aside_loses_nothing_but_what_changed_meanwhile(root: Path) -> None:
    """French has its folder, but `mkdocs.yml` does not list it."""
    (root / "docs" / "fr").mkdir()
    confirm(root, SECTION, "index.md#home")
    kept = json.loads((root / "docs" / FILE).read_text(encoding="utf-8"))
    for versions in kept["sections"].values():
        versions["fr"] = "0123456789abcdef"
    (root / "docs" / FILE).write_text(json.dumps(kept), encoding="utf-8")
    write(root, "en", "Another.")
    write(root, "es", "Otra.")
    confirm(root, SECTION)
    sections = json.loads((root / "docs" / FILE).read_text(encoding="utf-8"))["sections"]
    assert {name: sorted(versions) for name, versions in sections.items()} == {
        SECTION: ["en", "es"],
        "index.md#home": ["en", "es", "fr"],
    }


def test_a_name_that_a_shell_would_take_apart_is_quoted(root: Path) -> None:
    for code in ("en", "es"):
        (root / "docs" / code / "further.md").rename(root / "docs" / code / "it's más.md")
    report = reports.load(root)
    versions = source.read_all(report, ["it's más.md"])["it's más.md"]
    found = [str(finding) for finding in translations.check("it's más.md", versions, translations.read(report))]
    assert found and all("confirm \"it's más.md#" in line and line.endswith('"') for line in found)


def test_a_section_that_changed_in_every_language_is_to_be_confirmed_again(root: Path) -> None:
    confirm(root, SECTION)
    write(root, "en", "Another.")
    write(root, "es", "Otra.")
    (found,) = about_details(root)
    assert "section details changed in every language since it was confirmed" in found
    confirm(root, SECTION)
    assert about_details(root) == []


def test_several_sections_are_confirmed_by_name_and_the_others_are_not(root: Path) -> None:
    confirm(root, "further.md#further", SECTION)
    assert findings(root) == []
    kept = json.loads((root / "docs" / FILE).read_text(encoding="utf-8"))
    assert list(kept["sections"]) == [SECTION, "further.md#further"]


@pytest.mark.parametrize("name", ["further.md#detials", "further.md", "futher.md#details"])
def test_an_unknown_section_gets_the_nearest_name_and_nothing_is_kept(root: Path, name: str) -> None:
    with pytest.raises(ReportError, match=r"is no section that stands in every language.*Did you mean further.md#"):
        confirm(root, SECTION, name)
    assert not (root / "docs" / FILE).exists()


def test_what_was_kept_of_a_section_that_is_gone_is_dropped(root: Path) -> None:
    confirm(root, SECTION)
    for code in ("en", "es"):
        (root / "docs" / code / "further.md").write_text("# Title { #further }\n", encoding="utf-8")
    confirm(root, "further.md#further")
    assert list(translations.read(reports.load(root)).sections) == ["further.md#further"]


def test_the_file_has_a_line_for_each_section(root: Path) -> None:
    confirm(root, "index.md#home", SECTION)
    lines = (root / "docs" / FILE).read_text(encoding="utf-8").splitlines()
    assert [line.split('"')[1] for line in lines if "#" in line] == [SECTION, "index.md#home"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"version": 2, "sections": {}}', "docs/translations.json: version: found 2, expected 1"),
        ('{"version": 1,\n', "docs/translations.json: the file: Invalid JSON: .* at line 2"),
        ("\udcf1", "docs/translations.json: expected text in UTF-8"),
        ('{"version": 1, "sections": {"a#b": 3}}', "docs/translations.json: sections.a#b"),
    ],
)
def test_a_file_that_this_program_did_not_write_is_refused(root: Path, content: str, complaint: str) -> None:
    (root / "docs" / FILE).write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ReportError, match=complaint):
        findings(root)


def of_three(*texts: str) -> dict[str, Source]:
    """A page of one section in three languages."""
    codes = ("en", "es", "de")
    return {
        code: Source(f"{code}.md", parse(f"# A {{ #a }}\n\n{text}\n")) for code, text in zip(codes, texts, strict=True)
    }


def test_of_three_languages_every_one_that_did_not_follow_is_named_and_those_that_changed_are() -> None:
    before, after = of_three("one", "uno", "eins"), of_three("two", "dos", "eins")
    known = Translations(sections={"a.md#a": {code: page.sections[0].fingerprint for code, page in before.items()}})
    (found,) = translations.check("a.md", after, known)
    assert (found.where, found.what) == ("de.md", "section a is older than its English and Spanish text")
    without = Translations(sections={"a.md#a": {code: known.sections["a.md#a"][code] for code in ("en", "es")}})
    (fresh,) = translations.check("a.md", of_three("one", "uno", "eins"), without)
    assert (fresh.where, fresh.what) == (
        "de.md",
        "section a was never confirmed to say the same as the English and Spanish text",
    )
    changed = {one.where: one.what for one in translations.check("a.md", of_three("two", "uno", "eins"), without)}
    assert changed["es.md"] == "section a is older than its English text"
    assert "never confirmed" in changed["de.md"] and len(changed) == 2


def test_a_section_that_a_language_lacks_is_left_to_parity_and_cannot_be_confirmed(root: Path) -> None:
    (root / "docs" / "es" / "further.md").write_text("# Title { #further }\n\nMás.\n", encoding="utf-8")
    assert about_details(root) == []
    with pytest.raises(ReportError, match=r"'further\.md#details' is no section that stands in every language"):
        confirm(root, SECTION)


def test_a_section_whose_words_one_language_lacks_has_to_be_confirmed() -> None:
    pages = {
        "en": Source("en.md", parse("Words.\n\n# A { #a }\n")),
        "es": Source("es.md", parse("{{ x }}\n\n# A { #a }\n")),
    }
    assert [one.what for one in translations.check("a.md", pages, Translations())] == [
        "section top was never confirmed to say the same as its Spanish text",
        "section a was never confirmed to say the same as its Spanish text",
    ]
    silent = {code: Source(f"{code}.md", parse("{{ x }}\n")) for code in ("en", "es")}
    assert not [*translations.check("a.md", silent, Translations())], "nothing is said in either"


def test_a_name_with_a_space_is_one_word_to_a_shell() -> None:
    assert translations._typed("two words.md#a") == '"two words.md#a"'
    assert translations._typed("a/b.md#c-d") == "a/b.md#c-d"


def test_a_section_named_twice_is_told_once(root: Path) -> None:
    assert confirm(root, SECTION, SECTION) == [f"{SECTION}: en 3 words, es 3 words"]
