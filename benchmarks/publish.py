"""Publishing: 50,000 contacts to a CRM that allows so many requests, and a state of a million addresses.

Planner and workers are processes of their own, as Lambda has them; store, queues and tables are those of a laptop's
stack, and the CRM is the simulator, which answers after a tenth of a second and refuses one request too many. The rate
is by the clock, so a busy machine lowers it; processor time is told beside it.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.ingest import running_stack
from benchmarks.processes import measured
from benchmarks.report import Result
from lakehouse import settings
from lakehouse.local.hubspot.server import HubSpotSimulator
from lakehouse.privacy.projection import Difference, project
from lakehouse.secrets import secret

_CONTACTS, _ADDRESSES = 50_000, 1_000_000
_ALLOWED: Final = 190 / 10.0  # requests a second
_ANSWER_SECONDS: Final = 0.1
_WORKERS: Final = 2  # `MaximumConcurrency` of the deployed stack
_MIB = 256
_DAYS = timedelta(days=1)


def publish(*, quick: bool) -> Iterator[Result]:
    """Yield how much of the allowed rate is used, what was refused, and the peak memory of all who take part."""
    share = 10 if quick else 1
    with running_stack() as (_, folder):
        yield from _contacts(folder, _CONTACTS // share)
        yield from _state(_ADDRESSES // share)


class _Crm(HubSpotSimulator):
    """The simulator, which notes when each request came and what became of it."""

    def __init__(self, folder: Path, token: str) -> None:
        super().__init__(folder / "bench.sqlite", token, answer_seconds=_ANSWER_SECONDS)
        self.came: list[float] = []

    def answer(self, request: Any) -> Any:
        self.came.append(time.monotonic())
        return super().answer(request)


@contextmanager
def _crm(folder: Path) -> Iterator[_Crm]:
    """Run a CRM of its own, which functions find by their environment."""
    crm = _Crm(folder, str(secret(settings.current().hubspot_secret)["token"]))
    before = os.environ["LAKEHOUSE_HUBSPOT_URL"]
    os.environ["LAKEHOUSE_HUBSPOT_URL"] = crm.start()
    try:
        yield crm
    finally:
        os.environ["LAKEHOUSE_HUBSPOT_URL"] = before
        crm.stop()


def _contacts(folder: Path, contacts: int) -> list[Result]:
    """Plan and deliver a first run of so many contacts."""
    _allow(contacts)
    with _crm(folder) as crm:
        _, plan_seconds, planner_mib = _child("plan", "bench", str(contacts))
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.monotonic()
        with ThreadPoolExecutor(_WORKERS) as pool:
            workers = list(pool.map(lambda _: _child("deliver", "bench"), range(_WORKERS)))
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        took, state = time.monotonic() - began, crm.state()
        rate = (len(crm.came) - 1) / (crm.came[-1] - crm.came[0])
    assert (state["contacts"], state["most_writes"]) == (contacts, 1), state
    processor = used.ru_utime + used.ru_stime - spent.ru_utime - spent.ru_stime
    chunks = -(-contacts // 100)
    note = f"{contacts:,} contacts in {len(crm.came)} requests; planned in {plan_seconds:.0f} s, sent in {took:.0f} s"
    return [
        Result("publish: requests a second over those allowed", rate / _ALLOWED, "", 0.95, note=note),
        Result("publish: requests refused (429)", state["statuses"].get("429", 0), "", 0, at_least=False),
        Result("publish: processor time of a chunk", processor / chunks * 1e3, "ms", note="with both workers' start"),
        _peak("publish: a worker's peak memory", max(worker[2] for worker in workers)),
        _peak("publish: the planner's peak memory", planner_mib),
    ]  # fmt: skip


def _state(addresses: int) -> list[Result]:
    """Plan a run of so many addresses, acknowledge it, and fold that: from the log, then from the state itself."""
    _, _, first = _child("plan", "many", str(addresses))
    _child("acknowledge", "many")
    _, log_seconds, of_log = _child("plan", "many", str(addresses), "1")
    _child("acknowledge", "many")
    _, seconds, of_state = _child("plan", "many", str(addresses), "2")
    what = f"publish: {addresses:,} addresses"
    return [
        _peak(f"{what}, planned first: peak memory", first),
        _peak(f"{what}, folded from the log: peak memory", of_log, f"{log_seconds:.0f} s"),
        _peak(f"{what}, folded from the state: peak memory", of_state, f"{seconds:.0f} s"),
    ]


def _peak(what: str, mib: float, note: str = "") -> Result:
    return Result(what, mib, "MiB", _MIB, at_least=False, note=note)


def _child(work: str, *arguments: str) -> tuple[str, float, float]:
    return measured("from benchmarks.publish_processes import work; work(*sys.argv[1:])", work, *arguments)


@dataclass(frozen=True)
class _Truth:
    """Everybody allows marketing by e-mail."""

    people: int
    version: str = "1"
    as_of: datetime = field(default_factory=lambda: datetime.now(UTC))

    def grants(self) -> Iterator[Difference]:
        for n in range(self.people):
            yield Difference(1, f"c{n:07d}", f"p{n:07d}@example.com", "marketing", "email", f"k{n}")

    def differences(self, _bases: Sequence[str]) -> None:
        return None


def _allow(people: int) -> None:
    project(settings.current(), _Truth(people), datetime.now(UTC), _DAYS)
