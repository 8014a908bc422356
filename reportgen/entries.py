"""Entries of a YAML file, added or replaced in its text: whatever else is in it stays as it is, comments included."""

from __future__ import annotations

from codecs import BOM_UTF8
from pathlib import Path

import yaml

from reportgen.record import write_atomically


def mapping(text: str) -> dict[str, yaml.Node]:
    """The entries at the top of a document that was read before, and is known to be a mapping, or nothing at all."""
    return {key.value: value for key, value in _entries(text)}


def with_line(text: str, behind: yaml.Node, line: str) -> tuple[str, int]:
    """`text` with a line more behind an entry, and the number of that line, from 1."""
    before, after = _split(text, _end(text, behind))
    return f"{before}{line}\n{after}", before.count("\n") + 1


def replaced(text: str, name: str, entry: str) -> str:
    """`text` with `entry`, lines of YAML, in the place of the one called `name`; empty takes that out.

    Where there is none, it comes in at the end.
    """
    lines = f"{entry}\n" if entry else ""
    for key, value in _entries(text):
        if key.value == name:
            _, after = _split(text, _end(text, value))
            return text[: key.start_mark.index] + lines + after
    return _split(text, len(text))[0] + lines


def write(file: Path, text: str) -> None:
    """Write a file's new text with the line ends and the mark at its start that it has, which no text is read with."""
    before = file.read_bytes() if file.exists() else b""
    if b"\r\n" in before:
        text = text.replace("\n", "\r\n")
    write_atomically(file, "\ufeff" + text if before.startswith(BOM_UTF8) else text)


def _entries(text: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    root = yaml.compose(text, yaml.SafeLoader)
    return root.value if isinstance(root, yaml.MappingNode) else []


def _end(text: str, node: yaml.Node) -> int:
    """Where the line behind an entry begins."""
    # A collection ends where the next thing begins, comments left behind; what it holds ends at its own line.
    while isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) and not node.flow_style:
        node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    end = node.end_mark
    if end.column == 0:
        return int(end.index)
    following = text.find("\n", end.index)
    return len(text) if following < 0 else following + 1


def _split(text: str, place: int) -> tuple[str, str]:
    """What stands before a place, in whole lines, and behind it."""
    before = text[:place]
    return before + ("\n" if before and not before.endswith("\n") else ""), text[place:]
