"""Parts of JSON as the text they came in: numbers keep their digits, strings their escapes, repeated keys stay."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

_SPACE = re.compile(r"[ \t\n\r]*")


class Member(NamedTuple):
    """A member of an object: its key, and the text of its value on one line."""

    key: str
    text: str


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def parse(text: str) -> Any:
    """Return the value that a text is. ValueError where it is no JSON (NaN and Infinity are none), RecursionError."""
    value, end = _DECODER.raw_decode(text, _skip_space(text, 0))
    if _skip_space(text, end) != len(text):
        raise ValueError("something follows the first value")
    return value


def elements(text: str) -> list[str]:
    """Return the elements of an array, or the one value that a text is, each on one line. Raises as `parse` does."""
    start = _skip_space(text, 0)
    if not isinstance(parse(text), list):
        return [one_line(text[start:].rstrip(" \t\n\r"))]
    found = []
    position = _skip_space(text, start + 1)
    while text[position] != "]":
        _, end = _DECODER.raw_decode(text, position)
        found.append(one_line(text[position:end]))
        position = _skip_comma(text, end)
    return found


def members(text: str) -> list[Member]:
    """Return the members of an object in their order, one that repeats as often. The text must be a sound object."""
    found = []
    position = _skip_space(text, _skip_space(text, 0) + 1)
    while text[position] != "}":
        key, end = _DECODER.raw_decode(text, position)
        start = _skip_space(text, _skip_space(text, end) + 1)  # past the colon
        _, end = _DECODER.raw_decode(text, start)
        found.append(Member(key, one_line(text[start:end])))
        position = _skip_comma(text, end)
    return found


def object_text(parts: Sequence[Member]) -> str:
    """Return the object of these members on one line."""
    return "{" + ",".join(f"{json.dumps(key)}:{text}" for key, text in parts) + "}"


def one_line(text: str) -> str:
    """Return JSON without line breaks, of which its strings hold none."""
    return text.replace("\r", " ").replace("\n", " ")


def _skip_space(text: str, start: int) -> int:
    """Return the position of the first character from `start` on that is no white space."""
    space = _SPACE.match(text, start)
    return space.end() if space else start


def _skip_comma(text: str, start: int) -> int:
    """Return where the next element begins, or the closing bracket stands, behind one that ended at `start`."""
    position = _skip_space(text, start)
    return _skip_space(text, position + 1) if text[position] == "," else position
