"""The canonical columns with the names they go by, as the table of synonyms has them."""

from __future__ import annotations

import pytest

from lakehouse.sources.mappable_entities import ENTITIES
from lakehouse.sources.suggest.target_columns import (
    WHOSE,
    candidate_entities,
    entity_names,
    spellings,
    targets,
    unmapped_names,
)
from lakehouse.sources.suggest.words import name_of, vocabulary


def target_of(entity, column):
    """Return the target of this canonical column."""
    return next(target for target in targets(entity) if target.column == column)


def test_the_table_of_synonyms_is_of_the_model():
    """Each entity and column in it is one of the canonical model, and each word a text."""
    table = vocabulary()
    columns = {name for entity in ENTITIES.values() for name in entity}
    assert set(table["columns"]) <= columns
    for entity, listed in table["entities"].items():
        assert set(listed.get("columns", {})) <= set(ENTITIES[entity]), entity
    assert set(table["entities"]) == set(candidate_entities())
    words = [*table["abbreviations"], *table["abbreviations"].values(), *table["fillers"], *table["others"]]
    for listed in (
        *table["columns"].values(),
        *(column for entity in table["entities"].values() for column in entity["columns"].values()),
    ):
        words += [word for language in listed.values() for word in language]
    assert [word for word in words if not isinstance(word, str)] == []


def test_no_name_means_two_columns_of_an_entity():
    """Of those that are not weak: else neither could be suggested with high confidence."""
    twice = {}
    for entity in candidate_entities():
        column_of = {}
        for target in targets(entity):
            for name in target.names:
                if column_of.setdefault(name, target.column) != target.column:
                    twice.setdefault(entity, []).append(
                        (name.words or name.han, column_of[name], target.column)
                    )
    assert sum(map(len, twice.values())) <= 60, twice


@pytest.mark.parametrize(
    ("entity", "column", "is_record_id", "is_reference"),
    [
        ("orders", "order_id", True, False),
        ("orders", WHOSE, False, True),
        ("deals", "owner_id", False, True),
        ("orders", "amount", False, False),
        ("order_items", "order_id", False, True),
    ],
)
def test_ids_and_references(entity, column, is_record_id, is_reference):
    """One column alone numbers the records; a line of an order is numbered by two."""
    target = target_of(entity, column)
    assert (target.is_record_id, target.is_reference) == (is_record_id, is_reference)


def test_columns_that_are_never_suggested():
    """What the lake computes itself, and what is the source's own."""
    for entity in candidate_entities():
        columns = {target.column for target in targets(entity)}
        assert columns.isdisjoint({"customer_id", "valid_from", "valid_to"}), entity
        assert {"updated_at", "deleted"} <= columns, entity


def test_a_person_is_its_own_customer():
    """Contacts, accounts and leads have no other column that says whose record it is."""
    for entity in ("contacts", "accounts", "leads"):
        assert WHOSE not in {target.column for target in targets(entity)}, entity


def test_names_are_spelt_as_ids_people_and_moments():
    """An owner may be called owner, owner id or owner name; a moment ends with `time`."""
    owner = list(spellings(target_of("deals", "owner_id"), (name_of("owner"),)))
    assert owner == [name_of("owner"), name_of("owner id"), name_of("owner name")]
    created = list(spellings(target_of("deals", "created_at"), (name_of("creation"),)))
    assert created == [name_of("creation"), name_of("creation time")]


def test_what_an_entity_is_called():
    """The longest names first, and its own name among them."""
    names = entity_names("order_items")
    assert name_of("order items") in names
    lengths = [len(name.han) + len(name.words) for name in names]
    assert lengths == sorted(lengths, reverse=True)


def test_names_without_a_place_in_core():
    """Those that often stand in files of an entity."""
    assert all(not name.is_empty for entity in candidate_entities() for name in unmapped_names(entity))
