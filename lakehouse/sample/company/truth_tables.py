"""The tables of the truth: who is behind every account, contact, lead and device, and what happened to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.units import DAY
from lakehouse.sample.company.world.chunk import CHUNKS_A_TEAM
from lakehouse.sample.company.world.people import PLANTED_NAMES
from lakehouse.sample.company.world.staff import HABITS
from lakehouse.sample.company.writers import ads, ids, wukong_export
from lakehouse.sample.company.writers.shared_columns import true_names
from lakehouse.sample.company.writers.system_records import LEADS, records_of

if TYPE_CHECKING:
    from lakehouse.sample.company.random_arrays import Ints
    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.writers.system_records import SystemRecords

# how each system that has numbers of its own writes those of the world
_NUMBERED = {
    "hubspot": ids.hubspot,
    "salesforce": ids.salesforce,
    "zoho": ids.zoho,
    "huoban": ids.huoban,
    "jiandaoyun": ids.jiandaoyun,
}
_AS_IN_WORLD = ("birth_year", "child_birth_year", "young_parent", "price_sensitive", "shares_phone")
_NEVER: Final = -1


class TruthTable(NamedTuple):
    """A table of the truth: its name, its rows, and whose each row is (None: nobody's)."""

    name: str
    rows: pa.Table
    person: Ints | None


def truth_tables(chunk: Chunk) -> list[TruthTable]:
    """Return the truth of a chunk's people; `habit_of_user` comes with the first chunk of a team."""
    household = pa.array(chunk.array("persons", "household"))
    tables = {
        "persons": _persons(chunk),
        "household_of_person": _with_person(chunk, "persons", household_id=household),
        "person_of_account": _with_person(
            chunk, "accounts", customer_id=chunk.column("accounts", "customer_id")
        ),
        "person_of_contact": _contacts(chunk),
        "person_of_lead": _leads(chunk),
        "person_of_device": _with_person(
            chunk, "devices", anonymous_id=chunk.column("devices", "anonymous_id")
        ),
        "campaign_assignment": _noted(chunk, "assignments", wave=pa.int8(), treated=pa.bool_()),
    }
    if "drivers" in chunk.tables:
        tables["hazard_drivers"] = _drivers(chunk)
    truth = [TruthTable(name, rows, rows["person_id"].to_numpy()) for name, rows in tables.items()]
    if chunk.number % CHUNKS_A_TEAM == 0:
        truth.append(TruthTable("habit_of_user", _habits(chunk), None))
    return truth


def _persons(chunk: Chunk) -> pa.Table:
    planted_names = list(PLANTED_NAMES.values())
    as_in_world = {column: chunk.column("persons", column) for column in _AS_IN_WORLD}
    return pa.table(
        {
            "person_id": chunk.array("persons", "person"),
            "name": true_names(chunk),
            "phone": chunk.column("persons", "phone"),
            "email": chunk.column("persons", "email"),
            "address": chunk.column("persons", "address"),
            "planted": text.pick(planted_names, chunk.array("persons", "planted")),
            **as_in_world,
            "cycle_days": chunk.column("persons", "cycle"),
            "joined_on": _dates(chunk, chunk.array("persons", "joined")),
            "stopped_on": _stopped_on(chunk),
        }
    )


def _stopped_on(chunk: Chunk) -> pa.Array:
    """Return the first day without each person, null for who has not stopped."""
    day = np.full(len(chunk.tables["persons"]), _NEVER, np.int64)
    day[chunk.array("stops", "row")] = chunk.array("stops", "day")
    return pc.if_else(pa.array(day == _NEVER), pa.scalar(None, pa.date32()), _dates(chunk, day))


def _contacts(chunk: Chunk) -> pa.Table:
    """Return who is behind each contact of each CRM; ids are those that `core.contacts` has."""
    systems = []
    for crm in dict.fromkeys(chunk.scenario.crms):
        records = records_of(chunk, crm)
        contact_ids = _contact_ids(crm, records)
        systems.append(_of_system(crm, "contact_id", contact_ids, records.array("contacts", "person")))
    return pa.concat_tables(systems)


def _contact_ids(crm: str, records: SystemRecords) -> pa.Array:
    if crm == "wukong":
        return text.joined("客户:", wukong_export.customer_names(records))
    return _numbered(crm, "contacts", records.column("contacts", "contact_id"))


def _leads(chunk: Chunk) -> pa.Table:
    """Return who is behind each lead, with each CRM and with the platforms that brought them."""
    systems = []
    for system, crms in LEADS.items():
        records = records_of(chunk, *crms)
        lead_ids = _numbered(system, "leads", records.column("leads", "lead_id"))
        systems.append(_of_system(system, "lead_id", lead_ids, records.array("leads", "person")))
    for platform in ads.PLATFORMS:
        records = ads.leads_of(chunk, platform)
        lead_ids = ids.advertising(records.column("leads", "lead_id"))
        systems.append(_of_system(platform, "lead_id", lead_ids, records.array("leads", "person")))
    return pa.concat_tables(systems)


def _numbered(system: str, kind: str, world_ids: pa.Array) -> pa.Array:
    """Return ids as a system writes them."""
    return _NUMBERED[system](kind, world_ids) if system in _NUMBERED else world_ids


def _of_system(source: str, id_column: str, record_ids: pa.Array, person: Ints) -> pa.Table:
    return pa.table({"source": pa.repeat(source, len(person)), id_column: record_ids, "person_id": person})


def _drivers(chunk: Chunk) -> pa.Table:
    """Return the drivers of every person and week at risk."""
    drivers = _noted(
        chunk,
        "drivers",
        complaint=pa.bool_(),
        days_since_visit=pa.int16(),
        discount_share=pa.float64(),
        stopped=pa.bool_(),
    )
    return drivers.append_column("week_end", _dates(chunk, chunk.array("drivers", "day")))


def _habits(chunk: Chunk) -> pa.Table:
    users = {name: chunk.column("staff", name) for name in ("user_id", "name", "email")}
    return pa.table({**users, "habit": text.pick(HABITS, chunk.array("staff", "habit"))})


def _with_person(chunk: Chunk, table: str, **columns: pa.Array) -> pa.Table:
    return pa.table({**columns, "person_id": chunk.array(table, "person")})


def _noted(chunk: Chunk, table: str, **columns: pa.DataType) -> pa.Table:
    """Return columns of a table that refers to people by their row, as the types that are named."""
    person = chunk.array("persons", "person")[chunk.array(table, "row")]
    cast = {name: chunk.column(table, name).cast(data_type) for name, data_type in columns.items()}
    return pa.table({"person_id": person, **cast})


def _dates(chunk: Chunk, day: Ints) -> pa.Array:
    """Return days of history as dates."""
    first_day = chunk.scenario.history.zero // DAY
    return pa.array((day + first_day).astype(np.int32)).view(pa.date32())
