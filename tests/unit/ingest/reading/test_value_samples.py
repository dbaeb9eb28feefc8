"""Files in which a cast changed a value once, each read by the mapping that is shipped for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from lakehouse.sources import definition

SAMPLES = Path(__file__).parent / "value_samples"
EIGHT_THIRTY = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)


@pytest.fixture
def load(read):
    """Return a function that reads a sample; it gives the good rows by their id, and the codes of the bad ones."""

    def load(sample, source, key):
        shipped = files("lakehouse.sources") / "definitions" / f"{source}.yaml"
        content = (SAMPLES / sample).read_bytes()
        rows = read(definition.parse(shipped.read_text("utf-8"), source), content)
        good = {row[key]: row for row in rows.values() if not row["_code"]}
        return good, {number: row["_code"] for number, row in sorted(rows.items()) if row["_code"]}

    return load


def test_an_amount_is_kept_or_its_row_is_set_aside(load):
    """in cents: no more digits fit."""
    good, bad = load("orders_decimals.csv", "shop_orders", "order_id")
    amounts = {name: str(row["amount"]) for name, row in good.items()}
    assert amounts == {
        "D03-1": "1000.00", "D03-4": "0.00", "D03-8": "0.50", "D03-9": "5.00", "D03-10": "1.00", "D03-11": "1.00",
        "D03-18": "7.00",
    }  # fmt: skip
    assert set(bad.values()) == {"bad_number"}
    assert (good["D03-10"]["quantity"], good["D03-11"]["quantity"]) == (100, 2)


def test_a_rate_has_all_its_digits(load):
    """Also a small one."""
    good, bad = load("rates.csv", "rates_daily", "currency")
    assert {name: row["rate"] for name, row in good.items()} == {
        "EUR": Decimal("1.0851234567"), "IDR": Decimal("0.0000612345678"), "VND": Decimal("0.000039"),
    }  # fmt: skip
    assert not bad


def test_a_zone_is_that_of_its_own_row(load):
    """And the rows behind it are in the source's."""
    good, bad = load("orders_zone.csv", "shop_orders", "order_id")
    assert {name: row["ordered_at"] for name, row in good.items()} == {
        "Z25-1": EIGHT_THIRTY - timedelta(hours=8), "Z25-2": EIGHT_THIRTY, "Z25-3": EIGHT_THIRTY + timedelta(hours=15),
    }  # fmt: skip
    assert not bad


def test_a_name_with_several_meanings_is_no_zone(load):
    """GMT has one."""
    good, bad = load("events_zone_names.ndjson", "web_events", "message_id")
    assert list(good) == ["A51-07"]
    assert set(bad.values()) == {"bad_timestamp"}


def test_times_are_read_each_by_itself(load):
    """What no reader is sure of is set aside, and changes nothing behind it."""
    good, _ = load("events_times.ndjson", "web_events", "message_id")
    whole = {"T16-01", "T16-09", "T16-13", "T16-23", "T16-30", "T16-31", "T16-32"}
    assert {name: good[name]["timestamp"] for name in whole} == dict.fromkeys(whole, EIGHT_THIRTY)
    assert good["T16-00"]["timestamp"] == EIGHT_THIRTY.replace(microsecond=123456)
    assert good["T16-35"]["timestamp"] == EIGHT_THIRTY - timedelta(hours=8)
    assert good["T16-10"]["timestamp"] == EIGHT_THIRTY + timedelta(hours=5)
    assert not {"T16-05", "T16-11", "T16-12", "T16-22", "T16-24", "T16-25", "T16-28"} & good.keys()


def test_an_id_that_is_a_number_keeps_its_digits(load):
    """Two people stay two."""
    good, bad = load("events_floats.ndjson", "web_events", "message_id")
    ids = [good[f"G30-{n}"]["anonymous_id"] for n in (1, 2, 3)]
    assert ids == ["1884518522.1684267241", "1884518522.1684267243", "1884518522.1684267241"]
    assert good["G30-1"]["properties"] == '{"ga":955031734.1681486901}'
    assert good["G30-1"]["extra"] == '{"ga_session":1046373168.1684259460}'
    assert not bad


def test_nan_is_no_number(load):
    """In JSON its line is none; in a table its row is set aside."""
    good, bad = load("events_nan.ndjson", "web_events", "message_id")
    assert list(good) == ["N06-4", "N06-5", "N06-6"]
    assert bad == dict.fromkeys((1, 2, 3, 7), "invalid_json")
    assert json.loads(good["N06-6"]["properties"], parse_float=Decimal) == {"a": Decimal("1e400")}
    readings, bad = load("readings_nan.csv", "devices_readings", "value")
    assert list(readings) == [21.5, -0.0]
    assert bad == dict.fromkeys((1, 2, 4), "bad_number")


def test_half_a_character_costs_no_row(load):
    """It becomes U+FFFD."""
    good, bad = load("events_surrogates.ndjson", "web_events", "message_id")
    assert not bad
    assert [good[f"U07-{n}"]["event"] for n in (1, 3)] == ["Tap \ufffd", "Tap \U0001f600"]
    assert good["U07-2"]["user_id"] == "u7\ufffd"


def test_an_empty_array_is_an_empty_object(load):
    """As PHP writes it; an empty text is none."""
    good, bad = load("events_php.ndjson", "web_events", "message_id")
    assert (good["H50-1"]["properties"], good["H50-1"]["context"], good["H50-2"]["traits"]) == (
        "{}",
        "{}",
        "{}",
    )
    assert bad == {4: "properties_not_object"}
    good, bad = load("woocommerce_php.ndjson", "woocommerce_orders", "id")
    assert [row["total"] for row in good.values()] == [Decimal("10.4975")] * 2
    assert bad == {3: "line_items_not_array"}


@pytest.mark.parametrize("sample", ["orders_decimal50.parquet", "orders_types.parquet"])
def test_a_wide_decimal_of_parquet_is_what_the_file_says(load, sample):
    """Or more than cents, and set aside."""
    good, bad = load(sample, "shop_orders", "order_id")
    assert set(bad.values()) <= {"bad_number"}
    assert all(row["amount"] < 1_000_000 for row in good.values())
    assert good


def test_cells_of_a_workbook_change_no_value(load):
    """12.5 % and 0.0000001 are no amounts in cents, and a rounded id names nobody."""
    good, bad = load("orders_cells.xlsx", "shop_orders", "order_id")
    assert {"bad_number", "bad_id"} <= set(bad.values())
    assert "X22-2" not in good
