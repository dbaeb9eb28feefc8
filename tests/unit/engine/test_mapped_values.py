"""A mapping's value becomes one of its column's type without a change, or null."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest

from lakehouse.engine import sql_functions
from lakehouse.engine.mapped_values import mapped_value_sql


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        sql_functions.create(con)
        con.execute("SET TimeZone = 'Pacific/Kiritimati'")
        yield con


@pytest.mark.parametrize("is_known", [True, False], ids=["a column", "an expression"])
@pytest.mark.parametrize(
    ("sql", "actual", "target", "value"),
    [
        ("'10.50'", "VARCHAR", "DECIMAL(12,2)", Decimal("10.50")),
        ("'10.4975'", "VARCHAR", "DECIMAL(12,2)", None),
        ("'0.0000612345678'", "VARCHAR", "DECIMAL(38,18)", Decimal("0.0000612345678")),
        ("10.4975::DECIMAL(18,4)", "DECIMAL(18,4)", "DECIMAL(12,2)", None),
        ("10.5000::DECIMAL(18,4)", "DECIMAL(18,4)", "DECIMAL(12,2)", Decimal("10.50")),
        ("0.1::DOUBLE + 0.2", "DOUBLE", "DECIMAL(12,2)", Decimal("0.30")),
        ("'4711.0'", "VARCHAR", "BIGINT", 4711),
        ("'4711.5'", "VARCHAR", "BIGINT", None),
        ("4711.5::DECIMAL(8,1)", "DECIMAL(8,1)", "BIGINT", None),
        ("'2026-01-05 08:30'", "VARCHAR", "DATE", None),
        ("'2026-01-05'", "VARCHAR", "DATE", date(2026, 1, 5)),
        ("'2026-01-05 08:30:00'", "VARCHAR", "TIMESTAMPTZ", datetime(2026, 1, 5, 0, 30, tzinfo=UTC)),
        ("'2026-01-05 08:30:00 EST'", "VARCHAR", "TIMESTAMPTZ", None),
        ("""'"2026-01-05T08:30:00Z"'::JSON""", "JSON", "TIMESTAMPTZ", datetime(2026, 1, 5, 8, 30, tzinfo=UTC)),
        ("TIMESTAMPTZ '2026-01-05 08:30:00+00'", "TIMESTAMPTZ", "TIMESTAMPTZ", datetime(2026, 1, 5, 8, 30, tzinfo=UTC)),
        ("NULL", None, "DECIMAL(12,2)", None),
    ],
)  # fmt: skip
def test_nothing_is_rounded_or_cut(con, is_known, sql, actual, target, value):
    """But what a mapping itself has computed as a double."""
    if is_known and actual not in (None, "JSON"):
        found = mapped_value_sql("v", {"v": actual}, target, "Asia/Shanghai")
    else:  # `json` says that it may be text
        found = mapped_value_sql("CASE WHEN 'json' IS NOT NULL THEN v END", {}, target, "Asia/Shanghai")
    assert con.execute(f"SELECT {found} FROM (SELECT {sql} AS v)").fetchone() == (value,)


def test_a_zone_in_one_text_is_that_of_no_other(con):
    """Neither in a cell nor in the functions that mappings call."""
    texts = ["2026-01-05 08:30:00", "2026-01-05 08:30:00 America/New_York", "2026-01-05 08:30:00"]
    cell = mapped_value_sql("v", {"v": "VARCHAR"}, "TIMESTAMPTZ", "UTC")
    query = f"SELECT {cell}, read_moment(v), read_moment(v, 'UTC') FROM (SELECT unnest(?::VARCHAR[]) AS v)"
    rows = con.execute(query, [texts]).fetchall()
    assert rows[0] == rows[2] == (datetime(2026, 1, 5, 8, 30, tzinfo=UTC),) * 3
    assert rows[1] == (datetime(2026, 1, 5, 13, 30, tzinfo=UTC),) * 3
    assert con.execute("SELECT read_day('2026-01-05'), read_day('2026-01-05 soon')").fetchone() == (
        date(2026, 1, 5),
        None,
    )
