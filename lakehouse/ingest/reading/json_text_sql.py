r"""SQL that keeps what DuckDB's JSON functions would change in a line: the digits of numbers, and half of an emoji.

They read a number that has a point or an exponent as a double and write it again, so that 1884518522.1684267241 and
1.10 become other texts. A line in which that may be so is read a second time, with its numbers marked: each becomes a
string between two characters that no text may hold (U+FDD0, U+FDD1), and what is taken out of the line is unmarked
again. Nor is a line read that has half of a character (`\ud83d` alone): the second time that becomes U+FFFD, as
everywhere else. NaN and Infinity, which the functions let through in any case (`nan`, `-inf`), are no JSON.
"""

from __future__ import annotations

from typing import Final

from lakehouse.engine.escape import literal

_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_ESCAPED_OPEN = r"\ufdd0"
_STRING = r'"(?:[^"\\]|\\.)*"'
# A number with so many digits behind the point that it may have more than a double holds. The pattern begins with the
# point, which is found without looking at the rest; so it costs a twentieth of reading the line.
_LONG_FRACTION = r"[.][0-9]{6,}(?:[eE][-+]?[0-9]+)?[ \t]*[,}\]]"
_LONG_NUMBER = "[0-9.]{17}"  # 16 digits and the point: a double holds 15 of any number
# The same and all others that may become another text. A number stands behind one of three characters; a pattern for
# each finds that character first, which is quicker than one pattern for all three.
_ANY_DOUBTFUL = (
    r"[ \t]*(?:-?(?:[0-9]+[.][0-9]*0|[0-9.]{16,}|0[.]000[0-9]*|[0-9.]+[eE][-+]?[0-9]+)|-0)"
    r"(?:[eE][-+]?[0-9]+)?[ \t]*[,}\]]"
)
_BEFORE_NUMBERS = (":", ",", r"\[")
_DOUBLE = r"-?[0-9]+(?:[.][0-9]+)?(?:e[-+][0-9]+)?"  # as DuckDB writes it out
_LONGEST_DOUBLE: Final = 25  # characters of a double that is written out
_SHORTEST_DOUBTFUL: Final = 17  # characters of a double that has more than 15 digits
_HALF = r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
_NO_NUMBER = r"[ \t\r]*-?(?:[nN][aA][nN]|[iI][nN][fF])"  # and inf is how infinity begins


def repaired_sql(line_sql: str) -> str:
    r"""Return the SQL of a line with U+FFFD for each `\ud83d` that is half of a character."""
    # a backslash before a backslash is none before a `u`; what no JSON holds unescaped stands for it, and for pairs
    hidden = f"replace({line_sql}, '\\\\', chr(1))"
    pairs = r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    kept = f"regexp_replace({hidden}, {literal(pairs)}, chr(2) || '\\1' || chr(3) || '\\2', 'g')"
    replaced = f"regexp_replace({kept}, {literal(_HALF)}, '\ufffd', 'g')"
    shown = f"replace(replace(replace({replaced}, chr(2), '\\u'), chr(3), '\\u'), chr(1), '\\\\')"
    return f"CASE WHEN regexp_matches({line_sql}, {literal(_HALF)}) THEN {shown} ELSE {line_sql} END"


def is_doubtful_sql(line_sql: str, kind_sql: str, *, anywhere: bool) -> str:
    """Return the condition that a line should be read a second time, whatever its values are.

    `kind_sql` is the SQL of its JSON type, null for no JSON. `anywhere`: no number of the line may be overlooked, which
    takes longer.
    """
    if anywhere:
        has_doubtful_number = _stands_for_number_sql(line_sql, _ANY_DOUBTFUL)
    else:
        has_doubtful_number = (
            f"CASE WHEN regexp_matches({line_sql}, {literal(_LONG_FRACTION)}) "
            f"THEN regexp_matches({line_sql}, {literal(_LONG_NUMBER)}) ELSE false END"
        )
    return (
        f"(CASE WHEN {kind_sql} IS NULL THEN contains({line_sql}, '\\u') ELSE false END "
        f"OR {_stands_for_number_sql(line_sql, _NO_NUMBER)} OR {has_doubtful_number})"
    )


def _stands_for_number_sql(line_sql: str, pattern: str) -> str:
    """Return the condition that a pattern stands in a line where a number may."""
    return " OR ".join(
        f"regexp_matches({line_sql}, {literal(before + pattern)})" for before in _BEFORE_NUMBERS
    )


def is_doubtful_text_sql(text_sql: str) -> str:
    """Return the condition that a text was a number in a line, and may have been written otherwise there."""
    return _looks_like_double_sql(text_sql, "true")


def is_doubtful_number_sql(text_sql: str) -> str:
    """Return the condition that the text of a number was another number in a line."""
    is_long = f"strlen({text_sql}) >= {_SHORTEST_DOUBTFUL} OR contains({text_sql}, 'e')"
    return _looks_like_double_sql(text_sql, is_long)


def _looks_like_double_sql(value_sql: str, condition_sql: str) -> str:
    """Return the condition that a value may be a double that was written out, and that another condition holds."""
    is_short = (
        f"{value_sql} < ':' AND strlen({value_sql}) <= {_LONGEST_DOUBLE}"  # it begins with a digit or a minus
    )
    has_mark = f"contains({value_sql}, '.') OR contains({value_sql}, 'e')"
    return (
        f"CASE WHEN {is_short} THEN ({has_mark}) AND ({condition_sql}) "
        f"AND regexp_full_match({value_sql}, {literal(_DOUBLE)}) ELSE false END"
    )


def marked_sql(line_sql: str) -> str:
    """Return the SQL of a line with a mark around each number that has a point or an exponent, or is -0.

    A line that has such a mark already is left as it is.
    """
    number = r"-?(?:[0-9]+[.][0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)|-0"
    # each string and each number gets both characters behind it; where no number stands before them they go again
    tokens = literal(f"({_STRING})|({number})")
    both = f"regexp_replace({line_sql}, {tokens}, '\\1' || chr(2) || '\\2' || chr(3), 'g')"
    only_numbers = f"replace({both}, chr(2) || chr(3), '')"
    marked = f"replace(replace({only_numbers}, chr(2), '\"{_OPEN}'), chr(3), '{_CLOSE}\"')"
    has_mark = f"contains({line_sql}, '{_OPEN}') OR contains(lower({line_sql}), '{_ESCAPED_OPEN}')"
    return f"CASE WHEN {has_mark} THEN {line_sql} ELSE {marked} END"


def unmarked_sql(text_sql: str) -> str:
    """Return the SQL of a text or of JSON that was taken out of a marked line, with its numbers as they came."""
    bare = f"replace(replace({text_sql}, '\"{_OPEN}', ''), '{_CLOSE}\"', '')"
    return f"regexp_replace({bare}, '{_OPEN}([-+.0-9eE]*){_CLOSE}', '\\1', 'g')"


def has_no_number_sql(line_sql: str) -> str:
    """Return the condition that NaN or Infinity stands in a line where a number should."""
    bare = f"regexp_replace({line_sql}, {literal(_STRING)}, '\"\"', 'g')"
    return f"({_stands_for_number_sql(bare, _NO_NUMBER)})"


def same_container_sql(text_sql: str, json_type: str | None) -> str:
    """Return the SQL of JSON in which the empty container is of the type that is wanted: PHP writes [] for an object.

    Languages in which a list is a map do not tell an empty one from the other.
    """
    empty = {"object": ("[]", "{}"), "array": ("{}", "[]")}.get(json_type or "")
    if empty is None:
        return text_sql
    other, wanted = empty
    return f"CASE WHEN {text_sql} = '{other}' THEN '{wanted}' ELSE {text_sql} END"
