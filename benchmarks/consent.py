"""How long a refusal takes from landing to the gate: statements one after another, on a running stack.

Once as everything works, once while every mart fails. A stack on a laptop gathers for a second where the deployed one
gathers for `IngestWindow` and `StageWindow`: the bar holds for the time with those.
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from benchmarks.report import Result
from lakehouse import objects
from lakehouse.errors import BadDefinition
from lakehouse.local.attachment import attach
from lakehouse.local.session import session
from lakehouse.local.stack import PARAMETERS
from lakehouse.local.wiring.template import default_path
from lakehouse.models import registry
from lakehouse.privacy import consent
from lakehouse.stages.aggregate import aggregate
from lakehouse.stages.consent_questions import answers
from lakehouse.stages.consent_statements import Statement, state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lakehouse.settings import Settings

_STATEMENTS, _QUICK_STATEMENTS = 20, 4
_BAR = 120.0  # seconds
_START_SECONDS, _WAIT_SECONDS, _POLL_SECONDS = 60.0, 240.0, 0.1
_WINDOWS = ("IngestWindow", "StageWindow")
_HEADER = "Record ID,Email,Marketing consent,Marketing consent date,Create Date,Last Modified Date"
COMMAND = [sys.executable, "-c", "from lakehouse.cli import main; main()"]


def consent_latency(*, quick: bool) -> list[Result]:
    """Return p50 and p95 of the seconds from a landed refusal to the gate's no, normally and while marts fail."""
    count = _QUICK_STATEMENTS if quick else _STATEMENTS
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "lake"
        up = subprocess.Popen([*COMMAND, "up", "--data", str(data)], stdout=subprocess.DEVNULL)
        try:
            until(lambda: bool((info := attach(data)) and "http" in info.endpoints), _START_SECONDS)
            with session(data, "all", must_exist=False) as settings:
                customers = _grant(settings, [f"p{number}@example.com" for number in range(2 * count)])
                addresses = sorted(customers)
                normal = [_refuse(settings, customers[each], each) for each in addresses[:count]]
                _break_marts(data / "definitions" / "models")
                failing = [_refuse(settings, customers[each], each) for each in addresses[count:]]
                _check_that_marts_fail(settings)
        finally:
            up.send_signal(signal.SIGINT)
            up.wait()
    return [
        *_results("refusal, landing to gate", normal),
        *_results("the same while every mart fails", failing),
    ]


def _grant(settings: Settings, addresses: list[str]) -> dict[str, str]:
    """Land a contact with a yes for each address; return by address the customer, once the gate allows all."""
    rows = [f"{n},{each},Yes,2026-01-01,2025-01-01,2026-01-01" for n, each in enumerate(addresses, start=1)]
    content = "\n".join([_HEADER, *rows, ""]).encode()
    objects.put(settings.landing_bucket, "hubspot/contacts/2026/01/01/00/people.csv", content)
    customers: dict[str, str] = {}

    def all_allowed() -> bool:
        if len(customers) < len(addresses):
            customers.update(_customers(settings, addresses))
        return len(customers) == len(addresses) and _allowed(settings, customers) == set(customers)

    until(all_allowed, _WAIT_SECONDS)
    return customers


def _customers(settings: Settings, addresses: list[str]) -> dict[str, str]:
    try:
        first = answers(settings, addresses[0])
    except Exception:  # noqa: BLE001 - the tables are not there yet
        return {}
    if not first:
        return {}
    return {each: answers(settings, each)[0]["customer_id"] for each in addresses}


def _allowed(settings: Settings, customers: dict[str, str]) -> set[str]:
    recipients = [(who, address) for address, who in customers.items()]
    found = consent.grants(settings, recipients, "marketing", "email", datetime.now(UTC))
    return {address for _, address in found.consent_ids}


def _refuse(settings: Settings, customer: str, address: str) -> float:
    """Land a refusal; return the seconds until the gate says no."""
    now = datetime.now(UTC)
    began = time.perf_counter()
    state(settings, Statement(address, "email", "marketing", granted=False, stated_at=now), "benchmark", now)
    until(lambda: not _allowed(settings, {address: customer}), _WAIT_SECONDS)
    return time.perf_counter() - began


def _break_marts(folder: Path) -> None:
    """Put a wrong definition in the place of each mart's: a running stack sees it at once."""
    (folder / "marts").mkdir(parents=True, exist_ok=True)
    for table in registry.shipped():
        if table.startswith("marts."):
            (folder / f"{table.replace('.', '/')}.sql").write_text("SELECT no_such_column", "utf-8")


def _check_that_marts_fail(settings: Settings) -> None:
    """Raise AssertionError unless no mart was computed since, and none can be: else this measured nothing new."""
    marts = {table for table in registry.shipped() if table.startswith("marts.")}
    assert marts <= set(registry.load(settings.definitions).wrong), "no mart's definition is wrong"
    try:
        aggregate(settings)
    except BadDefinition:
        return
    raise AssertionError("the marts' wrong definitions stopped nothing")


def _results(what: str, seconds: list[float]) -> list[Result]:
    p50 = statistics.median(seconds)
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    note = f"{len(seconds)} statements"
    longer = longer_when_deployed()
    return [
        Result(f"{what}: p50", p50, "s", note=note),
        Result(f"{what}: p95", p95, "s", _BAR, at_least=False, note=note),
        Result(f"{what}: p95 and the windows of the deployed stack", p95 + longer, "s", _BAR, at_least=False),
    ]


def longer_when_deployed(windows: Sequence[str] = _WINDOWS) -> float:
    """Return the seconds that the deployed stack gathers messages for beyond what one on a laptop does."""
    return _deployed_windows(windows) - sum(float(PARAMETERS[name]) for name in windows)


def _deployed_windows(windows: Sequence[str]) -> float:
    """Return the seconds that messages gather before `ingest` and `resolve`, by the template's defaults."""

    class Reader(yaml.SafeLoader):
        """Reads CloudFormation's tags as nothing."""

    Reader.add_multi_constructor("!", lambda *_: None)
    template = yaml.load(default_path().read_text("utf-8"), Reader)
    return sum(float(template["Parameters"][name]["Default"]) for name in windows)


def until(holds: Callable[[], bool], seconds: float) -> None:
    """Return once it holds; AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s")
        time.sleep(_POLL_SECONDS)
