"""Comparisons: the levels that pairs of values reach, asked of DuckDB itself."""

from __future__ import annotations

import pytest

from lakehouse.identity.matching.comparisons import COMPARISONS, frequency_columns, splink_comparison
from lakehouse.identity.matching.features import FEATURES

BY_NAME = {comparison.name: comparison for comparison in COMPARISONS}


def _level(con, name: str, left: dict[str, object], right: dict[str, object]) -> str | None:
    comparison = BY_NAME[name]
    sides = [
        f"{_literal(values.get(column))} AS {column}_{side}"
        for side, values in (("l", left), ("r", right))
        for column in FEATURES
    ]
    levels = " ".join(f"WHEN {level.sql} THEN '{level.label}'" for level in comparison.levels)
    case = f"CASE WHEN {comparison.missing} THEN NULL {levels} ELSE 'differs' END"
    return con.execute(f"SELECT {case} FROM (SELECT {', '.join(sides)})").fetchone()[0]


def _literal(value: object) -> str:
    if value is None:
        return "NULL::VARCHAR"
    return str(value).lower() if isinstance(value, bool) else f"'{value}'"


def _han(full: str, sound: str | None = None, given: str | None = None) -> dict[str, object]:
    given = full[1:] if given is None else given
    return {
        "han": True,
        "full_name": full if given else None,
        "family": full[0],
        "given": given or None,
        "sound": sound,
    }


def _western(given: str, family: str) -> dict[str, object]:
    return {"han": False, "given": given or None, "family": family or None}


@pytest.mark.parametrize(
    ("name", "left", "right", "level"),
    [
        ("chinese_name", _han("张伟"), _han("张伟"), "equal"),
        ("chinese_name", _han("张伟", "wei zhang"), _han("章炜", "wei zhang"), "same sound"),
        ("chinese_name", _han("王小明"), _han("王小红"), "one of two characters"),
        ("chinese_name", _han("王小明"), _han("王明"), "a character more"),
        ("chinese_name", _han("张伟"), _han("张", given=""), "form of address"),
        ("chinese_name", _han("张伟"), _han("李伟"), "same given name"),
        ("chinese_name", _han("张伟"), _han("张强"), "same family name"),
        ("chinese_name", _han("张伟"), _han("李娜"), "differs"),
        ("chinese_name", _han("张伟"), _western("anna", "holt"), None),
        ("romanised_name", _han("张伟", "wei zhang"), {"han": False, "sound": "wei zhang"}, "same sound"),
        ("romanised_name", _han("张伟", "wei zhang"), _han("张伟", "wei zhang"), None),
        ("given_name", _western("anna", "holt"), _western("anna", "berg"), "equal"),
        ("given_name", _western("anna", "holt"), _western("annna", "holt"), "similar 0.92"),
        (
            "given_name",
            _western("anna", "holt"),
            _western("holtt", "anna"),
            "in the place of the family name",
        ),
        ("given_name", _western("anna", "holt"), _western("a", "holt"), "initial"),
        ("given_name", _western("anna", "holt"), _western("ben", "holt"), "differs"),
        ("given_name", _western("anna", "holt"), _western("", "holt"), None),
        (
            "family_name",
            _western("anna", "holt"),
            _western("holt", "anna"),
            None,
        ),  # asked once, as the given name
        ("birth_date", {"birth": "19800201"}, {"birth": "19800201"}, "equal"),
        ("birth_date", {"birth": "19800201"}, {"birth": "19800202"}, "one slip"),
        ("birth_date", {"birth": "19800201"}, {"birth": "19800110"}, "two slips"),
        ("birth_date", {"birth": "19800201"}, {"birth": "19801230"}, "same year"),
        ("birth_date", {"birth": "19800201"}, {}, None),
        ("phone", {"phone": "+8613800138000"}, {"phone": "+8613800138001"}, "one slip"),
        ("email", {"email": "anna@qq.com"}, {"email": "anna@163.com"}, "same mailbox elsewhere"),
        (
            "chinese_address",
            {"region": "330106", "street": "文三路", "number": "1", "unit": "2"},
            {"region": "330106", "street": "文三路", "number": "1", "unit": "2"},
            "same room",
        ),
        (
            "chinese_address",
            {"region": "330106", "street": "文三路", "number": "1"},
            {"region": "330106", "street": "文三路", "number": "1", "unit": "2"},
            "same house",
        ),
        ("chinese_address", {"region": "330106"}, {"region": "330106", "street": "文三路"}, "same district"),
        ("chinese_address", {"region": "330106"}, {"region": "330110"}, "same city"),
        ("chinese_address", {"region": "330100"}, {"region": "330100"}, "same city"),
        ("chinese_address", {"region": "330000"}, {"region": "330000"}, "differs"),
        ("chinese_address", {"region": "330106"}, {"region": "110105"}, "differs"),
        ("chinese_address", {"region": "000000"}, {"region": "110105"}, None),
        (
            "chinese_address",
            {"region": "000000", "street": "文三路", "number": "1"},
            {"region": "330106", "street": "文三路", "number": "1"},
            "same house",
        ),
        ("street_number", {"region": "330106", "number": "1"}, {"region": "330106", "number": "1"}, None),
        ("street", {"street": "high st"}, {"street": "high st"}, "equal"),
    ],
)
def test_levels(con, name: str, left: dict[str, object], right: dict[str, object], level: str | None) -> None:
    """The strongest agreement that holds, in either direction; None where the comparison does not count."""
    assert _level(con, name, left, right) == level
    assert _level(con, name, right, left) == level


def test_comparisons_ask_for_columns_that_there_are() -> None:
    """And frequencies are counted of such."""
    assert {column for comparison in COMPARISONS for column in comparison.columns} <= set(FEATURES)
    assert set(frequency_columns()) <= set(FEATURES)


def test_a_level_has_its_chances_in_splinks_settings() -> None:
    """In the order of the levels, what differs last."""
    said = splink_comparison(BY_NAME["romanised_name"], [0.9, 0.1], [0.01, 0.99])["comparison_levels"]
    assert [(level.get("m_probability"), level.get("u_probability")) for level in said] == [
        (None, None),
        (0.9, 0.01),
        (0.1, 0.99),
    ]
