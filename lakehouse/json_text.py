"""Parts of JSON as the text they came in: numbers keep their digits, strings their escapes, repeated keys stay.

Python's reader goes no deeper than its stack, about a thousand levels. Parts may be deeper: of those it is looked at
that brackets are paired, and nothing else, so that what is too deep costs itself and not what stands beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

_SPACE = re.compile(r"[ \t\n\r]*")
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_CLOSING = {"]": "[", "}": "{"}


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


def parse_outer(text: str) -> Any:
    """Return the value that a text is, as `parse` does; None in place of each part that is too deep for it.

    Told apart are the members of an object, and the elements of an array that is one of these. ValueError where the
    text is no JSON, as far as it was read.
    """
    try:
        return parse(text)
    except RecursionError:
        _check_end(text)
    if not text[_skip_space(text, 0) :].startswith("{"):
        return None
    return {key: _of_array(part) if part.startswith("[") else _or_none(part) for key, part in members(text)}


def depth(text: str) -> int:
    """Return how many objects and arrays are within each other, at most. ValueError where they are not paired."""
    return _scan(text, 0)[1]


def elements(text: str) -> list[str]:
    """Return the elements of an array, or the one value that a text is, each on one line. ValueError for no JSON."""
    start = _skip_space(text, 0)
    _check_end(text)
    if not text.startswith("[", start):
        return [one_line(text[start:].rstrip(" \t\n\r"))]
    found = []
    position = _skip_space(text, start + 1)
    while text[position] != "]":
        end = _end_of_value(text, position)
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
        end = _end_of_value(text, start)
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


def _or_none(text: str) -> Any:
    try:
        return parse(text)
    except RecursionError:
        return None


def _of_array(text: str) -> Any:
    return [_or_none(element) for element in elements(text)]


def _check_end(text: str) -> None:
    """Raise ValueError where a text is not one value."""
    end = _end_of_value(text, _skip_space(text, 0))
    if _skip_space(text, end) != len(text):
        raise ValueError("something follows the first value")


def _end_of_value(text: str, start: int) -> int:
    """Return the position behind the value that begins at `start`; ValueError where there is none."""
    try:
        return _DECODER.raw_decode(text, start)[1]
    except RecursionError:
        return _scan(text, start)[0]


def _scan(text: str, start: int) -> tuple[int, int]:
    """Return where the array or object ends that begins at `start`, and how deep it is, by its brackets alone."""
    unclosed: list[str] = []
    deepest = 0
    for token in _BRACKET.finditer(text, start):
        bracket = token[0]
        if bracket in "[{":
            unclosed.append(bracket)
            deepest = max(deepest, len(unclosed))
        elif bracket in "]}":
            if not unclosed or unclosed.pop() != _CLOSING[bracket]:
                break
            if not unclosed:
                return token.end(), deepest
    raise ValueError("brackets are not paired")
