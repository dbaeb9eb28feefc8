"""What a text is as a value of each type, and what no column may hold."""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb
import pytest

from lakehouse.engine import sql_functions
from lakehouse.ingest.reading.typing_sql import error_kind, known_text_sql, trimmed_sql, typed_sql
from lakehouse.sources.definition import SourceColumn


def column(kind, *formats):
    return SourceColumn.model_validate(
        {"name": "v", "from": "V", "doc": "V", "type": kind, "formats": formats}
    )


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        sql_functions.create(con)
        con.execute("SET TimeZone = 'Pacific/Kiritimati'")  # which no value may depend on
        yield con


def typed(con, rule, text, zone="UTC"):
    query = f"SELECT {typed_sql(rule, 't', zone)} FROM (SELECT CAST(? AS VARCHAR) AS t)"
    return con.execute(query, [text]).fetchone()[0]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("long", "7", 7),
        ("long", "7.0", 7),
        ("long", "7.5", None),
        ("int", "2147483648", None),
        ("boolean", "true", True),
        ("boolean", "maybe", None),
        ("date", "2026-02-28", date(2026, 2, 28)),
        ("date", "2026-02-30", None),
        ("date", "0044-03-15", date(44, 3, 15)),
        ("date", "5-1-26", None),
        ("date", "12026-01-01", None),
        ("timestamptz", "2026-01-05T07:00:00+08:00", datetime(2026, 1, 4, 23, tzinfo=UTC)),
        ("timestamptz", "infinity", None),
        ("string", "5-1-26", "5-1-26"),
        ("long", None, None),
    ],
)
def test_a_text_is_a_value_or_null(con, kind, text, value):
    """Null is what the type cannot hold, and what DuckDB alone can."""
    assert typed(con, column(kind), text) == value


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("0000-00-00", None),
        ("0000-00-00 00:00:00", None),
        ("0000-00-00T00:00:00.000Z", None),
        (" 0000/00/00 ", None),
        ("00000000", None),
        ("0000-00-00 08:30:00", "0000-00-00 08:30:00"),
        ("0000-01-00", "0000-01-00"),
        ("2000-00-00", "2000-00-00"),
        ("2026-01-05T00:00:00.0000Z", "2026-01-05T00:00:00.0000Z"),
        (None, None),
    ],
)
def test_the_day_of_zeros_is_none(con, text, known):
    """MySQL writes it for a date that nobody knows; of a number or a text zeros are what they are."""
    for kind in ("date", "timestamptz", "string", "long"):
        query = f"SELECT {known_text_sql(column(kind), 't')} FROM (SELECT CAST(? AS VARCHAR) AS t)"
        expected = known if kind in ("date", "timestamptz") else text
        assert con.execute(query, [text]).fetchone()[0] == expected


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        (column("string"), None),
        (column("string", "phone"), "phone"),
        (column("long"), "number"),
        (column("decimal(8,2)"), "number"),
        (column("date"), "date"),
        (column("timestamptz"), "timestamp"),
        (column("boolean"), "boolean"),
    ],
)
def test_what_a_wrong_value_is_called(rule, kind):
    """Any text is right in a string without formats."""
    assert error_kind(rule) == kind


@pytest.mark.parametrize("space", [" ", "\u00a0", "\u3000"])
def test_spaces_around_a_text_are_taken_away(con, space):
    """Those within stay."""
    query = f"SELECT {trimmed_sql('t')} FROM (SELECT CAST(? AS VARCHAR) AS t)"
    assert con.execute(query, [f"{space}a{space}b{space}"]).fetchone() == (f"a{space}b",)
    assert con.execute(query, ["a"]).fetchone() == ("a",)


@pytest.mark.parametrize(
    ("text", "zone", "value"),
    [
        ("2026-01-05 08:30:00", "Asia/Shanghai", datetime(2026, 1, 5, 0, 30, tzinfo=UTC)),
        ("2026-03-29 02:30:00", "Europe/Berlin", None),  # clocks went from 02:00 to 03:00
        ("2026-03-29 02:30:00 Europe/Berlin", "UTC", None),
        ("2026-03-29 03:30:00", "Europe/Berlin", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (
            "2026-10-25 02:30:00",
            "Europe/Berlin",
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        ),  # the later of two
        (
            "2018-11-04",
            "America/Sao_Paulo",
            datetime(2018, 11, 4, 3, tzinfo=UTC),
        ),  # a day that began at 01:00
        ("2026-01-05 08:30:1Z", "Asia/Shanghai", datetime(2026, 1, 5, 8, 30, 1, tzinfo=UTC)),
        ("2026-01-05T08:30:00+08:00[Asia/Shanghai]", "UTC", datetime(2026, 1, 5, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_what_clocks_of_its_zone_show(con, text, zone, value):
    """One that they never show is none."""
    assert typed(con, column("timestamptz"), text, zone) == value
