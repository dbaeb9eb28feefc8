"""`core` of a definition: `same` is written out, and everything that is wrong is reported with its field."""

from __future__ import annotations

import pytest

from lakehouse.definitions import FieldsError
from lakehouse.sources.core_mappings import read_core

COLUMNS = ["id", "city", "country", "sold_at"]


def test_same_stands_for_columns_of_one_name():
    """What it lists is mapped as if it had been written line by line."""
    core = {"orders": {"same": ["city", "country"], "order_id": "id"}}
    assert read_core(core, COLUMNS) == {"orders": {"city": "city", "country": "country", "order_id": "id"}}


def test_same_stands_in_each_of_several_mappings():
    """A source may map to an entity several times."""
    core = {"orders": [{"same": ["city"]}, {"order_id": "id", "same": []}]}
    assert read_core(core, COLUMNS) == {"orders": [{"city": "city"}, {"order_id": "id"}]}


def test_a_mapping_without_same_stays_as_it_is():
    """Reading what was read already changes nothing."""
    core = {"orders": {"order_id": "id", "where": "true", "each": "x", "together": "order_id"}}
    assert read_core(core, COLUMNS) == core
    assert read_core(read_core(core, COLUMNS), COLUMNS) == core


@pytest.mark.parametrize("core", [None, 3, "x", []])
def test_what_is_no_mapping_is_left_to_the_model(core):
    """Its type is wrong, and the model says so."""
    assert read_core(core, COLUMNS) == core


def errors(core, columns=COLUMNS):
    with pytest.raises(FieldsError) as caught:
        read_core(core, columns)
    return [(".".join(map(str, where)), message) for where, message in caught.value.errors]


@pytest.mark.parametrize(
    ("mapping", "field", "message"),
    [
        ({"same": ["citty"]}, "same", "orders has no column citty; did you mean city?"),
        ({"same": ["city", "city"]}, "same", "city stands twice; keep one"),
        (
            {"same": ["city"], "city": "upper(city)"},
            "same",
            "city is mapped by a line of its own, too; keep one",
        ),
        (
            {"same": ["currency"]},
            "same",
            "the source has no column currency; there are id, city, country, sold_at",
        ),
        ({"same": "city"}, "same", "not a list of columns, such as [city, country]"),
        ({"same": [1]}, "same", "not a list of columns, such as [city, country]"),
        ({"citty": "city"}, "citty", "orders has no such column; did you mean city?"),
        ({"quantity": 3}, "quantity", "not SQL: write it in quotes, such as '42'"),
        ({"together": "source, order_id"}, "together", "names what is not mapped: order_id"),
    ],
)
def test_each_error_names_the_field_and_what_would_fit(mapping, field, message):
    """A person finds the place and the name that was meant."""
    assert errors({"orders": mapping}) == [(f"orders.{field}", message)]
    assert errors({"orders": [{}, mapping]}) == [(f"orders.1.{field}", message)]


def test_all_errors_are_reported_at_once():
    """Also over entities; a mapping may be a text by mistake."""
    found = errors({"ordrs": {}, "orders": "id", "deals": {"x": "y", "z": 1}})
    assert [field for field, _ in found] == ["ordrs", "orders", "deals.x", "deals.z"]
    assert found[0][1] == "no entity of this name; did you mean orders?"


def test_columns_that_are_wrong_themselves_are_not_compared():
    """Then only the entity's columns are known."""
    assert read_core({"orders": {"same": ["city"]}}, None) == {"orders": {"city": "city"}}


def test_together_may_name_what_same_maps():
    """It is a column of the mapping like any other."""
    core = {"order_items": {"same": ["order_id"], "together": "source, order_id"}}
    assert read_core(core, ["order_id"])["order_items"]["order_id"] == "order_id"
