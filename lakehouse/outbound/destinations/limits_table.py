"""The limits of destinations in DynamoDB, one item a destination: what all workers have used of them.

A request takes its place by one conditional update; only what that cannot say (a new day, a pause, the first request)
is read, decided and written on the condition that nobody wrote meanwhile. The table may be lost: each destination then
begins anew. Where it cannot be asked, a worker keeps to its own part of the rate.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import aws, telemetry
from lakehouse.batching import batches
from lakehouse.outbound.destinations import limits
from lakehouse.outbound.destinations.definition import load_destinations
from lakehouse.outbound.destinations.delivery import Pace
from lakehouse.outbound.destinations.exchange import OwnLimitReached
from lakehouse.outbound.destinations.limits import Closed, Limits, Spent
from lakehouse.outbound.policy import TAKE_SLOT, LimitPolicy
from lakehouse.retrying import retry_on_conflict

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakehouse.outbound.destinations import Declared
    from lakehouse.outbound.destinations.definition import Definition, Rate
    from lakehouse.outbound.destinations.limits import Why
    from lakehouse.settings import Settings

_LOST_CONDITION = "ConditionalCheckFailedException"
_READ_BATCH: Final = 100  # keys that DynamoDB takes in one request
_MICROSECONDS: Final = 1_000_000
_PACES: Final[dict[tuple[str, Rate | None], Pace]] = {}
_MAKING_PACE: Final = Lock()
# The usual case: the day and the pause are as they were, and the next place is near.
_TAKE = "SET next_at = next_at + :apart ADD used :one"
_USUAL = "next_at BETWEEN :now AND :latest AND #day = :day AND used < :most AND closed_until < :now"


class _OvertakenError(Exception):
    """Another worker wrote the item first."""


@dataclass
class SharedLimit:
    """The limits of one destination, kept in the table of that name. `otherwise` keeps the pace without the table."""

    table: str
    destination: str
    limits: Limits
    otherwise: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _knows_failures: bool = field(default=False)

    def take(self) -> None:
        """Wait until one request may leave; raises OwnLimitReached where that is too long."""
        try:
            now, slot = self._take()
        except (BotoCoreError, ClientError, _OvertakenError) as error:
            telemetry.failed("a destination's limits cannot be asked", error, destination=self.destination)
            self.otherwise()
            return
        if slot is None:
            closed = self.closed()
            reason = closed.reason if closed else "is asked as often as it allows"
            raise OwnLimitReached(reason)
        if slot > now:
            self.sleep(slot - now)

    def closed(self) -> Closed | None:
        """Return why the destination takes nothing now; None where it does, or the table cannot be asked."""
        try:
            spent = self._read()
        except (BotoCoreError, ClientError) as error:
            telemetry.failed("a destination's limits cannot be asked", error, destination=self.destination)
            return None
        self._knows_failures = spent.failures > 0
        return limits.closed_of(spent, self.clock())

    def rest(self, why: Why, seconds: float | None = None) -> None:
        """Close the destination for so many seconds, which it asks for; for an hour where it does not say."""
        asked = LimitPolicy.quota_pause.total_seconds() if seconds is None else seconds
        until = self.clock() + min(asked, LimitPolicy.longest_pause.total_seconds())
        self._change(lambda spent: limits.close(spent, why, until))

    def failed(self) -> None:
        """Count a request that was given up; after several in a row the destination is left alone for a while."""
        self._knows_failures = True
        self._change(lambda spent: limits.after_failure(spent, self.clock()))

    def succeeded(self) -> None:
        """Forget the failures, where there were some."""
        if self._knows_failures:
            self._knows_failures = False
            self._change(lambda spent: replace(spent, failures=0))

    def _take(self) -> tuple[float, float | None]:
        """Take a place; return now, and when the request may leave; None where it may not soon."""
        now = self.clock()
        apart = self.limits.apart
        values: dict[str, Any] = {
            ":apart": _moment(apart),
            ":one": {"N": "1"},
            ":now": _moment(now),
            ":latest": _moment(now + LimitPolicy.slot_patience_seconds),
            ":day": {"S": self.limits.day(now)},
            ":most": {"N": str(self.limits.most_a_day)},
        }
        try:
            answer = aws.dynamodb().update_item(
                TableName=self.table,
                Key=self._key,
                UpdateExpression=_TAKE,
                ConditionExpression=_USUAL,
                ExpressionAttributeNames={"#day": "day"},
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
            return now, _seconds(answer["Attributes"]["next_at"]) - apart
        except ClientError as error:
            if error.response["Error"]["Code"] != _LOST_CONDITION:
                raise
        return retry_on_conflict(self._take_unusual, TAKE_SLOT, conflicts=(_OvertakenError,))

    def _take_unusual(self) -> tuple[float, float | None]:
        now, before = self.clock(), self._read()
        after, slot = limits.take(before, self.limits, now)
        self._write(before, after)
        return now, slot

    def _change(self, decide: Callable[[Spent], Spent]) -> None:
        """Write what is made of the item; what cannot be written is logged, and no error."""

        def work() -> None:
            before = self._read()
            self._write(before, decide(before))

        try:
            retry_on_conflict(work, TAKE_SLOT, conflicts=(_OvertakenError,))
        except (BotoCoreError, ClientError, _OvertakenError) as error:
            telemetry.failed("a destination's limits cannot be told", error, destination=self.destination)

    def _read(self) -> Spent:
        answer = aws.dynamodb().get_item(TableName=self.table, Key=self._key, ConsistentRead=True)
        return _spent(answer.get("Item", {}))

    def _write(self, before: Spent, after: Spent) -> None:
        if after == before:
            return
        expires = max(self.clock(), after.closed_until) + LimitPolicy.forget_after.total_seconds()
        try:
            aws.dynamodb().put_item(
                TableName=self.table,
                Item={**self._key, **_item(after), "expires_at": {"N": str(int(expires))}},
                ConditionExpression=(
                    "attribute_not_exists(pk) OR "
                    "(next_at = :next_at AND used = :used AND failures = :failures AND closed_until = :closed)"
                ),
                ExpressionAttributeValues={
                    ":next_at": _moment(before.next_at),
                    ":used": {"N": str(before.used)},
                    ":failures": {"N": str(before.failures)},
                    ":closed": _moment(before.closed_until),
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == _LOST_CONDITION:
                raise _OvertakenError from None
            raise

    @property
    def _key(self) -> dict[str, Any]:
        return {"pk": {"S": self.destination}}


def shared_limit(settings: Settings, definition: Definition, declared: Declared) -> SharedLimit:
    """Return the limits of a destination as all workers share them: its rate, and the quota that its file names."""
    quota = definition.quota
    allowed = Limits(
        rate=declared.rate,
        quota=None if quota is None else quota.requests,
        zone=settings.time_zone if quota is None else quota.zone,
    )
    with _MAKING_PACE:  # of all chunks that this process delivers at once
        pace = _PACES.setdefault((definition.name, declared.rate), Pace(declared))
    return SharedLimit(settings.limits_table, definition.name, allowed, otherwise=pace.wait)


def closed(settings: Settings, destination: str) -> Closed | None:
    """Return why a destination takes nothing now; None where it does, or nobody knows."""
    if not settings.limits_table:
        return None
    return SharedLimit(settings.limits_table, destination, Limits()).closed()


def closed_destinations(settings: Settings, now: float) -> dict[str, Closed]:
    """Return which destinations take nothing at a moment (seconds since 1970), why and until when.

    Empty where the table cannot be asked, as while a laptop's stack does not run: it is a part of a report.
    """
    names = [each.name for each in load_destinations(settings.definitions).values() if each.kind != "file"]
    found = {}
    for some in batches(sorted(names) if settings.limits_table else (), count=_READ_BATCH):
        keys: list[Any] = [{"pk": {"S": name}} for name in some]
        try:
            answer = aws.dynamodb_once().batch_get_item(RequestItems={settings.limits_table: {"Keys": keys}})
        except (BotoCoreError, ClientError):
            return {}
        for item in answer["Responses"].get(settings.limits_table, ()):
            closed_now = limits.closed_of(_spent(item), now)
            if closed_now is not None:
                found[str(item["pk"]["S"])] = closed_now
    return found


def _spent(item: dict[str, Any]) -> Spent:
    if not item:
        return Spent()
    return Spent(
        next_at=_seconds(item["next_at"]),
        day=item["day"]["S"],
        used=int(item["used"]["N"]),
        failures=int(item["failures"]["N"]),
        closed_until=_seconds(item["closed_until"]),
        closed_by=item["closed_by"]["S"],
    )


def _item(spent: Spent) -> dict[str, Any]:
    return {
        "next_at": _moment(spent.next_at),
        "day": {"S": spent.day},
        "used": {"N": str(spent.used)},
        "failures": {"N": str(spent.failures)},
        "closed_until": _moment(spent.closed_until),
        "closed_by": {"S": spent.closed_by},
    }


def _moment(seconds: float) -> dict[str, str]:
    """Return seconds as whole microseconds, which are what they are also when DynamoDB has added them up."""
    return {"N": str(round(seconds * _MICROSECONDS))}


def _seconds(value: Any) -> float:
    return int(value["N"]) / _MICROSECONDS
