"""What is compared of a record: in normal forms, null where nothing is said, whatever columns there are."""

from __future__ import annotations

import pytest

from lakehouse.errors import Terminal
from lakehouse.identity.matching.features import FEATURES, features


def _row(con, record: str) -> dict[str, object]:
    columns = ("record", *FEATURES)
    row = con.execute(f"SELECT {', '.join(columns)} FROM match_people WHERE record = ?", [record]).fetchone()
    return {name: value for name, value in zip(columns, row, strict=True) if value is not None}


def test_forms_that_compare(con, people) -> None:
    """A Chinese record by sound and region, a Western one by words and street; contacts in their normal forms."""
    assert features(con, people()) == "match_people"
    assert _row(con, "a3") == {
        "record": "a3", "han": True, "family": "张", "phone": "+8613800138000",
        "region": "330106", "street": "文三路", "number": "100", "unit": "3-2-501",
    }  # fmt: skip
    assert _row(con, "a2")["sound"] == _row(con, "a1")["sound"] == "wei zhang"
    assert _row(con, "d2") == {
        "record": "d2", "han": False, "full_name": "ana holt", "family": "holt", "given": "ana",
        "birth": "19710403", "email": "anna.holt@example.com", "number": "12", "street": "high st",
        "locality": "bath", "postcode": "ba11aa",
    }  # fmt: skip
    assert _row(con, "e1") == {"record": "e1"}


def test_columns_may_be_missing_and_names_come_in_two(con, people) -> None:
    """A record alone is enough; given and family name, number, suburb and postcode have columns of their own."""
    features(con, people([("x",)], ("record",)))
    assert _row(con, "x") == {"record": "x"}
    columns = (
        "record",
        "given_name",
        "surname",
        "street_number",
        "address",
        "suburb",
        "postcode",
        "birth_date",
    )
    rows = [
        ("y", "Anna", "Holt", "12", "bynoe place", "St James", "4011", "19081209"),
        ("z", "", "Holt", *[None] * 5),
    ]
    features(con, people(rows, columns))
    assert _row(con, "y") == {
        "record": "y", "han": False, "full_name": "anna holt", "family": "holt", "given": "anna", "birth": "19081209",
        "number": "12", "street": "bynoe pl", "locality": "stjames", "postcode": "4011",
    }  # fmt: skip
    assert _row(con, "z") == {"record": "z", "han": False, "family": "holt"}


def test_records_are_unique(con, people) -> None:
    """Two rows of one record, or none at all, are refused before anything is compared."""
    with pytest.raises(Terminal, match="1 rows of 'people' share a record"):
        features(con, people([("x",), ("x",)], ("record",)))
    with pytest.raises(Terminal, match="no column record"):
        features(con, people([("x",)], ("name",)))


def test_hostile_values_are_read(con, people) -> None:
    """A name of 10,000 characters, controls, marks, emoji and SQL cost nothing but themselves."""
    hostile = ("'; DROP TABLE people; --", "x" * 10_000, "\x00\x07", "\u202e张伟\u200f", "😀", "%s{}\\")
    rows = [(f"h{at}", text, text, text, text, text) for at, text in enumerate(hostile) if "\x00" not in text]
    features(con, people(rows))
    assert _row(con, "h3")["full_name"] == "张伟"
    assert con.execute("SELECT count(*) FROM match_people").fetchone() == (len(rows),)
