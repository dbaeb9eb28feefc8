"""Runs the models whose inputs have changed, each into one commit that notes what it was computed from."""

from __future__ import annotations

import time
import uuid
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import duckdb

from lakehouse import telemetry
from lakehouse.engine import duck
from lakehouse.errors import BadDefinition, CommitConflict
from lakehouse.models import registry
from lakehouse.models.inputs import expected_inputs, namespaces_of, prepare, tables_read
from lakehouse.sources import definition
from lakehouse.tables import appending, commit, data_files, model_note
from lakehouse.tables import catalog as catalogs

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from lakehouse.models.registry import Model
    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.appending import Replaced
    from lakehouse.tables.catalog import Catalog, Table

__all__ = ["ModelRun", "pending", "prepare", "run"]


@dataclass(frozen=True)
class ModelRun:
    """The commits of one run that changed rows, in order, and what is wrong with models that could not be computed.

    `unchanged` are the tables whose models gave the rows that were there already.
    """

    committed: list[commit.Committed] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)

    def note(self, replaced: Replaced) -> None:
        """Add what came of one model."""
        if replaced.changed:
            self.committed.append(replaced.committed)
        else:
            self.unchanged.append(replaced.committed.table)


def pending(settings: Settings, *, only: Collection[str] = (), besides: Collection[str] = ()) -> list[str]:
    """Return the tables whose models would be run now, in order; those that read others, should these change.

    Of all models, or of those that fill the tables of `only`; never of those that fill the tables of `besides`.
    """
    models = _chosen(settings, only, besides)
    lake = _Lake(settings, models)
    stale: list[str] = []
    for model in models:
        if lake.is_stale(model) or not set(model.inputs).isdisjoint(stale):
            stale.append(model.table)
    return stale


def run(settings: Settings, *, only: Collection[str] = (), besides: Collection[str] = ()) -> ModelRun:
    """Run every model whose inputs, SQL or day differ from what its rows were computed from; which, `pending` says.

    A model that DuckDB refuses, for its SQL or for some row, keeps its old rows, and so do those that read it; the
    others are run.
    Raises CommitConflict when another run was first: the message goes back, and the next run finds little to do.
    """
    models = _chosen(settings, only, besides)
    lake = _Lake(settings, models)
    outcome = ModelRun()
    blocked: set[str] = set()
    with ExitStack() as at_end:
        # one connection for all models, made for the first that is computed
        connect = cache(lambda: at_end.enter_context(closing(duck.connect(settings))))
        for model in models:
            if not blocked.isdisjoint(model.inputs):
                blocked.add(model.table)
            elif lake.is_stale(model):
                try:
                    replaced = _compute(connect(), lake, model)
                except BadDefinition as error:
                    telemetry.failed("model cannot be computed", error, model=model.table)
                    outcome.wrong.append(str(error))
                    lake.note(model, str(error))
                    blocked.add(model.table)
                    connect.cache_clear()  # some errors leave a connection that answers nothing more
                else:
                    outcome.note(replaced)
                    lake.note(model, "")
            else:
                lake.note(model, "")
    return outcome


def _chosen(settings: Settings, only: Collection[str], besides: Collection[str]) -> list[Model]:
    """Return the models to look at, in order. Where only some are, a wrong file among the others changes nothing."""
    try:
        models = registry.load(settings.definitions)
    except BadDefinition as error:
        if not only:
            raise
        telemetry.failed("model files cannot be read, those that are shipped count", error)
        models = registry.load()
    return [model for model in models if model.table not in besides and (not only or model.table in only)]


class _Lake:
    """The tables as one run sees them, each loaded once; a table that was written is loaded again.

    The catalog is asked first which tables there are: most of the sources that are defined have sent nothing.
    """

    def __init__(self, settings: Settings, models: Sequence[Model]) -> None:
        self.catalog: Catalog = catalogs.open_catalog(settings)
        self.sources: list[Source] = list(definition.load(settings.definitions).values())
        self.as_of: date = settings.as_of_day()
        self.time_zone: str = settings.time_zone
        self._existing = set(catalogs.table_names(self.catalog, namespaces_of(models, self.sources)))
        self._loaded: dict[str, Table | None] = {}

    def table(self, name: str) -> Table | None:
        """Return a table, or None where there is none."""
        if name not in self._loaded:
            self._loaded[name] = catalogs.load(self.catalog, name) if name in self._existing else None
        return self._loaded[name]

    def table_to_write(self, model: Model) -> Table:
        """Return the table that a model fills, made or changed to its contract where need be."""
        table = catalogs.ensure(self.catalog, model.contract)
        self._existing.add(model.table)
        self._loaded.pop(model.table, None)
        return table

    def expected_inputs(self, model: Model) -> dict[str, str]:
        """Return what the model's rows should have been computed from; empty while there is nothing."""
        names = tables_read(model, self.sources)
        heads = {name: commit.head(self.table(name)) for name in names}
        return expected_inputs(model, self.sources, heads, self.as_of, self.time_zone)

    def note(self, model: Model, wrong: str) -> None:
        """Note in a model's table what is wrong with it, for `status`; "" once nothing is."""
        if table := self.table(model.table):
            model_note.note(table, wrong)

    def is_stale(self, model: Model) -> bool:
        """Return whether the model's rows were computed from something else than there is now."""
        expected = self.expected_inputs(model)
        table = self.table(model.table)
        return bool(expected) and (table is None or commit.inputs(table) != expected)


def _wrong_model(model: Model, error: duckdb.Error, line: int = 0) -> BadDefinition:
    """Return what is wrong with a model that DuckDB refused: file, reason and line, and no value of a row.

    Raises the error itself where the model has no part in it: the run is tried again then.
    """
    if isinstance(error, duck.NOT_OF_SQL):
        raise error
    where = f" (line {line})" if line else ""
    return BadDefinition(f"{model.where}: {duck.sql_error_text(error)}{where}")


def _compute(con: duckdb.DuckDBPyConnection, lake: _Lake, model: Model) -> Replaced:
    """Compute a model and commit its rows in place of others; CommitConflict when something changed meanwhile."""
    expected = lake.expected_inputs(model)
    table = lake.table_to_write(model)
    base = table.current_snapshot()
    try:
        attached = prepare(con, lake.catalog, model, lake.sources, lake.as_of, lake.time_zone)
    except duckdb.Error as error:  # of a mapping that it reads: the line is not the model's
        raise _wrong_model(model, error) from error
    began = time.monotonic()
    for name, input_table in attached.items():
        head = commit.head(input_table)
        if expected.get(name, head) != head:
            raise CommitConflict(f"{name} moved while {model.table} was about to be computed; look again")
    try:
        written = data_files.write(con, table, model.sql, f"model-{uuid.uuid4()}")
    except duckdb.Error as error:
        raise _wrong_model(model, error, line=duck.sql_error_line(error)) from error
    base_id = base.snapshot_id if base else None
    replaced = appending.replace_written(con, table, written, computed_from=expected, base=base_id)
    seconds = round(time.monotonic() - began, 2)
    telemetry.info(
        "model computed",
        model=model.table,
        rows=written.rows,
        status="changed" if replaced.changed else "unchanged",
        seconds=seconds,
    )
    return replaced
