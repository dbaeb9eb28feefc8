"""What a sync was planned for is known from a note as it would be from the whole log, and no sync stops another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.errors import Terminal
from lakehouse.outbound import brakes, fold, log, planner, planning_note
from lakehouse.outbound.records import Desired, Outcome, Result
from lakehouse.segments.refresh import Refresh
from lakehouse.settings import Settings
from lakehouse.stages import export
from lakehouse.stages.sync_orders import Order
from tests.support.objects_in_memory import objects_in_memory
from tests.unit.outbound.test_changes import SYNC

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
SETTINGS = Settings(ops_bucket="ops")
STEP = st.one_of(
    st.tuples(st.just("look")),
    st.tuples(st.just("answer"), st.sampled_from(["sent", "failed", "withheld"])),
    st.tuples(st.just("hours"), st.sampled_from([0.1, 1, 11, 24, 25, -0.5, -30])),
    st.tuples(st.just("inputs"), st.lists(st.sampled_from("abc"), unique=True)),
    st.tuples(st.just("lose note")),
    st.tuples(st.just("damage note")),
)


class World:
    """One sync whose audience, clock and CRM a test plays."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.store = objects_in_memory(patch)
        self.now, self.version, self.people = START, 0, ["a"]
        world = self

        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):  # noqa: ARG003 - as datetime has it
                return world.now

        patch.setattr(export, "datetime", Clock)
        patch.setattr(export, "inputs_of", lambda *_: {"marts": str(self.version)})
        patch.setattr(export.consent, "generation", lambda *_: "g")
        patch.setattr(export, "audience", lambda *_: [])
        patch.setattr(export, "allowed", lambda *_: [(p, f"{p}@x.org") for p in "abc"])
        patch.setattr(
            export,
            "_desired",
            lambda *_: [Desired(p, f"{p}@x.org", {"tier": "v"}, consented=True) for p in self.people],
        )
        patch.setattr(planner, "announce", lambda *_: None)

    def look(self) -> None:
        export._plan(SETTINGS, SYNC, {})

    def answer(self, status: str) -> None:
        """Write the outcome of every open chunk of the latest run."""
        latest = fold.standing(SETTINGS, SYNC.name)
        for name in latest.open_chunks:
            chunk = log.chunk(SETTINGS, SYNC.name, latest.latest.run, name)
            rows = [
                Result(row.row, row.customer_id, row.action, "removed" if row.action == "remove" else status)
                for row in chunk.rows
            ]
            log.write_outcome(
                SETTINGS, Outcome(SYNC.name, latest.latest.run, name, 1, self.now.isoformat(), rows)
            )

    def step(self, kind: str, *value) -> None:
        key = ("ops", "outbound/news/planned.json")
        match kind:
            case "look":
                self.look()
            case "answer":
                self.answer(*value)
            case "hours":
                self.now += timedelta(hours=value[0])
            case "inputs":
                self.version, self.people = self.version + 1, value[0]
            case "lose note":
                self.store.bodies.pop(key, None)
            case "damage note" if key in self.store.bodies:
                self.store.bodies[key] = self.store.bodies[key][:40]

    def settled_by_note(self) -> bool:
        plan_of = export._plan_of(SETTINGS, SYNC, export.inputs_of(), self.now)
        note = planning_note.read(SETTINGS, SYNC.name)
        return note is not None and note.settles(SETTINGS, SYNC.name, plan_of, self.now)

    def settled_by_the_log(self) -> bool:
        """The plain reading: seen, nothing open, and no row whose time has come since; by a fold of everything."""
        note = planning_note.read(SETTINGS, SYNC.name)
        if note is None or note.seen != export._plan_of(SETTINGS, SYNC, export.inputs_of(), self.now):
            return False
        wait = timedelta(hours=SYNC.retry_failed_after_hours)
        missed = fold.rebuild(SETTINGS, SYNC.name).missed.values()
        due = (datetime.fromisoformat(row.at) + wait for row in missed)
        return not fold.standing(SETTINGS, SYNC.name).open_chunks and not any(
            datetime.fromisoformat(note.at) < moment <= self.now for moment in due
        )


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=12))
def test_what_the_note_settles_the_whole_log_settles(steps):
    """Whatever happens, no news is missed; and once the CRM has answered, a look or two settle it.

    An audience that is empty is meant, as somebody says.
    """
    with pytest.MonkeyPatch.context() as patch:
        world = World(patch)
        for step in steps:
            world.step(*step)
            assert not world.settled_by_note() or world.settled_by_the_log()
        for _ in range(3):
            world.now += timedelta(hours=25)
            world.look()
            brakes.accept(SETTINGS, SYNC.name, world.now, "test")
            world.look()
            world.answer("sent")
        world.look()
        assert world.settled_by_note()
        assert fold.state_of(SETTINGS, SYNC.name) == fold.rebuild(SETTINGS, SYNC.name)
        assert fold.state_of(SETTINGS, SYNC.name).acknowledged.keys() == {
            f"{person}@x.org" for person in world.people
        }


def test_the_note_does_not_grow_and_the_fold_is_not_read_for_it(monkeypatch):
    """A look at a sync that stands still reads the note, whatever the CRM holds."""
    world = World(monkeypatch)
    world.people = [f"p{number:05}" for number in range(3_000)]
    world.look()
    world.answer("sent")
    world.version += 1
    world.look()
    sizes = {key: len(body) for (_, key), body in world.store.bodies.items()}
    read: list[str] = []
    monkeypatch.setattr(
        export.planning_note.objects,
        "get",
        lambda _, key: read.append(key) or world.store.bodies.get(("ops", key)),
    )
    world.look()
    assert world.settled_by_note()
    assert sum(sizes.get(key, 0) for key in read) < 4_000 < sizes["outbound/news/state.json.gz"]


def test_a_sync_that_cannot_be_planned_does_not_stop_the_others(monkeypatch):
    """It is told when they are done."""
    planned = []

    def plan(_settings, sync, _computed_from, _kind):
        if sync.name == "broken":
            raise Terminal("s3://ops/outbound/broken/00000001/run.json is damaged")
        planned.append(sync.name)

    orders = [Order(name, "held", SYNC.model_copy(update={"name": name})) for name in ("broken", "news")]
    monkeypatch.setattr(export.sync_orders, "orders", lambda *_: orders)
    monkeypatch.setattr(export, "_plan", plan)
    monkeypatch.setattr(
        export.segments, "refresh", lambda _: Refresh("r", {"a": "1"}, changed=False, sizes={"vip": 1})
    )
    with pytest.raises(Terminal, match=r"run\.json is damaged"):
        export.export(SETTINGS)
    assert planned == ["news"]
