"""Whether what stands below a blank line is another table: told by the shape of its rows, not by words.

Spreadsheets hold several tables below each other: people, an empty row, then regions and what was sold there. Their
rows would load as people. A row is the header of another table where it has names (words, each once, none of them the
table's own, one above each cell of the next row) in columns that hold none above, and rows of another shape follow:

1. words stand where two columns or more hold numbers, times, e-mails or codes in every row above; or
2. they do in one such column, and the rows below differ from those above, or a title stands above the names; or
3. there is no such column, and numbers or times stand below the words where only words stand above.

A group of further records begins with a record, which has no word there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Literal

from lakehouse.sources.headers import normal
from lakehouse.sources.non_records import NOTHING_PATTERN

Kind = Literal["", "word", "text", "number", "time", "email", "code"]
Row = Sequence[str]

_PURE: Final = frozenset({"number", "time", "email"})
_TYPED: Final = _PURE | {"code"}
_NO_NAMES: Final = _PURE | {""}
_LEAST_NAMES: Final = 2
_LEAST_ROWS: Final = 2  # above and below, where nothing but the kinds of values speaks of two tables
_LONGEST_NAME: Final = 40
_MOST_WORDS: Final = 5
_NOTHING = re.compile(NOTHING_PATTERN)
_YEAR = re.compile(r"(?:19|20)\d\d")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class _Above:
    """The columns of a table in which every value is typed, those that hold words alone, and those never empty."""

    typed: frozenset[int]
    of_words: frozenset[int]
    always: frozenset[int]


def is_another_table(names: Row, above: Sequence[Row], below: Sequence[Row]) -> bool:
    """Return whether the rows `below` a blank line are those of another table than the one of `names` and rows `above`.

    Cells are texts as a reader shows them; rows may be shorter than the header.
    """
    title, head, body = _parts(below)
    if not above or len(names) < _LEAST_NAMES or not _are_names(head, names) or not _stand_above(head, body):
        return False
    shape = _shape(above, len(names))
    words, values = _places(head, {"word"}), _places(head, _TYPED)
    if values & shape.typed:
        return False
    misplaced = words & shape.typed
    if not misplaced:
        has_rows = len(above) >= _LEAST_ROWS and len(body) >= _LEAST_ROWS
        return has_rows and any(_all_are(body, at, _PURE) for at in words & shape.of_words)
    return len(misplaced) >= _LEAST_NAMES or title or _differs(shape, head, body, len(names))


def _stand_above(head: Row, body: Sequence[Row]) -> bool:
    """Return whether there is a row below, and each of its cells has one of these above it; a record has not."""
    return bool(body) and _filled(body[0]) <= _filled(head)


def _filled(row: Row) -> set[int]:
    return {at for at, cell in enumerate(row) if cell.strip()}


def _places(row: Row, kinds: AbstractSet[str]) -> set[int]:
    return {at for at, cell in enumerate(row) if _kind(cell) in kinds}


def is_own_header(names: Row, below: Sequence[Row]) -> bool:
    """Return whether the first row below a blank line, but for titles, has names of the table's own alone."""
    _, head, _ = _parts(below)
    found = {normal(cell) for cell in head if cell.strip()}
    return bool(found) and found <= set(map(normal, names))


def _parts(below: Sequence[Row]) -> tuple[bool, Row, Sequence[Row]]:
    """Return whether there is a title, the first row behind it, and the rows behind that."""
    titles = 0
    for row in below:
        if sum(1 for cell in row if cell.strip()) > 1:
            break
        titles += 1
    if titles == len(below):
        return False, (), ()
    return titles > 0, below[titles], below[titles + 1 :]


def _are_names(head: Row, own: Row) -> bool:
    """Return whether cells may name columns: each once, nearly all words, and not all of them the table's own names."""
    cells = [cell.strip() for cell in head if cell.strip()]
    names = set(map(normal, cells))
    if len(names) < len(cells) or names <= set(map(normal, own)):
        return False
    kinds = Counter("year" if _YEAR.fullmatch(cell) else _kind(cell) for cell in cells)
    has_values = not _NO_NAMES.isdisjoint(kinds)
    words = kinds["word"]
    return words > 0 and not has_values and (words + kinds["year"]) * 2 >= len(cells) >= _LEAST_NAMES


def _shape(above: Sequence[Row], width: int) -> _Above:
    typed, of_words, always = set(), set(), set()
    for at in range(width):
        kinds = [_kind(row[at]) if at < len(row) else "" for row in above]
        filled = [kind for kind in kinds if kind]
        if filled and _TYPED.issuperset(filled):
            typed.add(at)
        if filled and "word" in filled and _TYPED.isdisjoint(filled):
            of_words.add(at)
        if len(filled) == len(kinds):
            always.add(at)
    return _Above(frozenset(typed), frozenset(of_words), frozenset(always))


def _differs(shape: _Above, head: Row, body: Sequence[Row], width: int) -> bool:
    """Return whether the rows below have another shape than those above."""
    if any(cell.strip() for row in [head, *body] for cell in row[width:]):
        return True
    for at in shape.typed:
        kinds = {_kind(row[at]) if at < len(row) else "" for row in [head, *body]}
        if at in shape.always and kinds == {""}:
            return True
        if not kinds & (_TYPED | {""}):
            return True
    return any(_all_are(body, at, _PURE) for at in shape.of_words)


def _all_are(rows: Sequence[Row], at: int, kinds: frozenset[str]) -> bool:
    found = {_kind(row[at]) for row in rows if at < len(row)} - {""}
    return bool(found) and found <= kinds


def _kind(cell: str) -> Kind:
    from lakehouse.sources.detect import dates, numbers, personal_data  # noqa: PLC0415 - heavy, and seldom asked

    text = cell.strip()
    if not text or _NOTHING.fullmatch(text.lower()):
        return ""
    if personal_data.is_email(text):
        return "email"
    if dates.moment(text):
        return "time"
    if numbers.number(text):
        return "number"
    if any(character.isdigit() for character in text):
        return "code"
    is_word = len(text) <= _LONGEST_NAME and len(text.split()) <= _MOST_WORDS and _LETTER.search(text)
    return "word" if is_word else "text"
