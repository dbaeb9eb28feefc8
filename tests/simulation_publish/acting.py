"""A company that acts in its CRM: tasks for causes that come and go, blanks that are filled, people who edit both."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from lakehouse.local.hubspot.records_api import OBJECTS, PROPERTIES, PropertiesApi, RecordsApi
from lakehouse.outbound import fold, log
from lakehouse.outbound.definition import Sync
from lakehouse.outbound.record_kinds import KEY_PROPERTY
from lakehouse.outbound.records import Desired
from tests.simulation_publish.world import NAMES, World
from tests.unit.outbound.test_changes import SYNC

if TYPE_CHECKING:
    from lakehouse.local.hubspot.record_store import Record

TASKS = Sync.model_validate(
    {
        "name": "calls",
        "destination": "hubspot",
        "object": "tasks",
        "triggers": ["win_back"],
        "properties": {"hs_task_subject": "about", "hs_timestamp": "due_at"},
        "create_properties": True,
    }
)
BLANKS = SYNC.model_copy(
    update={"properties": {"tier": "segments", "city": "city"}, "fill_blanks": ("city",)}
)
DUE = "2026-03-01T00:00:00+00:00"
STATUSES = ("IN_PROGRESS", "WAITING", "DEFERRED", "COMPLETED")


@dataclass
class Typed:
    """What people typed, by record and property; a record that somebody deleted has None."""

    values: dict[str, dict[str, str] | None] = field(default_factory=dict)

    def note(self, record: str, name: str, value: str) -> None:
        values = self.values.setdefault(record, {})
        if values is not None:
            values[name] = value

    def of(self, record: str) -> dict[str, str] | None:
        return self.values.get(record, {})


@dataclass
class TaskWorld(World):
    """As `World`, of causes instead of people's records: each person is one, and `selected` says whether it stands."""

    typed: Typed = field(default_factory=Typed)
    syncs: tuple[Sync, ...] = (TASKS,)

    def __post_init__(self) -> None:
        """Put the records beside the contacts."""
        super().__post_init__()
        self.properties = PropertiesApi(self.crm)
        self.tasks = RecordsApi(self.crm, self.properties)

    def desired(self, sync: Sync) -> list[Desired]:
        """One task a cause; the erased get none."""
        found = []
        for person in self.people.values():
            said = {**sync.fixed, "hs_task_subject": person.value, "hs_timestamp": DUE}
            if person.selected:
                found.append(Desired(person.name, f"key-{person.name}", said, consented=True))
        return found

    def allows(self, customer: str, address: str) -> bool:  # noqa: ARG002
        return True

    def _carry_out(self, path: str, body: dict[str, Any], method: str = "POST") -> httpx.Response:
        if path.startswith(PROPERTIES):
            answer = self.properties.answer(method, path.removeprefix(PROPERTIES), body)
        else:
            kind, _, rest = path.removeprefix(OBJECTS).partition("/")
            answer = self.tasks.answer(method, kind, f"/{rest}", body, {})
        return httpx.Response(answer.status, json=answer.body)

    def _life(self) -> None:
        person = self.people[self.chance.choice(NAMES)]
        if self.chance.random() < 0.6:
            person.selected = not person.selected
        else:
            person.value = f"v{self.chance.randint(0, 3)}"
        if self.chance.random() < 0.5:
            self.learn()

    def _crm(self) -> None:
        """Let somebody work on a task, edit or delete it; not between a look at it and the write that follows."""
        if self.depth:
            return
        under_way = self._under_way()
        held = fold.state_of(self.settings, TASKS.name).acknowledged
        known = [
            each.crm_id
            for key, each in held.items()
            if each.crm_id and not each.uncertain and key not in under_way and not each.closed
        ]
        with self.crm.batch():
            found = [self.tasks.records.find("tasks", record) for record in known]
            there = [each for each in found if each is not None]
            if not there:
                return
            self.edits += 1
            self._edit(self.chance.choice(there))

    def _edit(self, task: Record) -> None:
        match self.chance.choice(("status", "subject", "cleared", "deleted")):
            case "status":
                name, value = "hs_task_status", self.chance.choice(STATUSES)
            case "subject":
                name, value = "hs_task_subject", f"typed {self.edits}"
            case "cleared":
                name, value = "hs_task_subject", ""
            case _:
                self.tasks.records.archive("tasks", task.id)
                self.typed.values[task.id] = None
                return
        if task.properties.get(name, "") == value:  # nothing is changed by writing what stands there
            return
        self.tasks.records.update(task, {name: value}, ())
        self.typed.note(task.id, name, value)

    def check_known(self) -> None:
        """What people typed stands, no cause has two tasks, and every task is in our state or on its way."""
        with self.crm.batch():
            every = self.tasks.records.page("tasks")
            made = Counter(
                row[0]
                for row in self.crm.connection.execute(
                    f"SELECT json_extract(properties, '$.{KEY_PROPERTY}') FROM records"
                )
            )
        assert all(count == 1 for count in made.values()), made
        for task in every:
            for name, value in (self.typed.of(task.id) or {}).items():
                assert task.properties.get(name, "") == value, (task, name, value)
        held = fold.state_of(self.settings, TASKS.name).acknowledged
        known = {each.crm_id for each in held.values()} | {*held} | self._planned_last()
        unknown = [task.id for task in every if not {task.id, task.properties[KEY_PROPERTY]} & known]
        assert not unknown, f"the CRM has tasks {unknown}, and nobody knows"

    def _planned_last(self) -> set[str]:
        """Return the keys in the latest run, which is not folded before all its chunks are done."""
        latest = fold.standing(self.settings, TASKS.name).latest
        chunks = latest.chunk_ids() if latest is not None else ()
        return {
            row.id for name in chunks for row in log.chunk(self.settings, TASKS.name, latest.run, name).rows
        }

    def check(self) -> None:
        """Compare the tasks at rest with the causes, but for what people typed."""
        with self.crm.batch():
            every = {task.properties[KEY_PROPERTY]: task for task in self.tasks.records.page("tasks")}
            deleted = {
                row[0]
                for row in self.crm.connection.execute(
                    f"SELECT json_extract(properties, '$.{KEY_PROPERTY}') FROM records WHERE archived"
                )
            }
        for person in self.people.values():
            task = every.get(f"key-{person.name}")
            if task is None:
                assert not person.selected or f"key-{person.name}" in deleted, f"no task for {person.name}"
                continue
            typed = self.typed.of(task.id) or {}
            if "hs_task_status" not in typed:
                status = "NOT_STARTED" if person.selected else "COMPLETED"
                assert task.properties["hs_task_status"] == status, (person, task)
                if person.selected and "hs_task_subject" not in typed:
                    assert task.properties["hs_task_subject"] == person.value, (person, task)
        self.check_books()


@dataclass
class BlanksWorld(World):
    """As `World`; beside the property that is ours, a city that is filled in where nobody typed one."""

    typed: Typed = field(default_factory=Typed)
    syncs: tuple[Sync, ...] = (BLANKS,)

    def desired(self, sync: Sync) -> list[Desired]:
        """As there, with the city of the golden record."""
        return [
            Desired(each.customer_id, each.id, {**each.properties, "city": f"city of {each.properties['tier']}"},
                    consented=each.consented)
            for each in super().desired(sync)
        ]  # fmt: skip

    def _crm(self) -> None:
        """Let somebody type a city, or clear it; not between a look at it and the write that follows."""
        if self.depth:
            return
        contacts = self.crm.page(0, 1000)
        if not contacts:
            return
        contact = self.chance.choice(contacts)
        under_way = self._under_way()
        held = fold.state_of(self.settings, BLANKS.name).acknowledged.get(contact.properties["email"])
        if contact.properties["email"] in under_way or (held is not None and held.uncertain):
            return
        self.edits += 1
        value = self.chance.choice(("", f"typed {self.edits}"))
        if not value and not contact.properties.get("city"):
            return
        with self.crm.batch():
            self.crm.update(contact, {"city": value})
        self.typed.note(contact.id, "city", value)

    def check_known(self) -> None:
        """As there; what people typed or cleared stands."""
        super().check_known()
        for contact in self.crm.page(0, 1000):
            typed = self.typed.of(contact.id) or {}
            if typed.get("city"):
                assert contact.properties.get("city") == typed["city"], (contact, typed)

    def check(self) -> None:
        """As there; the city is the golden record's with who is held, and gone with who left; else as it was typed.

        A blank that a person may have made stays one, too: where nobody knows what became of a removal.
        """
        super().check()
        held = self.held()
        doubtful = self._removed_perhaps()
        for contact in self.crm.page(0, 1000):
            if "city" not in (self.typed.of(contact.id) or {}):
                wanted = f"city of {held[contact.id]}" if contact.id in held else None
                is_left_blank = contact.properties["email"] in doubtful and not contact.properties.get("city")
                assert is_left_blank or contact.properties.get("city") == wanted, (contact, wanted)
            else:
                typed = (self.typed.of(contact.id) or {})["city"]
                assert contact.properties.get("city", "") == typed, (contact, typed)

    def _removed_perhaps(self) -> set[str]:
        """Return the addresses of removals of which nobody knows what became."""
        found = set()
        for run in log.runs(self.settings, BLANKS.name):
            for chunk, outcome in fold.delivered(self.settings, run):
                is_repeated = outcome is None or outcome.attempt > 1
                uncertain = {result.row for result in outcome.rows if result.uncertain} if outcome else set()
                leavers = [row for row in chunk.rows if row.action == "remove"]
                found |= {row.id for row in leavers if is_repeated or row.row in uncertain}
        return found
