"""One currency has one name, in whichever way it is written."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse.engine import currencies, sql_functions


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as found:
        sql_functions.create(found)
        yield found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("USD", "USD"), ("usd", "USD"), (" Usd ", "USD"), ("US$", "USD"), ("us dollars", "USD"), ("美元", "USD"),
        ("￥", "CNY"), ("¥", "CNY"), ("RMB", "CNY"), ("人民币", "CNY"), ("元", "CNY"),
        ("€", "EUR"), ("Euro", "EUR"), ("£", "GBP"), ("HK$", "HKD"), ("港币", "HKD"), ("円", "JPY"), ("zł", "PLN"),
        ("$", "$"), ("kr", "KR"), ("xyz", "XYZ"), (" points ", "POINTS"), ("", None), ("  ", None), (None, None),
    ],
)  # fmt: skip
def test_a_currency_is_known_by_code_name_and_sign(con, text, code):
    """A sign that several share is none of them, and stays as it is written; so does what is no currency."""
    assert con.execute("SELECT currency_code(?)", [text]).fetchone() == (code,)


@pytest.mark.parametrize(
    ("zone", "text", "code"),
    [
        ("Asia/Tokyo", "¥", "JPY"), ("Asia/Tokyo", "￥", "JPY"), ("Asia/Tokyo", "RMB", "CNY"),
        ("Asia/Shanghai", "¥", "CNY"), ("UTC", "￥", "CNY"),
    ],
)  # fmt: skip
def test_a_sign_of_yen_and_yuan_is_that_of_the_sources_zone(con, zone, text, code):
    """Both countries write it."""
    query = f"SELECT {currencies.in_zone_sql('c', zone)} FROM (SELECT ? AS c)"
    assert con.execute(query, [text]).fetchone() == (code,)


def test_every_name_stands_as_it_is_compared():
    """Else it would never be met."""
    assert all(name == name.lower().strip() for name in currencies.names())
    assert all(len(code) == 3 and code.isupper() for code in currencies.names().values())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("5", None), ("(5,00)", None), ("", None), (None, None), ("USD 5", ["USD"]), ("$5 USD", ["USD"]),
        ("¥5", ["CNY", "JPY"]), ("€5 USD", []), ("A€5", ["EUR"]),
    ],
)  # fmt: skip
def test_an_amount_names_what_all_of_its_signs_may_mean(con, text, named):
    """None where it has no sign, none where they contradict one another."""
    query = f"SELECT {currencies.named_sql('c', '[$¥€]|USD')} FROM (SELECT CAST(? AS VARCHAR) AS c)"
    assert con.execute(query, [text]).fetchone() == (named,)


@pytest.mark.parametrize(
    ("currency", "named", "agrees"),
    [
        ("usd", ["USD"], True), ("$", ["USD"], True), ("HKD", ["USD", "HKD"], True), ("EUR", ["USD"], False),
        (None, ["USD"], False), ("USD", [], False),
    ],
)  # fmt: skip
def test_a_currency_agrees_with_what_an_amount_names(con, currency, named, agrees):
    """No currency agrees with nothing, and nothing agrees with contradictory signs."""
    query = f"SELECT {currencies.agrees_sql('c', '?::VARCHAR[]')} FROM (SELECT CAST(? AS VARCHAR) AS c)"
    assert con.execute(query, [named, currency]).fetchone() == (agrees,)


def test_signs_mean_currencies_that_are_known():
    """And the code that a sign has alone is one of those that it may mean."""
    codes, meanings = set(currencies.names().values()), currencies.signs()
    assert all(codes.issuperset(meant) for meant in meanings.values())
    assert all(
        currencies.names()[sign] in meanings[sign] for sign in meanings.keys() & currencies.names().keys()
    )
