"""Small tables, files with rows in them, and several writers at once."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any

from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.settings import Settings
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import data_files
from lakehouse.tables.commit import AlreadyCommittedError, FileRecord, append
from lakehouse.tables.contract import Contract, columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import duckdb
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

    from lakehouse.local.attachment import StackInfo

ROWS_A_FILE = 5


def rest_settings(info: StackInfo, **more: Any) -> Settings:
    """Return settings for the store's REST catalog."""
    env = info.env
    return Settings.model_validate(
        {
            "catalog": "rest",
            "catalog_uri": env["LAKEHOUSE_CATALOG_URI"],
            "warehouse": env["LAKEHOUSE_WAREHOUSE"],
            "AWS_REGION": env["AWS_REGION"],
            "AWS_ENDPOINT_URL_S3": env["AWS_ENDPOINT_URL_S3"],
            "AWS_ACCESS_KEY_ID": env["AWS_ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": env["AWS_SECRET_ACCESS_KEY"],
            "scratch": env["LAKEHOUSE_SCRATCH"],
            **more,
        }
    )


def a_contract(name: str = "", **more: Any) -> Contract:
    """Return a contract of two columns, under a name that nothing else has."""
    rows = columns(("file", "string", "File"), ("n", "long", "Number"))
    name = name or f"raw.t{uuid.uuid4().hex}"
    return Contract(name, "A table", "one row a number", more.pop("columns", rows), **more)


def a_record(name: str, loaded: int = ROWS_A_FILE) -> FileRecord:
    """Return what a commit says of one file."""
    return FileRecord(name, "landing", f"k/{name}", "v", 10, loaded, loaded, 0, 0, "2026-01-01T00:00:00Z")


@contextmanager
def duck_of(settings: Settings, *, iceberg: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    con = duck.connect(settings, iceberg=iceberg)
    try:
        yield con
    finally:
        con.close()


def write(settings: Settings, table: Table, query: str) -> data_files.Written:
    """Write the rows of a query as data files that nothing refers to yet."""
    return data_files.write(_writer.connection(settings), table, query, f"test-{uuid.uuid4()}")


class _Writer(threading.local):
    """A thread's connection for writing, kept while the lake is the same: to open one takes longer than to write."""

    settings: Settings | None = None
    con: duckdb.DuckDBPyConnection | None = None

    def connection(self, settings: Settings) -> duckdb.DuckDBPyConnection:
        if self.con is None or self.settings != settings:
            if self.con is not None:
                self.con.close()
            self.con, self.settings = duck.connect(settings, iceberg=False), settings
        return self.con


_writer = _Writer()


def files_sql(names: Sequence[str]) -> str:
    """Return the SELECT of the rows of some files, as `a_contract` has them."""
    listed = ", ".join(f"('{name}')" for name in names)
    return f"SELECT file, n FROM (VALUES {listed}) AS f(file), range({ROWS_A_FILE}) AS r(n)"


def load_files(settings: Settings, table: Table, *names: str, **more: Any) -> Any:
    """Append some files' rows under their ids, as ingest does."""
    written = write(settings, table, files_sql(names))
    return append(table, written.files, records=[a_record(name) for name in names], **more)


def rows_of(table: Table) -> list[tuple[Any, ...]]:
    """Return the table's rows, sorted, as pyiceberg reads them."""
    arrow = table.refresh().scan().to_arrow()
    return sorted(zip(*(arrow.column(name).to_pylist() for name in arrow.column_names), strict=True))


def each_once(names: Sequence[str]) -> list[tuple[str, int]]:
    """Return the rows of a table that holds each of these files once."""
    return sorted((name, n) for name in names for n in range(ROWS_A_FILE))


@dataclass
class Lake:
    """A lake and a table in it, opened as often as there are writers."""

    settings: Settings
    catalog: Catalog
    contract: Contract

    def writer(self) -> Table:
        """Open the table as another process would: it sees what is there now and nothing later."""
        return catalogs.ensure(self.catalog, self.contract)

    def load(self, table: Table, *names: str, **more: Any) -> Any:
        """Append some files' rows under their ids."""
        return load_files(self.settings, table, *names, **more)

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """What the table holds."""
        return rows_of(self.writer())


def fresh_catalog(settings: Settings) -> Catalog:
    """Open a catalog that shares nothing with others, as another process would."""
    return catalogs.open_catalog.__wrapped__(settings)


def in_threads(number: int, work: Callable[[int, Barrier], Any]) -> list[Any]:
    """Run `work(number, barrier)` in several threads; return the answers."""
    barrier = Barrier(number)
    with ThreadPoolExecutor(number) as pool:
        return [each.result() for each in [pool.submit(work, n, barrier) for n in range(number)]]


def in_processes(number: int, work: Callable[..., Any], *arguments: Any) -> None:
    """Run `work(n, barrier, *arguments)` in several processes; fail when one of them does.

    They are forked from a process that has everything imported: starting an interpreter takes seconds.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.lakes"])
    if (root := str(Path(__file__).parents[2])) not in sys.path:
        sys.path.insert(0, root)
    barrier = context.Barrier(number)
    processes = [context.Process(target=work, args=(n, barrier, *arguments)) for n in range(number)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        if process.is_alive():
            process.kill()
    assert [process.exitcode for process in processes] == [0] * number


def race_files(number: int, barrier: Any, settings: Settings, contract: Contract, names: list[str]) -> None:
    """Make the table, then load files five at a time, each writer from another place of the list."""
    catalog = fresh_catalog(settings)
    barrier.wait(60)
    table = catalogs.ensure(catalog, contract)
    turned = names[number * 3 % len(names) :] + names[: number * 3 % len(names)]
    for start in range(0, len(turned), 5):
        load_despite_others(settings, table, set(turned[start : start + 5]))


def load_despite_others(settings: Settings, table: Table, wanted: set[str]) -> None:
    """Load files beside other writers as ingest does: whoever is refused plans again."""
    while wanted:
        try:
            load_files(settings, table, *sorted(wanted))
        except AlreadyCommittedError as error:
            wanted -= error.ids
        except CommitConflict:
            table.refresh()
        else:
            return
