"""How long from a landed event to its row of `marts.triggers`, and to a task in the CRM, on a running stack.

An abandoned cart: the file is ingested, `resolve` names the customer, if nobody knew that person before, and
`trigger`, which looks each minute, makes the row; of that `export_segments` plans a task, and `publish` sends it to
our HubSpot. Each event is landed twice. Every second person was seen before. Carts are landed one after another, so
that they meet the minute at all of its seconds. A stack on a laptop gathers for a second where the deployed one
gathers for `IngestWindow` and `StageWindow`: the bar holds for the time with those.
"""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from benchmarks import consent
from benchmarks.report import Result
from lakehouse import objects
from lakehouse.engine import duck
from lakehouse.local.attachment import attach
from lakehouse.local.session import session
from lakehouse.secrets import secret
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import views
from lakehouse.tables.contracts import TRIGGERS
from lakehouse.tables.people import IDENTITIES

if TYPE_CHECKING:
    from lakehouse.settings import Settings

_CARTS, _QUICK_CARTS = 60, 20
_PAUSE_SECONDS, _START_SECONDS, _WAIT_SECONDS, _POLL_SECONDS = 3.0, 60.0, 240.0, 0.5
_BAR = 120.0  # seconds
_SYNC = """
name: carts
destination: hubspot
object: tasks
triggers: [abandoned_cart]
create_properties: true
owner: {default: "1001"}
properties: {hs_task_subject: "{about}", hs_timestamp: due_at}
"""
_TABLES = 2  # that say whose a row is
_ROWS = """
SELECT i.identifier_value, count(*) FROM marts.triggers AS t
JOIN core.identities AS i ON i.customer_id = t.customer_id AND i.identifier_type = 'user_id'
GROUP BY 1
"""
_PEOPLE = "SELECT count(*) FROM core.identities WHERE identifier_type = 'user_id'"


def triggers(*, quick: bool) -> list[Result]:
    """Return p50 and p95 of the seconds from a landed cart to its row and its task, and how many there are too many."""
    count = _QUICK_CARTS if quick else _CARTS
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "lake"
        up = subprocess.Popen([*consent.COMMAND, "up", "--data", str(data)], stdout=subprocess.DEVNULL)
        try:
            consent.until(lambda: bool((info := attach(data)) and "http" in info.endpoints), _START_SECONDS)
            with session(data, "all", must_exist=False) as settings:
                seen = _Seen(settings)
                _define(data / "definitions" / "syncs")
                visits = b"".join(_message(number, "Page Seen") for number in range(0, count, 2))
                objects.put(settings.landing_bucket, "web/events/2026/01/01/00/visits.ndjson", visits)
                consent.until(lambda: seen.people() == len(range(0, count, 2)), _WAIT_SECONDS)
                landed, landed_at = [], []
                for number in range(count):
                    landed.append(time.perf_counter())
                    landed_at.append(datetime.now(UTC))
                    for copy in "ab":
                        key = f"web/events/2026/01/01/00/{number}{copy}.ndjson"
                        objects.put(settings.landing_bucket, key, _message(number, "Product Added"))
                    seen.look_for(_PAUSE_SECONDS)
                consent.until(lambda: seen.look() >= count, _WAIT_SECONDS)
                rows = seen.rows()
                consent.until(lambda: len(tasks(settings)) >= count, _WAIT_SECONDS)
                time.sleep(_PAUSE_SECONDS)  # for one too many
                made = tasks(settings)
        finally:
            up.send_signal(signal.SIGINT)
            up.wait()
    seconds = [seen.moments[f"user-{number}"] - began for number, began in enumerate(landed)]
    too_many = Result(
        "triggers: rows more than carts, each landed twice", sum(rows.values()) - count, "", 0, at_least=False
    )
    sent = [(made[f"Tea {number}"][0] - began).total_seconds() for number, began in enumerate(landed_at)]
    tasks_too_many = Result(
        "triggers: tasks in the CRM more than carts",
        sum(map(len, made.values())) - count,
        "",
        0,
        at_least=False,
    )
    of_known = consent.longer_when_deployed(["IngestWindow"])
    of_new = consent.longer_when_deployed()
    to_plan = consent.longer_when_deployed(["IngestWindow"])  # `export_segments` gathers for as long
    return [
        *_results("of somebody known to its row", seconds[::2], of_known),
        *_results("of somebody nobody knew to its row", seconds[1::2], of_new),
        *_results("of somebody known to its task in the CRM", sent[::2], of_known + to_plan),
        *_results("of somebody nobody knew to its task", sent[1::2], of_new + to_plan),
        too_many,
        tasks_too_many,
    ]


def _define(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "carts.yaml").write_text(_SYNC, "utf-8")


def tasks(settings: Settings) -> dict[str, list[datetime]]:
    """Return when the CRM made its tasks, by subject."""
    headers = {"Authorization": f"Bearer {secret(settings.hubspot_secret)['token']}"}
    made: dict[str, list[datetime]] = defaultdict(list)
    after = "0"
    with httpx.Client(base_url=settings.hubspot_url, headers=headers) as client:
        while found := client.get(
            "/crm/v3/objects/tasks", params={"after": after, "properties": "hs_task_subject"}
        ).json()["results"]:
            for task in found:
                made[task["properties"]["hs_task_subject"]].append(datetime.fromisoformat(task["createdAt"]))
            after = found[-1]["id"]
    return made


class _Seen:
    """When each cart's row of `marts.triggers` was there first, by its user."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.moments: dict[str, float] = {}

    def rows(self) -> dict[str, int]:
        """Return how many rows there are of each user's cart."""
        catalog = catalogs.open_catalog(self._settings)
        with closing(duck.connect(self._settings)) as con:
            if len(views.attach(con, catalog, (TRIGGERS.name, IDENTITIES.name))) < _TABLES:
                return {}
            return dict(con.execute(_ROWS).fetchall())

    def people(self) -> int:
        """Return how many users are known by now."""
        catalog = catalogs.open_catalog(self._settings)
        with closing(duck.connect(self._settings)) as con:
            if not views.attach(con, catalog, (IDENTITIES.name,)):
                return 0
            return int(con.execute(_PEOPLE).fetchall()[0][0])

    def look(self) -> int:
        """Look now; return how many carts have a row."""
        for user in self.rows():
            self.moments.setdefault(user, time.perf_counter())
        return len(self.moments)

    def look_for(self, seconds: float) -> None:
        """Look now and then."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self.look()
            time.sleep(_POLL_SECONDS)


def _message(number: int, event: str) -> bytes:
    said = {
        "type": "track", "event": event, "messageId": f"{event} {number}", "userId": f"user-{number}",
        "timestamp": (datetime.now(UTC) - timedelta(hours=2)).isoformat(), "properties": {"name": f"Tea {number}"},
    }  # fmt: skip
    return (json.dumps(said) + "\n").encode()


def _results(whose: str, seconds: list[float], longer: float) -> list[Result]:
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    what, note = f"triggers: landed cart {whose}", f"{len(seconds)} carts"
    return [
        Result(f"{what}: p50", statistics.median(seconds), "s", note=note),
        Result(f"{what}: p95", p95, "s", _BAR, at_least=False, note=note),
        Result(f"{what}: p95 and the windows of the deployed stack", p95 + longer, "s", _BAR, at_least=False),
    ]
