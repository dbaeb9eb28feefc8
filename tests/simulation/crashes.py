"""Crash every write: one process does a company's work and dies at one of its writes; the next one does the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakehouse.stages.books import keep_books
from lakehouse.stages.ingest import ingest_records
from lakehouse.stages.sweep import sweep
from tests.simulation.check import check, contents
from tests.simulation.files import Content, events_file, orders_file, packed, whole
from tests.simulation.run import Company, keep_house, told
from tests.simulation.world import DAY, Crash, World

if TYPE_CHECKING:
    from tests.simulation.stage import Scene

_SETTLED = 1_000.0  # seconds until every message that was not deleted is visible again
_LATER = {
    "_loaded_at",
    "started_at",
    "committed_at",
    "snapshot_id",
    "quarantined_at",
}  # differ from run to run


@dataclass
class Tale:
    """What came of a tale: what is wrong, how many writes it took, what the tables hold at its end."""

    crash: tuple[int, str] | None
    wrong: list[str]
    writes: int
    tables: dict[str, list[str]] = field(default_factory=dict)


class _Worker:
    """Does it all, one thing after the other; anew from the beginning after a crash."""

    def __init__(self, company: Company, files: list[list[Content]]) -> None:
        self.company = company
        self.files = files
        self.landed = 0

    def day(self) -> None:
        """Load what is announced; keep the books; land more, so that there is something to rewrite and to expire."""
        world = self.company.world
        world.sleep(_SETTLED)
        for number, files in enumerate(self.files):
            if self.landed <= number:
                for content in files:
                    self.company.land(content)
                self.landed = number + 1
            world.sleep(_SETTLED)
            while records := self.company.queue.receive(10, in_order=True):
                self.company.queue.done(records, ingest_records(self.company.scene.settings, records))
        sweep(self.company.scene.settings)
        keep_books(self.company.scene.settings)
        world.sleep(DAY)
        keep_house(self.company.scene.settings)


def _files() -> list[list[Content]]:
    """Return what is landed, in turns: good and bad rows and files, messages sent again."""
    return [
        [
            orders_file("1", good=(1, 3), bad=(2,)),
            events_file("1", {1: "m1", 2: "m2", 4: "m1"}, bad=(3,)),
            whole("crm/nobody/1.csv", b"a,b\n1,2\n", ""),
        ],
        [
            packed(events_file("2", {1: "m2", 2: "m3"}), cut=0),
            packed(events_file("3", {1: "m4"}), cut=9),
        ],
        [orders_file("4", good=(1,), bad=()), events_file("4", {1: "m1", 2: "m5"})],
    ]


def tell(scene: Scene, crash: tuple[int, str] | None = None) -> Tale:
    """Tell the tale, with a crash before or after one of its writes, or without any."""
    world = World(0)
    try:
        company = Company(scene, world, calm=True)
        world.crash_at = crash
        world.start("worker", _Worker(company, _files()).day)
        world.run()
        wrong = company.rest()
        wrong += check(scene, company.store, company.model)
        tables = {} if wrong else {name: _comparable(rows) for name, rows in contents(scene.catalog).items()}
    except (Exception, Crash) as error:  # noqa: BLE001 - whatever it is, this crash has led to it
        wrong, tables = [told(error)], {}
    finally:
        world.current = None
        scene.leave()
    return Tale(crash, wrong, world.writes, tables)


def _comparable(rows: list[dict[str, Any]]) -> list[str]:
    kept = ({name: value for name, value in row.items() if name not in _LATER} for row in rows)
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in kept)
