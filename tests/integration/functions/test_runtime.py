"""Each function under the runtime's own client, in a process of its own, with what waits for it on real services."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse import steady_clock
from lakehouse.outbound.deliver import deliver_message
from lakehouse.outbound.log import outcome
from lakehouse.outbound.policy import DeliveryPolicy
from lakehouse.settings import current
from tests.support.lambda_runtime import NOWHERE, FunctionError, TimedOut
from tests.support.sandboxes import QUEUES, Sandboxes
from tests.support.stalling_proxy import StallingProxy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakehouse.outbound.records import Outcome

pytestmark = [pytest.mark.stack, pytest.mark.slow]

INIT_SECONDS = 10  # what Lambda gives an init before it begins again at the caller's cost
MB_OF_ONE_PROCESSOR = 1769
EMAIL = "erin.planted@example.org"
NONE = {"batchItemFailures": []}
# In the order of a file's way; `tick` and `sweep` before what they would make up for.
WAY = (
    "collect",
    "gather",
    "land",
    "sweep",
    "ingest",
    "resolve",
    "aggregate",
    "trigger",
    "export_segments",
    "publish",
    "books",
    "tick",
    "maintain",
)
COMMITTING = ("ingest", "resolve", "aggregate", "export_segments", "books")
CONTACT = "{n},Ann{n},Lee,ann{n}@x.org,,C{n},Yes,2026-01-01,en,Oslo,United States,2025-01-01,2025-06-01"

MEMBERS_WITHOUT_THEIR_CHANGES = """
    WITH net AS (
        SELECT segment, customer_id, sum(CASE change WHEN 'entered' THEN 1 ELSE -1 END) AS entered
        FROM ops.segment_changes GROUP BY ALL
    )
    SELECT count(*) FROM net FULL JOIN ops.segment_members AS m USING (segment, customer_id)
    WHERE coalesce(entered, 0) <> CAST(m.as_of IS NOT NULL AS INTEGER)"""


def fill(sandboxes: Sandboxes, first: int, last: int) -> None:
    """Land orders of January, and contacts who said yes, of the customers with these numbers."""
    numbers = range(first, last + 1)
    sandboxes.put(
        f"{first}",
        orders=[f"O{n},C{n},2026-01-{n % 28 + 1:02},1,{n}.00,USD,web" for n in numbers],
        contacts=[CONTACT.format(n=n) for n in numbers],
    )


def answers(function: str, answer: Any) -> None:
    """Assert that a function did what it was called for."""
    if function in {"collect", "land"}:
        assert answer["statusCode"] == 200
    elif function in QUEUES:
        assert answer == NONE


def state(sandboxes: Sandboxes) -> dict[str, Any]:
    """What must be there once, whatever was killed."""
    one = lambda query: sandboxes.ask(query)[0]  # noqa: E731 - said seven times
    return {
        "orders": one("select count(*), count(distinct order_id) from raw.shop_orders"),
        "contacts": one("select count(*), count(distinct record_id) from raw.hubspot_contacts"),
        "rows": one("select count(*), count(distinct (_file_id, _row)) from raw.shop_orders"),
        "identities": one(
            "select count(*), count(distinct (identifier_type, identifier_value)) from core.identities"
        ),
        "customers": one("select count(*), count(distinct customer_id) from marts.customer_360"),
        "members": one("select count(*), count(distinct (segment, customer_id)) from ops.segment_members"),
        "files": one("select count(*), count(distinct file_id) from ops.ingest_ledger"),
    }


def test_every_function_runs_as_lambda_runs_it(sandboxes: Sandboxes) -> None:
    """From a webhook and two files to the CRM: init in time, memory below its size, metrics and logs on stdout.

    `-rP` shows the figures. Init is compared in processor time at the share of a processor that the memory brings: the
    clock of a busy machine says little.
    """
    fill(sandboxes, 1, 30)
    assert set(WAY) == set(sandboxes.functions)
    for name in WAY:
        with sandboxes.start(name) as sandbox:
            event = sandboxes.event(name, files=4)
            answers(name, sandbox.invoke(event))
            sandboxes.done(name, event)
            memory = sandboxes.functions[name].memory_mb
            init_seconds = sandbox.init_cpu_seconds / min(memory / MB_OF_ONE_PROCESSOR, 1)
            times = f"init {sandbox.init_seconds:.1f} s, {sandbox.init_cpu_seconds:.1f} s of a processor"
            print(f"{name}: {times}; peak {sandbox.peak_mb:.0f} of {memory} MB")  # noqa: T201
            assert init_seconds < INIT_SECONDS, name
            assert sandbox.peak_mb < memory, name
            assert NOWHERE not in sandbox.log()
            assert '"_aws"' in sandbox.log() or name not in {"land", "ingest", "publish"}
    found = state(sandboxes)
    assert found["orders"] == found["contacts"] == (30, 30)
    assert found["customers"] == (31, 31)  # a visitor of the site is one
    assert sandboxes.ask("select count(*) from ops.deliveries where outcome = 'sent'") == [(30,)]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_function_that_is_killed_in_its_commit_runs_well_afterwards(
    sandboxes: Sandboxes, moment: Any
) -> None:
    """Its time is up before the catalog heard of the commit, or after it was made: nothing is lost or doubled."""
    first = {"before": 101, "after": 201}[moment]
    fill(sandboxes, first, first + 9)
    with StallingProxy(sandboxes.stack.info.env["LAKEHOUSE_CATALOG_URI"]) as proxy:
        for name in COMMITTING:
            event = sandboxes.event(name, files=2)
            proxy.hang(moment)
            with sandboxes.start(name, LAKEHOUSE_CATALOG_URI=proxy.url) as sandbox:
                sandbox.begin(event, timeout=300)
                assert proxy.stalled.wait(150), f"{name} made no commit: {sandbox.log()[-2000:]}"
                with pytest.raises(TimedOut):
                    sandbox.answer(timeout=0.1)
            proxy.release()
            answers(name, sandboxes.call(name, event))  # the message comes back
            sandboxes.done(name, event)
    found = state(sandboxes)
    assert {name: count for name, (count, distinct) in found.items() if count != distinct} == {}
    own = tuple(f"O{number}" for number in range(first, first + 10))
    assert sandboxes.ask(f"select count(*) from raw.shop_orders where order_id in {own}") == [(10,)]
    assert sandboxes.ask(MEMBERS_WITHOUT_THEIR_CHANGES) == [(0,)]
    balanced = "select count(*) from ops.ingest_ledger where received <> loaded + duplicates + quarantined"
    assert sandboxes.ask(balanced) == [(0,)]


def run(sandboxes: Sandboxes, name: str, files: int = 1) -> None:
    """Hand a function what waits for it, without a sandbox."""
    event = sandboxes.event(name, files)
    answers(name, sandboxes.call(name, event))
    sandboxes.done(name, event)


def kill(sandboxes: Sandboxes, name: str, event: Any, proxy: StallingProxy, **env: str) -> None:
    """Call a function, and kill it when it hangs at its write."""
    with sandboxes.start(name, **env) as sandbox:
        sandbox.begin(event, timeout=300)
        assert proxy.stalled.wait(150), f"{name} wrote nothing: {sandbox.log()[-2000:]}"
        with pytest.raises(TimedOut):
            sandbox.answer(timeout=0.1)
    proxy.release()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_maintenance_that_is_killed_in_its_commit_loses_no_row(sandboxes: Sandboxes, moment: Any) -> None:
    """The next one finds what to do, and the rows are those of before."""
    first = {"before": 301, "after": 401}[moment]
    for number in range(6):
        fill(sandboxes, first + number * 10, first + number * 10 + 9)
        run(sandboxes, "ingest", files=2)
    orders = sandboxes.ask("select * from raw.shop_orders order by all")
    schedule = sandboxes.event("maintain")
    with StallingProxy(sandboxes.stack.info.env["LAKEHOUSE_CATALOG_URI"]) as proxy:
        proxy.hang(moment)
        kill(sandboxes, "maintain", schedule, proxy, LAKEHOUSE_CATALOG_URI=proxy.url)
    sandboxes.call("maintain", schedule)
    assert sandboxes.ask("select * from raw.shop_orders order by all") == orders


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_webhook_whose_function_is_killed_is_there_once_it_is_sent_again(
    sandboxes: Sandboxes, moment: Any
) -> None:
    """HubSpot got no answer and sends the same: whichever of the two was stored, its events count once."""
    number = {"before": 1, "after": 2}[moment]
    sent = sandboxes.webhook(number)
    store = sandboxes.stack.info.env["AWS_ENDPOINT_URL_S3"]
    with StallingProxy(store, lambda method, _: method == "PUT") as proxy:
        proxy.hang(moment)
        kill(sandboxes, "land", sent, proxy, AWS_ENDPOINT_URL_S3=proxy.url)
    with sandboxes.start("land") as sandbox:
        answers("land", sandbox.invoke(sent))
    run(sandboxes, "ingest")
    assert sandboxes.ask(f"select count(*) from raw.hubspot_webhooks where event_id = '{number}'") == [(1,)]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_chunk_whose_function_is_killed_is_sent_once_its_claim_is_over(
    sandboxes: Sandboxes, moment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then nobody sends it; after it the CRM has each customer's segments, and each row one outcome."""
    first = {"before": 501, "after": 601}[moment]
    fill(sandboxes, first, first + 9)
    for name in ("ingest", "resolve", "aggregate", "export_segments"):
        run(sandboxes, name, files=2)
    event = sandboxes.event("publish")
    with StallingProxy(current().hubspot_url, lambda _, path: path.endswith("/batch/upsert")) as proxy:
        proxy.hang(moment)
        kill(sandboxes, "publish", event, proxy, LAKEHOUSE_HUBSPOT_URL=proxy.url)
    bodies = {record["body"]: json.loads(record["body"]) for record in event["Records"]}
    lease_and_more = DeliveryPolicy.lease + timedelta(seconds=10)
    now = datetime.now(UTC)
    for body in bodies.values():
        deliver_message(current(), body, now + lease_and_more)  # a clock that was set forward ends no claim
    assert None in outcomes_of(bodies.values())  # what the killed function was sending: it has claimed that
    later = steady_clock.steady_seconds() + lease_and_more.total_seconds()
    monkeypatch.setattr(steady_clock, "steady_seconds", lambda: later)
    for _ in range(2):
        for body in bodies.values():
            deliver_message(current(), body, now)
    sandboxes.done("publish", event)
    newest = max(
        body["run"] for body in bodies.values()
    )  # chunks of a run that was closed since get no outcome
    ended = outcomes_of(body for body in bodies.values() if body["run"] == newest)
    assert None not in ended
    rows = [(each.run, row.customer_id, row.status) for each in ended if each for row in each.rows]
    assert {status for _, _, status in rows} == {"sent"}
    assert len(rows) == len(set(rows))


def outcomes_of(bodies: Iterable[dict[str, str]]) -> list[Outcome | None]:
    """Return what became of the chunks that messages name."""
    return [outcome(current(), body["sync"], body["run"], body["chunk"]) for body in bodies]


@pytest.mark.parametrize("name", WAY)
def test_no_error_s_text_reaches_the_log(sandboxes: Sandboxes, name: str) -> None:
    """Whatever a function raises: here its settings cannot be read, and pydantic quotes the value."""
    sent = {"land": sandboxes.webhook, "collect": sandboxes.tracked}
    event = sent[name]() if name in sent else {"Records": []} if name in QUEUES else {}
    with sandboxes.start(name, LAKEHOUSE_AS_OF=EMAIL) as sandbox:
        with pytest.raises(FunctionError) as raised:
            sandbox.invoke(event)
        log = sandbox.log()
    assert EMAIL not in log + str(raised.value.error)
    assert raised.value.error["errorType"] == "WithheldError"
    assert "ValidationError at " in raised.value.error["errorMessage"]
    assert f"reference {sandbox.request_id}" in raised.value.error["errorMessage"]
    assert sandbox.request_id in log
