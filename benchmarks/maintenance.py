"""Maintenance: a rewrite against DuckDB's own and against iceberg-zamboni, and commits with maintenance on.

Each contender runs in a process of its own, in turns, on a copy of the same lake: a table of events, partitioned by
day and sorted by time, that 40 commits filled with 30 files each.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.processes import peak_mib
from benchmarks.report import Result
from lakehouse.engine import duck
from lakehouse.engine.escape import literal
from lakehouse.settings import Settings
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import data_files
from lakehouse.tables.commit import FileRecord, append, live_files
from lakehouse.tables.contract import Contract, columns, partitions
from lakehouse.tables.contracts import LEDGER
from lakehouse.tables.maintenance import run
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.maintenance.rewrite import rewrite
from lakehouse.tables.views import scan_sql

if TYPE_CHECKING:
    from lakehouse.tables.catalog import Catalog, Table

_COMMITS, _DAYS, _ROUNDS = 40, 30, 3
_EVERY = 25
_EVENTS = Contract(
    "raw.bench",
    "Events",
    "one row an event",
    columns(
        ("message_id", "string", "Id"),
        ("event", "string", "What"),
        ("user_id", "string", "Who", "pii"),
        ("anonymous_id", "string", "Device", "pii"),
        ("timestamp", "timestamptz", "When"),
        ("properties", "string", "JSON"),
        ("context", "string", "JSON"),
        ("_file_id", "string", "File"),
        ("_row", "long", "Row"),
        ("_loaded_at", "timestamptz", "Loaded"),
    ),
    partition=partitions("day(timestamp)"),
    sort=("timestamp",),
)
# Made up, but as long and as repetitive as what a shop's website sends.
_ROWS = """
SELECT md5('{seed}' || p || '-' || i) AS message_id,
  ['Product Viewed', 'Product Added', 'Order Completed'][1 + (hash(i, p) % 3)::INT] AS event,
  'u' || hash('{seed}', i, p) % 50000 AS user_id, md5(i || '{seed}')[:16] AS anonymous_id,
  TIMESTAMPTZ '2026-05-01 00:00:00Z' + to_days(p::INT)
    + to_milliseconds((hash('{seed}', p, i, 't') % 86400000)::BIGINT) AS timestamp,
  '{{"sku":"s' || hash(i) % 900 || '","price":' || hash(p, i) % 9999 || '}}' AS properties,
  '{{"page":{{"url":"https://shop.example.com/p","path":"/p"}},"locale":"zh-CN"}}' AS context,
  md5('{seed}') AS _file_id, i AS _row, TIMESTAMPTZ '2026-06-01 00:00:00Z' AS _loaded_at
FROM range({rows}) AS r(i), range({days}) AS d(p)
"""


def commits(*, quick: bool) -> list[Result]:
    """Return how commits slow down: the last ones to an old table beside the first ones to a new table, in turns.

    The clock of a busy machine would say more of its other work than of the table, were they minutes apart. Five of a
    hundred commits decide a p95, and may have had bad luck: the median of three times counts.
    """
    total = 400 if quick else 5_000
    found = []
    with tempfile.TemporaryDirectory() as folder:
        old = _Commits(Path(folder) / "old")
        for _ in range(total - 100 * _ROUNDS):
            old.one()
        for number in range(_ROUNDS):
            new = _Commits(Path(folder) / f"new-{number}")
            for _ in range(50):
                new.one()
            for _ in range(100):
                old.one()
                new.one()
            found.append((_p95(old.times[-100:]), _p95(new.times[50:])))
    last, first = sorted(found, key=lambda pair: pair[0] / pair[1])[_ROUNDS // 2]
    what = (
        f"after {total:,} commits with maintenance on: p95 of the last 100 over commits 51-150 of a new table"
    )
    note = f"{last * 1000:.0f} ms against {first * 1000:.0f} ms; at most {old.most} live snapshots"
    return [Result(what, last / first, "×", 1.5, at_least=False, note=note)]


def rewrites(*, quick: bool) -> list[Result]:
    """Return the rewrite's time over DuckDB's, and zamboni's over ours."""
    rows = 100 if quick else 1_000
    contenders = ["ours", "duckdb", *(["zamboni"] if find_spec("zamboni") else [])]
    with tempfile.TemporaryDirectory() as folder:
        lake, shelf = Path(folder) / "lake", Path(folder) / "shelf"
        _fill(lake, rows)
        shutil.move(lake, shelf)
        ran: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
        for _ in range(_ROUNDS):
            for name in contenders:
                shutil.copytree(shelf, lake)
                ran[name].append(_apart(name, lake))
                shutil.rmtree(lake)
    seconds = {name: statistics.median(one["seconds"] for one in ran[name]) for name in contenders}
    peak = {name: max(one["peak"] for one in ran[name]) for name in contenders}

    def told(other: str) -> str:
        return f"{seconds['ours']:.2f} s, {peak['ours']:.0f} MiB against {seconds[other]:.2f} s, {peak[other]:.0f} MiB"

    size = f"{_COMMITS * _DAYS:,} small files in {_DAYS} partitions ({rows * _DAYS * _COMMITS:,} rows)"
    what = f"rewrite of {size}, time over DuckDB's own"
    results = [
        Result(what, seconds["ours"] / seconds["duckdb"], "×", 1.25, at_least=False, note=told("duckdb"))
    ]
    if "zamboni" in contenders:
        what = f"rewrite of {size}, times as fast as iceberg-zamboni"
        results.append(Result(what, seconds["zamboni"] / seconds["ours"], "×", 2, note=told("zamboni")))
    return results


def backfill(*, quick: bool) -> list[Result]:
    """Return the time of a full read of many small days, as a backfill leaves them and maintained, over one file's."""
    days = 120 if quick else 1_205
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder) / "lake"
        settings = _settings(lake)
        catalog = catalogs.open_catalog(settings)
        table = catalogs.ensure(catalog, _EVENTS)
        one = literal(str(lake / "scratch" / "one.parquet"))
        with closing(duck.connect(settings, iceberg=True)) as con:
            query = _ROWS.format(seed=1, rows=100, days=days)
            append(table, data_files.write(con, table, query, "fill").files, carries=["1"])
            con.execute(f"COPY ({query}) TO {one} (FORMAT parquet, COMPRESSION zstd)")

            def seconds(source: str) -> float:
                sql = f"SELECT count(*), max(hash(COLUMNS(*)::VARCHAR)) FROM {source}"
                return min(_seconds(lambda: con.execute(sql).fetchall()) for _ in range(_ROUNDS))

            left = seconds(f"({scan_sql(catalog.load_table(_EVENTS.name))})")
            files = len(live_files(catalog.load_table(_EVENTS.name)))
            _maintain(settings, catalog, _EVENTS.name)
            table = catalog.load_table(_EVENTS.name)
            maintained, merged = seconds(f"({scan_sql(table)})"), len(live_files(table))
            alone = seconds(f"read_parquet({one})")
    what = f"full read of {days * 100:,} rows in {days:,} days, time over one file's"
    return [
        Result(f"{what}, as a backfill leaves them", left / alone, "×", None, note=f"{files:,} files"),
        Result(f"{what}, maintained", maintained / alone, "×", 2, at_least=False, note=f"{merged:,} files"),
    ]


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _settings(lake: Path) -> Settings:
    for name in ("warehouse", "scratch"):
        (lake / name).mkdir(parents=True, exist_ok=True)
    return Settings.model_validate(
        {
            "catalog": "sql",
            "catalog_uri": f"sqlite:///{lake}/catalog.sqlite",
            "warehouse": f"file://{lake}/warehouse",
            "scratch": str(lake / "scratch"),
        }
    )


def _fill(lake: Path, rows: int) -> None:
    settings = _settings(lake)
    table = catalogs.ensure(catalogs.open_catalog(settings), _EVENTS)
    con = duck.connect(settings, iceberg=False)
    for number in range(_COMMITS):
        query = _ROWS.format(seed=number, rows=rows, days=_DAYS)
        append(table, data_files.write(con, table, query, f"fill-{number}").files, carries=[str(number)])
    con.close()


def _apart(name: str, lake: Path) -> dict[str, float]:
    """Run a contender in a process of its own; return its seconds and its peak memory in MiB."""
    command = [sys.executable, "-m", "benchmarks.maintenance", name, str(lake)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def _contend(name: str, lake: Path) -> dict[str, float]:
    settings = _settings(lake)
    catalog = catalogs.open_catalog(settings)
    table = catalog.load_table(_EVENTS.name)
    rows = _rows(table)
    work: Callable[[Settings, Catalog, Table], None] = {
        "ours": _ours,
        "duckdb": _duckdb,
        "zamboni": _zamboni,
    }[name]
    began = time.perf_counter()
    work(settings, catalog, table)
    seconds = time.perf_counter() - began
    table = catalog.load_table(_EVENTS.name)
    if _rows(table) != rows or (name != "duckdb" and len(live_files(table)) != _DAYS):
        raise AssertionError(f"{name}: {_rows(table)} of {rows} rows in {len(live_files(table))} files")
    return {"seconds": seconds, "peak": peak_mib()}


def _rows(table: Table) -> int:
    return sum(file.record_count for file in live_files(table))


def _ours(settings: Settings, _: Catalog, table: Table) -> None:
    rewrite(settings, table, MaintenancePolicy())


def _duckdb(settings: Settings, _: Catalog, table: Table) -> None:
    """Read all files, sort, write partitioned: what one COPY does, without a table format."""
    files = ", ".join(literal(file.file_path) for file in live_files(table))
    query = f"SELECT *, CAST(timestamp AS DATE) AS p FROM read_parquet([{files}], hive_partitioning=false)"
    target = literal(str(settings.scratch / "own"))
    con = duck.connect(settings, iceberg=False)
    con.execute(
        f"COPY ({query} ORDER BY p, timestamp) TO {target} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (p))"
    )
    con.close()


def _zamboni(settings: Settings, catalog: Catalog, _: Table) -> None:
    """Do what `zamboni compact --sort-by-table-order` does, with as many threads and as much memory for DuckDB."""
    zamboni = import_module("zamboni")  # only where it is installed
    config = zamboni.CompactionConfig(
        min_input_files=5,
        skip_partitions_newer_than_windows=None,
        sort_by_table_order=True,
        temp_directory=str(settings.scratch),
    )
    connect = import_module("zamboni.session").CatalogSession.from_catalog
    session = connect(catalog, threads=settings.threads, memory_limit_bytes=800 * 10**6)
    zamboni.TableCompactor(session, _EVENTS.name, config).execute()


class _Commits:
    """Small files committed one by one to a table, with maintenance after every 25th."""

    def __init__(self, folder: Path) -> None:
        self.settings = _settings(folder)
        self.catalog = catalogs.open_catalog(self.settings)
        self.times: list[float] = []
        self.most = 0  # snapshots that were ever live
        catalogs.ensure(self.catalog, _EVENTS)

    def one(self) -> None:
        """Commit one file, and note its seconds."""
        number, table = len(self.times), self.catalog.load_table(_EVENTS.name)
        with closing(duck.connect(self.settings, iceberg=False)) as con:
            query = _ROWS.format(seed=number, rows=20, days=1)
            files = data_files.write(con, table, query, f"append-{uuid.uuid4()}").files
            began = time.perf_counter()
            append(self.catalog.load_table(_EVENTS.name), files, records=[_record(number)])
            self.times.append(time.perf_counter() - began)
            if number % _EVERY == _EVERY - 1:
                snapshots = self.catalog.load_table(_EVENTS.name).metadata.snapshots
                self.most = max(self.most, len(snapshots))
                _note(con, self.catalog, range(number - _EVERY + 1, number + 1))
                _maintain(self.settings, self.catalog, _EVENTS.name, LEDGER.name)


def _maintain(settings: Settings, catalog: Catalog, *names: str) -> None:
    policy = MaintenancePolicy(min_snapshots_to_keep=25, max_snapshot_age=timedelta(0))
    for name in names:
        run.maintain(settings, catalog, catalog.load_table(name), policy, run.MaintenanceContext())


def _record(number: int) -> FileRecord:
    return FileRecord(
        f"{number:064x}", "landing", f"web/events/{number}", "v", 999, 20, 20, 0, 0, "2026-06-01T00:00:00Z"
    )


def _note(con: Any, catalog: Catalog, numbers: range) -> None:
    """Copy what the commits say of files into the ledger, as `books` does: before that, no summary may expire."""
    table = catalogs.ensure(catalog, LEDGER)
    given = {"file_id": "id", "table_name": literal(_EVENTS.name)}
    rows = ", ".join(f"('{number:064x}')" for number in numbers)
    select = ", ".join(f"{given.get(column.name, 'NULL')} AS {column.name}" for column in LEDGER.columns)
    query = f"SELECT {select} FROM (VALUES {rows}) AS v(id)"
    append(table, data_files.write(con, table, query, f"books-{uuid.uuid4()}").files)


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95) - 1]


if __name__ == "__main__":
    print(json.dumps(_contend(sys.argv[1], Path(sys.argv[2]))))
