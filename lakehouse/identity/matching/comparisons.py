"""What is compared of two records, and the levels of agreement: the part of a model that is no number.

A comparison is a list of levels, the strongest agreement first; the first whose condition holds counts. Where either
record says nothing of it, the comparison does not count. Columns are those of `sql/people.sql`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Level:
    """A degree of agreement: SQL over `<column>_l` and `<column>_r`.

    `frequency` names the column whose rare values, when they are equal, say more than frequent ones.
    """

    label: str
    sql: str
    frequency: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One statement of two records; `missing` is the SQL of when it does not count. What fits no level differs."""

    name: str
    missing: str
    levels: tuple[Level, ...]

    @property
    def columns(self) -> frozenset[str]:
        """Return the columns that it asks for."""
        asked = " ".join((self.missing, *(level.sql for level in self.levels)))
        return frozenset(re.findall(r"(\w+)_[lr]\b", asked))


def _equal(column: str) -> str:
    return f"{column}_l = {column}_r"


def _missing(column: str) -> str:
    return f"{column}_l IS NULL OR {column}_r IS NULL"


def _similar(column: str, least: float) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {least}"


def _slips(column: str, most: int) -> str:
    return f"damerau_levenshtein({column}_l, {column}_r) <= {most}"


def _likeness(name: str, column: str, missing: str | None = None, *, levels: tuple[float, ...]) -> Comparison:
    """Return a comparison of words: equal, then ever less similar by Jaro-Winkler."""
    likenesses = (Level(f"similar {least}", _similar(column, least)) for least in levels)
    return Comparison(
        name, missing or _missing(column), (Level("equal", _equal(column), column), *likenesses)
    )


_SAME_CITY: Final = "left(region_l, 4) = left(region_r, 4) AND region_l[3:4] <> '00'"
# an address that names no place, or one of several of its name: only its door can be compared
_NO_PLACE: Final = (
    "((region_l = '000000' OR region_r = '000000') "
    "AND NOT coalesce(street_l = street_r AND number_l = number_r, false))"
)
_CHINESE_PLACE: Final = "region_l IS NOT NULL OR region_r IS NOT NULL"
_TURNED: Final = " AND ".join(
    f"jaro_winkler_similarity({one}, {other}) >= 0.92"
    for one, other in (("given_l", "family_r"), ("family_l", "given_r"))
)
_NOT_WESTERN: Final = "coalesce(han_l, true) OR coalesce(han_r, true)"
_NOT_CHINESE: Final = "NOT coalesce(han_l, false) OR NOT coalesce(han_r, false)"
_ROMANISED: Final = "coalesce(han_l = han_r, true) OR "

# DuckDB counts the bytes of an edit, not the characters
_ONE_OF_TWO: Final = (
    "length(given_l) = 2 AND length(given_r) = 2 AND (given_l[1] = given_r[1] OR given_l[2] = given_r[2])"
)
_CONTAINED: Final = "(contains(given_l, given_r) OR contains(given_r, given_l))"
_ONE_MORE: Final = f"abs(length(given_l) - length(given_r)) = 1 AND {_CONTAINED}"

COMPARISONS: Final = (
    Comparison(
        "chinese_name",
        f"{_NOT_CHINESE} OR {_missing('family')}",
        (
            Level("equal", _equal("full_name"), "full_name"),
            Level("same sound", _equal("sound"), "sound"),
            Level("one of two characters", f"{_equal('family')} AND {_ONE_OF_TWO}"),
            Level("a character more", f"{_equal('family')} AND {_ONE_MORE}"),
            Level("form of address", f"{_equal('family')} AND (given_l IS NULL OR given_r IS NULL)", "family"),
            Level("same given name", f"{_equal('given')}"),
            Level("same family name", f"{_equal('family')}", "family"),
        ),
    ),
    Comparison("romanised_name", f"{_ROMANISED}{_missing('sound')}", (Level("same sound", _equal("sound"), "sound"),)),
    Comparison(
        "given_name",
        f"{_NOT_WESTERN} OR {_missing('given')}",
        (
            Level("equal", _equal("given"), "given"),
            Level("similar 0.92", _similar("given", 0.92)),
            Level("in the place of the family name", _TURNED),
            Level("initial", "(length(given_l) = 1 OR length(given_r) = 1) AND left(given_l, 1) = left(given_r, 1)"),
            Level("similar 0.8", _similar("given", 0.8)),
        ),
    ),
    Comparison(
        "family_name",
        f"{_NOT_WESTERN} OR {_missing('family')} OR ({_TURNED})",
        (
            Level("equal", _equal("family"), "family"),
            Level("similar 0.92", _similar("family", 0.92)),
            Level("similar 0.8", _similar("family", 0.8)),
        ),
    ),
    Comparison(
        "birth_date",
        _missing("birth"),
        (
            Level("equal", _equal("birth"), "birth"),
            Level("one slip", _slips("birth", 1)),
            Level("two slips", _slips("birth", 2)),
            Level("same year", "left(birth_l, 4) = left(birth_r, 4)"),
        ),
    ),
    Comparison(
        "phone",
        _missing("phone"),
        (Level("equal", _equal("phone"), "phone"), Level("one slip", _slips("phone", 1))),
    ),
    Comparison(
        "email",
        _missing("email"),
        (
            Level("equal", _equal("email"), "email"),
            Level("same mailbox elsewhere", "split_part(email_l, '@', 1) = split_part(email_r, '@', 1)"),
            Level("one slip", _slips("email", 1)),
        ),
    ),
    Comparison(
        "chinese_address",
        f"{_missing('region')} OR {_NO_PLACE}",
        (
            Level("same room", "street_l = street_r AND number_l = number_r AND unit_l = unit_r"),
            Level("same estate and room", "estate_l = estate_r AND unit_l = unit_r"),
            Level("same house", "street_l = street_r AND number_l = number_r"),
            Level("same road", f"{_SAME_CITY} AND (street_l = street_r OR estate_l = estate_r)"),
            Level("same district", "region_l = region_r AND right(region_l, 2) <> '00'"),
            Level("same city", _SAME_CITY),
        ),
    ),
    Comparison(
        "street_number",
        f"{_CHINESE_PLACE} OR {_missing('number')}",
        (Level("equal", _equal("number"), "number"), Level("one slip", _slips("number", 1))),
    ),
    _likeness("street", "street", f"{_CHINESE_PLACE} OR {_missing('street')}", levels=(0.9, 0.8)),
    _likeness("locality", "locality", levels=(0.9, 0.8)),
    Comparison(
        "postcode",
        _missing("postcode"),
        (
            Level("equal", _equal("postcode"), "postcode"),
            Level("one slip", _slips("postcode", 1)),
            Level("two slips", _slips("postcode", 2)),
        ),
    ),
)  # fmt: skip


def frequency_columns() -> list[str]:
    """Return the columns whose values' frequencies count."""
    found = {level.frequency for comparison in COMPARISONS for level in comparison.levels if level.frequency}
    return sorted(found)


def splink_comparison(comparison: Comparison, m: list[float], u: list[float]) -> dict[str, Any]:
    """Return a comparison as Splink's settings have it; `m` and `u` are of each level and of what differs, or empty."""
    described = [
        {"sql_condition": comparison.missing, "label_for_charts": "missing", "is_null_level": True},
        *(_splink_level(level) for level in comparison.levels),
        {"sql_condition": "ELSE", "label_for_charts": "differs"},
    ]
    for level, m_probability, u_probability in zip(described[1:], m, u, strict=bool(m)):
        level |= {"m_probability": m_probability, "u_probability": u_probability}
    return {
        "output_column_name": comparison.name,
        "comparison_description": comparison.name,
        "comparison_levels": described,
    }


def _splink_level(level: Level) -> dict[str, Any]:
    described: dict[str, Any] = {"sql_condition": level.sql, "label_for_charts": level.label}
    if level.frequency:
        described |= {
            "tf_adjustment_column": level.frequency,
            "tf_adjustment_weight": 1.0,
            "tf_minimum_u_value": 0.0,
        }
    return described
