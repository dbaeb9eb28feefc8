"""What marts cost: computed whole, and updated after a small change, all of them together, in one run.

Processor time is compared, and not time: these machines are shared. `python -m benchmarks marts --quick` takes an
eighth of the rows, `--scale 0.25` a quarter. The module itself computes all marts of the lake that the environment
names.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import marts_lake as lakes
from benchmarks.processes import measured
from benchmarks.report import Result
from lakehouse import settings as environment
from lakehouse.engine import duck
from lakehouse.engine.escape import identifier
from lakehouse.models import registry, runner
from lakehouse.models.inputs import InputViews
from lakehouse.models.lake_tables import LakeTables
from lakehouse.models.policy import IncrementalPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from lakehouse.models.model import Model
    from lakehouse.settings import Settings

_QUICK: Final = 0.125  # of the lake
_DAYS_OF_EVENTS: Final = 400
_SMALLER: Final = 0.1  # of it are the tables to which larger ones are compared
_BARS: Final = {
    "10 new events": 0.15,
    "a day's events of 1 % of customers": 0.25,
    "a merge of two customers": 0.20,
}
_FULL_BAR: Final = 0.5  # all rows from what is counted already, against all rows from every event
_PLAIN_BAR: Final = 1.2
_IDLE_BAR_KB: Final = 20
_LARGER_BAR: Final = 1.5
_PEAK_BAR_MIB: Final = 3 * 1024
_SPILLING: Final = "1GiB"
_CALL: Final = "runpy.run_module('benchmarks.marts', run_name='__main__')"


def marts(*, quick: bool, scale: float = 0) -> list[Result]:
    """Return the shares of a full build that updates take, what that takes itself, and what idle looks write."""
    size = lakes.Size().scaled(scale or (_QUICK if quick else 1))
    smaller = size.scaled(_SMALLER)
    with tempfile.TemporaryDirectory() as folder:
        with lakes.opened(Path(folder) / "smaller") as settings:
            lakes.fill(settings, smaller)
            _seconds(settings)
            lakes.append_events(settings, smaller, 10, "1", since=lakes.LAST_DAY, days=1)
            of_smaller = _seconds(settings)
        with lakes.opened(Path(folder) / "lake") as settings:
            lakes.fill(settings, size)
            full, of_larger, results = _updates(settings, size)
            plain = _plain_seconds(settings, Path(folder) / "plain")
        results += _builds(Path(folder) / "built", size)
    return [
        *results,
        Result(
            "marts: 10 new events, of tables ten times larger",
            of_larger / of_smaller,
            "x",
            _LARGER_BAR,
            at_least=False,
        ),
        Result(
            "marts: all rows, over the same SQL on plain Parquet",
            full / plain,
            "x",
            _PLAIN_BAR,
            at_least=False,
        ),
    ]


def _updates(settings: Settings, size: lakes.Size) -> tuple[float, float, list[Result]]:
    """Return the seconds of a full build and of an update of ten events, and the share of each update."""
    full = _seconds(settings)
    with _all_rows():
        lakes.append_events(settings, size, 10, "1", since=lakes.LAST_DAY, days=1)
        again = _seconds(settings)
    shares = {}
    lakes.append_events(settings, size, 10, "2", since=lakes.LAST_DAY, days=1)
    of_ten = _seconds(settings)
    shares["10 new events"] = of_ten / full
    few = lakes.Size(size.events, size.orders, max(1, size.customers // 100))
    lakes.append_events(settings, few, size.events // _DAYS_OF_EVENTS, "3", since=lakes.LAST_DAY, days=1)
    shares["a day's events of 1 % of customers"] = _seconds(settings) / full
    lakes.merge(settings)
    shares["a merge of two customers"] = _seconds(settings) / full
    results = [
        Result(f"marts: {what}, against all rows of every event", share, "x", _BARS[what], at_least=False)
        for what, share in shares.items()
    ]
    whole = "marts: all rows of what is counted, against all rows of every event"
    results.append(Result(whole, again / full, "x", _FULL_BAR, at_least=False))
    return full, of_ten, [*results, *_idle(settings)]


def _idle(settings: Settings) -> list[Result]:
    """Return what a look writes whose inputs were replaced by the same rows, a table, and how many tables it wakes."""
    lakes.rewrite(settings, "core.contacts")
    before = _bytes(settings)
    outcome = runner.run(settings, only=lakes.models())
    looked = len(outcome.unchanged) + len(outcome.committed)
    written = (_bytes(settings) - before) / 1000
    return [
        Result("marts: a look that finds nothing different, written a table", written / max(1, looked), "kB",
               _IDLE_BAR_KB, at_least=False, note=f"{written:.0f} kB of {looked} tables"),
        Result("marts: the same, tables woken", len(outcome.committed), "", 0, at_least=False),
    ]  # fmt: skip


def _builds(folder: Path, size: lakes.Size) -> list[Result]:
    """Return the peak memory of a process that computes all marts, with the memory of a function and with little."""
    with lakes.opened(folder) as settings:
        lakes.fill(settings, size)
        _, _, peak = measured(_CALL, LAKEHOUSE_MEMORY_LIMIT=_SPILLING)
    what = f"marts: peak memory of all rows, DuckDB with {_SPILLING} that spills the rest"
    return [Result(what, peak, "MiB", _PEAK_BAR_MIB, at_least=False)]


def _bytes(settings: Settings) -> int:
    folder = Path(settings.warehouse.removeprefix("file://"))
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@contextmanager
def _all_rows() -> Iterator[None]:
    """Compute all rows whatever changed: no table has enough rows to be computed in part."""
    least = IncrementalPolicy.least_rows
    IncrementalPolicy.least_rows = 10**12
    try:
        yield
    finally:
        IncrementalPolicy.least_rows = least


def _seconds(settings: Settings) -> float:
    """Run the marts; return the processor seconds, DuckDB's threads included."""
    began = time.process_time()
    outcome = runner.run(settings, only=lakes.models())
    assert outcome.wrong == [], outcome.wrong
    return time.process_time() - began


def _plain_seconds(settings: Settings, folder: Path) -> float:
    """Return the processor seconds of the same SQL from plain Parquet to plain Parquet, sorted as the tables are."""
    folder.mkdir()
    chosen = [model for model in registry.load().in_order if model.table in lakes.models()]
    lake = LakeTables(settings, chosen)
    with closing(duck.connect(settings)) as con:
        contracts = registry.load().contracts
        shown = InputViews(con, lake.sources, contracts, lake.as_of, lake.time_zone)
        for model in chosen:
            shown.show(model, lake.by_name, lake.catalog)
        for name, table in lake.by_name.items():
            if name not in lakes.models() and table.current_snapshot() is not None:
                path = folder / f"{name}.parquet"
                con.execute(f"COPY (FROM {name}) TO '{path}' (COMPRESSION zstd)")
                con.execute(f"CREATE OR REPLACE VIEW {name} AS FROM read_parquet('{path}')")
        began = time.process_time()
        for model in chosen:
            _compute_plain(con, model, folder)
        return time.process_time() - began


def _compute_plain(con: duckdb.DuckDBPyConnection, model: Model, folder: Path) -> None:
    cells = ", ".join(
        f"CAST({identifier(each.name)} AS {each.duck_type}) AS {identifier(each.name)}"
        for each in model.contract.columns
    )
    order = f" ORDER BY {', '.join(map(identifier, model.contract.sort))}" if model.contract.sort else ""
    path = folder / f"{model.table}.parquet"
    con.execute(f"COPY (SELECT {cells} FROM ({model.sql}\n){order}) TO '{path}' (COMPRESSION zstd)")
    con.execute(f"CREATE OR REPLACE VIEW {model.table} AS FROM read_parquet('{path}')")


if __name__ == "__main__":
    _seconds(environment.current())
