"""Runs the models whose inputs have changed, each into one commit that notes what it was computed from."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import duckdb

from lakehouse import telemetry
from lakehouse.engine import duck
from lakehouse.errors import BadDefinition, Terminal
from lakehouse.models import audits, registry
from lakehouse.models.inputs import InputViews
from lakehouse.models.lake_tables import LakeTables
from lakehouse.models.model_file import column_problems
from lakehouse.tables import appending, commit, data_files

if TYPE_CHECKING:
    from collections.abc import Collection

    from lakehouse.models.model import Model
    from lakehouse.models.registry import Models
    from lakehouse.settings import Settings
    from lakehouse.tables.appending import Replaced
    from lakehouse.tables.catalog import Table
    from lakehouse.tables.data_files import Written


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

    Of all models, or of those that fill the tables of `only`; never of those that fill the tables of `besides`, nor of
    those that a wrong definition stops.
    """
    models = registry.load(settings.definitions)
    stopped = models.stopped()
    chosen = [model for model in _chosen(models, only, besides) if model.table not in stopped]
    lake = LakeTables(settings, chosen)
    stale: list[str] = []
    for model in chosen:
        if lake.is_stale(model) or not set(model.inputs).isdisjoint(stale):
            stale.append(model.table)
    return stale


def run(settings: Settings, *, only: Collection[str] = (), besides: Collection[str] = ()) -> ModelRun:
    """Run every model whose inputs, SQL or day differ from what its rows were computed from; which, `pending` says.

    All read the tables as they were when the run began, and what it wrote itself. A model whose definition is wrong,
    that DuckDB refuses for its SQL or for some row, or whose rows an audit refuses, keeps its old rows, and so do those
    that read it; the others are run.
    Raises CommitConflict when another run was first: the message goes back, and the next run finds little to do.
    """
    models = registry.load(settings.definitions)
    chosen = _chosen(models, only, besides)
    lake = LakeTables(settings, chosen)
    wrong = {table: reason for table, reason in models.wrong.items() if not only or table in only}
    outcome = ModelRun(wrong=list(wrong.values()))
    for table, reason in wrong.items():
        lake.note(table, reason)
    stopped = set(models.wrong)
    with _Computing(settings, lake, models) as computing:
        for model in chosen:
            if not stopped.isdisjoint(model.inputs):
                stopped.add(model.table)
                continue
            reason = ""
            if lake.is_stale(model):
                try:
                    outcome.note(computing.replace_rows(model))
                except BadDefinition as error:
                    telemetry.failed("model cannot be computed", error, model=model.table)
                    reason = str(error)
                    outcome.wrong.append(reason)
                    stopped.add(model.table)
            lake.note(model.table, reason)
    return outcome


def _chosen(models: Models, only: Collection[str], besides: Collection[str]) -> list[Model]:
    return [
        model for model in models.in_order if model.table not in besides and (not only or model.table in only)
    ]


class _Computing:
    """Computes models on one connection, made for the first of them."""

    def __init__(self, settings: Settings, lake: LakeTables, models: Models) -> None:
        self._settings = settings
        self._lake = lake
        self._contracts = models.contracts
        self._open: tuple[duckdb.DuckDBPyConnection, InputViews] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def replace_rows(self, model: Model) -> Replaced:
        """Compute a model and commit its rows in place of others.

        Raises BadDefinition for what is wrong with the model or its rows, CommitConflict when another run was first.
        """
        try:
            return self._replace_rows(model)
        except BadDefinition:
            self._close()  # some errors leave a connection that answers nothing more
            raise

    def _replace_rows(self, model: Model) -> Replaced:
        expected = self._lake.expected_inputs(model)
        con, views = self._connection()
        try:
            table = self._lake.to_write(model)
            views.show(model, self._lake.by_name, self._lake.catalog)
        except duckdb.Error as error:  # of a mapping that it reads: the line is not the model's
            raise _wrong_model(model, error) from error
        except Terminal as error:
            raise BadDefinition(f"{model.where}: {error}") from error
        base = table.current_snapshot()
        began = time.monotonic()
        written = _write(con, table, model)
        replaced = appending.replace_written(
            con, table, written, computed_from=expected, base=base.snapshot_id if base else None
        )
        self._lake.reload(model)
        telemetry.info(
            "model computed",
            model=model.table,
            rows=written.rows,
            status="changed" if replaced.changed else "unchanged",
            seconds=round(time.monotonic() - began, 2),
        )
        return replaced

    def _connection(self) -> tuple[duckdb.DuckDBPyConnection, InputViews]:
        if self._open is None:
            con = duck.connect(self._settings)
            lake = self._lake
            self._open = con, InputViews(con, lake.sources, self._contracts, lake.as_of, lake.time_zone)
        return self._open

    def _close(self) -> None:
        if self._open is not None:
            self._open[0].close()
            self._open = None


def _write(con: duckdb.DuckDBPyConnection, table: Table, model: Model) -> Written:
    """Write the rows of a model, and look at them; BadDefinition where they may not be the table's."""
    try:
        _check_columns(con, model)
        written = data_files.write(con, table, model.sql, f"model-{uuid.uuid4()}")
    except duckdb.Error as error:
        raise _wrong_model(model, error, line=duck.sql_error_line(error)) from error
    try:
        failures = audits.failures(con, table, written, model)
    except duckdb.Error as error:
        data_files.discard(table, written)
        raise _wrong_model(model, error) from error
    if failures:
        data_files.discard(table, written)
        raise BadDefinition(f"{model.where}: {'; '.join(failures)}; the rows of before are kept")
    return written


def _check_columns(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Refuse a model that yields other columns than its table has; where its SQL says `*`, only DuckDB knows."""
    if not model.unique_key:
        return
    yielded = tuple(row[0] for row in con.execute(f"DESCRIBE {model.sql}").fetchall())
    if problems := column_problems(model.contract, yielded):
        raise BadDefinition(f"{model.where}: {'; '.join(map(str, problems))}")


def _wrong_model(model: Model, error: duckdb.Error, line: int = 0) -> BadDefinition:
    """Return what is wrong with a model that DuckDB refused: file, reason and line, and no value of a row.

    Raises the error itself where the model has no part in it: the run is tried again then.
    """
    if isinstance(error, duck.NOT_OF_SQL):
        raise error
    where = f" (line {line})" if line else ""
    return BadDefinition(f"{model.where}: {duck.sql_error_text(error)}{where}")
