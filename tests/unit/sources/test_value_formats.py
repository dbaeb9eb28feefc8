"""Values as people write them: read right by a rule that the column names, or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest

from lakehouse.engine import sql_functions
from lakehouse.ingest.reading.typing_sql import typed_sql
from lakehouse.sources import value_formats
from lakehouse.sources.definition import SourceColumn


def read(text: str, kind: str, *formats: str):
    """Return what a column of this type makes of a text."""
    column = SourceColumn(name="x", origin="X", type=kind, doc="X", formats=formats)
    con = duckdb.connect()
    sql_functions.create(con)
    try:
        (row,) = con.execute(
            f"SELECT {typed_sql(column, 't', 'UTC')} FROM (SELECT CAST(? AS VARCHAR) AS t)", [text]
        ).fetchall()
    finally:
        con.close()
    return row[0]


JANUARY, MAY = date(2026, 1, 5), date(2026, 5, 1)


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("2026-01-05", (), JANUARY),
        ("2026/1/5", (), JANUARY),
        ("2026.1.5", (), None),
        ("5-1-26", (), None),  # DuckDB alone: a day of the year 5
        ("05-01-26", (), None),
        ("126-1-5", (), None),
        ("0001-01-01", (), date(1, 1, 1)),  # what some systems write for no date
        ("46027", (), None),
        ("20260105", (), None),
        ("2026.1.5", ("ymd",), JANUARY),
        ("20260105", ("ymd",), JANUARY),
        ("20261305", ("ymd",), None),
        ("20260105083000", ("ymd",), None),  # a day is no time
        ("20260105000000", ("ymd",), JANUARY),
        ("20260105083000", ("ymd", "day"), JANUARY),
        ("2026-01-05 08:30", (), None),
        ("2026-01-05 00:00:00", (), JANUARY),
        ("2026-01-05T00:00:00.000Z", (), JANUARY),
        ("2026-01-05 08:30", ("day",), JANUARY),
        ("2026-01-05T23:30:00-05:00", ("day",), JANUARY),
        ("2026-01-05 08:30 soon", ("day",), None),
        ("2026/1/5 8:30", ("ymd",), None),
        ("2026/1/5 8:30", ("day", "ymd"), JANUARY),
        ("46027.75", ("excel",), None),
        ("46027.75", ("excel", "day"), JANUARY),
        ("2026年1月5日10:30", ("chinese",), None),
        ("2026年1月5日10:30", ("chinese", "day"), JANUARY),
        ("1/5/2026 8:30 PM", ("mdy", "day"), JANUARY),
        ("1/5/2026 8:30 PM", ("mdy",), None),
        ("2026010508", ("ymd",), None),
        ("5-1-26", ("ymd",), None),
        ("5-1-80", ("dmy",), date(1980, 1, 5)),
        ("5-1-45", ("dmy",), date(1945, 1, 5)),
        ("5-1-26", ("dmy",), JANUARY),
        ("05/01/2026", ("dmy",), JANUARY),
        ("31/2/26", ("dmy",), None),
        ("05/23/80", ("mdy",), date(1980, 5, 23)),  # 2080 is no year of anybody's
        ("16-07-68", ("dmy",), date(1968, 7, 16)),
        ("31.12.40", ("dmy",), date(2040, 12, 31)),
        ("31.12.41", ("dmy",), date(1941, 12, 31)),
        ("01/01/00", ("dmy",), date(2000, 1, 1)),
        ("2026-01-05", ("dmy",), JANUARY),
        ("5-1-26", ("mdy",), MAY),
        ("46027", ("excel",), JANUARY),
        ("46027", ("ymd", "excel"), JANUARY),
        ("60", ("excel",), None),  # the 29th of February 1900, which only Excel knows
        ("4.6E+4", ("excel",), None),
        ("1985", ("excel",), None),  # a year, and no day of June 1905
        ("2026.0", ("ymd", "excel"), None),
        ("260105", ("excel",), None),  # to Excel a day of the year 2612
        ("2101", ("excel",), date(1905, 10, 1)),
        ("2958465", ("excel",), date(9999, 12, 31)),
        ("二〇二六年一月五日", ("chinese",), JANUARY),
        ("2026年1月5日", ("chinese",), JANUARY),
        ("2026 年 1 月 5 号", ("chinese",), JANUARY),
        ("二零二六年十月二十日", ("chinese",), date(2026, 10, 20)),
        ("二〇二六年十二月三十一日", ("chinese",), date(2026, 12, 31)),
        ("二〇二六年二月三十日", ("chinese",), None),
        ("昨天", ("chinese", "ymd"), None),
    ],
)
def test_dates(text, formats, expected):
    """What a column does not name is not tried, and a day that is none is none."""
    assert read(text, "date", *formats) == expected


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("2026-1-5 9:05", (), datetime(2026, 1, 5, 9, 5, tzinfo=UTC)),
        ("2026-01-05T10:00:00+08:00", ("ymd",), datetime(2026, 1, 5, 2, tzinfo=UTC)),
        ("2026.1.5 9:05:30", ("ymd",), datetime(2026, 1, 5, 9, 5, 30, tzinfo=UTC)),
        ("5.1.2026 10:00", ("dmy",), datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("46027.75", ("excel",), datetime(2026, 1, 5, 18, tzinfo=UTC)),
        ("2026年1月5日10:30", ("chinese",), datetime(2026, 1, 5, 10, 30, tzinfo=UTC)),
        ("5-1-26 10:00", (), None),
        ("20260105083000", ("ymd",), datetime(2026, 1, 5, 8, 30, tzinfo=UTC)),
        ("20260105083000123456", ("ymd",), datetime(2026, 1, 5, 8, 30, 0, 123456, tzinfo=UTC)),
        ("20260105 083000.5", ("ymd",), datetime(2026, 1, 5, 8, 30, 0, 500000, tzinfo=UTC)),
        ("20260105250000", ("ymd",), None),
        ("2026-01-05 08:30:00 -0500", (), datetime(2026, 1, 5, 13, 30, tzinfo=UTC)),  # DuckDB alone: none
        ("2026-01-05 08:30:00 -0500", ("offset",), datetime(2026, 1, 5, 13, 30, tzinfo=UTC)),
        ("2026-01-05 08:30:00.25 +05:30", ("offset",), datetime(2026, 1, 5, 3, 0, 0, 250000, tzinfo=UTC)),
        ("2026-01-05T08:30:00Z", ("offset",), datetime(2026, 1, 5, 8, 30, tzinfo=UTC)),
        ("2026-01-05 08:30:00 EST-ish", ("offset",), None),
        ("1/5/2026 8:30 PM", ("mdy",), datetime(2026, 1, 5, 20, 30, tzinfo=UTC)),  # Salesforce's reports
        ("1/5/2026 12:05:09 am", ("mdy",), datetime(2026, 1, 5, 0, 5, 9, tzinfo=UTC)),
        ("5.1.2026 12:00 p.m.", ("dmy",), datetime(2026, 1, 5, 12, tzinfo=UTC)),
        ("2026-01-05 08:30 PM", ("ymd",), datetime(2026, 1, 5, 20, 30, tzinfo=UTC)),
        ("2026/1/5 下午3:30", ("ymd",), datetime(2026, 1, 5, 15, 30, tzinfo=UTC)),  # Excel's in Chinese
        ("2026年1月5日 上午 9:05:30", ("chinese",), datetime(2026, 1, 5, 9, 5, 30, tzinfo=UTC)),
        ("1/5/2026 13:30 PM", ("mdy",), None),
        ("1/5/2026 0:30 AM", ("mdy",), None),
        ("1/5/2026 8:30 PMT", ("mdy",), None),
        ("2/30/2026 8:30 PM", ("mdy",), None),
        ("2026-01-05 08:30 PM", (), None),
    ],
)
def test_moments(text, formats, expected):
    """A time may stand behind; without a zone it is UTC."""
    assert read(text, "timestamptz", *formats) == expected


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("1299.00", (), "1299"),
        ("1,299.00", (), None),
        ("¥1,299.00", ("amount",), "1299"),
        ("1299元", ("amount",), "1299"),
        ("人民币1,000", ("amount",), "1000"),
        ("USD 5", ("amount",), "5"),
        ("(120.00)", ("amount",), "-120"),
        ("-$3.50", ("amount",), "-3.5"),
        ("12 345.6", ("amount",), "12345.6"),
        ("1,29.00", ("amount",), None),
        ("1.299,00", ("amount",), None),
        ("1,299", ("amount",), "1299"),
        ("about 5", ("amount",), None),
        ("1.299,00 €", ("amount_comma",), "1299"),
        ("1.299", ("amount_comma",), "1299"),  # to a plain cast one and a bit
        ("5.5", ("amount_comma",), None),
        ("-5,50", ("amount_comma",), "-5.5"),
        ("(1.200,5)", ("amount_comma",), "-1200.5"),
        ("1'299.00", ("amount",), "1299"),
        ("Rs. 1,23,456.00", ("amount",), "123456"),
        ("12.50- EUR", ("amount",), "-12.5"),
        ("EUR 12.50-", ("amount",), "-12.5"),
        ("－１２．５０", ("amount",), "-12.5"),
        ("１２．５０５", ("amount",), None),  # three decimals, however wide they are
        ("1\u202f299,00 zł", ("amount_comma",), "1299"),
        ("1\u2009299,00\u2009€", ("amount_comma",), "1299"),
        ("12€50", ("amount",), None),  # RubyMoney/money#283: several prices in one cell became one number
        ("10€ 20€", ("amount",), None),
        ("5元5", ("amount",), None),
        ("5 EUR 10", ("amount_comma",), None),
        ("12.50 USD 2", ("amount_comma",), None),
        ("1 2", ("amount",), None),
        ("12 3456", ("amount",), None),
        ("1 234,567.00", ("amount",), None),
        ("0,500", ("amount",), None),  # half of one, or five hundred
        ("0.500", ("amount_comma",), None),
        ("007,500", ("amount",), None),
        ("+5-", ("amount",), None),
        ("(-5)", ("amount",), None),
        ("-(5)", ("amount",), None),
        ("$", ("amount",), None),
    ],
)
def test_amounts(text, formats, expected):
    """Points and commas mean what the column says, and never what happens to parse."""
    assert read(text, "decimal(18,2)", *formats) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("text", "formats", "expected"),
    [
        ("yes", (), True), ("N", (), False), ("0", (), False), ("是", (), None), ("是", ("yes_no",), True),
        ("否", ("yes_no",), False), ("ON", ("yes_no",), True), ("√", ("yes_no",), True), ("×", ("yes_no",), False),
        ("无", ("yes_no",), False), ("yes", ("yes_no",), True), ("perhaps", ("yes_no",), None),
        ("x", ("yes_no",), False), ("x", ("opted_out",), True), ("Unsubscribed", ("opted_out",), True),
        ("Y", ("opted_out",), True), ("Allow", ("opted_out",), False), ("Austin", ("opted_out",), None),
    ],
)  # fmt: skip
def test_yes_and_no(text, formats, expected):
    """The words of both languages; a word that is neither is neither."""
    assert read(text, "boolean", *formats) is expected


@pytest.mark.parametrize(
    ("kind", "formats", "message"),
    [
        ("date", ("amount",), "no formats of date: amount; there are ymd"),
        ("string", ("ymd",), "no formats of string: ymd; there are phone, id, salesforce_id, consent, text"),
        ("string", ("text", "id"), "name one"),
        ("boolean", ("yes_no", "opted_out"), "name one"),
        ("long", ("amount",), "there are none"),
        ("string", ("phone", "id"), "name one"),
        ("date", ("iso8601",), "iso8601"),
        ("timestamptz", ("dmy", "mdy"), "name one"),
        ("double", ("amount", "amount_comma"), "name one"),
    ],
)
def test_formats_that_make_no_sense_are_refused(kind, formats, message):
    """When the definition is read, not with the first file."""
    with pytest.raises(ValueError, match=message):
        SourceColumn(name="x", origin="X", type=kind, doc="X", formats=formats)


AT = datetime(2026, 1, 5, 8, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("1767602400", "epoch_s", AT),
        ("1767602400.25", "epoch_s", AT.replace(microsecond=250_000)),
        ("1767602400.1234567", "epoch_s", AT.replace(microsecond=123_456)),
        ("1767602400.0", "epoch_s", AT),
        ("-86400000", "epoch_s", datetime(1967, 4, 7, tzinfo=UTC)),
        ("1767602400000", "epoch_s", None),  # thousandths: the year 57982
        ("46027", "epoch_s", None),  # a spreadsheet's day
        ("0", "epoch_s", None),
        ("1767602400000", "epoch_ms", AT),
        ("1767602400250", "epoch_ms", AT.replace(microsecond=250_000)),
        ("1767602400250.5", "epoch_ms", AT.replace(microsecond=250_500)),
        ("473385600000", "epoch_ms", datetime(1985, 1, 1, tzinfo=UTC)),
        ("-473385600000", "epoch_ms", datetime(1955, 1, 1, tzinfo=UTC)),
        ("-1767602400250.5", "epoch_ms", datetime(1913, 12, 27, 15, 19, 59, 749_500, UTC)),
        ("1767602400", "epoch_ms", None),  # seconds: the 21st of January 1970
        ("1.7676E+12", "epoch_ms", None),  # a spreadsheet rounded it
        ("1767602400000000", "epoch_us", AT),
        ("1767602400000001", "epoch_us", AT.replace(microsecond=1)),
        ("1767602400000", "epoch_us", None),
        ("1767602400", "epoch", AT),
        ("1767602400250", "epoch", AT.replace(microsecond=250_000)),
        ("1767602400000001", "epoch", AT.replace(microsecond=1)),
        ("1767602400000001999", "epoch", AT.replace(microsecond=1)),
        ("17676024000", "epoch", None),
        ("0767602400", "epoch", None),
        ("2026-01-05T08:40:00Z", "epoch", AT),  # a plain time is one, too
        ("1767602400", "excel", None),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_numbers_since_1970(text, name, expected, zone):
    """In the unit that the column names, or that their length tells; a zone of the source's does not move them."""
    column = SourceColumn(name="x", origin="X", type="timestamptz", doc="X", formats=(name,))
    with duckdb.connect() as con:
        sql_functions.create(con)
        con.execute("SET TimeZone = 'UTC'")
        query = f"SELECT epoch_us({typed_sql(column, 't', zone)}) FROM (SELECT CAST(? AS VARCHAR) AS t)"
        (found,) = con.execute(query, [text]).fetchone()
    assert (found is None) == (expected is None)
    assert expected is None or found == (expected - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


@pytest.mark.parametrize("other", ["epoch_s", "epoch_us", "epoch", "ymd"])
def test_a_number_has_one_unit(other):
    """1767602400000 cannot be of two."""
    with pytest.raises(ValueError, match="two ways"):
        value_formats.check("timestamptz", ("epoch_ms", other))


def test_texts_are_read_without_a_join():
    """Of many words in parentheses DuckDB would make one, which every row goes through."""
    formats = value_formats.VALUE_FORMATS.values()
    read_so = [one.sql("t", True) for one in formats if one.sql] + [
        one.moment("t") for one in formats if one.moment
    ]
    with duckdb.connect() as con:
        sql_functions.create(con)
        con.execute("CREATE TABLE texts (t VARCHAR)")
        for sql in read_so:
            [(_, plan)] = con.execute(f"EXPLAIN SELECT {sql} FROM texts").fetchall()
            assert "JOIN" not in plan, sql
