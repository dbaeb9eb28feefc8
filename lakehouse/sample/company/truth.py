"""What is true of the company: a summary as JSON, and tables that say who is behind every record."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.policy import CampaignPolicy, PricePolicy
from lakehouse.sample.company.units import DAY
from lakehouse.sample.company.world.catalogue import APPAREL, BABY, CATEGORIES
from lakehouse.sample.company.world.chunk import CHUNKS_A_TEAM
from lakehouse.sample.company.world.people import EIGHT_ACCOUNTS, NAMESAKE, TRIO
from lakehouse.sample.company.world.staff import HABITS
from lakehouse.sample.company.world.waves import wave_end, wave_start
from lakehouse.sample.company.writers import ads, wukong_export
from lakehouse.sample.company.writers.ids import advertising, hubspot, huoban, jiandaoyun, salesforce, zoho
from lakehouse.sample.company.writers.system_records import LEADS, records_of

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.sample.company.random_arrays import Ints
    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.world.scenario import Scenario

_NUMBERED = {
    "hubspot": hubspot,
    "salesforce": salesforce,
    "zoho": zoho,
    "huoban": huoban,
    "jiandaoyun": jiandaoyun,
}
_SAME = ("birth_year", "child_birth_year", "young_parent", "price_sensitive", "shares_phone")
_PLANTED = {0: "", TRIO: "near_duplicate", EIGHT_ACCOUNTS: "eight_accounts", NAMESAKE: "namesake"}


@dataclass
class Tally:
    """What was written: rows by place, faults by place and kind, and facts by name."""

    rows: Counter[str] = field(default_factory=Counter)
    dirt: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        for mine, theirs in zip(
            (self.rows, self.dirt, self.facts), (other.rows, other.dirt, other.facts), strict=True
        ):
            mine.update(theirs)


@dataclass(frozen=True)
class Truth:
    """The summary of a written company; `truth.json` holds the same.

    `rows` counts the rows of each entity's files, `dirt` the rows with each fault (`place.column.fault`, rows that
    are there twice counting twice), `facts` what came of the plants.
    """

    scenario: Scenario
    tally: Tally

    @property
    def rows(self) -> dict[str, int]:
        """Rows of each entity's files, by `source/entity`."""
        return dict(sorted(self.tally.rows.items()))

    @property
    def dirt(self) -> dict[str, int]:
        """Rows with each fault."""
        return dict(sorted(self.tally.dirt.items()))

    @property
    def facts(self) -> dict[str, int]:
        """Counts of what the plants led to."""
        return dict(sorted(self.tally.facts.items()))

    def as_json(self) -> dict[str, Any]:
        """Return everything that `truth.json` holds."""
        history = self.scenario.history
        waves = [
            {
                "wave": wave,
                "from": history.date(wave_start(wave)),
                "before": history.date(wave_end(wave)),
            }
            for wave in range(CampaignPolicy.waves)
        ]
        told: dict[str, Any] = {
            "generated": True,
            "seed": self.scenario.seed,
            "customers": self.scenario.customers,
            "crms": self.scenario.crms,
            "shops": self.scenario.shops,
            "start": history.start,
            "until": history.until,
            "zone": "Asia/Shanghai",
            "plants": self.scenario.plants.as_json() | {"discount": PricePolicy.discount},
            "waves": waves,
            "rows": self.rows,
            "dirt": self.dirt,
            "facts": self.facts,
        }
        plain: dict[str, Any] = json.loads(json.dumps(told, default=str, ensure_ascii=False))
        return plain

    def write(self, path: Path) -> None:
        """Write `truth.json`."""
        content = json.dumps(self.as_json(), ensure_ascii=False, indent=1)
        path.write_text(content + "\n", encoding="utf-8", newline="\n")


def tables(chunk: Chunk) -> dict[str, tuple[pa.Table, Ints | None]]:
    """Return the truth of a chunk's people: tables by name, each with whose rows they are (None: nobody's)."""
    found = {
        "persons": _persons(chunk),
        "household_of_person": _link(
            chunk, "persons", household_id=pa.array(chunk.array("persons", "household"))
        ),
        "person_of_account": _link(chunk, "accounts", customer_id=chunk.column("accounts", "customer_id")),
        "person_of_contact": _contacts(chunk),
        "person_of_lead": _leads(chunk),
        "person_of_device": _link(chunk, "devices", anonymous_id=chunk.column("devices", "anonymous_id")),
        "campaign_assignment": _of_rows(chunk, "assignments", wave=pa.int8(), treated=pa.bool_()),
    }
    if "drivers" in chunk.tables:
        shapes = {"complaint": pa.bool_(), "days_since_visit": pa.int16(), "discount_share": pa.float64()}
        drivers = _of_rows(chunk, "drivers", **shapes, stopped=pa.bool_())
        found["hazard_drivers"] = drivers.append_column(
            "week_end", _dates(chunk, chunk.array("drivers", "day"))
        )
    told: dict[str, tuple[pa.Table, Ints | None]] = {
        name: (table, table["person_id"].to_numpy()) for name, table in found.items()
    }
    if chunk.number % CHUNKS_A_TEAM == 0:
        habits = {
            **{name: chunk.column("staff", name) for name in ("user_id", "name", "email")},
            "habit": text.pick(HABITS, chunk.array("staff", "habit")),
        }
        told["habit_of_user"] = (pa.table(habits), None)
    return told


def _dates(chunk: Chunk, day: Ints) -> pa.Array:
    zero = chunk.scenario.history.zero // DAY
    return pa.array((day + zero).astype(np.int32)).view(pa.date32())


def _link(chunk: Chunk, table: str, **columns: pa.Array) -> pa.Table:
    return pa.table({**columns, "person_id": chunk.array(table, "person")})


def _contacts(chunk: Chunk) -> pa.Table:
    """Return who is behind each contact of each CRM; ids are those that `core.contacts` has."""
    found = []
    for crm in dict.fromkeys(chunk.scenario.crms):
        records = records_of(chunk, crm)
        ids = records.column("contacts", "contact_id")
        if crm == "wukong":
            ids = text.joined("客户:", wukong_export.customer_names(records))
        elif crm in _NUMBERED:
            ids = _NUMBERED[crm]("contacts", ids)
        found.append(_known(crm, "contact_id", ids, records.array("contacts", "person")))
    return pa.concat_tables(found)


def _leads(chunk: Chunk) -> pa.Table:
    """Return who is behind each lead, with each CRM and with the platforms that brought them."""
    found = []
    for system, crms in LEADS.items():
        records = records_of(chunk, *crms)
        ids = records.column("leads", "lead_id")
        ids = _NUMBERED[system]("leads", ids) if system in _NUMBERED else ids
        found.append(_known(system, "lead_id", ids, records.array("leads", "person")))
    for platform in ads.PLATFORMS:
        records = ads.leads_of(chunk, platform)
        ids = advertising(records.column("leads", "lead_id"))
        found.append(_known(platform, "lead_id", ids, records.array("leads", "person")))
    return pa.concat_tables(found)


def _known(source: str, name: str, ids: pa.Array, person: Ints) -> pa.Table:
    return pa.table({"source": pa.repeat(source, len(person)), name: ids, "person_id": person})


def _of_rows(chunk: Chunk, table: str, **columns: pa.DataType) -> pa.Table:
    person = chunk.array("persons", "person")[chunk.array(table, "row")]
    cast = {name: chunk.column(table, name).cast(of) for name, of in columns.items()}
    return pa.table({"person_id": person, **cast})


def _persons(chunk: Chunk) -> pa.Table:
    count = len(chunk.tables["persons"])
    stopped = np.full(count, -1, np.int64)
    stopped[chunk.array("stops", "row")] = chunk.array("stops", "day")
    stopped_on = pc.if_else(pa.array(stopped < 0), pa.scalar(None, pa.date32()), _dates(chunk, stopped))
    name = (chunk.column("persons", part) for part in ("family", "given_first", "given_second"))
    same = {column: chunk.column("persons", column) for column in _SAME}
    return pa.table(
        {
            "person_id": chunk.array("persons", "person"),
            "name": text.joined(*name),
            "phone": chunk.column("persons", "phone"),
            "email": chunk.column("persons", "email"),
            "address": chunk.column("persons", "address"),
            "planted": text.pick(list(_PLANTED.values()), chunk.array("persons", "planted")),
            **same,
            "cycle_days": chunk.column("persons", "cycle"),
            "joined_on": _dates(chunk, chunk.array("persons", "joined")),
            "stopped_on": stopped_on,
        }
    )


def facts(chunk: Chunk) -> dict[str, int]:
    """Count what the plants led to, among the customers of the company."""
    size = chunk.scenario.customers
    within = {
        name: chunk.array(name, "person") < size
        for name in ("persons", "accounts", "contacts", "orders", "tickets")
    }
    stopped = chunk.array("persons", "person")[chunk.array("stops", "row")] < size
    category, mine = chunk.array("orders", "category"), within["orders"]
    back = chunk.array("returns", "order")[chunk.array("returns", "next_day")]
    planted = chunk.array("persons", "planted")[within["persons"]]
    told = {
        "persons": within["persons"].sum(),
        "households": len(np.unique(chunk.array("persons", "household")[within["persons"]])),
        "accounts": within["accounts"].sum(),
        "contacts": within["contacts"].sum(),
        "stopped": stopped.sum(),
        "complaints": (chunk.array("tickets", "complaint") & within["tickets"]).sum(),
        "next_day_returns": (mine[back] & (category[back] == APPAREL)).sum(),
        "young_parents_orders_of_baby_goods": (mine & (category == BABY)).sum(),
        **{f"planted_{_PLANTED[kind]}": (planted == kind).sum() for kind in (TRIO, EIGHT_ACCOUNTS, NAMESAKE)},
        **{f"orders_{name}": (mine & (category == number)).sum() for number, name in enumerate(CATEGORIES)},
    }
    return {name: int(count) for name, count in told.items()}


class TruthFiles:
    """One Parquet file a table for one shard; chunk after chunk is a row group."""

    def __init__(self, folder: Path, shard: int, customers: int) -> None:
        self._folder, self._shard, self._customers = folder, shard, customers
        self._writers: dict[str, Any] = {}

    def add(self, chunk: Chunk) -> None:
        """Write the truth of a chunk's people, as far as the company has them."""
        for name, (whole, person) in tables(chunk).items():
            table = whole if person is None else whole.filter(pa.array(person < self._customers))
            if name not in self._writers:
                path = self._folder / f"{name}-{self._shard:05d}.parquet"
                self._writers[name] = pq.ParquetWriter(path, table.schema, compression="zstd")
            self._writers[name].write_table(table)

    def close(self) -> None:
        """End every file."""
        for writer in self._writers.values():
            writer.close()
