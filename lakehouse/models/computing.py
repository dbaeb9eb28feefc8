"""Computes one model after the other on one connection: all of its rows, or those that may have changed."""

from __future__ import annotations

import time
import uuid
from threading import Timer
from typing import TYPE_CHECKING, NamedTuple, Self

import duckdb

from lakehouse import telemetry
from lakehouse.engine import duck
from lakehouse.errors import BadDefinition, Terminal
from lakehouse.models import audits, file_parts, partial
from lakehouse.models.changes import CannotTellError, Changes
from lakehouse.models.costs import Costs
from lakehouse.models.given_rows import column_types
from lakehouse.models.incremental import AffectedGrains, TooManyRowsError, moved, new_files
from lakehouse.models.inputs import MAPPED, InputViews
from lakehouse.models.model import Appended, ByGrain
from lakehouse.models.model_file import column_problems
from lakehouse.models.policy import ModelPolicy
from lakehouse.models.row_changes import RowChanges
from lakehouse.sources.read_contracts import read_contracts
from lakehouse.tables import appending, commit, content, data_files, replace_table, views
from lakehouse.tables.appending import Replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from lakehouse.models.lake_tables import LakeTables
    from lakehouse.models.model import Model
    from lakehouse.models.registry import Models
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table
    from lakehouse.tables.data_files import Written

    MakeReady = Callable[[duckdb.DuckDBPyConnection, Model], None]

ALL_ROWS = "all rows"


class _Connection(NamedTuple):
    """A connection, with what it shows of the inputs and what is known on it of the rows that differ."""

    con: duckdb.DuckDBPyConnection
    shown: InputViews
    rows: RowChanges


class Computing:
    """Computes models on one connection, made for the first; `make_ready` does what else a model needs of it."""

    def __init__(
        self, settings: Settings, lake: LakeTables, models: Models, make_ready: MakeReady | None = None
    ) -> None:
        self._settings = settings
        self._make_ready = make_ready
        self._lake = lake
        self._models = models
        self._contracts = models.contracts | read_contracts(lake.sources)
        self._open: _Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def replace_rows(self, model: Model) -> Replaced:
        """Compute a model and commit its rows in place of others.

        Raises BadDefinition for what is wrong with the model or its rows, CommitConflict when another run was first.
        """
        began = time.monotonic()
        stopwatch = Timer(ModelPolicy.longest_seconds, self._connection().con.interrupt)
        stopwatch.start()
        try:
            replaced, how = self._replace_rows(model)
        except duckdb.InterruptException as error:
            if stopwatch.is_alive():  # somebody stops the process
                raise
            self._close()
            limit = f"{ModelPolicy.longest_seconds:g} seconds (`ModelPolicy.longest_seconds`)"
            raise BadDefinition(
                f"{model.where}: it takes longer than {limit}; the rows of before are kept"
            ) from error
        except BadDefinition:
            self._close()  # some errors leave a connection that answers nothing more
            raise
        finally:
            stopwatch.cancel()
        self._lake.reload(model)
        telemetry.info(
            "model computed",
            model=model.table,
            rows=replaced.rows,
            status="changed" if replaced.changed else "unchanged",
            reason=how,
            seconds=round(time.monotonic() - began, 2),
        )
        return replaced

    def _replace_rows(self, model: Model) -> tuple[Replaced, str]:
        """Compute and commit; return what came of it, and which rows were computed and why."""
        expected = self._lake.expected_inputs(model)
        con, shown, _ = self._connection()
        try:
            table = self._lake.to_write(model)
            shown.show(model, self._lake.by_name, self._lake.catalog)
            if self._make_ready is not None:
                self._make_ready(con, model)
            if model.star:
                _check_columns(con, model)
            try:
                if isinstance(model.incremental, Appended):
                    return self._append(con, shown, table, model, expected)
                if isinstance(model.incremental, ByGrain):
                    return self._replace_some(con, shown, table, model, expected)
                if self._reads_the_same(con, table, model, expected):
                    return self._note(table, expected), "no row that it reads is another one"
                return self._replace_all(con, table, model, expected), ALL_ROWS
            except CannotTellError as why:
                shown.show(model, self._lake.by_name, self._lake.catalog)
                looking = why.seconds if isinstance(why, TooManyRowsError) else 0.0
                return self._replace_all(con, table, model, expected, looking), f"{ALL_ROWS}: {why}"
        except duckdb.Error as error:  # of a mapping that it reads: the line is not the model's
            raise wrong_model(model, error) from error
        except BadDefinition:
            raise
        except Terminal as error:
            raise BadDefinition(f"{model.where}: {error}") from error

    def _replace_all(
        self,
        con: duckdb.DuckDBPyConnection,
        table: Table,
        model: Model,
        expected: dict[str, str],
        looking_seconds: float = 0.0,
    ) -> Replaced:
        began = time.process_time()
        part = file_parts.part_of_row(model, content.row_count(table) or max(self._sizes(model), default=0))
        written = _write(con, table, model, model.sql, part)
        costs = ""
        if isinstance(model.incremental, ByGrain):
            rows = written.rows + sum(self._sizes(model, model.incremental.of))
            seconds = time.process_time() - began
            costs = Costs.of(table).after_all(seconds, rows, looking_seconds).as_text()
        return appending.replace_written(
            con, table, written, computed_from=expected, base=_base(table), costs=costs
        )

    def _sizes(self, model: Model, names: Collection[str] = ()) -> list[int]:
        """Return how many rows each input of a model has, or each of `names`."""
        tables = self._lake.by_name
        return [content.row_count(tables[name]) for name in names or model.inputs if name in tables]

    def _append(
        self,
        con: duckdb.DuckDBPyConnection,
        shown: InputViews,
        table: Table,
        model: Model,
        expected: dict[str, str],
    ) -> tuple[Replaced, str]:
        """Add the rows of what came to the one input; CannotTellError where all rows have to be computed."""
        assert isinstance(model.incremental, Appended)  # noqa: S101 - says so to the type checker
        name = model.incremental.table
        source = self._lake.by_name.get(name)
        paths = new_files(source, name, commit.inputs(table), expected)
        if not paths or source is None:
            return self._note(table, expected), "nothing new"
        new_rows = data_files.read_sql(source, paths)
        shown.narrow(name, views.scan_as_sql(source, self._contracts[name], new_rows))
        written = _write(con, table, model, model.sql)
        committed = appending.append_written(table, written, exclusive=True, computed_from=expected)
        return Replaced(committed, changed=True, rows=written.rows), f"rows of {len(paths)} new files"

    def _replace_some(
        self,
        con: duckdb.DuckDBPyConnection,
        shown: InputViews,
        table: Table,
        model: Model,
        expected: dict[str, str],
    ) -> tuple[Replaced, str]:
        """Compute the rows of the grains that may differ; CannotTellError where all rows have to be computed."""
        assert isinstance(model.incremental, ByGrain)  # noqa: S101 - says so to the type checker
        began = time.process_time()
        costs = Costs.of(table)
        grains = AffectedGrains(con, model.incremental, self._changes(model, table), costs)
        rows = content.row_count(table)
        count = grains.find(commit.inputs(table), expected, rows)
        how = partial.describe(model, count, rows)
        if not count:
            return self._note(table, expected, costs.after_none()), how
        stored = partial.load_stored(con, table, model)
        grains.check_share(stored, rows)
        for name, sql in grains.cut_inputs().items():
            shown.narrow(name, sql)
        try:
            partial.compute(con, model)
        except duckdb.Error as error:
            raise wrong_model(model, error, line=duck.sql_error_line(error)) from error
        if partial.is_same(con):
            return self._note(table, expected, costs), how
        if failures := partial.failures(con, table, model):
            raise _refused(model, failures)
        before = commit.head(table)
        share = max(count, stored) / max(rows, 1)

        def noted() -> str:
            return costs.after_some(time.process_time() - began, share).as_text()

        replaced = partial.replace(con, table, model, expected, noted)
        heads = before, str(replaced.committed.snapshot_id)
        self._connection().rows.note(model.table, heads, added="FROM added", removed="FROM removed")
        return replaced, how

    def _reads_the_same(
        self, con: duckdb.DuckDBPyConnection, table: Table, model: Model, expected: dict[str, str]
    ) -> bool:
        """Return whether no row moved in what the model reads of its inputs: it gives the rows that are there.

        What a mapping gives hangs on more than rows: a full export that lists nobody has none, and takes everybody off.
        """
        known = commit.inputs(table)
        others = moved(known, expected)
        reads_mapping = any(name.startswith(f"{MAPPED}.") for name in model.inputs)
        if not known or reads_mapping or not others <= self._contracts.keys():
            return False  # SQL, day, zone, a mapping
        return self._changes(model, table).are_none(con, others)

    def _changes(self, model: Model, table: Table) -> Changes:
        """Return what became of a model's inputs since the rows of its table were computed."""

        def reads() -> dict[str, set[str]]:
            from lakehouse.models.lineage import columns_read  # noqa: PLC0415 - 0.1 s, only when used

            return columns_read(model, column_types(self._models, self._lake.sources))

        known, rows = commit.inputs(table), self._connection().rows
        return Changes(self._lake.by_name, self._contracts, known, reads, rows)

    @staticmethod
    def _note(table: Table, expected: dict[str, str], costs: Costs | None = None) -> Replaced:
        """Note that the rows which are there are those of newer inputs."""
        text = costs.as_text() if costs else ""
        noted = replace_table.note_inputs(table, computed_from=expected, base=_base(table), costs=text)
        return Replaced(noted, changed=False, rows=content.row_count(table))

    def _connection(self) -> _Connection:
        if self._open is None:
            con = duck.connect(self._settings)
            lake = self._lake
            shown = InputViews(con, lake.sources, self._contracts, lake.as_of, lake.time_zone)
            self._open = _Connection(con, shown, RowChanges(con))
        return self._open

    def _close(self) -> None:
        if self._open is not None:
            self._open.con.close()
            self._open = None


def _base(table: Table) -> int | None:
    snapshot = table.current_snapshot()
    return snapshot.snapshot_id if snapshot is not None else None


def _write(con: duckdb.DuckDBPyConnection, table: Table, model: Model, query: str, part: str = "") -> Written:
    """Write the rows of a query, and look at them; BadDefinition where they may not be the table's.

    `part` says of a row which file it goes to, where the table has no partitions.
    """
    try:
        written = data_files.write(con, table, query, f"model-{uuid.uuid4()}", split=part)
    except duckdb.Error as error:
        raise wrong_model(model, error, line=duck.sql_error_line(error)) from error
    if not written.files:
        return written
    rows = data_files.read_sql(table, (file.file_path for file in written.files))
    try:
        failures = audits.failures(con, rows, model)
    except duckdb.Error as error:
        data_files.discard(table, written)
        raise wrong_model(model, error) from error
    if failures:
        data_files.discard(table, written)
        raise _refused(model, failures)
    return written


def _refused(model: Model, failures: list[str]) -> BadDefinition:
    return BadDefinition(f"{model.where}: {'; '.join(failures)}; the rows of before are kept")


def _check_columns(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Refuse a model that yields other columns than its table has; where its SQL says `*`, only DuckDB knows."""
    try:
        yielded = tuple(row[0] for row in con.execute(f"DESCRIBE {model.sql}").fetchall())
    except duckdb.Error as error:
        raise wrong_model(model, error, line=duck.sql_error_line(error)) from error
    if problems := column_problems(model.contract, yielded):
        raise BadDefinition(f"{model.where}: {'; '.join(map(str, problems))}")


def wrong_model(model: Model, error: duckdb.Error, line: int = 0) -> BadDefinition:
    """Return what is wrong with a model that DuckDB refused: file, reason and line, and no value of a row.

    Raises the error itself where the model has no part in it: the run is tried again then.
    """
    if isinstance(error, duck.NOT_OF_SQL):
        raise error
    where = f" (line {line})" if line else ""
    return BadDefinition(f"{model.where}: {duck.sql_error_text(error)}{where}")
