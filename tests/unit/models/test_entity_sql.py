"""The canonical entities: what their contracts promise, and what becomes of records that change and go."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from lakehouse.models import registry
from lakehouse.sources.mappable_entities import ENTITIES, record_key
from lakehouse.tables import entities
from tests.support.model_cases import answer, column

HAN = re.compile("[\u4e00-\u9fff]")
MODELS = {model.table: model for model in registry.load().in_order}


def at(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


@pytest.mark.parametrize("name", sorted(entities.BY_NAME))
def test_an_entity_says_what_it_is_in_two_languages(name):
    """Whoever reads the tables reads English or Chinese."""
    contract = entities.BY_NAME[name]
    assert contract.doc
    assert contract.grain
    assert HAN.search(contract.zh)
    for found in contract.columns:
        assert HAN.search(found.zh), found.name
        assert re.fullmatch(r"[ -~°…]+", found.doc), found.name


@pytest.mark.parametrize("name", sorted(entities.BY_NAME))
def test_an_entity_names_records_by_source_and_id(name):
    """Two systems may use the same ids; a table with history says when a version held."""
    contract = entities.BY_NAME[name]
    columns = {found.name: found for found in contract.columns}
    assert contract.key[0] == "source"
    assert len(record_key(contract)) > 1
    assert ("valid_from" in contract.key) == ("valid_to" in columns)
    for found in columns.values():
        if re.search(r"^(.*_)?(amount|price|cost|spend|balance|budget)$", found.name):
            assert found.type.startswith("decimal"), f"{found.name} is money"
            assert "currency" in columns, f"{found.name} is money"
        if found.name.endswith("_at"):
            assert found.type == "timestamptz", found.name
        if found.name.endswith("_on"):
            assert found.type == "date", found.name
    for personal in ("first_name", "last_name", "email", "phone", "address", "body", "author", "birth_date"):
        assert personal not in columns or columns[personal].pii or name == "places", personal


@pytest.mark.parametrize("name", sorted(entities.BY_NAME))
def test_every_entity_is_filled_by_a_model_that_reads_what_sources_map(name):
    """An entity that nobody maps is an empty table, and its model runs."""
    assert f"mapped.{name}" in MODELS[f"core.{name}"].inputs
    assert answer(f"core.{name}") == []


@pytest.mark.parametrize("name", sorted(set(entities.BY_NAME) - {"exchange_rates"}))
def test_a_record_that_the_source_deleted_is_gone(name):
    """And it is there again when the source sends it again; what it was before stays in its history."""
    contract = entities.BY_NAME[name]
    kinds = {found.name: found.type for found in contract.columns}
    sample = {"string": "x", "date": at(1).date(), "timestamptz": at(1)}
    key = {part: sample[kinds[part]] for part in record_key(contract)}

    def sent(day: int, **more):
        return {**key, "updated_at": at(day), "_loaded_at": at(28), "_file_id": "f", "_row": day, **more}

    def standing(*rows):
        found = answer(f"core.{name}", **{f"mapped__{name}": rows})
        return [row for row in found if row.get("valid_to") is None], found

    now, _ = standing(sent(2), sent(3, deleted=True))
    assert now == []
    now, all_rows = standing(sent(5), sent(3, deleted=True), sent(2))
    assert len(now) == 1
    if "valid_from" in contract.key:
        assert [(row["valid_from"], row["valid_to"]) for row in all_rows] == [(at(2), at(3)), (at(5), None)]


def test_of_changes_at_one_time_the_log_says_which_is_later():
    """A database writes several in a millisecond; its log has a position for each, which is no text."""
    base = {"source": "erp", "product_id": "p", "updated_at": at(2), "_loaded_at": at(3), "_file_id": "f"}
    rows = [
        {**base, "name": name, "sequence": n, "_row": row}
        for row, (n, name) in enumerate([(9, "nine"), (10, "ten")])
    ]
    for order in (rows, rows[::-1]):
        found = answer("core.products", mapped__products=[{**r, "_row": n} for n, r in enumerate(order)])
        assert column(found, "name") == ["ten"]


def test_what_is_missing_from_a_file_is_later_than_the_row_that_was_there():
    """Both are told of one row of the raw table, and at one time where the source's clock is ahead of ours."""
    row = {
        "source": "erp",
        "product_id": "p",
        "updated_at": at(9),
        "_loaded_at": at(3),
        "_file_id": "f",
        "_row": 1,
    }
    for rows in ([row, {**row, "deleted": True}], [{**row, "deleted": True}, row]):
        assert answer("core.products", mapped__products=rows) == []
        price = [{**{k: v for k, v in one.items() if k != "product_id"}, "price_id": "p"} for one in rows]
        assert answer("core.prices", mapped__prices=price) == []


def test_a_row_that_names_no_record_is_none():
    """A message among changes, say; of a key of several parts some may be empty."""
    row = {"source": "erp", "_loaded_at": at(3), "_file_id": "f", "_row": 1}
    assert answer("core.products", mapped__products=[row]) == []
    assert answer("core.orders", mapped__orders=[row]) == []
    lines = [{**row, "order_id": "1"}, {**row, "order_id": "1", "line_id": "2"}]
    assert column(answer("core.order_items", mapped__order_items=lines), "line_id") == ["2", None]


def test_a_record_that_turns_out_to_be_somebody_elses_is_a_version():
    """Nothing but whose it is has changed, and that is no column of the source's."""
    ticket = {"source": "desk", "ticket_id": "1", "identifier_type": "phone", "_loaded_at": at(9)}
    rows = [
        {**ticket, "identifier_value": value, "updated_at": at(day)} for day, value in ((1, "+1"), (2, "+2"))
    ]
    known = [
        {"identifier_type": "phone", "identifier_value": f"+{n}", "customer_id": who}
        for n, who in enumerate(("ann", "bob"), start=1)
    ]
    found = answer("core.tickets", mapped__tickets=rows, core__identities=known)
    assert column(found, "customer_id") == ["ann", "bob"]
    assert column(found, "valid_to") == [at(2), None]


def test_a_record_belongs_to_the_customer_that_its_identifier_names():
    """Also where the entity is new here: tickets by phone, say."""
    ticket = {
        "source": "desk",
        "ticket_id": "1",
        "identifier_type": "phone",
        "identifier_value": "+8613900000000",
    }
    rows = answer(
        "core.tickets", mapped__tickets=[{**ticket, "_loaded_at": at(1)}],
        core__identities=[{"identifier_type": "phone", "identifier_value": "+8613900000000", "customer_id": "ann"}],
    )  # fmt: skip
    assert column(rows, "customer_id") == ["ann"]
    assert {"identifier_type", "deleted", "sequence"} <= ENTITIES["tickets"].keys()
