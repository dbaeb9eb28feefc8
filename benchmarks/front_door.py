"""The front door for tracked events: what it costs beside reading JSON, and how soon what was clicked is a row.

The handler is measured in process, once with store and queue that do nothing, for what is its own, and once with those
of a laptop's stack. Times of a running stack are of everything on this machine together.
"""

from __future__ import annotations

import base64
import io
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import httpx

from benchmarks.ingest import _event_lines, running_stack
from benchmarks.report import Result
from functions.collect.handler import handler
from lakehouse import aws, objects
from lakehouse.engine import duck
from lakehouse.landing import write_keys
from lakehouse.landing.policy import CollectLimits
from lakehouse.local.attachment import attach
from lakehouse.local.session import session
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lakehouse.local.attachment import StackInfo
    from lakehouse.settings import Settings

_KEY: Final = "key-of-a-benchmark"
_COMMAND = [sys.executable, "-c", "from lakehouse.cli import main; main()"]
_START_SECONDS, _WAIT_SECONDS, _POLL_SECONDS = 90.0, 240.0, 0.1
_CONNECTIONS = 32
_HEAVY: Final = ("pyarrow", "duckdb", "pyiceberg")


@dataclass
class _Context:
    """What Lambda says of a call, as far as Powertools asks."""

    function_name: str = "collect"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


def front_door(*, quick: bool) -> list[Result]:
    """Return the cost of the handler, of its import, of a minute's requests, and the delay from click to row."""
    calls = 300 if quick else 3_000
    with running_stack(), redirect_stdout(io.StringIO()):  # metrics of each call
        results = _handler(calls)
    results += _import()
    with _up() as (data, info), httpx.Client(auth=(info.secrets["write_key"], "")) as client:
        url = f"{info.endpoints['http']}/v1/batch"
        with session(data, "all", must_exist=False) as settings:
            results += _clicks(settings, client, url, 10 if quick else 20)
            results += _minute(settings, client, url, *((100, 6.0) if quick else (1_000, 60.0)))
            results.append(_at_once(url, info.secrets["write_key"], 100 if quick else 1_000))
    return results


def _handler(calls: int) -> list[Result]:
    """Return the handler over `json.loads` and looks at sizes alone, in turns, and how long a call takes at worst."""
    events = [_batch(100) for _ in range(20)]
    bare, own, seconds = [], [], []
    nothing = SimpleNamespace(send_message=lambda **_: None)
    with patch.object(write_keys, "secret", lambda *_, **__: {"web": [_KEY]}):
        with patch.object(objects, "put", lambda *_, **__: None), patch.object(aws, "sqs", lambda: nothing):
            _seconds(lambda: handler(events[0], _Context()), 20)
            for round_number in range(10):
                event = events[round_number]
                bare.append(_seconds(lambda event=event: _json_and_sizes(event), calls // 10))
                own.append(_seconds(lambda event=event: handler(event, _Context()), calls // 10))
            for number in range(calls):
                began = time.process_time()
                handler(events[number % len(events)], _Context())
                seconds.append(time.process_time() - began)
        handler(events[0], _Context())  # makes the clients
        stored = []
        for number in range(calls // 10):
            began = time.process_time()
            assert handler(events[number % len(events)], _Context())["statusCode"] == 200
            stored.append(time.process_time() - began)
    note = f"{statistics.median(own) * 1e3:.2f} ms a batch of 100 events, {len(events[0]['body']) // 1024} KB"
    return [
        Result("collect: speed over json.loads and sizes alone", sum(bare) / sum(own), "×", 0.5, note=note),
        Result(
            "collect: p99 of a call in process",
            _p99(seconds) * 1e3,
            "ms",
            15,
            at_least=False,
            note="processor time",
        ),
        Result(
            "collect: the same with store and queue of a laptop",
            _p99(stored) * 1e3,
            "ms",
            note="processor time of the function alone",
        ),
    ]


def _batch(count: int) -> dict[str, Any]:
    """Return a batch of events as API Gateway hands it on."""
    lines = _event_lines(count, uuid.uuid4().int % 2**32).decode().splitlines()
    body = f'{{"batch":[{",".join(lines)}],"sentAt":"2026-03-01T10:00:00Z"}}'
    return {
        "routeKey": "POST /v1/{call}",
        "pathParameters": {"call": "batch"},
        "headers": {"authorization": f"Basic {base64.b64encode(f'{_KEY}:'.encode()).decode()}"},
        "requestContext": {
            "http": {"method": "POST", "sourceIp": "127.0.0.1"},
            "requestId": str(uuid.uuid4()),
        },
        "body": body,
        "isBase64Encoded": False,
    }


def _json_and_sizes(event: dict[str, Any]) -> None:
    """Read a body, and look at its size and at the number of its events: the least that any collector does."""
    body = event["body"].encode()
    assert len(body) <= CollectLimits.body_bytes
    batch = json.loads(body)["batch"]
    assert 0 < len(batch) <= CollectLimits.batch_events


def _seconds(call: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) / times


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[-1]


def _import() -> list[Result]:
    """Return the processor seconds of importing the function anew with bytecode, and over those of boto3 alone."""
    code = "import sys, time; import {name}; assert not {heavy!r} & sys.modules.keys(); print(time.process_time())"
    taken: dict[str, float] = {}
    for name in ("boto3", "functions.collect.handler"):
        command = [sys.executable, "-c", code.format(name=name, heavy=set(_HEAVY))]
        runs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(4)]
        taken[name] = min(map(float, runs))
    own, boto3 = taken["functions.collect.handler"], taken["boto3"]
    return [
        Result("collect: cold import", own, "s", 0.6, at_least=False, note="processor time, with bytecode"),
        Result("collect: the same over that of boto3", own / boto3, "×"),
    ]


@contextmanager
def _up() -> Iterator[tuple[Path, StackInfo]]:
    """Give the folder and the endpoints of a stack whose functions run."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "lake"
        up = subprocess.Popen([*_COMMAND, "up", "--data", str(data)], stdout=subprocess.DEVNULL)
        try:
            _until(lambda: bool((info := attach(data)) and "http" in info.endpoints), _START_SECONDS)
            info = attach(data)
            assert info is not None
            yield data, info
        finally:
            up.send_signal(signal.SIGINT)
            up.wait()


def _clicks(settings: Settings, client: httpx.Client, url: str, count: int) -> list[Result]:
    """Return how long it takes from sending one event to a query that finds it, one after another."""
    seconds = []
    for number in range(count + 1):
        message_id = f"click-{number}"
        began = time.perf_counter()
        _send(client, url, [{"type": "track", "event": "Clicked", "userId": "u", "messageId": message_id}])
        _until(_Reader(settings, message_id).finds_it, _WAIT_SECONDS)
        seconds.append(time.perf_counter() - began)
    waited = seconds[1:]  # the first one makes the table
    p95 = statistics.quantiles(waited, n=20, method="inclusive")[-1]
    note = f"{count} clicks, p50 {statistics.median(waited):.1f} s"
    return [Result("clicked to queryable, p95", p95, "s", 10, at_least=False, note=note)]


class _Reader:
    """Asks for one event whenever its table has news; a question costs what it waits for: the processor."""

    def __init__(self, settings: Settings, message_id: str) -> None:
        self._settings, self._message_id = settings, message_id
        self._seen = "-"  # the head of the table that was asked last

    def finds_it(self) -> bool:
        table = catalogs.load(catalogs.open_catalog(self._settings), "raw.events")
        head = commit.head(table)
        if table is None or head == self._seen:
            return False
        self._seen = head
        with closing(duck.connect(self._settings)) as con:
            views.open_tables(con, self._settings, ["raw.events"])
            asked = "SELECT count(*) FROM raw.events WHERE message_id = ?"
            return con.execute(asked, [self._message_id]).fetchone() == (1,)


def _minute(
    settings: Settings, client: httpx.Client, url: str, requests: int, seconds: float
) -> list[Result]:
    """Return commits and data files of requests of 50 events that come evenly, for a minute."""
    before = _snapshots(settings)
    began = time.monotonic()
    for number in range(requests):
        time.sleep(max(0.0, began + seconds * number / requests - time.monotonic()))
        items = [
            {"type": "track", "event": "Seen", "userId": f"u{n}", "messageId": f"m-{number}-{n}"}
            for n in range(50)
        ]
        _send(client, url, items)
    took = time.monotonic() - began
    last = f"m-{requests - 1}-49"
    _until(_Reader(settings, last).finds_it, _WAIT_SECONDS)
    new = {key: value for key, value in _snapshots(settings).items() if key not in before}
    minutes = took / 60
    note = f"{requests} requests in {took:.0f} s"
    return [
        Result("commits a minute", len(new) / minutes, "", 60, at_least=False, note=note),
        Result("data files a minute", sum(new.values()) / minutes, "", 120, at_least=False, note=note),
    ]


def _snapshots(settings: Settings) -> dict[int, int]:
    """Return the data files that each snapshot of `raw.events` added."""
    table = catalogs.load(catalogs.open_catalog(settings), "raw.events")
    snapshots = [] if table is None else table.metadata.snapshots
    return {one.snapshot_id: int((one.summary or {}).get("added-data-files", 0)) for one in snapshots}  # type: ignore[arg-type,call-overload]


def _at_once(url: str, key: str, requests: int) -> Result:
    """Return the requests a second that the local front answers to many connections."""
    item = {"type": "page", "userId": "u"}
    limits = httpx.Limits(max_connections=_CONNECTIONS)
    with (
        httpx.Client(auth=(key, ""), limits=limits, timeout=60) as client,
        ThreadPoolExecutor(_CONNECTIONS) as pool,
    ):
        began = time.perf_counter()
        list(pool.map(lambda _: _send(client, url, [item]), range(requests)))
        took = time.perf_counter() - began
    return Result(f"requests with {_CONNECTIONS} connections", requests / took, "a second")


def _send(client: httpx.Client, url: str, items: list[dict[str, Any]]) -> None:
    answer = client.post(url, json={"batch": items}, timeout=60)
    assert answer.status_code == 200, answer.text


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s")
        time.sleep(_POLL_SECONDS)
