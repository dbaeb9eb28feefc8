"""Ids of customers that a sync names: a column that is a type of identifiers holds the customer's id of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.engine.ids import CONTACT_TYPES
from lakehouse.sources import definition
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from lakehouse.tables.people import IDENTITIES

if TYPE_CHECKING:
    from lakehouse.outbound.definition import Sync
    from lakehouse.settings import Settings


def types_of(settings: Settings, sync: Sync) -> tuple[str, ...]:
    """Return which of a sync's columns are types of identifiers of some source, but for `email` and `phone`.

    These two are columns of every customer.
    """
    sources = definition.load(settings.definitions).values()
    known = {carried.type for source in sources for carried in source.identifiers}
    return tuple(sorted(sync.columns & (known - set(CONTACT_TYPES))))


def inputs_of(settings: Settings, sync: Sync) -> dict[str, str]:
    """Return the state of the ids that a sync's rows name; empty of one that names none."""
    if not types_of(settings, sync):
        return {}
    return {IDENTITIES.name: commit.head(catalogs.load(catalogs.open_catalog(settings), IDENTITIES.name))}
