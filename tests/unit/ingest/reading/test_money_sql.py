"""An amount that names a currency is in that one, or its row is set aside: in every mapped sum of every mapping."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal

import pytest

from lakehouse.engine import normal_forms
from lakehouse.ingest.reading.money_sql import OTHER_CURRENCY
from lakehouse.sources import mapping_views, money_columns
from lakehouse.sources.definition import load
from lakehouse.sources.mappable_entities import VIEWS

SHIPPED = load()
FIVES = {  # how five of a currency are written, and the currencies that this may be
    "USD 5": {"USD"}, "5 USD": {"USD"}, "US$5": {"USD"}, "US$ 5.00": {"USD"}, "-US$5": {"USD"}, "(US$5)": {"USD"},
    "$5 USD": {"USD"}, "$5": {"USD", "HKD", "TWD"}, "5 $": {"USD", "HKD", "TWD"}, "HK$5": {"HKD"}, "NT$5": {"TWD"},
    "€5": {"EUR"}, "5 €": {"EUR"}, "EUR 5": {"EUR"}, "5-€": {"EUR"}, "£5": {"GBP"}, "GBP5": {"GBP"},
    "￥5": {"CNY", "JPY"}, "¥5": {"CNY", "JPY"}, "¥5 JPY": {"JPY"}, "JPY 5": {"JPY"}, "￥５": {"CNY", "JPY"},
    "5元": {"CNY", "HKD", "TWD"}, "RMB 5": {"CNY"}, "人民币5": {"CNY"}, "CNY 5": {"CNY"}, "CNH 5": {"CNY"},
    "kr 5": {"SEK", "NOK", "DKK"}, "5 kr.": {"SEK", "NOK", "DKK"}, "Rs. 5": {"INR"}, "5 zł": {"PLN"},
    "$5 EUR": set(), "€5 USD": set(), "5": None, "5.00": None, "-5": None, "(5)": None,
}  # fmt: skip
COMMA_FIVES = {
    "5,00 €": {"EUR"},
    "5,00 EUR": {"EUR"},
    "US$ 5,00": {"USD"},
    "5,00": None,
    "1.005,00 $": {"USD", "HKD"},
}
CURRENCIES = ("", "USD", "usd", "EUR", "CNY", "人民币", "HKD", "JPY", "SEK", "GBP", "$", "nonsense")
UNKNOWN = {"$", "KR", "RS.", "KR."}  # a sign of several currencies stays one, and is in no sum
_CELLS = {"date": "2026-01-05", "timestamptz": "2026-01-05 08:30:00", "string": "x1", "boolean": "true"}


def sums(source, entity):
    """Yield (mapping, target, column) of each sum of an entity that is one of the source's columns."""
    columns = {column.name: column for column in source.stored}
    for mapping in source.mappings(entity):
        for target in sorted(money_columns.money_targets(entity) & mapping.keys()):
            for word in dict.fromkeys(re.findall(r"\w+", mapping[target])):
                if word in columns and columns[word].type.startswith("decimal"):
                    yield mapping, target, columns[word]


CASES = sorted(
    {
        (s.table, entity, column.name)
        for s in SHIPPED.values()
        for entity in s.core
        for _, _, column in sums(s, entity)
    }
)


@pytest.mark.parametrize(("table", "entity", "name"), CASES)
def test_no_sum_of_a_shipped_mapping_changes_its_currency(read, table, entity, name):
    """Written in each way, in a row of each currency: what core says is what the cell says, or the row is set aside."""
    [source] = [each for each in SHIPPED.values() if each.table == table]
    cells = [(five, meant, currency) for five, meant in FIVES.items() for currency in CURRENCIES]
    rows = read(source, _content(source, name, [(five, currency) for five, _, currency in cells]))
    good = {number: row for number, row in rows.items() if row["_code"] is None}
    codes = {row["_code"] for row in rows.values()} - {None}
    assert codes <= {OTHER_CURRENCY, "bad_number", "unknown_currency", "not_allowed"}
    said = _currencies_in_core(read.con, source, entity, good)
    for number, row in good.items():
        five, meant, written = cells[number - 1]
        assert abs(row[name]) in (5, None), five
        for currency in said.get(number, ()):
            assert meant is None or currency in meant | UNKNOWN, (five, written, currency)
    plain = [number for number, (_, meant, _) in enumerate(cells, start=1) if meant is None]
    assert any(number in good for number in plain)  # the rows are right but for what is asked here


def _content(source, name, cells):
    """Return a file with a row for each amount and currency; other columns have what they need."""
    columns = [column for column in source.columns if not column.dropped]
    says = {each.currency_column for each in money_columns.find(source)} | {
        "currency",
        "order_currency",
        "quote",
    }
    records = []
    for number, (amount, currency) in enumerate(cells, start=1):
        record = {}
        for column in columns:
            value = ""
            if column.name == name:
                value = amount
            elif column.name in says:
                value = currency or ("USD" if column.required else "")
            elif column.required or column.name in source.key:
                value = f"x{number}" if column.name in source.key else _CELLS.get(column.type, "1")
                value = column.allowed[0] if column.allowed else value
                value = _CELLS[column.type] if column.type in ("date", "timestamptz") else value
            record[column.origin] = value
        records.append(record)
    if source.format == "ndjson":
        return "".join(json.dumps(_nested(record)) + "\n" for record in records).encode()
    out = io.StringIO()
    writer = csv.DictWriter(out, list(records[0]))
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def _nested(record):
    """Return a record with `a.b` as b within a, without what is empty."""
    found = {}
    for name, value in record.items():
        *outer, last = name.split(".")
        inside = found
        for part in outer:
            inside = inside.setdefault(part, {})
        if value:
            inside[last] = value
    return found


def _currencies_in_core(con, source, entity, good):
    """Return by row of the file the currencies that the entity's rows have of it."""
    normal_forms.create_for(con, mapping_views.entity_sql(entity, [source]))
    con.execute("CREATE SCHEMA IF NOT EXISTS raw")
    names = [
        column.name
        for column in source.contract.columns
        if column.name not in ("_file_id", "_row", "_loaded_at")
    ]
    listed = ", ".join(f'"{name}"' for name in names)
    con.execute(
        f"CREATE OR REPLACE TABLE {source.table} AS SELECT {listed}, 'f' AS _file_id, _row, now() AS _loaded_at "
        "FROM unit WHERE _code IS NULL"
    )
    where = [name for name in money_columns.money_targets(entity) if name in VIEWS[entity]]
    is_sum = " OR ".join(f"{name} IS NOT NULL" for name in where)
    found = con.execute(
        f"SELECT _row, list(DISTINCT currency) FROM ({mapping_views.entity_sql(entity, [source])}) "
        f"WHERE currency IS NOT NULL AND ({is_sum}) GROUP BY 1"
    ).fetchall()
    assert len(good) == len(con.execute(f"FROM {source.table}").fetchall())
    return {row: set(currencies) for row, currencies in found}


RECEIPTS = SHIPPED["erp", "receipts"]  # whose mapping says CNY where the cell is empty
DEALS = SHIPPED["hubspot", "deals"]  # whose mapping says nothing then
CONTRACTS = SHIPPED["wukong", "contracts"]  # in yuan


@pytest.mark.parametrize(
    ("source", "name", "five", "written", "taken"),
    [
        (DEALS, "amount", "USD 5", "", "USD"), (DEALS, "amount", "$5", "", "$"), (DEALS, "amount", "5", "", None),
        (DEALS, "amount", "¥5", "", "¥"), (DEALS, "amount", "$5", "HKD", "HKD"), (DEALS, "amount", "€5", "USD", False),
        (DEALS, "amount", "€5 USD", "", False), (DEALS, "amount", "US$5", "$", "$"),
        (RECEIPTS, "amount", "USD 5", "", "USD"), (RECEIPTS, "amount", "¥5", "", None),
        (RECEIPTS, "amount", "$5", "", "$"), (RECEIPTS, "amount", "5元", "", None),
        (RECEIPTS, "amount", "5元", "USD", False), (RECEIPTS, "amount", "5", "", None),
        (CONTRACTS, "amount", "USD 5", "", False), (CONTRACTS, "amount", "$5", "", False),
        (CONTRACTS, "amount", "￥5", "", None), (CONTRACTS, "amount", "5元", "", None),
    ],
)  # fmt: skip
def test_an_empty_currency_is_taken_from_the_amount(read, source, name, five, written, taken):
    """False: the row is set aside. A constant of the mapping's is never overruled; its default for an empty cell is."""
    (row,) = read(source, _content(source, name, [(five, written)])).values()
    if taken is False:
        assert row["_code"] == OTHER_CURRENCY
        assert "names a currency" in row["_reason"]
    else:
        assert (row["_code"], row[name], row.get("currency")) == (None, Decimal(5), taken)


def test_a_comma_before_the_cents(read):
    """Definitions of people's own may read amounts so: the guard is the same."""
    columns = tuple(
        column.model_copy(update={"formats": ("amount_comma",)}) if column.name == "amount" else column
        for column in DEALS.columns
    )
    source = DEALS.model_copy(update={"columns": columns, "stored": None})
    source.__dict__.pop("stored", None)
    cells = [
        (five, meant, currency)
        for five, meant in COMMA_FIVES.items()
        for currency in ("", "EUR", "USD", "HKD")
    ]
    rows = read(source, _content(source, "amount", [(five, currency) for five, _, currency in cells]))
    for number, (five, meant, currency) in enumerate(cells, start=1):
        agrees = meant is None or not currency or currency in meant
        assert (rows[number]["_code"] is None) == agrees, (five, currency)
