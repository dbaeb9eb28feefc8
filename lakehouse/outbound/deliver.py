"""Delivering one chunk: claim it, ask for consent now, send, write what became of it.

After a crash between sending and writing, the claim stands without an outcome. When its lease is over, a
destination that is idempotent gets the rows again; any other does not, and its rows are told as `unknown`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from lakehouse import telemetry
from lakehouse.errors import LakehouseError
from lakehouse.outbound import log
from lakehouse.outbound.destinations import Answer, Destination, open_destination
from lakehouse.outbound.records import Chunk, Outcome, Result, Row
from lakehouse.privacy import consent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

# Longer than `publish` may run (120 s) and a destination may take, shorter than the queue hides a message.
LEASE = timedelta(seconds=150)


def deliver_message(body: Mapping[str, str], now: datetime) -> None:
    """Deliver the chunk that a message of the publish queue names; errors are logged and go on."""
    sync, run, chunk = (str(body[field]) for field in ("sync", "run", "chunk"))
    named = {"sync": sync, "run": run, "chunk": chunk}
    telemetry.count("ChunksTaken")
    try:
        deliver(sync, run, chunk, now)
    except LakehouseError as error:
        telemetry.failed("chunk not delivered", error, **named, reason=str(error))
        raise
    except Exception as error:
        telemetry.failed("chunk not delivered", error, **named)
        raise


def deliver(
    sync: str, run: str, chunk: str, now: datetime, destination: Destination | None = None
) -> Outcome | None:
    """Deliver a chunk unless it has been; return its outcome, or None while another worker is sending it.

    Rows to write need consent for the sync's purpose and channel at this moment. Removals do not: taking our
    own properties off a person's record contacts nobody, and must happen above all when consent is gone.
    Transient or Terminal, as the destination says, leaves the chunk open and its claim released.
    """
    if (done := log.outcome(sync, run, chunk)) is not None:
        return done
    work = log.chunk(sync, run, chunk)
    destination = destination or open_destination(work.destination)
    claim = log.claim(sync, run, chunk, now, LEASE)
    if claim is None:
        telemetry.info("chunk is being sent by another worker", sync=sync, run=run, chunk=chunk)
        return log.outcome(sync, run, chunk)
    if claim.attempt > 1 and not destination.idempotent:
        results = [_result(row, "unknown", code="NO_OUTCOME") for row in work.rows]
    else:
        try:
            results = _send(work, now, destination)
        except Exception:
            if destination.idempotent:
                log.release(sync, run, chunk, claim, now)
            raise
    outcome = log.write_outcome(Outcome(sync, run, chunk, claim.attempt, now.isoformat(), results))
    _tell(outcome)
    return outcome


def _send(work: Chunk, now: datetime, destination: Destination) -> list[Result]:
    writes = [row for row in work.rows if row.action == "upsert"]
    leans_on = consent.allowed([row.customer_id for row in writes], work.purpose, work.channel, now)
    due = [row for row in work.rows if row.action == "remove" or row.customer_id in leans_on]
    answers = destination.send(work, due) if due else {}
    return [_settle(row, due, answers, leans_on, now) for row in work.rows]


def _settle(
    row: Row, due: list[Row], answers: Mapping[int, Answer], leans_on: Mapping[str, str], now: datetime
) -> Result:
    if row not in due:
        return _result(row, "withheld", code="consent")
    answer = answers.get(row.row, Answer("failed", "NO_ANSWER"))
    consent_id = leans_on[row.customer_id] if row.action == "upsert" else ""
    sent_at = "" if answer.status == "failed" else now.isoformat()
    return Result(
        row=row.row,
        customer_id=row.customer_id,
        action=row.action,
        status=answer.status,
        code=answer.code,
        crm_id=answer.crm_id,
        consent_id=consent_id,
        sent_at=sent_at,
    )


def _result(row: Row, status: Literal["unknown", "withheld"], code: str) -> Result:
    return Result(row.row, row.customer_id, row.action, status, code)


def _tell(outcome: Outcome) -> None:
    counts = {
        status: sum(1 for row in outcome.rows if row.status == status)
        for status in ("sent", "failed", "withheld")
    }
    telemetry.info("chunk delivered", sync=outcome.sync, run=outcome.run, chunk=outcome.chunk, **counts)
    for status, number in counts.items():
        if number:
            telemetry.count(f"Rows{status.capitalize()}", number)
