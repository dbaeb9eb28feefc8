"""What is guessed of a whole file, and when a person must look."""

from __future__ import annotations

import pytest

from lakehouse.sources.detect.columns import ColumnDescription
from lakehouse.sources.suggest.draft_columns import DraftColumn, by_core_column
from lakehouse.sources.suggest.evidence import FileColumn
from lakehouse.sources.suggest.guesses import guess_currency, guess_key, guess_time_zone


def column(header, *formats, key=False):
    """Return a column of a file whose values are written in these formats."""
    return FileColumn(header, ColumnDescription(formats=dict.fromkeys(formats, 1.0)), key=key)


def drafted(name, core="", type_="string", *, pii=False):
    """Return a column of a draft that core gets as `core`, or not at all."""
    return DraftColumn(name, name, type_, "doc", core=core, confidence="high" if core else None, pii=pii)


@pytest.mark.parametrize(
    ("entity", "file_column", "draft_column", "key", "sure"),
    [
        ("orders", column("No", key=True), drafted("no", "order_id"), "no", True),
        ("orders", column("No", key=True), drafted("no"), "no", False),
        ("orders", column("No", key=True), drafted("no", pii=True), "", False),
        ("orders", column("No", key=True), drafted("no", type_="date"), "", False),
        ("orders", column("No"), drafted("no"), "", False),
    ],
)
def test_keys(entity, file_column, draft_column, key, sure):
    """What core is keyed by, else a column that differs in every row and is nobody's."""
    guess = guess_key(entity, [file_column], [draft_column], by_core_column([draft_column]))
    assert (guess.value, guess.sure) == (key, sure)


@pytest.mark.parametrize(
    ("formats", "type_", "chinese", "zone", "sure"),
    [
        (("yyyy-mm-dd hh:mm",), "timestamptz", False, "UTC", False),
        (("yyyy-mm-dd hh:mm",), "timestamptz", True, "Asia/Shanghai", False),
        (("yyyy-mm-ddThh:mmZ",), "timestamptz", True, "UTC", True),
        (("yyyy-mm-ddThh:mm±zz", "yyyy-mm-dd"), "timestamptz", False, "UTC", False),
        (("yyyy-mm-dd",), "string", True, "UTC", True),
    ],
)
def test_time_zones(formats, type_, chinese, zone, sure):
    """Times that say their zone need none; of others a person must say it."""
    guess = guess_time_zone([column("At", *formats)], [drafted("at", type_=type_)], chinese=chinese)
    assert (guess.value, guess.sure) == (zone, sure)


@pytest.mark.parametrize(
    ("header", "formats", "chinese", "currency", "sure"),
    [
        ("Amount", ("1234.56 €",), False, "'EUR'", True),
        ("Amount (NOK)", ("1234.56",), False, "'NOK'", True),
        ("金额", ("¥1,234.56",), True, "'CNY'", True),
        ("Amount", ("¥1,234.56",), False, "'USD'", False),
        ("Amount", ("$1,234.56",), False, "'USD'", False),
        ("Amount", ("1234 EUR", "1234 USD"), False, "'USD'", False),
        ("金额", ("1234.56",), True, "'CNY'", False),
    ],
)
def test_currencies(header, formats, chinese, currency, sure):
    """A sign that is one currency's says it; a dollar may be anybody's."""
    guess = guess_currency("orders", [column(header, *formats)], [drafted("a", "amount")], chinese=chinese)
    assert guess is not None
    assert (guess.value, guess.sure) == (currency, sure)


@pytest.mark.parametrize(("entity", "core"), [("orders", "status"), ("contacts", "email"), ("orders", "")])
def test_no_money_no_currency(entity, core):
    """Nothing is guessed where core gets no money."""
    assert guess_currency(entity, [column("x", "1234 EUR")], [drafted("x", core)], chinese=False) is None
