"""Names in little room: never longer than that, and never two alike that were not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reportgen.labels import clipped, told_apart


def test_a_name_as_long_as_its_room_stands_whole_and_a_longer_one_fills_it() -> None:
    assert [clipped("abcdef", length) for length in (6, 5)] == ["abcdef", "abcd…"]
    assert clipped("abcdefghij", 7, 3) == "abc…hij"


def test_names_that_are_clipped_keep_as_much_of_their_ends_as_tells_them_apart() -> None:
    long = "Project 7 (from Tiny ImageNet)"
    assert told_apart([long, "Project 8"], 24) == ["Project 7 (from Tiny Im…", "Project 8"]
    assert told_apart([long, long], 24) == ["Project 7 (from Tiny Im…"] * 2, "one name twice is no other"
    more = "Project 7 (from Tiny ImageNet, with another preprocessing)"
    assert told_apart([long, more], 24) == ["Project 7 (…ny ImageNet)", "Project 7 (…eprocessing)"]
    alike = [f"{'a' * 30}{middle}{'b' * 60}" for middle in "xy"]
    assert told_apart(alike, 24) == alike, "whole where nothing else tells"


@given(st.lists(st.text("ab c", min_size=1, max_size=40), max_size=6), st.integers(8, 30))
def test_names_that_differ_differ_when_they_are_clipped(texts: list[str], length: int) -> None:
    found = told_apart(texts, length)
    assert len(set(found)) == len(set(texts))
    assert all(short == text or len(short) <= length for short, text in zip(found, texts, strict=True))
