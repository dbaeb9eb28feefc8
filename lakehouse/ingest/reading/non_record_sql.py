"""SQL of the rule by which a row of a table is no record: see `lakehouse.sources.non_records`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lakehouse.engine.escape import literal, literals
from lakehouse.sources import non_records
from lakehouse.sources.non_record_words import LEAST_FORM_CELLS
from lakehouse.sources.non_records import KnownBy

OTHER_HEADER: Final = "other_header"  # the mark of a row that names columns, and not each its own
_LABEL_CELLS: Final = 16  # of a row, in which its first filled cell is looked for before all of them are
_LABELS: Final = (  # patterns of the first filled cell of a row that may be no record
    non_records.TOTAL_PATTERN,
    non_records.PART_TOTAL_PATTERN,
    non_records.FOOTER_PATTERN,
    non_records.RULE_PATTERN,
    non_records.LABEL_PATTERN,
    non_records.FORM_PATTERN,
    non_records.EXAMPLE_PATTERN,
    non_records.NOTHING_PATTERN,
)
_BLANKS: Final = " \t\n\r\f"  # what a regular expression calls a blank, too
_NAMES_ASKED: Final = (
    64  # of a header, and of a mapping: the first cell of a header is one of the first names
)
_LEAST_NAMES: Final = 3  # of a mapping in one row that make it a header


def marked_rows(query: str, texts: Mapping[str, str], known_by: KnownBy) -> str:
    """Return the query with one column more: `_mark`, which says of a row that is no record what it is, else null.

    It is `not_a_record` or OTHER_HEADER. `texts` gives the SQL of the text of each cell by its name in the header, in
    its order. Every row is asked one pattern of its first filled cell; what the others hold is looked at where that
    matches.
    """
    if not texts:
        return f"SELECT *, NULL AS _mark FROM ({query})"
    names = [name.strip().lower() for name in texts]
    asked = dict.fromkeys([*names[:_NAMES_ASKED], *known_by.names_at(0), *known_by.all_names[:_NAMES_ASKED]])
    label = f"coalesce({', '.join([*list(texts.values())[:_LABEL_CELLS], repr('')])})"
    cells = ", ".join(f"lower(trim(coalesce({text}, ''), {literal(_BLANKS)}))" for text in texts.values())
    listed_texts = list(texts.values())
    has_words = [f"coalesce(contains({listed_texts[position]}, ' '), false)" for position in known_by.key]
    is_candidate = " OR ".join([_begins_sql(label, _candidate_pattern(list(asked))), *has_words])
    candidates = f"SELECT *, CASE WHEN {is_candidate} THEN [{cells}] END AS _cells FROM ({query})"
    filled = "list_filter(_cells, lambda cell: cell <> '')"
    return (
        f"SELECT * EXCLUDE (_cells, _filled), CASE WHEN _cells IS NOT NULL THEN "
        f"{_mark_sql(names, known_by)} END AS _mark "
        f"FROM (SELECT *, CASE WHEN _cells IS NOT NULL THEN {filled} END AS _filled FROM ({candidates}))"
    )


def _candidate_pattern(names: list[str]) -> str:
    """Return the pattern of the first filled cell of a row that may be no record; also of blanks."""
    listed = [re.escape(name) for name in names if name and "\0" not in name]
    is_name = rf"(?:{'|'.join(listed)})?\s*$"
    patterns = [*(pattern.removeprefix("^") for pattern in _LABELS), is_name]
    return rf"(?i)^\s*(?:{'|'.join(patterns)})"


def _mark_sql(names: list[str], known_by: KnownBy) -> str:
    """Return the SQL of a row's mark from `_cells`, trimmed and in lower case, and `_filled`, those not empty."""
    listed = literals(names)
    others = "_filled[2:]"
    is_there = [
        f"(_cells[{position + 1}] <> '' AND list_position(_cells, _filled[1]) <> {position + 1})"
        for position in known_by.required
    ]
    identifies = [
        f"regexp_matches(regexp_replace(_cells[{position + 1}], {literal(non_records.DATE_PATTERN)}, '', 'g'), "
        f"{literal(non_records.IDENTIFYING_PATTERN)})"
        for position in known_by.personal
    ]
    is_known = " OR ".join([*is_there, *identifies]) or "false"
    own_name = f"list_zip(_cells, {listed})"
    is_header = f"len(list_filter({own_name}, lambda pair: pair[1] <> '' AND pair[1] <> pair[2])) = 0"
    is_of_numbers = f"NOT ({is_known}) AND {_all_match(others, non_records.NUMBER_PATTERN)}"
    is_total = f"{_first_matches(non_records.TOTAL_PATTERN)} AND {is_of_numbers}"
    is_part_total = (
        f"len(_filled) > 1 AND {_first_matches(non_records.PART_TOTAL_PATTERN)} AND {is_of_numbers}"
    )
    is_footer = f"len(_filled) = 1 AND {_first_matches(non_records.FOOTER_PATTERN)}"
    in_key = [f"_cells[{position + 1}] = _filled[1]" for position in known_by.key] or ["false"]
    is_text = (
        f"len(_filled) = 1 AND contains(_filled[1], ' ') AND ({' OR '.join(in_key)}) "
        f"AND NOT regexp_matches(_filled[1], {literal(non_records.OTHERWISE_CUT_PATTERN)})"
    )
    is_other_header = (
        f"(len(_filled) > 1 AND list_has_all({listed}, _filled)) OR ({_are_names_sql(known_by)})"
    )
    is_none = " OR ".join(
        f"({condition})"
        for condition in (
            is_header,
            _is_renamed_header_sql(names, known_by),
            is_total,
            is_part_total,
            is_footer,
            is_text,
            _all_match("_filled", non_records.RULE_PATTERN),
            _is_of_form_sql(is_known),
        )
    )
    return (
        f"CASE WHEN len(_filled) = 0 THEN {literal(non_records.CODE)} "
        f"WHEN {is_none} THEN {literal(non_records.CODE)} "
        f"WHEN {is_other_header} THEN {literal(OTHER_HEADER)} END"
    )


def _is_renamed_header_sql(names: list[str], known_by: KnownBy) -> str:
    """Return the condition that several cells are filled, each with some name that the mapping has for its column."""
    own = ", ".join(literals([name, *known_by.names_at(at)]) for at, name in enumerate(names))
    is_other = "pair[1] <> '' AND NOT list_contains(pair[2], pair[1])"
    return f"len(_filled) > 1 AND len(list_filter(list_zip(_cells, [{own}]), lambda pair: {is_other})) = 0"


def _are_names_sql(known_by: KnownBy) -> str:
    """Return the condition that all cells are names of the mapping's columns, as in another file's header."""
    if not known_by.all_names:
        return "false"
    are_different = "len(list_distinct(_filled)) = len(_filled)"
    are_names = f"list_has_all({literals(list(known_by.all_names))}, _filled)"
    return f"len(_filled) >= {_LEAST_NAMES} AND {are_different} AND {are_names}"


def _is_of_form_sql(is_known: str) -> str:
    """Return the condition that a row stands for nothing, or says how to fill in a form, who made it and when."""
    is_form = f"len(_filled) >= {LEAST_FORM_CELLS} AND {_all_match('_filled', non_records.FORM_PATTERN)}"
    of_words = f"({is_form}) OR {_all_match('_filled', non_records.NOTHING_PATTERN)}"
    labels = f"len(list_filter(_filled, lambda cell: {_begins_sql('cell', non_records.LABEL_PATTERN)}))"
    is_label = (
        f"{_first_matches(non_records.LABEL_PATTERN)} "
        f"AND ({labels} > 1 OR regexp_matches(_filled[1], {literal(non_records.COLON)})) AND NOT ({is_known})"
    )
    return f"{_first_matches(non_records.EXAMPLE_PATTERN)} OR (len(_filled) > 1 AND ({of_words} OR ({is_label})))"


def _first_matches(pattern: str) -> str:
    return _begins_sql("_filled[1]", pattern)


def _all_match(cells: str, pattern: str) -> str:
    return f"len(list_filter({cells}, lambda cell: NOT {_begins_sql('cell', pattern)})) = 0"


def _begins_sql(text: str, anchored_pattern: str) -> str:
    """Return the condition that a text begins as a pattern says, which itself begins with ^.

    Of `regexp_matches` DuckDB would read the pattern a third time, to find out whether it is a LIKE: of the longest
    that takes 3 ms, for every piece of a file.
    """
    return f"regexp_full_match({text}, {literal(f'(?:{anchored_pattern})(?s:.*)')})"
