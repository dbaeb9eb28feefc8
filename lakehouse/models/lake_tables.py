"""The tables that one look at the models reads: one set of snapshots for all, and what the look itself wrote."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from lakehouse.errors import CommitConflict
from lakehouse.models.inputs import expected_inputs, namespaces_of, tables_read
from lakehouse.sources import definition
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, model_note
from lakehouse.tables.policy import TableReadPolicy

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from lakehouse.models.model import Model
    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.catalog import Catalog, Table


class LakeTables:
    """Tables as they were when the look began: what is committed meanwhile is the next look's.

    The catalog is asked first which tables there are: most of the sources that are defined have sent nothing. A table
    that the look wrote is loaded again. `noted` are tables besides those of `models`, for `note`.
    """

    def __init__(self, settings: Settings, models: Sequence[Model], noted: Collection[str] = ()) -> None:
        self.catalog: Catalog = catalogs.open_catalog(settings)
        self.sources: list[Source] = list(definition.load(settings.definitions).values())
        self.as_of: date = settings.as_of_day()
        self.time_zone: str = settings.time_zone
        names = {name for model in models for name in (model.table, *tables_read(model, self.sources))} | {
            *noted
        }
        namespaces = {*namespaces_of(models, self.sources), *(name.partition(".")[0] for name in noted)}
        existing = names.intersection(catalogs.table_names(self.catalog, sorted(namespaces)))
        with ThreadPoolExecutor(TableReadPolicy.catalog_threads) as pool:
            loaded = pool.map(lambda name: catalogs.load(self.catalog, name), existing)
            pairs = zip(existing, loaded, strict=True)
            self.by_name: dict[str, Table] = {name: table for name, table in pairs if table is not None}

    def to_write(self, model: Model) -> Table:
        """Return the table that a model fills, made or changed to its contract where need be.

        Raises `Terminal` where the table contradicts the contract, CommitConflict where another run filled it since
        this look began: its rows may be of newer inputs.
        """
        seen = self.by_name.get(model.table)
        table = catalogs.ensure(self.catalog, model.contract)
        if _snapshot_id(table) != _snapshot_id(seen):
            raise CommitConflict(f"{model.table} was written by another run; look again")
        self.by_name[model.table] = table
        return table

    def reload(self, model: Model) -> None:
        """Load a table again that the look has just written."""
        table = catalogs.load(self.catalog, model.table)
        if table is not None:
            self.by_name[model.table] = table

    def expected_inputs(self, model: Model) -> dict[str, str]:
        """Return what the model's rows should have been computed from; empty while there is nothing."""
        names = tables_read(model, self.sources)
        heads = {name: commit.head(self.by_name.get(name)) for name in names}
        return expected_inputs(model, self.sources, heads, self.as_of, self.time_zone)

    def is_stale(self, model: Model) -> bool:
        """Return whether the model's rows were computed from something else than there is now."""
        expected = self.expected_inputs(model)
        table = self.by_name.get(model.table)
        return bool(expected) and (table is None or commit.inputs(table) != expected)

    def note(self, table_name: str, wrong: str) -> None:
        """Note in a table what is wrong with its model, for `status`; "" once nothing is."""
        if table := self.by_name.get(table_name):
            model_note.note(table, wrong)


def _snapshot_id(table: Table | None) -> int | None:
    snapshot = table.current_snapshot() if table is not None else None
    return snapshot.snapshot_id if snapshot is not None else None
