"""What a cast may do: each row by its own text alone, and what is kept, written out again, says what the file said."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lakehouse.engine import sql_functions
from lakehouse.ingest.reading.typing_sql import typed_sql
from lakehouse.sources.definition import SourceColumn
from lakehouse.sources.value_formats import POINTS, VALUE_FORMATS
from tests.support.value_texts import clocks, numbers, odd_numbers, texts, times, zones

DECIMALS = ("decimal(12,2)", "decimal(18,0)", "decimal(18,8)", "decimal(38,18)", "decimal(5,5)")
TYPES = (*DECIMALS, "int", "long", "float", "double", "boolean", "date", "timestamptz", "string")
ZONES = ("UTC", "Asia/Shanghai", "America/New_York")
MANY = settings(max_examples=30, deadline=None)
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,4})?")


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as con:
        sql_functions.create(con)
        con.execute("SET TimeZone = 'Pacific/Kiritimati'")  # which no value may depend on
        yield con


def column(kind, *formats):
    fields = {"name": "v", "from": "V", "doc": "V", "type": kind, "formats": formats}
    return SourceColumn.model_validate(fields)


def read(con, rule, texts, zone="UTC"):
    """Return what a column makes of texts that stand below one another in one file."""
    value = typed_sql(rule, "t", zone)
    if rule.type in ("timestamptz", "date"):  # as text: Python has no year 10000
        value = (
            f"CAST(timezone('UTC', {value}) AS VARCHAR)"
            if rule.type == "timestamptz"
            else f"({value})::VARCHAR"
        )
    rows = "SELECT unnest(?::VARCHAR[]) AS t, generate_subscripts(?::VARCHAR[], 1) AS n"
    query = f"SELECT {value} FROM ({rows}) ORDER BY n"
    return [value for (value,) in con.execute(query, [texts, texts]).fetchall()]


def columns():
    plain = [column(kind) for kind in TYPES]
    formatted = [
        column(kind, name)
        for name, value_format in VALUE_FORMATS.items()
        for kind in TYPES
        if kind.partition("(")[0] in value_format.types
    ]
    return [*plain, *formatted]


@pytest.mark.parametrize("rule", columns(), ids=lambda rule: "-".join([rule.type, *rule.formats]))
@settings(max_examples=8, deadline=None)
@given(values=st.lists(texts, min_size=2, max_size=12), zone=st.sampled_from(ZONES))
def test_a_row_read_alone_is_the_row_read_among_others(con, rule, zone, values):
    """In any order: the zone that one row names is that of no other."""
    together = read(con, rule, values, zone)
    alone = [read(con, rule, [text], zone)[0] for text in values]
    backwards = read(con, rule, values[::-1], zone)[::-1]
    assert repr(together) == repr(alone) == repr(backwards)  # by repr: -0.0 is 0.0 else


def exact(number):
    """Return a number without zeros at its end; `Decimal.normalize` would round it."""
    sign, digits, exponent = number.as_tuple()
    stripped = "".join(map(str, digits)).rstrip("0") or "0"
    return Decimal((sign, tuple(map(int, stripped)), exponent + len(digits) - len(stripped)))


def says(text):
    """Return the number that a text says, exactly; None where it says none."""
    text = text.strip()
    if not NUMBER.fullmatch(text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 2000 else None


@pytest.mark.parametrize("kind", DECIMALS)
@MANY
@given(texts=st.lists(numbers | odd_numbers, max_size=50))
@example(texts=["- ", "+ ", ".", "-.", ".5", "5.", ".0"])
def test_a_decimal_is_what_its_text_says_or_none(con, kind, texts):
    """Nothing is rounded, and nothing that fits is refused."""
    precision, scale = map(int, kind[8:-1].split(","))
    for text, value in zip(texts, read(con, column(kind), texts), strict=True):
        said = says(text)
        if value is not None:
            assert said is not None, text
            assert Fraction(value) == Fraction(said), text
        elif said is not None and "e" not in text.lower():
            shifted = Fraction(said) * 10**scale
            assert shifted.denominator != 1 or abs(shifted) >= 10**precision, f"{text} fits"


@pytest.mark.parametrize(("kind", "bits"), [("int", 31), ("long", 63)])
@MANY
@given(texts=st.lists(numbers | odd_numbers, max_size=50))
@example(texts=["- ", "+ ", ".", "-.", ".5", "5.", ".0", "-.00"])
def test_a_whole_number_is_what_its_text_says_or_none(con, kind, bits, texts):
    """4711.0 and 1e2 are whole."""
    for text, value in zip(texts, read(con, column(kind), texts), strict=True):
        said = says(text)
        if value is not None:
            assert said is not None, text
            assert Fraction(said) == value, text
        elif said is not None and "e" not in text.lower():
            number = Fraction(said)
            assert number.denominator != 1 or not -(2**bits) <= number < 2**bits, f"{text} fits"


@MANY
@given(texts=st.lists(numbers | odd_numbers, max_size=50))
def test_a_double_written_out_again_says_what_its_text_said(con, texts):
    """With as many digits as the text has; no infinity, nothing that became zero."""
    for text, value in zip(texts, read(con, column("double"), texts), strict=True):
        said = says(text)
        significant = len(text) if said is None else len(exact(said).as_tuple().digits)
        if value is not None:
            assert said is not None, text
            assert Decimal(f"{value:.{significant - 1}e}") == said, text
        elif said is not None:
            assert significant > 15 or abs(said.adjusted()) >= 300, f"a double holds {text}"


MONEY = st.sampled_from(["", "", "¥", "€", "$", "US$", "USD ", "RMB", " 元", "₹", "kr "])
GROUPS = {
    "amount": st.sampled_from([",", "'", " ", ""]),
    "amount_comma": st.sampled_from([".", "\u00a0", "’", ""]),
}


@pytest.mark.parametrize("rule", ["amount", "amount_comma"])
@MANY
@given(
    number=st.decimals(min_value=0, max_value=10**9, places=2),
    money=st.tuples(MONEY, MONEY),
    form=st.sampled_from(["{}", "-{}", "({})", "{}-", "+{}"]),
    data=st.data(),
)
def test_an_amount_is_the_number_that_is_written_or_none(con, rule, number, money, form, data):
    """With groups, a currency before or behind, and below zero; with anything within the number it is none."""
    whole, _, cents = f"{number:,.2f}".partition(".")
    point = POINTS[rule]
    digits = whole.replace(",", data.draw(GROUPS[rule]))
    text = form.format(f"{money[0]}{digits}{point}{cents}{money[1]}")
    split = data.draw(st.integers(1, len(cents)))
    within = data.draw(st.sampled_from(["€", " ", " EUR ", "元", "-", "("]))
    torn = f"{digits}{point}{cents[:split]}{within}5{cents[split:]}"
    kind = column("decimal(18,4)", rule)
    value, none = read(con, kind, [text, torn])
    assert value == (-number if "-" in text or "(" in text else number), text
    assert none is None, torn


@MANY
@given(written=st.lists(st.tuples(clocks, zones), max_size=50))
def test_a_moment_is_the_one_that_its_text_says(con, written):
    """A clock, and the distance that stands behind it; names are tried in the other tests."""
    distances = {
        "": 0,
        "Z": 0,
        " UTC": 0,
        " GMT": 0,
        "+05:30": 330,
        "-0500": -300,
        "+08": 480,
        " +05:30": 330,
    }
    distances |= {" GMT+8": 480, "+08:00[Asia/Shanghai]": 480}
    distances |= dict.fromkeys([" Asia/Shanghai", " America/New_York", "[Europe/Berlin]"])  # tried elsewhere
    values = read(con, column("timestamptz"), [clock + zone for clock, zone in written])
    for (clock, zone), value in zip(written, values, strict=True):
        if zone not in distances:
            assert value is None, (clock, zone)
        elif (minutes := distances[zone]) is not None:
            moment = datetime.fromisoformat(clock).replace(tzinfo=timezone(timedelta(minutes=minutes)))
            assert value is not None, (clock, zone)
            assert datetime.fromisoformat(value).replace(tzinfo=UTC) == moment, (clock, zone)


@MANY
@given(texts=st.lists(times, max_size=50))
def test_a_day_is_the_whole_of_what_its_text_says(con, texts):
    """A day with a time behind it is no day, but at midnight."""
    for text, value in zip(texts, read(con, column("date"), texts), strict=True):
        if value is not None:
            assert date.fromisoformat(value).isoformat() == text[:10], text
            assert re.fullmatch(r"([ T]00:00(:00(\.0*)?)?.*)?", text[10:]), text


@pytest.mark.parametrize(
    "text",
    ["2026-01-05 08:30:00.12 Z", "2026-01-5 08:30:00 Z", "2026-01-05 8:30:00 Z", "2026-01-05T08:30:00.1  Z",
     "2026-01-05T08:30:00Z", "2026-01-05T08:30:00.000Z", "2026/01/05 08:30:00Z"],
)  # fmt: skip
def test_a_moment_of_utc_is_one_however_long_its_text_is(con, text):
    """Texts of the lengths that most have are read by a shorter way, which takes no blank before the Z."""
    [value] = read(con, column("timestamptz"), [text], "Asia/Shanghai")
    assert value is not None
    assert value.startswith("2026-01-05 08:30:00")
