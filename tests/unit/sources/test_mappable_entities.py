"""The columns that a mapping may give an entity follow from the entity's table."""

from __future__ import annotations

import pytest

from lakehouse.sources.mappable_entities import (
    CLOCK,
    COMPUTED,
    EACH,
    ENTITIES,
    SAME,
    TOGETHER,
    WHERE,
    WHOSE,
    record_key,
)
from lakehouse.tables import entities


@pytest.mark.parametrize("entity", sorted(entities.BY_NAME))
def test_a_mapping_gives_the_tables_columns_and_says_when_and_whose(entity):
    """What models compute, no mapping gives; whose record it is, only where the table has a customer."""
    columns = {column.name for column in entities.BY_NAME[entity].columns}
    expected = columns - set(COMPUTED) | CLOCK.keys()
    if "customer_id" in columns:
        expected |= WHOSE.keys()
    assert ENTITIES[entity].keys() == expected


@pytest.mark.parametrize("entity", sorted(entities.BY_NAME))
def test_a_records_key_is_the_same_in_each_of_its_versions(entity):
    """Without the time from which on a version holds."""
    key = record_key(entities.BY_NAME[entity])
    assert key
    assert "valid_from" not in key


def test_no_column_is_called_as_a_keyword():
    """Otherwise a mapping could not tell them apart."""
    names = {name for columns in ENTITIES.values() for name in columns}
    assert not names & {WHERE, EACH, TOGETHER, SAME}
