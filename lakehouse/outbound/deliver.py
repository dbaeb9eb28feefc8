"""Delivering one chunk: claim it, ask the policies now, consent first, send, write what became of it.

After a crash between sending and writing, the claim stands without an outcome. When its lease is over, a
destination that is idempotent gets the rows again; any other does not, and its rows have the outcome `unknown`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import telemetry
from lakehouse.errors import LakehouseError, Transient
from lakehouse.outbound import guarded, log
from lakehouse.outbound.destinations import Answer, Destination, NothingWritten, NotSent, open_destination
from lakehouse.outbound.destinations.limits_table import closed as destination_closed
from lakehouse.outbound.policies import at_sending
from lakehouse.outbound.policy import DeliveryPolicy
from lakehouse.outbound.records import Chunk, Outcome, Result, Row
from lakehouse.outbound.turns import turn
from lakehouse.privacy import consent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lakehouse.outbound.log import Claim
    from lakehouse.outbound.policies.reasons import Reason
    from lakehouse.privacy.consent import Grants
    from lakehouse.settings import Settings


def deliver_message(settings: Settings, body: Mapping[str, str], now: datetime) -> None:
    """Deliver the chunk that a message of the publish queue names; errors are logged and raised."""
    sync, run, chunk = (str(body[field]) for field in ("sync", "run", "chunk"))
    named = {"sync": sync, "run": run, "chunk": chunk}
    telemetry.count("ChunksTaken")
    try:
        deliver(settings, sync, run, chunk, now)
    except LakehouseError as error:
        telemetry.failed("chunk not delivered", error, **named, reason=str(error))
        raise
    except Exception as error:
        telemetry.failed("chunk not delivered", error, **named)
        raise


def deliver(
    settings: Settings,
    sync: str,
    run: str,
    chunk: str,
    now: datetime,
    destination: Destination | None = None,
) -> Outcome | None:
    """Deliver a chunk unless it has been; return its outcome, or None.

    None while another worker is sending it, or while the destination has no requests left today or asks for rest, and
    for good when its run was closed: what it would have sent is in the plan of a later one. NotSent while a destination
    is left alone that has failed too often.

    Rows to write need consent for their address, the sync's purpose and channel at this moment, and where people are
    contacted, an hour and a place in the ledger of contacts. Removals do not:
    taking our own properties off a person's record contacts nobody, and must happen above all when consent is gone.
    Transient or Terminal, as the destination says, leaves the chunk open and its claim released. So does a consent
    projection that is absent, for `DeliveryPolicy.projection_patience`: Transient, and nothing is claimed.
    """
    if (done := log.outcome(settings, sync, run, chunk)) is not None:
        return done
    if log.is_closing(settings, sync, run):
        return None
    delivery = log.chunk(settings, sync, run, chunk)
    if consent.generation(settings, now) == consent.NO_PROJECTION and _is_patient(settings, delivery, now):
        raise Transient(_waits_for_projection(delivery))
    if _is_closed(settings, delivery):
        return None
    receiver = destination or open_destination(settings, delivery.destination)
    with turn(delivery.destination, receiver.declared.rate) as waited:
        if waited and (done := log.outcome(settings, sync, run, chunk)) is not None:
            return done
        return _deliver_claimed(settings, delivery, now + waited, receiver)


def _deliver_claimed(
    settings: Settings, delivery: Chunk, now: datetime, destination: Destination
) -> Outcome | None:
    """Claim a chunk and deliver it; None and errors as of `deliver`."""
    sync, run, chunk = delivery.sync, delivery.run, delivery.chunk
    claim = log.claim(settings, sync, run, chunk, now, DeliveryPolicy.lease)
    if claim is None:
        telemetry.info("chunk is being sent by another worker", sync=sync, run=run, chunk=chunk)
        return log.outcome(settings, sync, run, chunk)
    if log.is_closing(settings, sync, run):  # whoever closes it has seen this claim, or this worker sees that
        log.release(settings, sync, run, chunk, claim, nothing_left=True)
        return None
    is_repeated = log.may_be_sent(settings, sync, run, chunk, claim.attempt - 1)
    results = _attempt(settings, delivery, now, destination, claim, is_repeated)
    at_sending.conclude(settings, delivery, results)
    outcome = Outcome(sync, run, chunk, claim.attempt, now.isoformat(), results)
    standing = log.write_outcome(settings, outcome)
    _log_outcome(standing)
    return standing


def _attempt(
    settings: Settings,
    delivery: Chunk,
    now: datetime,
    destination: Destination,
    claim: Claim,
    is_repeated: bool,
) -> list[Result]:
    """Send a chunk that was claimed; `is_repeated`: an attempt before may have sent it.

    After an error the claim is released where sending again does no harm: to an idempotent destination, or because
    nothing has left.
    """
    if is_repeated and not destination.idempotent:
        return [_unsent(row, "unknown", code="NO_OUTCOME") for row in delivery.rows]
    try:
        results = _send(settings, _as_repeated(delivery) if is_repeated else delivery, now, destination)
    except Exception as error:
        nothing_left = isinstance(error, NotSent | NothingWritten)
        if nothing_left and not is_repeated:
            at_sending.withdraw_all(settings, delivery)
        if destination.idempotent or nothing_left:
            log.release(
                settings, delivery.sync, delivery.run, delivery.chunk, claim, nothing_left=nothing_left
            )
        raise
    return [_after_another_attempt(result) for result in results] if is_repeated else results


def _is_closed(settings: Settings, delivery: Chunk) -> bool:
    """Return whether a chunk waits until its destination opens again; it is announced again, and others go on."""
    closed = destination_closed(settings, delivery.destination)
    if closed is None:
        return False
    reason = f"destination {delivery.destination} {closed.reason}; the chunk stays open"
    if closed.why == "failures":
        raise NotSent(reason)
    named = {"sync": delivery.sync, "run": delivery.run, "chunk": delivery.chunk}
    telemetry.warn("chunk waits for its destination", **named, reason=reason)
    return True


def _as_repeated(delivery: Chunk) -> Chunk:
    """Return a chunk that an attempt before may have written: what its rows say counts as ours."""
    return replace(delivery, rows=[guarded.may_be_written(row) for row in delivery.rows])


def _is_patient(settings: Settings, delivery: Chunk, now: datetime) -> bool:
    """Return whether a chunk is left open because consent cannot be asked yet, as after a start.

    Not for ever: a run is planned only when the one before is done, and it may take somebody off. A chunk that takes
    somebody off is not left open at all; its other rows are withheld, and planned again once consent can be asked.
    """
    if any(row.action == "remove" for row in delivery.rows):
        return False
    waited = now - log.waiting_since(settings, delivery, now)
    return waited < DeliveryPolicy.projection_patience


def _waits_for_projection(delivery: Chunk) -> str:
    return (
        f"chunk {delivery.chunk} of run {delivery.run} of {delivery.sync} waits for the consent projection, which "
        "`resolve` writes; its rows stay in flight until then"
    )


def _send(settings: Settings, delivery: Chunk, now: datetime, destination: Destination) -> list[Result]:
    writes = [row.recipient for row in delivery.rows if row.action == "upsert"]
    grants = consent.grants(settings, writes, delivery.purpose, delivery.channel, now)
    if grants.unanswered and _is_patient(settings, delivery, now):
        raise NotSent(_waits_for_projection(delivery))
    try:
        reasons = at_sending.reasons_to_withhold(settings, delivery, grants, now)
    except (LakehouseError, BotoCoreError, ClientError) as error:
        raise NotSent("the ledger of contacts cannot be asked; nothing was sent, it goes again") from error
    due = [row for row in delivery.rows if row.row not in reasons]
    answers = destination.send(delivery, due) if due else {}
    results = []
    for row in delivery.rows:
        if row.row in reasons:
            results.append(_withheld(row, reasons[row.row]))
        else:
            results.append(_answered(row, answers, grants, now))
    return results


def _after_another_attempt(result: Result) -> Result:
    """Return a result that says that an attempt before may have written the row: its answer was lost, or it died."""
    is_missed = result.action == "upsert" and result.status in ("failed", "withheld")
    return replace(result, uncertain=True) if is_missed else result


def _answered(row: Row, answers: Mapping[int, Answer], grants: Grants, now: datetime) -> Result:
    answer = answers.get(row.row, Answer("failed", "NO_ANSWER", uncertain=True))
    consent_id = grants.consent_ids.get(row.recipient, "") if row.action == "upsert" else ""
    sent_at = now.isoformat() if answer.status in ("sent", "removed") else ""
    return Result(
        row=row.row,
        customer_id=row.customer_id,
        action=row.action,
        status=answer.status,
        code=answer.code,
        crm_id=answer.crm_id,
        consent_id=consent_id,
        sent_at=sent_at,
        uncertain=answer.uncertain,
        kept=list(answer.kept),
    )


def _withheld(row: Row, reason: Reason) -> Result:
    until = "" if reason.until is None else reason.until.isoformat()
    return replace(_unsent(row, "withheld", reason.code), by=reason.by, until=until)


def _unsent(row: Row, status: Literal["unknown", "withheld"], code: str) -> Result:
    return Result(row.row, row.customer_id, row.action, status, code)


def _log_outcome(outcome: Outcome) -> None:
    by_status = Counter(row.status for row in outcome.rows)
    counts = {status: by_status[status] for status in ("sent", "failed", "withheld")}
    telemetry.info("chunk delivered", sync=outcome.sync, run=outcome.run, chunk=outcome.chunk, **counts)
    for status, rows in counts.items():
        if rows:
            telemetry.count(f"Rows{status.capitalize()}", rows)
