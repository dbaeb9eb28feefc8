"""SQL that tells whether a number says what its text says: a cast rounds without a word.

A number is written with the digits 0 to 9, a sign before them, a point within, and an exponent behind. Other writings
that DuckDB reads (1_000, 0x1F, nan, inf, +-1) are no numbers here.
"""

from __future__ import annotations

from typing import Final

from lakehouse.engine.escape import literal

_NUMBER = r"\s*[-+]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][-+]?[0-9]{1,4})?\s*"
_WITH_EXPONENT = r"\s*[-+]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)[eE][-+]?[0-9]{1,4}\s*"
_WHOLE_NUMBER = r"\s*[-+]?(?:[0-9]+(?:[.]0*)?|[.]0+)\s*"
# So many digits of any number a binary fraction can hold: C's DBL_DIG and FLT_DIG.
_SURE_DIGITS = {"DOUBLE": 15, "FLOAT": 6}
_SMALL_DIGITS: Final = 18  # of a decimal in 64 bits
_SMALL_SCALE: Final = 6  # digits behind the point that such a one gets when it is tried first


def decimal_cast_sql(text_sql: str, precision: int, scale: int) -> str:
    """Return the SQL of a text as a decimal, rounded where it has too many digits; null where it is no number.

    DuckDB takes 200 times as long for one of more than 64 bits, so a text that fits into those is read so first.
    """
    target = f"DECIMAL({precision},{scale})"
    cast = f"TRY_CAST({text_sql} AS {target})"
    if precision <= _SMALL_DIGITS:
        return cast
    small_scale = min(scale, _SMALL_SCALE)
    whole_digits = min(_SMALL_DIGITS - small_scale, precision - scale)
    pattern = literal(rf"[-+]?[0-9]{{0,{whole_digits}}}(?:[.][0-9]{{0,{small_scale}}})?")
    small = f"TRY_CAST({text_sql} AS DECIMAL({_SMALL_DIGITS},{small_scale}))"
    return (
        f"CASE WHEN regexp_full_match({text_sql}, {pattern}) THEN CAST({small} AS {target}) ELSE {cast} END"
    )


def exact_decimal_sql(value_sql: str, text_sql: str, scale: int) -> str:
    """Return the SQL of the decimal that `decimal_cast_sql` made of a text; null where it rounded."""
    below_one = (
        f"[.][0-9]{{1,{scale}}}0*|[.]0+" if scale else "[.]0+"
    )  # a digit there must be: DuckDB reads "- " as 0
    short_enough = literal(rf"\s*[-+]?(?:[0-9]+[.]?[0-9]{{0,{scale}}}0*|{below_one})\s*")
    return (
        f"CASE WHEN CAST({value_sql} AS VARCHAR) = {text_sql} THEN {value_sql} "
        f"WHEN regexp_full_match({text_sql}, {short_enough}) THEN {value_sql} "
        f"WHEN {_shifted_fits_sql(text_sql, scale)} THEN {value_sql} END"
    )


def exact_amount_sql(value_sql: str, text_sql: str, scale: int, point: str) -> str:
    """Return the SQL of the decimal that was made of an amount as people write it; null where that took rounding."""
    too_long = literal(rf"[{point}][0-9]{{{scale}}}[0-9]*[1-9]")
    point_sql = literal(point)
    return (
        f"CASE WHEN NOT contains({text_sql}, {point_sql}) "
        f"OR NOT regexp_matches({text_sql}, {too_long}) THEN {value_sql} END"
    )


def exact_integer_sql(value_sql: str, text_sql: str) -> str:
    """Return the SQL of the whole number that a cast made of a text; null where it rounded."""
    return (
        f"CASE WHEN CAST({value_sql} AS VARCHAR) = {text_sql} THEN {value_sql} "
        f"WHEN regexp_full_match({text_sql}, {literal(_WHOLE_NUMBER)}) THEN {value_sql} "
        f"WHEN {_shifted_fits_sql(text_sql, 0)} THEN {value_sql} END"
    )


def exact_float_sql(value_sql: str, text_sql: str, duck_type: str, *, is_amount: bool = False) -> str:
    """Return the SQL of the DOUBLE or FLOAT that a cast made of a text; null where it says something else.

    Binary fractions hold few decimal ones. What counts is that the number, written out with as many digits as the text
    has, has the same ones: 0.1 and 0.10000000000000001 do, 9007199254740993 does not. So does the shortest text of the
    number, which programs write and which may round a tie the other way (5.960464477539063e-08). `is_amount`: the text
    was read by a format, with signs of a currency or groups of digits.
    """
    sure = _SURE_DIGITS[duck_type]
    digits = _digits_sql(text_sql if is_amount else f"regexp_extract({text_sql}, '^[^eE]*')")
    count = f"CAST(strlen({digits}) AS INTEGER)"
    written = f"printf('%.*e', {count} - 1, abs(CAST({value_sql} AS DOUBLE)))"
    shortest = _digits_sql(f"regexp_extract(CAST({value_sql} AS VARCHAR), '^[^e]*')")
    longest = f"regexp_replace({written}, 'e.*|[.]', '', 'g')"
    same_digits = f"({digits} = '' OR {digits} = {longest} OR {digits} = {shortest})"
    if is_amount:
        return (
            f"CASE WHEN strlen({text_sql}) <= {sure} THEN {value_sql} "
            f"WHEN isfinite({value_sql}) AND {same_digits} THEN {value_sql} END"
        )
    plain = literal(r"[-+]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)")
    return (
        f"CASE WHEN strlen({text_sql}) <= {sure} AND regexp_full_match({text_sql}, {plain}) THEN {value_sql} "
        f"WHEN isfinite({value_sql}) AND regexp_full_match({text_sql}, {literal(_NUMBER)}) AND {same_digits} "
        f"THEN {value_sql} END"
    )


def _digits_sql(text_sql: str) -> str:
    """Return the SQL of the digits in a text, less zeros at both ends."""
    return f"trim(regexp_replace({text_sql}, '[^0-9]', '', 'g'), '0')"


def _shifted_fits_sql(text_sql: str, scale: int) -> str:
    """Return the condition that a text is a number with an exponent and at most so many digits behind the point."""
    mantissa = f"regexp_extract({text_sql}, '^[^eE]*')"
    digits = f"regexp_replace({mantissa}, '[^0-9]', '', 'g')"
    significant = f"rtrim({digits}, '0')"
    behind_point = f"strlen(regexp_extract({text_sql}, '[.]([0-9]*)', 1))"
    exponent = f"CAST(regexp_extract({text_sql}, '[eE]([-+]?[0-9]+)', 1) AS INTEGER)"
    digits_needed = f"{behind_point} - {exponent} - (strlen({digits}) - strlen({significant}))"
    is_number = f"regexp_full_match({text_sql}, {literal(_WITH_EXPONENT)})"
    # a condition within a CASE: AND may compute what stands behind it for all rows
    return f"CASE WHEN {is_number} THEN ltrim({significant}, '0') = '' OR {digits_needed} <= {scale} ELSE false END"
