"""Lines of a table that are no records: repeated headers, totals, footers, rules, empty rows.

This page holds the rule, `non_record_words` the words; `lakehouse.ingest.reading.non_record_sql` asks them of rows in
SQL. A row is no record if

1. no cell of it holds anything;
2. every cell that holds something holds the name of its own column: the header once more, as `cat` leaves it; where
   several cells are filled, in any of the names that the mapping has for that column;
3. its first filled cell is one of `TOTALS`, all others are numbers, counts (120人), currencies or empty, and none of
   them says who it is: those that must be there are empty, those of the key and personal ones have no seven digits, as
   a phone has. A person called Total has an id, an e-mail, a phone. One of `PART_TOTALS` (North region total) needs a
   number beside it, since it may be a company's name;
4. its first filled cell begins as one of `FOOTERS` does and nothing else is filled; or it is a label with a colon
   (制表人：样甲), or a label and another one stands in the row, and none of the cells says who it is;
5. all filled cells are rules of dashes and the like, or control characters, as at the end of a file of DOS;
6. nothing but the key is filled, and holds several words: no id does. A record that is cut by another delimiter than
   the header does, too, so where several of these are in it it is one;
7. several cells are filled, and all of them with words that stand for nothing (N/A, -, 无), or three and more that say
   of a form what to write there (必填, 选填, required, string); or the first says that the row is an example.

In delimited text a row of fewer fields than the header needs less: a footer's own commas cut it, so 4 does not ask for
the other cells. Behind a blank line a row is none that has no delimiter, in a table of several columns, or in one of
three and more a single cell that holds several words.

Patterns are of the kind that both Python and RE2 read, of texts in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lakehouse.sources.non_record_words import (
    BY_WHOM,
    EXAMPLES,
    FOOTERS,
    FORM_WORDS,
    LEAST_FORM_CELLS,
    NOTHING,
    PART_TOTALS,
    TIMES,
    TOTALS,
)

CODE: Final = "not_a_record"
REASON: Final = "the line is a header, a total, a footer or empty, and no record"

_CURRENCY: Final = (
    "eur|usd|gbp|chf|cny|rmb|jpy|krw|hkd|twd|inr|cad|aud|nzd|sek|nok|dkk|pln|czk|huf|rub|brl|mxn"
)
_DIGITS: Final = r"[0-9][0-9.,'  ]*(?:e[-+]?[0-9]+)?"
_MEASURES: Final = "条|行|项|笔|个|名|人|件|户|位|单|家|筆"  # what Chinese counts by: 120人
_NUMBER: Final = rf"[-+(]?[¥￥$€£]? ?[-+]?{_DIGITS}[%)]?(?: ?(?:元|%|€|£|{_CURRENCY}|{_MEASURES}))?$"
_RULE: Final = r"(?:(?:[-=_*~─—–·.…+|#] ?){3,}|…{2,}|[\x00-\x08\x0e-\x1f\x7f]+)$"
_DATE: Final = r"(?:19|20)[0-9]{2}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}"

_TOTAL_END: Final = r"[*#= -]*[:：]? ?(?:\(?[0-9][0-9.,]*\)?)?[*#= -]*$"
TOTAL_PATTERN: Final = r"^[*#=— -]*(?:" + "|".join(TOTALS) + ")" + _TOTAL_END
PART_TOTAL_PATTERN: Final = "^(?:" + "|".join(PART_TOTALS) + ")[:：]?$"
FOOTER_PATTERN: Final = "^(?:" + "|".join(f"(?:{footer})" for footer in FOOTERS) + ")"
NUMBER_PATTERN: Final = f"^(?:{_NUMBER}|(?:{_CURRENCY})$)"
RULE_PATTERN: Final = "^" + _RULE
LABEL_PATTERN: Final = rf"^(?:(?:{BY_WHOM})人?|(?:{TIMES})(?:日期|时间)|日期) ?(?:[:：].*)?$"
COLON: Final = "[:：]"
FORM_PATTERN: Final = rf"^[(（\[*]*(?:{FORM_WORDS})[)）\]*]*$"
EXAMPLE_PATTERN: Final = f"^(?:{'|'.join(EXAMPLES)})$"
NOTHING_PATTERN: Final = f"^(?:{NOTHING})$"
DATE_PATTERN: Final = _DATE

IDENTIFYING_PATTERN: Final = "(?:[0-9][ ()/-]*){7}"

OTHERWISE_CUT_PATTERN: Final = r"(?:[;|\t][^;|\t]*){2}"

_OTHERWISE_CUT = re.compile(OTHERWISE_CUT_PATTERN)
_IDENTIFYING_CELL = re.compile(IDENTIFYING_PATTERN)
_TOTAL = re.compile(TOTAL_PATTERN)
_FOOTER = re.compile(FOOTER_PATTERN)
_NUMBER_CELL = re.compile(NUMBER_PATTERN)
_RULE_CELL = re.compile(RULE_PATTERN)
_PART_TOTAL = re.compile(PART_TOTAL_PATTERN)
_LABEL = re.compile(LABEL_PATTERN)
_COLON = re.compile(COLON)
_FORM_CELL = re.compile(FORM_PATTERN)
_EXAMPLE = re.compile(EXAMPLE_PATTERN)
_NOTHING_CELL = re.compile(NOTHING_PATTERN)
_DATES = re.compile(DATE_PATTERN)


@dataclass(frozen=True)
class KnownBy:
    """The positions of the cells that say who a record is: those that must be there, the personal ones, and the key.

    `names`: by position, all names that the mapping has for the column there, in lower case; `all_names`: those that
    it has for any column.
    """

    required: tuple[int, ...] = ()
    personal: tuple[int, ...] = ()
    key: tuple[int, ...] = ()
    names: tuple[tuple[str, ...], ...] = ()
    all_names: tuple[str, ...] = ()

    def names_at(self, position: int) -> tuple[str, ...]:
        """Return the names of the column at a position; none where the mapping has no column there."""
        return self.names[position] if position < len(self.names) else ()


def is_none(cells: Sequence[str], header: Sequence[str], known_by: KnownBy, *, is_short: bool) -> bool:
    """Return whether a row is no record by the rule above.

    `is_short`: the row has fewer fields than the header, which is in the same order.
    """
    filled = _filled(cells)
    if not filled or _is_header(filled, header, known_by):
        return True
    label_at, label = next(iter(filled.items()))
    others = dict(list(filled.items())[1:])
    if _is_total(label, others, known_by) or (_FOOTER.match(label) and (is_short or not others)):
        return True
    is_key_alone = not others and label_at in known_by.key
    is_sentence = is_key_alone and " " in label and not _OTHERWISE_CUT.search(label)
    return is_sentence or _are_rules(filled.values()) or _is_of_form(label, others, known_by)


def _is_of_form(label: str, others: Mapping[int, str], known_by: KnownBy) -> bool:
    """Return whether a row stands for nothing, or says how to fill in a form, who made it and when."""
    if _EXAMPLE.match(label):
        return True
    if not others:
        return False
    cells = [label, *others.values()]
    is_form = len(cells) >= LEAST_FORM_CELLS and all(map(_FORM_CELL.match, cells))
    if is_form or all(map(_NOTHING_CELL.match, cells)):
        return True
    labels = sum(1 for cell in cells if _LABEL.match(cell))
    is_label = bool(_LABEL.match(label)) and (labels > 1 or _COLON.search(label) is not None)
    return is_label and not _is_known(others, known_by)


def _are_rules(cells: Iterable[str]) -> bool:
    return all(map(_RULE_CELL.match, cells))


def _filled(cells: Sequence[str]) -> dict[int, str]:
    """Return the cells that hold something, by their position."""
    return {position: cell for position, cell in enumerate(map(_plain, cells)) if cell}


def _is_header(filled: Mapping[int, str], header: Sequence[str], known_by: KnownBy) -> bool:
    """Return whether every filled cell holds the name of its own column."""
    names = dict(enumerate(map(_plain, header)))
    if all(names.get(position) == cell for position, cell in filled.items()):
        return True
    return len(filled) > 1 and all(
        cell == names.get(position) or cell in known_by.names_at(position)
        for position, cell in filled.items()
    )


def _is_total(label: str, others: Mapping[int, str], known_by: KnownBy) -> bool:
    """Return whether a word for totals has no more than numbers beside it, and they say of nobody who it is."""
    is_word = _TOTAL.match(label) or (others and _PART_TOTAL.match(label))
    return bool(is_word) and not _is_known(others, known_by) and all(map(_NUMBER_CELL.match, others.values()))


def _is_known(others: Mapping[int, str], known_by: KnownBy) -> bool:
    """Return whether cells say of somebody who it is."""
    is_there = any(position in others for position in known_by.required)
    telling = [_DATES.sub("", others.get(position, "")) for position in known_by.personal]
    return is_there or any(map(_IDENTIFYING_CELL.search, telling))


def _plain(cell: str) -> str:
    return cell.strip().lower()
