"""A line comes into a YAML file where it belongs, and everything else stays, comments and order included."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reportgen.entries import mapping, replaced, with_line

TEXT = """\
# Above.
names:  # beside
  first: "1"
  # between
  second: |
    two
    lines
list:
- a
- b: [c,
     d]
# Behind the list.
plain: many
  words
last: {}
"""


@pytest.mark.parametrize(
    ("name", "behind"), [("names", "    lines"), ("list", "     d]"), ("plain", "  words"), ("last", "last: {}")]
)
def test_a_line_comes_right_behind_an_entry(name: str, behind: str) -> None:
    text, number = with_line(TEXT, mapping(TEXT)[name], "# new")
    lines = text.splitlines()
    assert lines[number - 2 : number] == [behind, "# new"]
    assert [line for line in lines if line != "# new"] == TEXT.splitlines()


@pytest.mark.parametrize(
    ("name", "entry", "expected"),
    [
        ("names", "names: {}", {"names": {}}),
        ("list", "list:\n  - x\n  - y", {"list": ["x", "y"]}),
        ("plain", "", {"plain": None}),
        ("new", "new: 1", {"new": 1}),
    ],
)
def test_an_entry_is_replaced_with_the_others_and_their_comments_as_they_were(
    name: str, entry: str, expected: dict[str, object]
) -> None:
    text = replaced(TEXT, name, entry)
    before, after = yaml.safe_load(TEXT), yaml.safe_load(text)
    assert {key: after.get(key) for key in expected} == expected
    assert {key: value for key, value in after.items() if key != name} == {
        key: value for key, value in before.items() if key != name
    }
    assert "# Above." in text and "# Behind the list." in text


KEYS = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
VALUES = st.one_of(
    st.text(max_size=30),
    st.lists(st.text(max_size=10), max_size=3),
    st.dictionaries(KEYS, st.text(max_size=40), max_size=3),
)


@given(st.dictionaries(KEYS, VALUES, min_size=1), st.data())
def test_whatever_stands_in_a_file_one_entry_is_replaced_and_no_other(
    values: dict[str, object], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(values)))
    text = yaml.safe_dump(values)
    entry = yaml.safe_dump({name: "new"}).strip()  # in quotes where YAML has another meaning for it, as for `no`
    assert yaml.safe_load(replaced(text, name, entry)) == {**values, name: "new"}
    added, _ = with_line(text, mapping(text)[name], "ZZ: new")
    assert yaml.safe_load(added) == {**values, "ZZ": "new"}


def test_a_file_without_entries_has_none() -> None:
    assert mapping("# nothing\n") == {}
    assert replaced("", "a", "a: 1") == "a: 1\n"


def test_a_file_whose_last_line_nobody_ended_keeps_it_a_line_of_its_own() -> None:
    text = "a: 1\nb: 2"
    assert with_line(text, mapping(text)["b"], "c: 3") == ("a: 1\nb: 2\nc: 3\n", 3)
    assert replaced(text, "b", "b: 3") == "a: 1\nb: 3\n"
    assert replaced(text, "c", "c: 3") == "a: 1\nb: 2\nc: 3\n"


def test_an_entry_that_is_taken_out_leaves_no_line_behind() -> None:
    assert replaced("a: 1\nb:\n  c: 2\nd: 3\n", "b", "") == "a: 1\nd: 3\n"
    assert replaced("a: 1\n", "b", "") == "a: 1\n"


@pytest.mark.parametrize("entry", ["b: [\n  c,\n]", "b: {\n  c: 1,\n}"])
def test_brackets_that_end_on_a_line_of_their_own_are_all_of_an_entry(entry: str) -> None:
    text = f"a: 1\n{entry}\nd: 2\n"
    assert with_line(text, mapping(text)["b"], "# new")[0] == f"a: 1\n{entry}\n# new\nd: 2\n"
    assert replaced(text, "b", "b: 3") == "a: 1\nb: 3\nd: 2\n"
