"""`show all tables`, as people ask it: schema, table, rows and what the table means, instead of DuckDB's own answer."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.books import balance
from lakehouse.engine.escape import literal
from lakehouse.models import registry
from lakehouse.sources import definition
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import id_sources

if TYPE_CHECKING:
    from lakehouse.settings import Settings

_SHOW_TABLES = re.compile(r"\s*show\s+(all\s+)?tables\s*;?\s*", re.IGNORECASE)
_EVENTS = ("core.events", "raw.events", "Tracked events with the customers they belong to (a view)")


@dataclass(frozen=True)
class ListedTable:
    """One table: its full name, its rows now, and what it holds."""

    name: str
    rows: int
    meaning: str


def is_listing(query: str) -> bool:
    """Return whether a query asks which tables there are."""
    return _SHOW_TABLES.fullmatch(query) is not None


def list_tables(settings: Settings) -> list[ListedTable]:
    """Return the tables by name: raw ones that some source has filled, and all others, filled or not."""
    catalog = catalogs.open_catalog(settings)
    existing = catalogs.table_names(catalog)
    with ThreadPoolExecutor() as pool:
        loaded = pool.map(lambda name: catalogs.load(catalog, name), existing)
        rows = {
            name: balance.describe(table)["rows"]
            for name, table in zip(existing, loaded, strict=True)
            if table
        }
    sources = definition.load(settings.definitions).values()
    meanings = {source.table: source.contract.doc for source in sources if source.table in rows}
    own = registry.load(settings.definitions).contracts.values()
    meanings |= {contract.name: contract.doc for contract in own}
    view, behind, meaning = _EVENTS
    rows[view], meanings[view] = rows.get(behind, 0), meaning
    meanings[id_sources.NAME] = id_sources.MEANING  # its rows are counted by whoever asks for them
    names = sorted(rows.keys() | meanings.keys())
    return [ListedTable(name, rows.get(name, 0), meanings.get(name, "")) for name in names]


def listing_sql(tables: list[ListedTable]) -> str:
    """Return the SELECT that answers `show all tables`: those with rows first in each schema."""
    values = ", ".join(
        f"({literal(schema)}, {literal(name)}, {table.rows}, {literal(_first_sentence(table.meaning))})"
        for table in tables
        for schema, _, name in [table.name.partition(".")]
    )
    return (
        f'SELECT * FROM (VALUES {values}) AS t("schema", "table", "rows", meaning) '
        'ORDER BY "schema", "rows" = 0, "table"'
    )


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.;:]) ", text.strip(), maxsplit=1)[0].rstrip(".;:")
