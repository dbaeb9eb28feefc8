"""The consent projection: who allows what, kept where `publish` can ask at the moment of sending.

The truth is `core.consents`; this is a copy in DynamoDB that may be lost. It fails closed: without a header
that is current, and for every item that is not of the header's generation, nobody allows anything.

One item a customer (`c#<customer_id>`) and one header (`#projection`). A projection is a generation: its
items are written first and count for nothing until the header names them, which is written last. While a new
generation is being written, a customer whose item it has reached already is withheld for a moment.
"""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import aws, settings, telemetry
from lakehouse.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

T = TypeVar("T")

_HEADER = {"pk": {"S": "#projection"}}
_WRITE_BATCH = 25  # DynamoDB's own limits
_READ_BATCH = 100
_THREADS = 4
_TRIES = 6
# Longer than any function lives, so that a writer that comes back to life finds its reservation gone only
# when it is gone itself.
_WRITER_LEASE = timedelta(minutes=16)
_GRACE = timedelta(days=1)  # items outlive their header, so that none expires while it counts


@dataclass(frozen=True, slots=True)
class _Projection:
    version: str
    generation: str
    valid_until: float
    as_of: float


def allowed(customer_ids: Iterable[str], purpose: str, channel: str, now: datetime) -> dict[str, str]:
    """Return the customers who allow this purpose and channel now, with the consent row each leans on.

    Empty when the projection is absent, stale or cannot be read: no consent row, no delivery.
    """
    try:
        projection = _current()
        if projection is None or projection.valid_until <= now.timestamp():
            telemetry.warn("consent projection absent or stale; everything is withheld")
            return {}
        items = list(_read(sorted(set(customer_ids))))
    except (BotoCoreError, ClientError) as error:
        telemetry.failed("consent projection cannot be read; everything is withheld", error)
        return {}
    grant = f"{purpose}:{channel}"
    return {
        item["pk"]["S"].removeprefix("c#"): item["grants"]["M"][grant]["S"]
        for item in items
        if item["generation"]["S"] == projection.generation and grant in item["grants"]["M"]
    }


def generation(now: datetime) -> str:
    """Return a name for the projection in force ("none": there is none); each writing has one of its own."""
    try:
        projection = _current()
    except (BotoCoreError, ClientError) as error:
        telemetry.failed("consent projection cannot be read", error)
        return "none"
    if projection is None or projection.valid_until <= now.timestamp():
        return "none"
    return projection.generation


def project(
    rows: Iterable[tuple[str, str, str, str]],
    version: str,
    now: datetime,
    max_age: timedelta | None = None,
    as_of: datetime | None = None,
) -> bool:
    """Write who allows what as of `version` of the truth; return False when that, or a later one, stands.

    `rows` are the grants in force: (customer_id, purpose, channel, consent_id). `as_of` is when the truth was
    as the rows tell it (its commit; default `now`): a slow writer with an older truth never undoes a newer
    withdrawal. The projection is valid for `max_age` (default: the setting `consent_max_age_hours`) and is
    written anew once half of it has passed. Transient when another writer is at it, or DynamoDB refuses.
    """
    max_age = max_age or timedelta(hours=settings.current().consent_max_age_hours)
    truth = (as_of or now).timestamp()
    if _stands(_current(), version, now + max_age / 2, truth):
        return False
    number = _reserve(now)
    try:
        if _stands(_current(), version, now + max_age / 2, truth):
            _give_up(number)
            return False
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(_write, _batches(_items(rows, number, now + max_age + _GRACE), _WRITE_BATCH)))
    except Exception:
        _give_up(number)
        raise
    _name(_Projection(version, number, (now + max_age).timestamp(), truth), now)
    return True


def _stands(current: _Projection | None, version: str, renew_at: datetime, truth: float) -> bool:
    """Decide whether the current projection needs no writing: it tells the same for long, or it is newer."""
    if current is None:
        return False
    return current.as_of > truth or (
        current.version == version and current.valid_until > renew_at.timestamp()
    )


def _items(
    rows: Iterable[tuple[str, str, str, str]], number: str, expires: datetime
) -> Iterator[dict[str, Any]]:
    grants: dict[str, dict[str, Any]] = {}
    for customer_id, purpose, channel, consent_id in rows:
        grants.setdefault(customer_id, {})[f"{purpose}:{channel}"] = {"S": consent_id}
    common = {"generation": {"S": number}, "expires_at": {"N": _seconds(expires)}}
    for customer_id, granted in grants.items():
        yield {"pk": {"S": f"c#{customer_id}"}, "grants": {"M": granted}, **common}


def _current() -> _Projection | None:
    """Return what the header names, or None when there is no projection yet."""
    table = settings.current().consent_table
    item = aws.dynamodb().get_item(TableName=table, Key=_HEADER, ConsistentRead=True).get("Item", {})
    if "generation" not in item:
        return None
    until, as_of = float(item["valid_until"]["N"]), float(item["as_of"]["N"])
    return _Projection(item["version"]["S"], item["generation"]["S"], until, as_of)


def _reserve(now: datetime) -> str:
    """Become the one writer and return the new generation, a name that no other writer draws."""
    generation = secrets.token_hex(8)
    try:
        aws.dynamodb().update_item(
            TableName=settings.current().consent_table,
            Key=_HEADER,
            UpdateExpression="SET writing = :generation, writing_until = :until",
            ConditionExpression="attribute_not_exists(writing_until) OR writing_until < :now",
            ExpressionAttributeValues={
                ":generation": {"S": generation},
                ":until": {"N": _seconds(now + _WRITER_LEASE)},
                ":now": {"N": _seconds(now)},
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise Transient(
                "another consent projection is being written; try again when it is done"
            ) from None
        raise
    return generation


def _give_up(generation: str) -> None:
    """End the reservation without naming the generation: its items never count, another writer may begin."""
    with suppress(BotoCoreError, ClientError):  # it ends by itself, only later
        aws.dynamodb().update_item(
            TableName=settings.current().consent_table,
            Key=_HEADER,
            UpdateExpression="REMOVE writing, writing_until",
            ConditionExpression="writing = :generation",
            ExpressionAttributeValues={":generation": {"S": generation}},
        )


def _name(projection: _Projection, now: datetime) -> None:
    """Name the generation in the header and end the reservation: from here on, its items count."""
    try:
        aws.dynamodb().put_item(
            TableName=settings.current().consent_table,
            Item={
                **_HEADER,
                "version": {"S": projection.version},
                "generation": {"S": projection.generation},
                "written_at": {"S": now.astimezone(UTC).isoformat()},
                "valid_until": {"N": str(projection.valid_until)},
                "as_of": {"N": str(projection.as_of)},
            },
            ConditionExpression="writing = :generation",
            ExpressionAttributeValues={":generation": {"S": projection.generation}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise Transient("another consent projection has taken over; try again when it is done") from None
        raise


def _write(items: list[dict[str, Any]]) -> None:
    table = settings.current().consent_table
    left: Any = {table: [{"PutRequest": {"Item": item}} for item in items]}
    for attempt in range(_TRIES):
        left = aws.dynamodb().batch_write_item(RequestItems=left).get("UnprocessedItems")
        if not left:
            return
        time.sleep(0.05 * 2**attempt)
    raise Transient("DynamoDB does not take the consent projection's items; try again")


def _read(customer_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the items there are; a customer that DynamoDB does not answer for stays without one."""
    table = settings.current().consent_table
    for batch in _batches(customer_ids, _READ_BATCH):
        keys = [{"pk": {"S": f"c#{customer}"}} for customer in batch]
        left: Any = {table: {"Keys": keys, "ConsistentRead": True}}
        for attempt in range(_TRIES):
            answer = aws.dynamodb().batch_get_item(RequestItems=left)
            yield from answer["Responses"].get(table, [])
            left = answer.get("UnprocessedKeys")
            if not left:
                break
            time.sleep(0.05 * 2**attempt)


def _batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    batch: list[T] = []
    for thing in things:
        batch.append(thing)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))
