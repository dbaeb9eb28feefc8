"""A company that writes to people: two syncs, one cap, quiet hours, a control group, and people who call."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from lakehouse.outbound import log
from lakehouse.outbound.policies.definition import Cap, Contact, QuietHours
from lakehouse.outbound.policies.windows import open_windows
from tests.simulation_publish.world import NAMES, World
from tests.unit.outbound.test_changes import SYNC

if TYPE_CHECKING:
    from lakehouse.outbound.definition import Sync
    from lakehouse.outbound.records import Chunk, Desired, Row

HOURS = QuietHours.model_validate({"from": "20:00", "until": "08:00"})


@dataclass
class ContactingWorld(World):
    """As `World`, with what comes of writing to people."""

    at_night: list[str] = field(default_factory=list)
    calls: dict[str, list[datetime]] = field(default_factory=dict)
    waits_for_moments: bool = True
    patience: int = 400

    def __post_init__(self) -> None:
        """Let the chance pick a cap."""
        self.cap = Cap(most=self.chance.randint(1, 2), days=self.chance.randint(1, 2))
        contact = Contact(cap=self.cap, quiet_hours=HOURS, refusals=None)
        news = SYNC.model_copy(update={"contact": contact})
        offers = news.model_copy(update={"name": "offers", "properties": {"offer": "segments"}})
        self.syncs = (news, offers)
        super().__post_init__()

    def desired(self, sync: Sync) -> list[Desired]:
        """As there, with the facts that a plan finds; in the second sync's words, too."""
        day = self.now.date()
        windows = [list(span) for span in open_windows(HOURS, (UTC,), UTC, None, day)]
        found = []
        for person in super().desired(sync):
            calls = [
                [int(at.timestamp()), f"call-{n}"]
                for n, at in enumerate(self.calls.get(person.customer_id, ()))
            ]
            facts = {"windows": windows, "zone": "UTC", "by_people": calls}
            control_of = "vip" if self.people[person.customer_id].control else ""
            said = dict.fromkeys(sync.properties, person.properties["tier"])
            found.append(replace(person, properties=said, facts=facts, control_of=control_of))
        return found

    def note_send(self, chunk: Chunk, row: Row) -> None:
        """Nothing reaches anybody at night; a removal reaches nobody."""
        if row.action == "upsert" and not 8 <= self.moment.hour < 20:
            self.at_night.append(f"{chunk.sync} {row.id} {self.moment}")

    def deliver(self, *message: str) -> None:
        """Remember by which clock it is sent: another worker may be at it in between, later."""
        before, self.moment = getattr(self, "moment", self.now), self.now
        try:
            super().deliver(*message)
        finally:
            self.moment = before

    def _life(self) -> None:
        person = self.people[self.chance.choice(NAMES)]
        match self.chance.choice(("as ever", "as ever", "control", "call")):
            case "control":
                person.control = not person.control
            case "call":
                self.calls.setdefault(person.name, []).append(self.now)
            case _:
                super()._life()

    def check(self) -> None:
        """Compare as there, and what was sent with the plain rule."""
        super().check()
        assert not self.at_night, self.at_night
        self.check_caps()

    def check_caps(self) -> None:
        """Of all syncs together nobody got more messages within the window than the cap says."""
        sent: dict[str, list[datetime]] = {}
        for sync in self.syncs:
            for run in log.runs(self.settings, sync.name):
                for name, outcome in log.outcomes(self.settings, run):
                    rows = log.chunk(self.settings, sync.name, run.run, name).rows
                    for result in outcome.rows if outcome else ():
                        if result.status == "sent":
                            customer = rows[result.row].customer_id
                            sent.setdefault(customer, []).append(datetime.fromisoformat(result.sent_at))
        window = timedelta(days=self.cap.days)
        for customer, moments in sent.items():
            times = sorted(moments)
            spans = pairwise(times) if self.cap.most == 1 else zip(times, times[2:], strict=False)
            assert all(later - earlier >= window for earlier, later in spans), (customer, times)
