"""A second shop's definitions: under its own names, its ids its own, all else as it is."""

from __future__ import annotations

import pytest

from lakehouse.definitions import parse_yaml
from lakehouse.errors import BadDefinition
from lakehouse.sources import definition
from lakehouse.sources.definition import Source
from lakehouse.sources.second_system import copied_texts, own_types

SOURCES = sorted({source for source, _ in definition.load()})
TEXTS = {definition.parse(file.text, file.name).source_key: file.text for file in definition.load.files()}


def copies(name, new, own=()):
    texts = copied_texts(
        definition.load(), TEXTS, name, new, [*own_types(definition.load().values(), name), *own]
    )
    return {file: parse_yaml(text, file, Source) for file, text in texts.items()}


@pytest.mark.parametrize("name", SOURCES)
def test_a_copy_is_the_same_but_for_its_names(name):
    """Every shipped source: columns, keys and rules stay; no table and no id of its own is shared."""
    new = f"{name}_eu"
    own = own_types(definition.load().values(), name)
    for file, copied in copies(name, new).items():
        original = definition.load()[name, copied.entity]
        assert (copied.source, file) == (new, f"{new}_{original.entity}.yaml")
        assert copied.table != original.table
        assert (copied.columns, copied.key, copied.checks) == (
            original.columns,
            original.key,
            original.checks,
        )
        types = {each.type for each in copied.identifiers}
        assert not types & set(own)
        assert len(types) == len({each.type for each in original.identifiers})
        for mapping in (each for entity in copied.core for each in copied.mappings(entity)):
            assert mapping.get("source") != f"'{name}'"
            assert mapping.get("identifier_type", "").strip("'") not in own


def test_which_ids_are_a_system_s_own():
    """A type that another source uses, too, and addresses, are everybody's."""
    sources = definition.load().values()
    assert own_types(sources, "shopify") == ["shopify_customer"]
    assert own_types(sources, "hubspot") == ["hubspot_id"]
    assert own_types(sources, "shop") == []


def test_a_type_that_is_shared_may_be_made_its_own():
    """Two shops whose customers have accounts of their own; links in core follow."""
    shop = copies("shop", "shop_eu", ["user_id"])["shop_eu_orders.yaml"]
    assert [each.type for each in shop.identifiers if "user" in each.type] == ["shop_eu_user_id"]
    assert shop.mappings("orders")[0]["identifier_type"] == "'shop_eu_user_id'"


@pytest.mark.parametrize(
    ("name", "new", "message"),
    [
        ("shopfy", "shopfy_eu", "did you mean shopify"),
        ("shop", "shop", "there is a source shop already"),
        ("shopify", "eu", "call it shopify_"),
        ("shopify", "shopify_", "call it shopify_"),
        ("shopify", "shopify-eu", "call it shopify_"),
    ],
)
def test_names_that_cannot_be(name, new, message):
    """Before anything is written."""
    with pytest.raises(BadDefinition, match=message):
        copies(name, new)
