"""What is true of the company: a summary as JSON, and tables that say who is behind every record."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.sample.company.policy import CampaignPolicy, PricePolicy
from lakehouse.sample.company.truth_tables import truth_tables
from lakehouse.sample.company.world.catalogue import APPAREL, BABY, CATEGORIES
from lakehouse.sample.company.world.people import PLANTED_NAMES
from lakehouse.sample.company.world.waves import wave_end, wave_start

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.sample.company.random_arrays import Flags
    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.world.days import History
    from lakehouse.sample.company.world.scenario import Scenario


@dataclass
class Tally:
    """What was written: rows by entity, faults by entity, column and kind, and facts by name."""

    rows: Counter[str] = field(default_factory=Counter)
    dirt: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.rows.update(other.rows)
        self.dirt.update(other.dirt)
        self.facts.update(other.facts)


@dataclass(frozen=True)
class Truth:
    """The summary of a written company; `truth.json` holds the same.

    `rows` counts the rows of each entity's files, `dirt` the rows with each fault (`source/entity.column.fault`, rows
    that are there twice counting twice), `facts` what came of the plants.
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
        scenario, history = self.scenario, self.scenario.history
        content: dict[str, Any] = {
            "generated": True,
            "seed": scenario.seed,
            "customers": scenario.customers,
            "crms": scenario.crms,
            "shops": scenario.shops,
            "start": history.start,
            "until": history.until,
            "zone": "Asia/Shanghai",
            "plants": scenario.plants.as_json() | {"discount": PricePolicy.discount},
            "waves": _waves(history),
            "rows": self.rows,
            "dirt": self.dirt,
            "facts": self.facts,
        }
        plain: dict[str, Any] = json.loads(json.dumps(content, default=str, ensure_ascii=False))
        return plain

    def write(self, path: Path) -> None:
        """Write `truth.json`."""
        content = json.dumps(self.as_json(), ensure_ascii=False, indent=1)
        path.write_text(content + "\n", encoding="utf-8", newline="\n")


def _waves(history: History) -> list[dict[str, Any]]:
    """Return each wave's number, the first day of its window, and the day after it."""
    return [
        {"wave": wave, "from": history.date(wave_start(wave)), "before": history.date(wave_end(wave))}
        for wave in range(CampaignPolicy.waves)
    ]


def facts(chunk: Chunk) -> dict[str, int]:
    """Count what the plants led to, among the customers of the company."""
    persons = _of_customers(chunk, "persons")
    orders = _of_customers(chunk, "orders")
    category = chunk.array("orders", "category")
    stopped = chunk.array("persons", "person")[chunk.array("stops", "row")]
    next_day = chunk.array("returns", "order")[chunk.array("returns", "next_day")]
    complaints = chunk.array("tickets", "complaint") & _of_customers(chunk, "tickets")
    counts = {
        "persons": persons.sum(),
        "households": len(np.unique(chunk.array("persons", "household")[persons])),
        "accounts": _of_customers(chunk, "accounts").sum(),
        "contacts": _of_customers(chunk, "contacts").sum(),
        "stopped": (stopped < chunk.scenario.customers).sum(),
        "complaints": complaints.sum(),
        "next_day_returns": (orders[next_day] & (category[next_day] == APPAREL)).sum(),
        "young_parents_orders_of_baby_goods": (orders & (category == BABY)).sum(),
    }
    planted = chunk.array("persons", "planted")[persons]
    for kind, name in PLANTED_NAMES.items():
        if name:
            counts[f"planted_{name}"] = (planted == kind).sum()
    for number, name in enumerate(CATEGORIES):
        counts[f"orders_{name}"] = (orders & (category == number)).sum()
    return {name: int(count) for name, count in counts.items()}


def _of_customers(chunk: Chunk, table: str) -> Flags:
    """Return which rows of a table are about people that the company has; a chunk goes beyond its size."""
    flags: Flags = chunk.array(table, "person") < chunk.scenario.customers
    return flags


class TruthFiles:
    """One Parquet file a table for one shard; chunk after chunk is a row group."""

    def __init__(self, folder: Path, shard: int, customers: int) -> None:
        """Take where to write, the shard's number, and the size of the company."""
        self._folder, self._shard, self._customers = folder, shard, customers
        self._writers: dict[str, Any] = {}

    def add(self, chunk: Chunk) -> None:
        """Write the truth of a chunk's people, as far as the company has them."""
        for truth_table in truth_tables(chunk):
            table = truth_table.rows
            if truth_table.person is not None:
                table = table.filter(pa.array(truth_table.person < self._customers))
            self._writer(truth_table.name, table.schema).write_table(table)

    def _writer(self, name: str, schema: pa.Schema) -> Any:
        if name not in self._writers:
            path = self._folder / f"{name}-{self._shard:05d}.parquet"
            self._writers[name] = pq.ParquetWriter(path, schema, compression="zstd")
        return self._writers[name]

    def close(self) -> None:
        """End every file."""
        for writer in self._writers.values():
            writer.close()
