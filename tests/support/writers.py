"""Many ingest processes and a maintenance process on one table, killed at random; at the end every row is there once.

`python -m tests.support.writers --help` runs it in any size; `tests/integration/test_concurrency.py` in a small one.
Files are delivered as SQS delivers them: each one to five times, in any order, several a batch, and a batch whose
worker died or that reports failures comes again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lakehouse import aws, settings
from lakehouse.books import balance
from lakehouse.engine import duck
from lakehouse.ingest.batch import ingest
from lakehouse.landing.announcements import read_message
from lakehouse.landing.raw_files import RawFile, from_object
from lakehouse.sources import definition
from lakehouse.stages.books import keep_books
from lakehouse.stages.maintain import maintain
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import views

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.process import BaseProcess

    from lakehouse.settings import Settings

_TABLE = "raw.events"
_REDELIVERIES = 30  # of one batch; a queue gives up after five, but here nothing may be left over


@dataclass(frozen=True)
class Size:
    """How much there is to do. `resent` is the share of messages that another file holds again."""

    processes: int = 8
    events: int = 100_000
    files: int = 1_000
    batch: int = 20
    resent: float = 0.2
    kills: int = 40
    seed: int = 1


@dataclass
class Ended:
    """What came of it: `expected` rows, those there, and what happened on the way."""

    expected: int = 0
    rows: int = 0
    distinct: int = 0
    messages: int = 0
    wrong: list[str] = field(default_factory=list)
    batches: int = 0
    killed: int = 0
    again: int = 0
    maintained: int = 0
    seconds: float = 0.0
    books: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether every row is there, once, and the books say so."""
        counts = {self.rows, self.distinct, self.messages}
        return counts == {self.expected} and not self.wrong and self.books.get("balanced") is True


def run(environment: Mapping[str, str], size: Size, tell: Callable[[str], object] = lambda _: None) -> Ended:
    """Land files, load them in many processes, and compare what is there with what was sent.

    `environment` names the lake, which is empty, and the services; this process uses them already. `tell` hears how
    far it is.
    """
    rng = random.Random(size.seed)
    company = settings.current()
    ended = Ended()
    files, ended.expected = _land(company, size, rng)
    if company.catalog == "rest":  # SeaweedFS lets two creations of a table at once both succeed
        catalogs.ensure(catalogs.open_catalog(company), definition.load(None)["web", "events"].contract)
    began = time.monotonic()
    _Floor(environment, size, rng, ended, tell).work(_deliveries(files, size, rng))
    ended.seconds = time.monotonic() - began
    _compare(company, ended)
    return ended


# ------------------------------------------------------------------ what is sent


def _land(company: Settings, size: Size, rng: random.Random) -> tuple[list[RawFile], int]:
    """Put the files; return them and the number of different messages in them."""
    lines: list[list[str]] = [[] for _ in range(size.files)]
    for number in range(size.events):
        body = {
            "messageId": f"m{number}",
            "type": "page",
            "anonymousId": f"a{number % 97}",
            "timestamp": f"2026-01-{1 + number % 3:02d}T{number % 24:02d}:00:00Z",
        }
        copies = 2 if rng.random() < size.resent else 1
        for place in rng.sample(range(size.files), copies):
            lines[place].append(json.dumps(body))
    folder = uuid.uuid4().hex

    def put(number: int) -> RawFile:
        key = f"web/events/{folder}/{number}.ndjson"
        body = ("\n".join(lines[number]) + "\n").encode()
        answer = aws.s3().put_object(Bucket=company.landing_bucket, Key=key, Body=body)
        return from_object(company.landing_bucket, {**answer, "key": key, "size": len(body)})

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(put, range(size.files))), size.events


def _deliveries(files: list[RawFile], size: Size, rng: random.Random) -> list[list[dict[str, Any]]]:
    """Return batches in which each file comes one to five times: half of the time again soon, else at any time."""
    at: list[tuple[float, RawFile]] = []
    for number, file in enumerate(files):
        first = rng.random()
        at.append((first, file))
        for _ in range(number % 5):
            soon = rng.random() < 0.5
            at.append((first + rng.random() * 2 * size.batch / len(files) if soon else rng.random(), file))
    ordered = [file.message() for _, file in sorted(at, key=lambda pair: pair[0])]
    batches = []
    while ordered:
        number = rng.randint(1, size.batch)
        batches.append(ordered[:number])
        del ordered[:number]
    return batches


# ------------------------------------------------------------------ who works


class _Floor:
    """The processes, and the batches they have in hand."""

    def __init__(
        self,
        environment: Mapping[str, str],
        size: Size,
        rng: random.Random,
        ended: Ended,
        tell: Callable[[str], object],
    ) -> None:
        self._environment = dict(environment)
        self._size = size
        self._rng = rng
        self._ended = ended
        self._tell = tell
        self._context = multiprocessing.get_context("forkserver")
        # They are forked from a process that has everything imported: starting an interpreter takes seconds.
        self._context.set_forkserver_preload(["tests.support.writers"])
        if (root := str(Path(__file__).parents[2])) not in sys.path:
            sys.path.insert(0, root)
        self._hands: dict[Any, tuple[BaseProcess, list[dict[str, Any]] | None]] = {}
        self._tries: dict[str, int] = {}

    def work(self, batches: list[list[dict[str, Any]]]) -> None:
        """Have all batches loaded; returns when each has been, by a worker that lived to say so."""
        waiting = list(reversed(batches))
        kill_after = sorted(self._rng.random() * len(batches) for _ in range(self._size.kills))
        done = 0
        keeper, stop = self._keeper()
        try:
            for _ in range(self._size.processes):
                self._hire(waiting)
            while any(batch is not None for _, batch in self._hands.values()):
                ready = connection.wait(list(self._hands), timeout=0.05)
                for pipe in ready:
                    done += self._hear(pipe, waiting)
                if ready:
                    self._tell(
                        f"{done} batches done, {len(waiting)} waiting, {self._ended.again} came again,"
                        f" {self._ended.killed} killed"
                    )
                if kill_after and done >= kill_after[0]:
                    kill_after.pop(0)
                    self._kill()
        finally:
            stop.send(None)
            for process, _ in self._hands.values():
                process.kill()
            keeper.join(60)
            if keeper.is_alive():
                keeper.kill()
                self._ended.wrong.append("maintenance did not end")
        if stop.poll():
            self._ended.maintained, told = stop.recv()
            self._ended.wrong += told

    def _hire(self, waiting: list[list[dict[str, Any]]]) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_load_batches, args=(theirs, self._environment), daemon=True)
        process.start()
        theirs.close()
        self._hands[ours] = (process, None)
        self._give(ours, waiting)

    def _give(self, pipe: Any, waiting: list[list[dict[str, Any]]]) -> None:
        batch = waiting.pop() if waiting else None
        self._hands[pipe] = (self._hands[pipe][0], batch)
        if batch is not None:
            pipe.send(batch)

    def _hear(self, pipe: Any, waiting: list[list[dict[str, Any]]]) -> int:
        """Take a worker's answer, or notice his death; return how many batches are done with."""
        process, batch = self._hands[pipe]
        try:
            failed = pipe.recv()
        except (EOFError, OSError):
            process.join()
            del self._hands[pipe]
            if batch is not None:
                self._again(batch, waiting)
            self._hire(waiting)
            return 0
        self._ended.batches += 1
        if batch is not None and (left := [file for file in batch if _id(file) in failed]):
            self._again(left, waiting)
        self._give(pipe, waiting)
        for idle in [each for each, (_, had) in self._hands.items() if had is None and waiting]:
            self._give(idle, waiting)
        return 1

    def _again(self, batch: list[dict[str, Any]], waiting: list[list[dict[str, Any]]]) -> None:
        """Put a batch back, not right at the front: it becomes visible a while later."""
        self._ended.again += 1
        for file in batch:
            name = _id(file)
            self._tries[name] = self._tries.get(name, 0) + 1
            if self._tries[name] > _REDELIVERIES:
                raise AssertionError(f"{file['key']} was delivered {_REDELIVERIES} times and never loaded")
        waiting.insert(max(0, len(waiting) - self._size.processes), batch)

    def _kill(self) -> None:
        """End a busy worker by kill -9, wherever he is."""
        busy = [process for process, batch in self._hands.values() if batch is not None]
        if busy:
            self._rng.choice(busy).kill()
            self._ended.killed += 1

    def _keeper(self) -> tuple[BaseProcess, Any]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_keep_house, args=(theirs, self._environment), daemon=True)
        process.start()
        theirs.close()
        return process, ours


def _id(file: dict[str, Any]) -> str:
    (read,) = read_message(json.dumps({"files": [file]})).files
    return read.file_id


def _settle_in(environment: dict[str, str]) -> Settings:
    os.environ.clear()
    os.environ.update(environment)
    settings.current.cache_clear()
    aws.forget_clients()
    return settings.current()


def _load_batches(pipe: Any, environment: dict[str, str]) -> None:
    """Load each batch that comes, and answer with the ids that failed."""
    company = _settle_in(environment)
    while True:
        try:
            batch = pipe.recv()
        except EOFError:
            return
        pipe.send(ingest(company, read_message(json.dumps({"files": batch})).files).failed)


def _keep_house(pipe: Any, environment: dict[str, str]) -> None:
    """Keep the books and maintain the tables, over and over, until told to stop; answer how often."""
    company = _settle_in(environment)
    rounds, wrong = 0, []
    while not pipe.poll():
        try:
            keep_books(company)
            maintain(company)
        except Exception as error:  # noqa: BLE001 - told at the end
            wrong.append(f"maintenance: {type(error).__name__}: {error}")
        rounds += 1
    pipe.send((rounds, wrong))


# ------------------------------------------------------------------ what came of it


def _compare(company: Settings, ended: Ended) -> None:
    keep_books(company)
    catalogs.open_catalog.cache_clear()
    catalog = catalogs.open_catalog(company)
    con = duck.connect(company)
    try:
        views.attach(con, catalog, [_TABLE])
        query = f"SELECT count(*), count(DISTINCT (_file_id, _row)), count(DISTINCT message_id) FROM {_TABLE}"
        ended.rows, ended.distinct, ended.messages = con.execute(query).fetchall()[0]
    finally:
        con.close()
    tables = {
        name: table for name in catalogs.table_names(catalog) if (table := catalogs.load(catalog, name))
    }
    ingested = balance.ingested(company, tables)
    ended.books = ingested.as_json()
    ended.wrong += [f"unbalanced: {what}" for what in ingested.unbalanced]
    if ingested.loaded != ended.expected:
        ended.wrong.append(f"the books say that {ingested.loaded} rows were loaded")


def main() -> int:
    """Run it on a stack of its own, on each catalog; print what came of it as JSON, a line a catalog."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    for name, default in asdict(Size()).items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument("--catalog", choices=["rest", "sql"], action="append")
    told = vars(parser.parse_args())
    holds = [alone(kind, Size(**told)).holds for kind in told.pop("catalog") or ("rest", "sql")]
    return int(not all(holds))


def alone(catalog: str, size: Size) -> Ended:
    """Run it on a stack of its own; tell on standard error how far it is, and on standard output what came of it."""
    from lakehouse.local.stack import Stack
    from tests.support.cloud import moto_server

    def tell(said: str) -> None:
        sys.stderr.write(f"{catalog}: {said}\n")

    with (
        TemporaryDirectory(prefix="writers-") as folder,
        moto_server(Path(folder)) as moto,
        Stack(Path(folder) / "stack") as stack,
    ):
        info = stack.start("store")
        environment = lake_environment(info.env, catalog, Path(folder) / "lake", moto)
        os.environ.update(environment)
        settings.current.cache_clear()
        ended = run(environment, size, tell)
        catalogs.open_catalog.cache_clear()
    sys.stdout.write(
        json.dumps({"catalog": catalog, "holds": ended.holds} | asdict(size) | asdict(ended)) + "\n"
    )
    return ended


def lake_environment(store: Mapping[str, str], kind: str, folder: Path, cloud: str) -> dict[str, str]:
    """Return the environment of an empty lake: `store` is what a stack's store told, `cloud` moto's URL."""
    for name in ("warehouse", "scratch"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    environment = {**store, "AWS_ENDPOINT_URL": cloud, "LAKEHOUSE_SCRATCH": str(folder / "scratch")}
    if kind == "sql":
        environment |= {
            "LAKEHOUSE_CATALOG": "sql",
            "LAKEHOUSE_CATALOG_URI": f"sqlite:///{folder}/catalog.sqlite",
            "LAKEHOUSE_WAREHOUSE": f"file://{folder}/warehouse",
        }
    path = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "LANG") if name in os.environ}
    return path | environment | {"POWERTOOLS_LOG_LEVEL": "CRITICAL"}


if __name__ == "__main__":
    sys.exit(main())
