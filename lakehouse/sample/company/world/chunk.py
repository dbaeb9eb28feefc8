"""One chunk of the company: five thousand people and everything that happened to them, as Arrow tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lakehouse.sample.company.random_arrays import Ints, column_array, stream
from lakehouse.sample.company.world import (
    accounts,
    browsing,
    contacts,
    life,
    people,
    selling,
    service,
    shopping,
)
from lakehouse.sample.company.world.scenario import Scenario
from lakehouse.sample.company.world.staff import CUSTOMERS_A_TEAM, staff

PEOPLE = 5_000
CHUNKS_A_TEAM = CUSTOMERS_A_TEAM // PEOPLE


@dataclass(frozen=True)
class Chunk:
    """The world of some people, whole: also of those beyond the company's size, whom writers leave out.

    `tables` has `persons`, `accounts`, `devices`, `contacts`, `leads`, `deals`, `stages`, `activities`, `orders`,
    `items`, `payments`, `returns`, `tickets`, `events`, `stops`, `assignments`, `staff` and, in the first team's
    chunks, `drivers`. Where a table refers to another, it holds the row there.
    """

    scenario: Scenario
    number: int
    tables: dict[str, pa.Table]

    def array(self, table: str, column: str) -> Any:
        """Return a column as a numpy array; moments as local seconds since 1970."""
        return column_array(self.tables[table], column)

    def column(self, table: str, column: str, rows: Ints | None = None) -> pa.Array:
        """Return a column as an Arrow array, of all rows or of those named."""
        whole = self.tables[table].column(column).combine_chunks()
        return whole if rows is None else whole.take(pa.array(rows))


def chunk(scenario: Scenario, number: int) -> Chunk:
    """Return chunk `number`: the people from `number * PEOPLE` on. The same in a company of any size."""

    def random(part: str) -> Any:
        return stream(scenario.seed, part, number)

    team = number // CHUNKS_A_TEAM
    staffed = staff(scenario, team)
    persons = people.persons(scenario, number * PEOPLE, PEOPLE, random("people"))
    owned = accounts.accounts(scenario, persons, random("accounts"))
    lived = life.live(scenario, persons, number, panel=team == 0)
    sold = shopping.sales(scenario, persons, owned, lived["occasions"], random("sales"))
    known = contacts.contacts(scenario, persons, random("contacts"))
    leads = contacts.leads(scenario, persons, random("leads"))
    worked = selling.selling(scenario, known, leads, staffed, random("selling"))
    tables: dict[str, pa.Table] = {
        "persons": persons,
        "accounts": owned,
        "devices": browsing.devices(persons, random("devices")),
        "staff": staffed,
        "contacts": known,
        "leads": leads,
        **worked._asdict(),
        **sold._asdict(),
        "tickets": service.tickets(scenario, sold.orders, random("tickets")),
        "events": browsing.events(scenario, lived["visits"], owned, sold.orders, random("events")),
        **{name: lived[name] for name in ("stops", "assignments", "drivers") if name in lived},
    }
    return Chunk(scenario, number, tables)
