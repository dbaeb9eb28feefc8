"""Sets the scene: a lake on a folder, and everything that reaches outside a process led through the world.

What is put in place stays for the life of the (real) process, so simulations run in processes of their own:
`python -m tests.simulation`.
"""

from __future__ import annotations

import logging
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyiceberg.table.update  # noqa: F401 - so that its clock is found, too
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.manifest import clear_manifest_cache
from pyiceberg.utils.concurrent import ExecutorFactory

from lakehouse import aws, settings, telemetry
from lakehouse.books.book_sources import QUARANTINED
from lakehouse.engine import duck
from lakehouse.sources import definition
from lakehouse.stages import books, ingest, maintain, sweep  # noqa: F401 - imported before the clock is taken
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import contracts
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from tests.simulation import shortcuts, warehouse
from tests.simulation.consumer import COPIES
from tests.simulation.history import History
from tests.simulation.warehouse import Connection, Place
from tests.simulation.world import World

if TYPE_CHECKING:
    from lakehouse.settings import Settings

LANDING, OPS = "landing", "ops"
# Maintenance with work to do after a few commits.
POLICY = MaintenancePolicy(
    min_files_to_rewrite=2, max_small_manifests=3, min_snapshots_to_keep=2, min_orphan_age=timedelta(days=1)
)
TABLES = ("raw.shop_orders", "raw.events")


class Inline(Executor):
    """Does at once, in the thread that asks, what would be done by others: one simulated process is one thread."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._shut = False

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **named))
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)
        return future

    def map(self, work: Callable[..., Any], *arguments: Iterable[Any], **_: Any) -> Iterator[Any]:
        futures = [self.submit(work, *each) for each in zip(*arguments, strict=False)]
        return iter([future.result() for future in futures])


class _Clock(type):
    def __instancecheck__(cls, other: Any) -> bool:
        return isinstance(other, datetime)


class SimulatedDatetime(datetime, metaclass=_Clock):
    """`datetime` whose now is the world's."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
        return datetime.fromtimestamp(Place.world.wall, tz)


class Scene:
    """The lake of one world after the other, always in the same folder; a world begins with a copy of empty tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = self._environment()
        self._catalog: SqlCatalog | None = None
        self._real_open = catalogs.open_catalog.__wrapped__
        self._template = folder / "template"
        Place.world = World(0)
        _install(self.settings, lambda: self._catalog)
        self._make_template()

    def _environment(self) -> Settings:
        for name in [name for name in os.environ if name.startswith(("LAKEHOUSE_", "AWS_"))]:
            del os.environ[name]
        os.environ |= {
            "LAKEHOUSE_CATALOG": "sql",
            "LAKEHOUSE_CATALOG_URI": f"sqlite:///{self.folder}/lake/catalog.sqlite",
            "LAKEHOUSE_WAREHOUSE": f"file://{self.folder}/lake/warehouse",
            "LAKEHOUSE_SCRATCH": str(self.folder / "scratch"),
            "LAKEHOUSE_LANDING_BUCKET": LANDING,
            "LAKEHOUSE_OPS_BUCKET": OPS,
            "LAKEHOUSE_INGEST_QUEUE_URL": "https://queue/ingest",
            "LAKEHOUSE_THREADS": "1",
            "LAKEHOUSE_MEMORY_LIMIT": "400MB",
            "AWS_REGION": "us-east-1",
        }
        settings.current.cache_clear()
        return settings.current()

    def enter(self, world: World, clients: dict[str, Any], *, bare: bool = False) -> None:
        """Begin anew with a world and what its processes reach; `bare`: without tables."""
        self.leave()
        Place.world = world
        random.seed(f"{world.seed}/jitter")
        clear_manifest_cache()
        shortcuts.forget()
        aws._client = lambda service: clients[service]  # type: ignore[assignment]
        lake = self.folder / "lake"
        for path in (lake, self.folder / "scratch"):
            shutil.rmtree(path, ignore_errors=True)
        (self.folder / "scratch").mkdir(parents=True)
        if bare:
            (lake / "warehouse").mkdir(parents=True)
        else:
            shutil.copytree(self._template, lake)
        self._open(world)

    def _make_template(self) -> None:
        """Make the empty tables once; copies of them must lie in the same place, since metadata names files."""
        lake = self.folder / "lake"
        (lake / "warehouse").mkdir(parents=True)
        self._open(Place.world)
        sources = (source.contract for source in definition.load().values() if source.table in TABLES)
        for contract in (*sources, contracts.LEDGER, contracts.QUARANTINE, COPIES):
            catalogs.ensure(self.catalog, contract)
        self.leave()
        lake.rename(self._template)

    def _open(self, world: World) -> None:
        catalog = self._real_open(self.settings)
        self.history = History()
        warehouse.watch(catalog, world, self.history)
        self._catalog = catalog

    def leave(self) -> None:
        if self._catalog is not None:
            self._catalog.close()
            self._catalog = None

    @property
    def catalog(self) -> SqlCatalog:
        assert self._catalog is not None
        return self._catalog


def _now() -> float:
    return Place.world.now


def _wall() -> float:
    return Place.world.wall


def _sleep(seconds: float) -> None:
    Place.world.sleep(seconds)


def _uuid4() -> uuid.UUID:
    return Place.world.uuid4()


def _install(own: Settings, catalog: Callable[[], SqlCatalog | None]) -> None:
    """Lead clock, ids, waiting, other threads, catalog and DuckDB of this process through the world."""
    for module in [
        m for name, m in sys.modules.items() if name.partition(".")[0] in ("lakehouse", "pyiceberg")
    ]:
        if getattr(module, "datetime", None) is datetime:
            module.datetime = SimulatedDatetime  # type: ignore[attr-defined]
        if getattr(module, "ThreadPoolExecutor", None) is ThreadPoolExecutor:
            module.ThreadPoolExecutor = Inline  # type: ignore[attr-defined]
        for name, value in list(vars(module).items()):  # real processes share no locks
            if isinstance(value, type(threading.Lock())) and module.__name__.startswith("lakehouse."):
                setattr(module, name, nullcontext())
    time.time = _wall
    time.monotonic = _now
    time.sleep = _sleep
    uuid.uuid4 = _uuid4
    ExecutorFactory._instance, ExecutorFactory._instance_pid = Inline(), os.getpid()
    catalogs.open_catalog = lambda _: catalog()  # type: ignore[assignment]
    connect = duck.connect
    duck.connect = lambda *arguments, **named: Connection(  # type: ignore[assignment,return-value]
        connect(*arguments, **named), Place.world, own.warehouse
    )
    books.ALL = (QUARANTINED,)  # ingest writes no others, and looking for them takes half the time
    _leave_what_the_dead_left()
    shortcuts.take()
    telemetry.count = lambda *_: None  # type: ignore[assignment]
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


def _leave_what_the_dead_left() -> None:
    """A process that has died removes no temporary files."""
    remove = tempfile.TemporaryDirectory.cleanup

    def cleanup(folder: tempfile.TemporaryDirectory[str]) -> None:
        process = Place.world.current
        if process is not None and process.dead:
            folder._finalizer.detach()  # type: ignore[attr-defined]
        else:
            remove(folder)

    tempfile.TemporaryDirectory.cleanup = cleanup  # type: ignore[method-assign]
