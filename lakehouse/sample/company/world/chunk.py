"""One chunk of the company: five thousand people and everything that happened to them, as Arrow tables.

A chunk is made from the scenario and its number alone, in one piece of memory; four chunks are the customers of one
team, whose exports make one shard: a file of each entity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from lakehouse.sample.company.random_arrays import Ints, column_array, random_stream
from lakehouse.sample.company.world.accounts import make_accounts
from lakehouse.sample.company.world.browsing import make_devices, make_events
from lakehouse.sample.company.world.contacts import make_contacts, make_leads
from lakehouse.sample.company.world.life import live
from lakehouse.sample.company.world.people import make_persons
from lakehouse.sample.company.world.scenario import Scenario
from lakehouse.sample.company.world.selling import make_selling
from lakehouse.sample.company.world.service import make_tickets
from lakehouse.sample.company.world.shopping import make_sales
from lakehouse.sample.company.world.staff import CUSTOMERS_A_TEAM, make_staff

PEOPLE: Final = 5_000  # of a chunk
CHUNKS_A_TEAM: Final = CUSTOMERS_A_TEAM // PEOPLE


@dataclass(frozen=True)
class Chunk:
    """The world of all people of a chunk: also of those beyond the company's size, whom writers leave out.

    `tables` has `persons`, `accounts`, `devices`, `contacts`, `leads`, `deals`, `stages`, `activities`, `orders`,
    `items`, `payments`, `returns`, `tickets`, `events`, `stops`, `assignments`, `staff` and, in the first team's
    chunks, `drivers`. Where a table refers to another, it holds the row in that one; `row` is one of `persons`.
    """

    scenario: Scenario
    number: int
    tables: dict[str, pa.Table]

    def array(self, table: str, column: str) -> Any:
        """Return a column as a numpy array; moments as local seconds since 1970."""
        return column_array(self.tables[table], column)

    def column(self, table: str, column: str, rows: Ints | None = None) -> pa.Array:
        """Return a column as an Arrow array, of all rows or of those named."""
        values = self.tables[table].column(column).combine_chunks()
        return values if rows is None else values.take(pa.array(rows))


def make_chunk(scenario: Scenario, number: int) -> Chunk:
    """Return chunk `number`: the people from `number * PEOPLE` on. The same in a company of any size."""

    def random(purpose: str) -> Any:
        return random_stream(scenario.seed, purpose, number)

    team = number // CHUNKS_A_TEAM
    staff = make_staff(scenario, team)
    persons = make_persons(scenario, number * PEOPLE, PEOPLE, random("people"))
    accounts = make_accounts(scenario, persons, random("accounts"))
    lives = live(scenario, persons, number, panel=team == 0)
    sales = make_sales(scenario, persons, accounts, lives["occasions"], random("sales"))
    contacts = make_contacts(scenario, persons, random("contacts"))
    leads = make_leads(scenario, persons, random("leads"))
    selling = make_selling(scenario, contacts, leads, staff, random("selling"))
    tables: dict[str, pa.Table] = {
        "persons": persons,
        "accounts": accounts,
        "devices": make_devices(persons, random("devices")),
        "staff": staff,
        "contacts": contacts,
        "leads": leads,
        **selling._asdict(),
        **sales._asdict(),
        "tickets": make_tickets(scenario, sales.orders, random("tickets")),
        "events": make_events(
            scenario,
            lives["visits"],
            accounts,
            sales.orders,
            rng=random("events"),
            advert_rng=random("adverts"),
        ),
        "stops": lives["stops"],
        "assignments": lives["assignments"],
    }
    if "drivers" in lives:
        tables["drivers"] = lives["drivers"]
    return Chunk(scenario, number, tables)
