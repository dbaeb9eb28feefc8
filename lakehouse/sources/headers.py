"""Headers of tables: which row names the columns, and which column of the source a name means.

The rules are those of docs/decisions/0019-headers.md. No name is guessed at: one that has not the normal form of a name
in the mapping is a column that nobody mapped.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from lakehouse.errors import BadFile
from lakehouse.sources.policy import HeaderSearchPolicy

if TYPE_CHECKING:
    from lakehouse.sources.definition import SourceColumn

_SHARED_NAME = "two columns of the header share a name"
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_SPACE_BESIDE_CHINESE = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")  # 姓 名, spread to look even
_REQUIRED_MARK = re.compile(r"^\* ?| ?(?:\*|\(\*\))$")  # *姓名, 姓名(*): how forms mark a required field


def normal(name: str) -> str:
    """Return the form in which two spellings of a name are equal.

    Full-width characters as half-width ones, nothing invisible, a line break as a space, no space at the ends or beside
    Chinese, no star of a required field, in lower case.
    """
    return _normal(name) if len(name) <= HeaderSearchPolicy.longest_name else name


@lru_cache(maxsize=8192)
def _normal(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).translate(_INVISIBLE)
    text = _SPACE_BESIDE_CHINESE.sub("", " ".join(text.split()))
    return (_REQUIRED_MARK.sub("", text) or text).casefold()


def _spellings(column: SourceColumn) -> set[str]:
    """Return the normal forms of the names by which a file may call a column."""
    return {normal(name) for name in column.names}


def header_row(rows: Sequence[Sequence[str]], columns: Sequence[SourceColumn]) -> int | None:
    """Return which of the rows is the header: of those that name all that must be there, the first that names most.

    Where a header takes several rows, such as one for groups of columns above one for their names, it is the last of
    them. None where no row names all of that, or none names anything.
    """
    best_row, most_names = None, 0
    for row_number, known_names in enumerate(_known_names(rows, columns)):
        goes_on = best_row is not None and row_number == best_row + 1 and known_names == most_names
        if known_names > most_names or goes_on:
            best_row, most_names = row_number, known_names
    return best_row


def _known_names(rows: Sequence[Sequence[str]], columns: Sequence[SourceColumn]) -> Iterator[int]:
    """Yield how many mapped columns each row names; -1 for one that lacks a column that must be there."""
    required = [_spellings(column) for column in columns if column.expected]
    known = {spelling for column in columns for spelling in _spellings(column)}
    for row in rows:
        names = {normal(name) for name in row if name}
        complete = all(names & spellings for spellings in required)
        yield len(names & known) if complete else -1


def distinct(names: Iterable[str], columns: Sequence[SourceColumn]) -> list[str]:
    """Return the names of a header, each once: one that repeats and that nobody mapped gets a number, as `x (2)`.

    Raises BadFile (duplicate_column) for two columns that a mapping cannot tell apart; without a mapping, for any two.
    """
    listed = list(names)
    known = {spelling for column in columns for spelling in _spellings(column)}
    repeated = {spelling for spelling, count in Counter(map(normal, listed)).items() if count > 1}
    if repeated & known or (repeated and not columns):
        raise BadFile("duplicate_column", _SHARED_NAME)
    taken: set[str] = set()
    repeats: Counter[str] = Counter()
    return [_untaken(name, taken, repeats) for name in listed]


def _untaken(name: str, taken: set[str], repeats: Counter[str]) -> str:
    """Return a name, with a number behind it where it is taken; note it in `taken`, and in `repeats` how often."""
    candidate = name
    while candidate.casefold() in taken:
        repeats[name] += 1  # goes on where the last one ended: a header may be blank thousands of times
        candidate = f"{name} ({repeats[name] + 1})"
    taken.add(candidate.casefold())
    return candidate


def match(columns: Sequence[SourceColumn], names: Collection[str]) -> dict[str, str]:
    """Return by column under which of a header's names it stands: the first of its own names that is there.

    Of two spellings of one name, which only Parquet can have, the one that is the mapping's to the letter counts.
    Raises BadFile: missing_column where one lacks that must be there, or all lack; duplicate_column.
    """
    headers: dict[str, list[str]] = {}
    for name in names:
        headers.setdefault(normal(name), []).append(name)
    matched = {}
    for column in columns:
        header = _header_of(column, headers)
        if header is not None:
            matched[column.name] = header
    _check_complete(columns, matched, names)
    return matched


def _header_of(column: SourceColumn, headers: dict[str, list[str]]) -> str | None:
    """Return the name in a header that a column stands under; `headers` are its names by their normal form."""
    name = next((name for name in column.names if normal(name) in headers), None)
    if name is None:
        return None
    spelled = headers[normal(name)]
    if name in spelled:
        return name
    if len(spelled) > 1:
        raise BadFile("duplicate_column", _SHARED_NAME)
    return spelled[0]


def _check_complete(
    columns: Sequence[SourceColumn], matched: Collection[str], names: Collection[str]
) -> None:
    """Raise BadFile (missing_column) where a header lacks a column that must be there, or every column."""
    lacking = [column.origin for column in columns if column.expected and column.name not in matched]
    if lacking or not matched:
        lacks = ", ".join(lacking) or "every column that the mapping names"
        raise BadFile(
            "missing_column",
            f"the header lacks {lacks}; {told_header(names)}; see sources/*.yaml",
            json.dumps(list(names), ensure_ascii=False),
        )


def told_header(names: Collection[str]) -> str:
    """Return what is said of a header that came: its first names, unless they are rather a row of somebody's data."""
    from lakehouse.sources.detect.columns import is_data_row  # noqa: PLC0415 - heavy, and of errors alone

    if is_data_row(list(names)):
        return "the first line looks like a row, not like a header"
    shown = [name if name.isprintable() else repr(name) for name in names]
    text = ", ".join(shown[: HeaderSearchPolicy.names_told])
    return f"it has {text}" + (", …" if len(shown) > HeaderSearchPolicy.names_told else "")


def absent(columns: Sequence[SourceColumn], matched: Collection[str]) -> list[str]:
    """Return the names of the columns that a file may lack, and does."""
    return [column.origin for column in columns if column.name not in matched]
