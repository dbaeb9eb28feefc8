"""One run: a company puts files, processes load them and keep house under faults; then all faults stop."""

from __future__ import annotations

import json
import traceback
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lakehouse.books import balance
from lakehouse.errors import LakehouseError
from lakehouse.landing.raw_files import RawFile, from_object
from lakehouse.stages.books import keep_books
from lakehouse.stages.ingest import ingest_records
from lakehouse.stages.maintain import maintain
from lakehouse.stages.sweep import sweep
from lakehouse.tables import catalog as catalogs
from tests.simulation import consumer
from tests.simulation.check import Model, check
from tests.simulation.files import IDS, events_file, orders_file, think_of
from tests.simulation.queue import Delivery, Events, Queue, Sqs
from tests.simulation.stage import LANDING, OPS, POLICY, Scene
from tests.simulation.store import Put, Store
from tests.simulation.world import DAY, Crash, Faults, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakehouse.settings import Settings
    from lakehouse.tables.maintenance.policy import MaintenancePolicy
    from tests.simulation.files import Content

_RUNS = 4  # of each that keeps house, so that a seed does not take for ever
_BURSTS = 0.25  # how often several exports come at once
_CLOCK_STEPS = 0.2  # how often the clock is set after a file was put
EXPIRE_ALONE = replace(POLICY, min_files_to_rewrite=99, max_small_manifests=99)
_ROUNDS = 30  # of sweep and ingest; a lake that is not at rest by then never is


@dataclass
class Result:
    """What came of a seed."""

    seed: int
    wrong: list[str]
    digest: str = ""
    trace: list[str] = field(default_factory=list)
    points: int = 0
    crashes: int = 0


class Company:
    """A landing bucket, a queue, and the processes that work on them."""

    def __init__(self, scene: Scene, world: World, *, calm: bool = False) -> None:
        self.scene = scene
        self.world = world
        self.plan = world.random("plan")
        self.model = Model()
        versioned = frozenset({LANDING, OPS} if calm or self.plan.random() < 0.75 else {OPS})
        self.store = Store(world, versioned)
        self.queue = Queue(world, Delivery(0, 0, 0) if calm else Delivery.draw(world.random("events")))
        self.store.told = self._told
        world.night = None if calm else self.night
        self.others_take = self._take_some
        self.night_policy: Callable[[], MaintenancePolicy | None] = self._some_policy
        self.failures: list[str] = []
        self._dreams = 0
        self._handled: dict[str, list[dict[str, str]]] = {}  # by process, the batch that it is at
        self.putting = True
        self.put: list[Content] = []
        self._announced: set[str] = set()
        self._last: dict[str, RawFile] = {}
        self._files: list[RawFile] = []
        clients = {"s3": self.store, "sqs": Sqs(world, self.queue), "events": Events(world)}
        scene.enter(world, clients, bare=not calm and self.plan.random() < 0.15)

    def _told(self, put: Put) -> None:
        if put.bucket == LANDING and self.queue.announce(put):
            told = {"key": put.key, "version_id": put.version, "etag": put.etag, "size": put.size}
            self._announced.add(from_object(LANDING, told).file_id)

    # --- what the company does

    def land(self, content: Content) -> None:
        """Put a file; the harness's own writes meet no faults."""
        world, process = self.world, self.world.current
        world.current = None
        answer = self.store.put_object(Bucket=LANDING, Key=content.key, Body=content.body)
        world.current = process
        world.note(f"lands {content.key}")
        file = from_object(LANDING, {"key": content.key, **answer, "size": len(content.body)})
        before = self._last.get(content.key)
        if before is not None and file.is_etag and before.file_id != file.file_id:
            self.model.taken.add(before.file_id)
        self.model.files[file.file_id] = content.expected
        self.model.landed[file.file_id] = world.now
        self._files.append(file)
        self._last[content.key] = file
        self.put.append(content)

    def take(self, content: Content) -> None:
        """Delete a file, perhaps before anybody has read it."""
        world, process = self.world, self.world.current
        world.current = None
        file = self._last[content.key]
        marker = self.plan.random() < 0.3 and not file.is_etag  # hides it; its version stays
        named = {} if marker or file.is_etag else {"VersionId": file.version}
        self.store.delete_object(Bucket=LANDING, Key=content.key, **named)
        world.current = process
        world.note(f"takes {content.key}")
        if not marker:
            self.model.taken.add(file.file_id)

    def life(self) -> None:
        """Put, replace and delete files, some days apart; now and then somebody sets the processes' clock."""
        clock = self.world.random("clock")
        for number in range(self.plan.randint(4, 9)):
            content = think_of(self.plan, number)
            self.land(content)
            if self.plan.random() < _BURSTS:  # files of one table that a batch holds together
                for name in "ab":
                    self.land(orders_file(f"{number:03d}{name}", good=(1, 2), bad=()))
            chance = self.plan.random()
            if chance < 0.15:
                self.world.sleep(self.plan.choice((0.01, 30, 3_600)))
                self.land(type(content)(content.key, *_other(self.plan, number, content)))
            elif chance < 0.25:
                self.world.sleep(self.plan.choice((0.01, 30, 3_600)))
                self.take(content)
            self.world.sleep(self.plan.choice((0.01, 0.01, 0.3, 1, 600, 7_200, DAY, 4 * DAY)))
            if clock.random() < _CLOCK_STEPS:
                self.world.set_clock(
                    clock.choice((0.0, -90.0, 90.0, -3_600.0, 3_600.0, -6 * 3_600.0, 6 * 3_600.0))
                )
        self.putting = False

    def night(self, sleeper: str) -> None:
        """Do the work of a night, which has no faults, while a process sleeps on its commit.

        Others load a part of its batch, or all of it; then more files land and are loaded, the model reads them, and,
        unless it is a nap, all that is not new expires.
        """
        for record in self.others_take(self._handled.get(sleeper, [])):
            self.queue.put(record["body"])
        self._load_what_is_there()
        policy = self.night_policy()
        for _ in range(3 if policy else 1):
            self._dreams += 1
            name = f"night{self._dreams}"
            for content in (
                orders_file(name, good=(1,), bad=()),
                events_file(name, {1: f"m{100 + self._dreams}", 2: f"m{self.plan.randrange(IDS)}"}),
            ):
                self.land(content)
                self.queue.put(json.dumps({"files": [self._last[content.key].message()]}))
            self._load_what_is_there()
        if policy is not None:
            self.world.now += 3 * 3_600
            keep_books(self.scene.settings)
        consumer.compute(self, 0.0)
        if policy is not None:
            maintain(self.scene.settings, policy=policy)
        self.world.note("a night has passed" if policy else "a nap is over")

    def _take_some(self, batch: list[dict[str, str]]) -> list[dict[str, str]]:
        return [record for record in batch if self.plan.random() < 0.5]

    def _some_policy(self) -> MaintenancePolicy | None:
        return self.plan.choice((None, POLICY, EXPIRE_ALONE))

    def _load_what_is_there(self) -> None:
        while records := self.queue.receive(10):
            self.queue.done(records, ingest_records(self.scene.settings, records))

    # --- who works for it

    def work(self) -> None:
        """Start the processes: one or more that ingest, and one of each that keeps house."""
        self.world.start("company", self.life)
        for number in range(self.plan.choice((1, 2, 3, 3))):
            self.world.start(f"ingest{number}", self._ingesting)
        for name, task in (("sweep", sweep), ("books", keep_books), ("maintain", keep_house)):
            waits = self.plan.choice((1_800.0, 7_200.0, DAY))
            twice = 2 if name == "books" and self.plan.random() < 0.2 else 1
            for _ in range(twice):
                self.world.start(name, self._repeating(task, waits), self.world.now + waits)
        for number in range(2):
            slow = self.plan.choice((0.0, 30.0, 7_200.0))
            computes = self._repeating(lambda _, slow=slow: consumer.compute(self, slow), 3_600.0)
            self.world.start(f"model{number}", computes, self.world.now + 600)
        if self.plan.random() < 0.3:
            self.world.start("somebody", self.roll_back, self.world.now + 2 * DAY)

    def roll_back(self) -> None:
        """Roll the copy back as somebody does by hand, once: who is refused leaves it."""
        try:
            consumer.roll_back(self)
        except Exception as error:  # noqa: BLE001 - the catalog may refuse it
            self.world.note(f"rolling back failed: {type(error).__name__}")

    def _ingesting(self) -> None:
        while True:
            records = self.queue.receive(self.plan.choice((1, 1, 2, 5)))
            if records:
                self.handle(self._announced_again(records))
                continue
            due = self.queue.next_visible
            if due is None and not self.putting:
                return
            self.world.idle(due or self.world.now + 2 * DAY)

    def _announced_again(self, records: list[dict[str, str]]) -> list[dict[str, str]]:
        """Let another writer have a part of a batch meanwhile, and a path come twice in one batch, now and then."""
        if len(records) > 1 and self.plan.random() < 0.3:
            for record in records[: self.plan.randrange(1, len(records))]:
                self.queue.put(record["body"])
            self.world.note("others hear of a part of the batch")
        if self.plan.random() < 0.2:
            again = self.plan.choice(records)
            self.world.note("a path comes twice in a batch")
            return [*records, {**again, "messageId": f"{again['messageId']}-again"}]
        return records

    def handle(self, records: list[dict[str, str]]) -> None:
        """Load a batch as one call of the function does."""
        process = self.world.current
        assert process is not None
        self._handled[process.name] = records
        try:
            failed = ingest_records(self.scene.settings, records)
            self.queue.done(records, failed)
            self.failures += ["files of a batch were not loaded"] if failed else []
        except Exception as error:  # noqa: BLE001 - the messages come again
            self.world.note(f"ingest failed: {type(error).__name__}")
            self.failures.append(told(error))

    def _repeating(self, task: Callable[..., object], waits: float) -> Callable[[], None]:
        runs = [0]

        def body() -> None:
            while self.putting and runs[0] < _RUNS:
                runs[0] += 1
                self.attempt(task)
                self.world.sleep(waits)

        return body

    def attempt(self, task: Callable[..., object]) -> None:
        """Do what a schedule does, and does again should it fail."""
        try:
            task(self.scene.settings)
        except Exception as error:  # noqa: BLE001 - the schedule runs it again
            self.world.note(f"{task.__name__} failed: {type(error).__name__}")
            self.failures.append(told(error))
            self._unexpected(error)

    def _unexpected(self, error: Exception) -> None:
        """Programming errors are no misfortune of the world."""
        if isinstance(error, (TypeError, AttributeError, KeyError, NameError, AssertionError)):
            raise error

    def rest(self) -> list[str]:
        """Without faults: ingest, sweep, books and maintenance until nothing moves; return what did not arrive."""
        self._drain()
        lost = self._announced - self._known()
        for _ in range(_ROUNDS):
            if not sweep(self.scene.settings):
                break
            self._drain()
        else:
            raise LakehouseError("sweep does not come to an end")
        keep_books(self.scene.settings)
        consumer.compute(self, 0.0)
        wrong = [f"maintenance of {name} failed" for name in keep_house(self.scene.settings)]
        self._announce_all_again()
        consumer.compute(self, 0.0)
        wrong += consumer.wrong_copies(self.scene.catalog)
        if lost:
            wrong.append(f"{len(lost)} files were announced, and their messages deleted before they were in")
        history = self.scene.history
        return [*wrong, *history.wrong, *history.carried_twice(), *history.out_of_order(self.model.landed)]

    def _announce_all_again(self) -> None:
        """Tell of every file once more, when most of their commits have expired."""
        files = [file.message() for file in self._files]
        for number in range(0, len(files), 3):
            self.queue.put(json.dumps({"files": files[number : number + 3]}))
        self._drain()
        keep_books(self.scene.settings)

    def _drain(self) -> None:
        """Load what is announced until the queue is empty."""
        for _ in range(_ROUNDS):
            self.world.now += 2 * DAY
            self._load_what_is_there()
            if not self.queue.messages:
                return
        raise LakehouseError("ingest does not come to an end")

    def _known(self) -> set[str]:
        names = catalogs.table_names(self.scene.catalog)
        tables = {name: self.scene.catalog.load_table(name) for name in names}
        return set(balance.records(self.scene.settings, tables))


def keep_house(settings: Settings) -> list[str]:
    """Maintain with the scene's policy; return the tables that failed, which the next run tries again."""
    return [name for name, report in maintain(settings, policy=POLICY).items() if "failed" in report]


def _other(plan: object, number: int, content: Content) -> tuple[bytes, object]:
    """Return another content for the same key: a file of the same place under another number."""
    place = content.key.rsplit("/", 1)[0]
    while True:
        other = think_of(plan, 100 + number)  # type: ignore[arg-type]
        if other.key.startswith(place) and other.body != content.body:
            return other.body, other.expected


def run(scene: Scene, seed: int) -> Result:
    """Run a seed from beginning to end."""
    world = World(seed)
    world.faults = Faults.draw(world.random("weather"))
    wrong: list[str] = []
    try:
        company = Company(scene, world)
        company.work()
        world.run()
        world.faults = Faults()
        wrong = company.rest()
        wrong += check(scene, company.store, company.model)
    except (Exception, Crash) as error:  # noqa: BLE001 - whatever it is, the seed has found it
        wrong = [told(error)]
    finally:
        world.current = None
        scene.leave()
    return Result(seed, wrong, world.digest, world.trace, len(world.trace), world.crashes)


def told(error: BaseException) -> str:
    """Return an error in one line, and where it came from."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__}: {str(error)[:300]} at {where}"
