"""Write the whole company into a folder, shard after shard, on one or several processors."""

from __future__ import annotations

import datetime as dt
import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from lakehouse.errors import Terminal
from lakehouse.progress import Progress, no_progress
from lakehouse.sample.company.files import ShardFiles
from lakehouse.sample.company.policy import Plants
from lakehouse.sample.company.truth import Tally, Truth, TruthFiles, facts
from lakehouse.sample.company.world.chunk import CHUNKS_A_TEAM, PEOPLE, make_chunk
from lakehouse.sample.company.world.scenario import CRMS, SHOPS, Scenario, make_scenario
from lakehouse.sample.company.writers import OF_COMPANY, OF_CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

UNTIL = dt.date(2026, 6, 30)
MOST_CUSTOMERS: Final = 10_000_000  # ids stay apart up to here
_SHARD_CUSTOMERS: Final = PEOPLE * CHUNKS_A_TEAM
GENERATED = """\
# Everything here is generated

This is a company that does not exist, made from a seed. No person, address, phone, order, deal or visit is real, and
the weather is invented; China's public holidays and the places of its cities are real.

Rows say so themselves where a system has a column for it: the source of a contact or customer (`source`,
`lead_source`, `Original Source`, `LeadSource`, `Lead Source`, 客户来源) or the remark of a lead is "generated
sample", `context.library.name` of the events is "crm-lakehouse-sample". E-mail domains are reserved (RFC 2606). China
reserves no mobile numbers for fiction: never call or text one.

`truth.json` says what was planted, how many rows each entity has and how many faults; `truth/*.parquet` says who is
behind every account, contact, lead and device, who lives together, who was drawn for the campaign, who stopped when,
and with which hazard (`hazard_drivers`: the first 20,000 people's weeks).
"""


def write(  # noqa: PLR0913 - a company is described by name
    folder: Path,
    *,
    customers: int,
    seed: int = 1,
    until: dt.date = UNTIL,
    plants: Plants | None = None,
    crms: tuple[str, ...] = CRMS,
    shops: tuple[str, ...] = SHOPS,
    workers: int = 1,
    progress: Progress = no_progress,
) -> Truth:
    """Write a company of so many customers: `<folder>/<source>/<entity>/…`, `truth.json`, `truth/`, `GENERATED.md`.

    `crms` are those that the company's offices work with, one a city; `crm` is one of no particular make. `shops` are
    the systems that sell: `shop`, of no make, has the stores, Shopify the site, WooCommerce the app, or fewer have all.
    The same seed, size, day, plants and systems give the same bytes, whatever the number of `workers` (processes), as
    long as numpy and Arrow stay the same. `truth.json` is written last: a folder without it is not complete.
    `progress` hears of customers. Memory does not grow with the size. Raises `Terminal` for a size or a number of
    workers that cannot be, and for a folder that holds something.
    """
    _check(folder, customers, crms, shops, workers)
    scenario = make_scenario(seed, customers, until, plants or Plants(), crms, shops)
    (folder / "truth").mkdir(parents=True)
    tally = _write_company(folder, scenario)
    for number, shard_tally in enumerate(_write_shards(folder, scenario, workers), start=1):
        tally.add(shard_tally)
        progress("customers", min(number * _SHARD_CUSTOMERS, customers), customers)
    truth = Truth(scenario, tally)
    (folder / "GENERATED.md").write_text(GENERATED, encoding="utf-8", newline="\n")
    truth.write(folder / "truth.json")
    return truth


def _check(folder: Path, customers: int, crms: tuple[str, ...], shops: tuple[str, ...], workers: int) -> None:
    """Raise `Terminal` for what cannot be written, before anything is."""
    if not 1 <= customers <= MOST_CUSTOMERS:
        raise Terminal(
            f"a company has 1 to {MOST_CUSTOMERS:,} customers, not {customers:,}: choose a size between"
        )
    _check_known("CRM", crms, CRMS)
    _check_known("shop", shops, SHOPS)
    if workers < 1:
        raise Terminal(f"{workers} processes write nothing: choose one or more")
    if folder.exists() and any(folder.iterdir()):
        raise Terminal(
            f"{folder} is not empty: name a new folder, so that no old file stays among the new ones"
        )


def _check_known(system: str, named: tuple[str, ...], known: tuple[str, ...]) -> None:
    if unknown := sorted(set(named) - set(known)):
        raise Terminal(f"no such {system}: {', '.join(unknown)}; there are {', '.join(known)}")
    if not named:
        raise Terminal(f"a company needs a {system}: name one or more of {', '.join(known)}")


def _write_company(folder: Path, scenario: Scenario) -> Tally:
    """Write the exports that are about no customer."""
    tally = Tally()
    with closing(ShardFiles(folder, 0, scenario.customers, tally)) as files:
        for exports in OF_COMPANY:
            for export in exports(scenario):
                files.add(export)
    return tally


def _write_shards(folder: Path, scenario: Scenario, workers: int) -> Iterator[Tally]:
    """Write every shard and yield its tally, in the shards' order."""
    shards: Iterable[int] = range(math.ceil(scenario.customers / _SHARD_CUSTOMERS))
    if workers == 1:
        yield from (_write_shard(folder, scenario, shard) for shard in shards)
        return
    context = multiprocessing.get_context("spawn")  # a fork after Arrow's threads have started may hang
    initializer = pa.set_cpu_count  # a processor each: Arrow's own threads would be in each other's way
    with ProcessPoolExecutor(workers, context, initializer, (1,)) as pool:
        futures = [pool.submit(_write_shard, folder, scenario, shard) for shard in shards]
        yield from (future.result() for future in futures)


def _write_shard(folder: Path, scenario: Scenario, shard: int) -> Tally:
    """Write the files of one shard: a team's customers, four chunks one after the other."""
    tally = Tally()
    with (
        closing(ShardFiles(folder, shard, scenario.customers, tally)) as files,
        closing(TruthFiles(folder / "truth", shard, scenario.customers)) as truth_files,
    ):
        for number in _chunks_of(shard, scenario.customers):
            chunk = make_chunk(scenario, number)
            for exports in OF_CUSTOMERS:
                for export in exports(chunk):
                    files.add(export)
            truth_files.add(chunk)
            tally.facts.update(facts(chunk))
    return tally


def _chunks_of(shard: int, customers: int) -> range:
    """Return the chunks of a shard that have customers."""
    first = shard * CHUNKS_A_TEAM
    chunks_of_company = math.ceil(customers / PEOPLE)
    return range(first, min(first + CHUNKS_A_TEAM, chunks_of_company))
