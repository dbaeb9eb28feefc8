"""One commit of a company's day meets a night, before it or after it, or an answer that is lost: each commit, each way.

Seeds draw such nights now and then. Here the day has all that nights are bad for: two exports in one batch, a path
that comes twice in it, one message in two files, a file without a good row, a model, a table that is rolled back, a
clock that is set back, expiry before the books are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.stages.books import keep_books
from tests.simulation import consumer
from tests.simulation.check import check
from tests.simulation.files import IDS, events_file, orders_file
from tests.simulation.run import EXPIRE_ALONE, Company, keep_house, told
from tests.simulation.world import Crash, World

if TYPE_CHECKING:
    from tests.simulation.files import Content
    from tests.simulation.stage import Scene

# a night before the commit; one after it, and then no answer, or a refusal; no night, but no answer and the commit
# comes late, or it was taken, and the client, which tried again, is refused
KINDS = ("drowsy", "asleep", "refused", "late", "again")
_NIGHTS = KINDS[:3]
_SETTLED = 1_000.0  # seconds until every message that was not deleted is visible again
_SIX_HOURS = 6 * 3_600.0
_FILES = (
    (
        orders_file("1", good=(1, 2), bad=(3,)),
        orders_file("2", good=(1,), bad=()),
        events_file("1", {place: f"m{place - 1}" for place in range(1, IDS + 1)}),
        events_file("2", {1: "m2", 2: "m3"}),
    ),
    (
        events_file("4", {}, bad=(1, 2)),
        orders_file("3", good=(1,), bad=()),
        events_file("3", {1: "m200"}),
    ),
    (orders_file("5", good=(1,), bad=()), orders_file("6", good=(1,), bad=()), events_file("5", {1: "m5"})),
)


@dataclass(frozen=True)
class Night:
    """What befalls the `number`-th commit of a table: one of `KINDS`; `expires` leaves only what is new after it."""

    table: str
    number: int
    kind: str
    expires: bool = False


def every_night(commits: dict[str, int]) -> list[Night]:
    """Return each of them for each commit of a day that had so many."""
    places = [(table, number) for table, count in commits.items() for number in range(1, count + 1)]
    ends = [(kind, expires) for kind in KINDS for expires in (False, True) if kind in _NIGHTS or not expires]
    return [Night(table, number, kind, expires) for table, number in places for kind, expires in ends]


@dataclass
class Day:
    """What came of a day: what is wrong, and how many commits were tried, by table."""

    night: Night | None
    wrong: list[str]
    commits: dict[str, int]


class _Worker:
    """Does it all, one thing after the other; what fails is done again later, or left to the day's end."""

    def __init__(self, company: Company) -> None:
        self.company = company

    def day(self) -> None:
        company, world = self.company, self.company.world
        self._load(_FILES[0], at_once=10)
        company.attempt(keep_books)
        company.attempt(self._compute)
        self._load(_FILES[1], at_once=10)
        for task in (keep_books, self._compute, keep_house):
            company.attempt(task)
        world.set_clock(-_SIX_HOURS)
        self._load(_FILES[2], at_once=1)
        company.attempt(self._compute)
        world.sleep(2 * 3_600)
        for task in (keep_house, keep_books, self._compute):
            company.attempt(task)
        world.set_clock(_SIX_HOURS)
        company.roll_back()
        company.attempt(self._compute)

    def _load(self, files: tuple[Content, ...], *, at_once: int) -> None:
        """Land files and load what was announced, so many messages in one batch, and the first of them twice."""
        for content in files:
            self.company.land(content)
        self.company.world.sleep(_SETTLED)
        while records := self.company.queue.receive(at_once, in_order=True):
            self.company.handle([*records, {**records[0], "messageId": "again"}])

    def _compute(self, _: object) -> None:
        consumer.compute(self.company, 0.0)


def tell(scene: Scene, night: Night | None = None) -> Day:
    """Live through the day, on which one commit meets that night, or none does."""
    world = World(0)
    try:
        company = Company(scene, world, calm=True)
        world.night, world.befalls = company.night, night and (night.table, night.number, night.kind)
        company.others_take = lambda batch: batch[:1]
        company.night_policy = lambda: EXPIRE_ALONE if night and night.expires else None
        world.start("worker", _Worker(company).day)
        world.run()
        commits = dict(world.commits)
        wrong = [] if night else company.failures
        wrong += [*scene.history.wrong, *scene.history.carried_twice()]
        if not wrong:
            wrong += company.rest()
            wrong += check(scene, company.store, company.model)
    except (Exception, Crash) as error:  # noqa: BLE001 - whatever it is, this night has led to it
        wrong, commits = [told(error)], dict(world.commits)
    finally:
        world.current = None
        scene.leave()
    return Day(night, wrong, commits)
