"""The table of the consent projection in DynamoDB: one header, one item a grant, one an erased person's address.

The header names the epoch of items that counts, and up to which generation. An epoch is written whole, beside the one
before; within it, generations are differences. The header also holds the reservation of the one writer there may be.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import aws
from lakehouse.batching import batches
from lakehouse.errors import Transient
from lakehouse.privacy.policy import RESEND_ITEMS, ProjectionPolicy
from lakehouse.retrying import resend_rejected
from lakehouse.steady_clock import UNKNOWN, SteadyTime

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HEADER = {"pk": {"S": "#projection"}}
_ERASED_HEADER = {"pk": {"S": "#erasures"}}
WRITE_BATCH: Final = 25  # items that DynamoDB takes in one request
READ_BATCH: Final = 100  # keys, likewise
_LOST_CONDITION = "ConditionalCheckFailedException"


@dataclass(frozen=True, slots=True)
class Projection:
    """What the header says: the version of the truth that is projected, and which items count.

    Those of `epoch` whose generation is at most `generation`. `valid_until`, `as_of` (when the truth was so),
    `written_at` and `epoch_ends` (when the epoch's items are deleted) are Unix times in seconds. `key` is the
    fingerprint of the key that addresses are hashed with. `pending` are versions that writers have begun since, and
    perhaps not finished.
    """

    version: str
    epoch: str
    generation: int
    valid_until: float
    as_of: float
    epoch_ends: float
    key: str = ""
    written_at: float = 0.0
    pending: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return a name for what counts: another one says that other grants may."""
        return f"{self.epoch}/{self.generation}"

    def in_force(self, now: datetime) -> bool:
        """Return whether the projection counts: not when its time is over, or its items'.

        Nor when it was written in the future: the clock was set back since, and nobody knows how old it is.
        """
        from_future = self.written_at > (now + ProjectionPolicy.clock_difference).timestamp()
        return not from_future and min(self.valid_until, self.epoch_ends) > now.timestamp()


@dataclass(frozen=True, slots=True)
class GrantKey:
    """What a grant is of: a customer, the keyed hash of an address, a purpose, a channel."""

    customer_id: str
    address_hash: str
    purpose: str
    channel: str

    def of_epoch(self, epoch: str) -> dict[str, Any]:
        """Return the key of the grant's item in an epoch."""
        return {"pk": {"S": f"{epoch}#{self.customer_id}#{self.address_hash}#{self.purpose}#{self.channel}"}}


@dataclass(frozen=True, slots=True)
class Write:
    """An item to put, with the statement it leans on and the generation it counts from; to delete without one."""

    key: GrantKey
    consent_id: str | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """What the table holds of a grant."""

    consent_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class ProjectionTable:
    """The table of that name. boto3's errors pass through, but for those that the methods name."""

    name: str

    def projection(self) -> Projection | None:
        """Return what the header names, or None when there is no projection yet."""
        answer = aws.dynamodb().get_item(TableName=self.name, Key=HEADER, ConsistentRead=True)
        item = answer.get("Item", {})
        if "epoch" not in item:  # none, or that of an older version, whose items nobody reads any more
            return None
        return Projection(
            version=item["version"]["S"],
            epoch=item["epoch"]["S"],
            generation=int(item["generation"]["N"]),
            valid_until=float(item["valid_until"]["N"]),
            as_of=float(item["as_of"]["N"]),
            epoch_ends=float(item["epoch_ends"]["N"]),
            key=item["key"]["S"],
            written_at=datetime.fromisoformat(item["written_at"]["S"]).timestamp(),
            pending=tuple(version["S"] for version in item.get("pending", {}).get("L", [])),
        )

    def reserve_generation(self, now: datetime, steady: SteadyTime, version: str) -> str:
        """Become the one writer, note what is about to be written, and return the reservation's token.

        Transient while another writer has the reservation. It ends by the steady clock where both share one; by wall
        clocks alone, one that ends later than any made now would was made before the clock was set back, and counts no
        more.
        """
        lease = ProjectionPolicy.writer_lease
        token = secrets.token_hex(8)
        sets = (
            "SET writing = :token, writing_until = :until, "
            "pending = list_append(if_not_exists(pending, :none), :version)"
        )
        over = "writing_until < :now OR writing_until > :latest"
        values: dict[str, Any] = {
            ":token": {"S": token},
            ":until": {"N": _seconds(now + lease)},
            ":now": {"N": _seconds(now)},
            ":latest": {"N": _seconds(now + lease + ProjectionPolicy.clock_difference)},
            ":none": {"L": []},
            ":version": {"L": [{"S": version}]},
        }
        if steady == UNKNOWN:
            sets += " REMOVE writing_clock, writing_ends"
        else:
            sets = sets.replace("SET ", "SET writing_clock = :clock, writing_ends = :ends, ", 1)
            over = (
                "(writing_clock = :clock AND writing_ends < :steady) OR "
                f"((attribute_not_exists(writing_clock) OR writing_clock <> :clock) AND ({over}))"
            )
            values |= {
                ":clock": {"S": steady.clock},
                ":steady": {"N": str(steady.seconds)},
                ":ends": {"N": str(steady.seconds + lease.total_seconds())},
            }
        try:
            aws.dynamodb().update_item(
                TableName=self.name,
                Key=HEADER,
                UpdateExpression=sets,
                ConditionExpression=f"attribute_not_exists(writing_until) OR {over}",
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == _LOST_CONDITION:
                raise Transient(
                    "another consent projection is being written; try again when it is done"
                ) from None
            raise
        return token

    def give_up_generation(self, token: str) -> None:
        """End the reservation; what was written under it stays noted, and another writer may begin."""
        with suppress(BotoCoreError, ClientError):  # it ends by itself, only later
            aws.dynamodb().update_item(
                TableName=self.name,
                Key=HEADER,
                UpdateExpression="REMOVE writing, writing_until, writing_clock, writing_ends",
                ConditionExpression="writing = :token",
                ExpressionAttributeValues={":token": {"S": token}},
            )

    def publish_generation(self, projection: Projection, token: str, now: datetime) -> None:
        """Write the header, and with it end the reservation: from here on the generation counts.

        Transient when another writer has taken the reservation over.
        """
        try:
            aws.dynamodb().put_item(
                TableName=self.name,
                Item={
                    **HEADER,
                    "version": {"S": projection.version},
                    "epoch": {"S": projection.epoch},
                    "generation": {"N": str(projection.generation)},
                    "written_at": {"S": now.astimezone(UTC).isoformat()},
                    "valid_until": {"N": str(projection.valid_until)},
                    "as_of": {"N": str(projection.as_of)},
                    "epoch_ends": {"N": str(projection.epoch_ends)},
                    "key": {"S": projection.key},
                },
                ConditionExpression="writing = :token",
                ExpressionAttributeValues={":token": {"S": token}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == _LOST_CONDITION:
                raise Transient(
                    "another consent projection has taken over; try again when it is done"
                ) from None
            raise

    def write_items(self, writes: Sequence[Write], epoch: str, expires: datetime) -> None:
        """Put or delete at most `WRITE_BATCH` items, each key once; Transient when DynamoDB refuses them.

        What is put is deleted after `expires`.
        """
        self._send([_request(write, epoch, expires) for write in writes])

    def erased_version(self) -> str:
        """Return the version of the erasures that `write_erased` last wrote; "" for none."""
        answer = aws.dynamodb().get_item(TableName=self.name, Key=_ERASED_HEADER, ConsistentRead=True)
        return answer.get("Item", {}).get("version", {}).get("S", "")

    def write_erased(self, in_force: Iterable[str], ended: Iterable[str], version: str) -> None:
        """Note the hashes of erased people's addresses, so that the gate can say why; Transient when refused.

        None of it allows or forbids anything: who may be contacted, grants alone say.
        """
        puts = [{"PutRequest": {"Item": _erased_key(each)}} for each in in_force]
        deletes = [{"DeleteRequest": {"Key": _erased_key(each)}} for each in ended]
        for batch in batches([*puts, *deletes], count=WRITE_BATCH):
            self._send(batch)
        aws.dynamodb().put_item(TableName=self.name, Item={**_ERASED_HEADER, "version": {"S": version}})

    def read_erased(self, hashes: Iterable[str]) -> set[str]:
        """Return which of the hashes of addresses are those of erased people, as far as DynamoDB answers."""
        by_pk = {_erased_key(each)["pk"]["S"]: each for each in hashes}
        found, _ = self._get_items(by_pk)
        return {by_pk[pk] for pk in found}

    def _send(self, requests: Sequence[dict[str, Any]]) -> None:
        def send(requests: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
            answer = aws.dynamodb().batch_write_item(RequestItems={self.name: requests})  # type: ignore[dict-item]
            unprocessed: Sequence[Any] = answer.get("UnprocessedItems", {}).get(self.name, [])
            return unprocessed

        if resend_rejected(send, requests, RESEND_ITEMS):
            raise Transient("DynamoDB does not take the consent projection's items; try again")

    def read_items(self, keys: Iterable[GrantKey], epoch: str) -> tuple[dict[GrantKey, Item], set[GrantKey]]:
        """Return the items there are of grants, and the grants that DynamoDB gave no answer for."""
        by_pk = {key.of_epoch(epoch)["pk"]["S"]: key for key in keys}
        found, unanswered = self._get_items(by_pk)
        return {by_pk[pk]: _item(item) for pk, item in found.items()}, {by_pk[pk] for pk in unanswered}

    def _get_items(self, pks: Iterable[str]) -> tuple[dict[str, Any], set[str]]:
        """Return the items of these keys, and the keys that DynamoDB gave no answer for."""
        found: dict[str, Any] = {}
        unanswered: set[str] = set()

        def ask(asked: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
            request: Any = {self.name: {"Keys": asked, "ConsistentRead": True}}
            answer: Any = aws.dynamodb().batch_get_item(RequestItems=request)
            found.update((item["pk"]["S"], item) for item in answer["Responses"].get(self.name, []))
            left_over: Sequence[Any] = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            return left_over

        for batch in batches(pks, count=READ_BATCH):
            unprocessed = resend_rejected(ask, [{"pk": {"S": pk}} for pk in batch], RESEND_ITEMS)
            unanswered.update(key["pk"]["S"] for key in unprocessed)
        return found, unanswered


def _erased_key(address_hash: str) -> dict[str, Any]:
    return {"pk": {"S": f"#erased#{address_hash}"}}


def _request(write: Write, epoch: str, expires: datetime) -> dict[str, Any]:
    key = write.key.of_epoch(epoch)
    if write.consent_id is None:
        return {"DeleteRequest": {"Key": key}}
    item = {
        **key,
        "consent_id": {"S": write.consent_id},
        "generation": {"N": str(write.generation)},
        "expires_at": {"N": _seconds(expires)},
    }
    return {"PutRequest": {"Item": item}}


def _item(item: Mapping[str, Any]) -> Item:
    return Item(item["consent_id"]["S"], int(item["generation"]["N"]))


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))
