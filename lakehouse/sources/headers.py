"""Headers as people send them: which row of a table names its columns, and which column a name means.

The rules are those of docs/decisions/0019-headers.md. No name is guessed at: one that has not the normal form of a name
in the mapping is a column that nobody mapped.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from lakehouse.errors import BadFile

if TYPE_CHECKING:
    from lakehouse.sources.definition import SourceColumn

ROWS = 20  # that are looked at to find the header
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_NO_SPACE = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")  # 姓 名, spread to look even
_REQUIRED = re.compile(r"^\* ?| ?(?:\*|\(\*\))$")  # *姓名, 姓名(*): a form's mark of what it must be told
_LONGEST = 1_000  # characters; what is longer is no name


def normal(name: str) -> str:
    """Return the form in which two spellings of a name are equal.

    Full-width characters as half-width ones, nothing invisible, a line break as a space, no space at the ends or beside
    Chinese, no star of a required field, in lower case.
    """
    return _normal(name) if len(name) <= _LONGEST else name


@lru_cache(maxsize=8192)
def _normal(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).translate(_INVISIBLE)
    text = _NO_SPACE.sub("", " ".join(text.split()))
    return (_REQUIRED.sub("", text) or text).casefold()


def header_row(rows: Sequence[Sequence[str]], columns: Sequence[SourceColumn]) -> int | None:
    """Return which of the rows is the header: of those that name all that must be there, the first that names most.

    Where a header takes several rows, such as one for groups of columns above one for their names, it is the last of
    them. None where no row names all of that, or none names anything.
    """
    needed = [{normal(name) for name in column.names} for column in columns if column.expected]
    known = {normal(name) for column in columns for name in column.names}
    best, most = None, 0
    for number, row in enumerate(rows):
        names = {normal(name) for name in row if name}
        found = len(names & known)
        goes_on = best is not None and number == best + 1 and found == most
        if (found > most or goes_on) and all(names & those for those in needed):
            best, most = number, found
    return best


def distinct(names: Iterable[str], columns: Sequence[SourceColumn]) -> list[str]:
    """Return the names of a header, each once: one that repeats and that nobody mapped gets a number, as `x (2)`.

    Raises BadFile (duplicate_column) for two columns that a mapping cannot tell apart; without a mapping, for any two.
    """
    listed = list(names)
    count = Counter(map(normal, listed))
    known = {normal(name) for column in columns for name in column.names}
    if any(number > 1 and (name in known or not columns) for name, number in count.items()):
        raise BadFile("duplicate_column", "two columns of the header share a name")
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    for place, name in enumerate(listed):
        wanted = name
        while wanted.casefold() in taken:
            numbers[name] += 1
            wanted = f"{name} ({numbers[name] + 1})"
        taken.add(wanted.casefold())
        listed[place] = wanted
    return listed


def match(columns: Sequence[SourceColumn], names: Collection[str]) -> dict[str, str]:
    """Return by column which of a header's names it is found under: the first of its own names that is there.

    Of two spellings of one name, which only Parquet can have, the one that is the mapping's to the letter counts.
    Raises BadFile: missing_column where one lacks that must be there, or all lack; duplicate_column.
    """
    spelled: dict[str, list[str]] = {}
    for name in names:
        spelled.setdefault(normal(name), []).append(name)
    found = {}
    for column in columns:
        named = next((name for name in column.names if normal(name) in spelled), None)
        if named is not None:
            there = spelled[normal(named)]
            if len(there) > 1 and named not in there:
                raise BadFile("duplicate_column", "two columns of the header share a name")
            found[column.name] = named if named in there else there[0]
    lacking = [column.origin for column in columns if column.expected and column.name not in found]
    if lacking or not found:
        what = ", ".join(lacking) or "every column that the mapping names"
        raise BadFile("missing_column", f"the header lacks {what}; see sources/*.yaml")
    return found


def absent(columns: Sequence[SourceColumn], found: Collection[str]) -> list[str]:
    """Return the names of the columns that a file may lack, and does."""
    return [column.origin for column in columns if column.name not in found]
