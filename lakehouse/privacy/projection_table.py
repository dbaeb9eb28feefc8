"""The table of the consent projection in DynamoDB: one header, and one item a customer.

The header names the generation of items that counts. It also holds the reservation of the one writer there may be.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import aws
from lakehouse.batching import batches
from lakehouse.errors import Transient
from lakehouse.privacy.policy import RESEND_ITEMS, ProjectionPolicy
from lakehouse.retrying import resend_rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

HEADER = {"pk": {"S": "#projection"}}
WRITE_BATCH: Final = 25  # items that DynamoDB takes in one request
READ_BATCH: Final = 100  # keys, likewise
_CUSTOMER = "c#"
_LOST_CONDITION = "ConditionalCheckFailedException"


@dataclass(frozen=True, slots=True)
class Projection:
    """What the header says: the version of the truth that is projected, and the generation of items that counts.

    `valid_until` and `as_of` (when the truth was so) are Unix times in seconds.
    """

    version: str
    generation: str
    valid_until: float
    as_of: float

    def in_force(self, now: datetime) -> bool:
        """Return whether the projection still counts."""
        return self.valid_until > now.timestamp()


@dataclass(frozen=True, slots=True)
class CustomerItem:
    """What the table holds of one customer: consent ids by `<purpose>:<channel>`, valid for one generation."""

    customer_id: str
    generation: str
    consent_ids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProjectionTable:
    """The table of that name. boto3's errors pass through, but for those that the methods name."""

    name: str

    def projection(self) -> Projection | None:
        """Return what the header names, or None when there is no projection yet."""
        answer = aws.dynamodb().get_item(TableName=self.name, Key=HEADER, ConsistentRead=True)
        item = answer.get("Item", {})
        if "generation" not in item:
            return None
        return Projection(
            version=item["version"]["S"],
            generation=item["generation"]["S"],
            valid_until=float(item["valid_until"]["N"]),
            as_of=float(item["as_of"]["N"]),
        )

    def reserve_generation(self, now: datetime) -> str:
        """Become the one writer and return the new generation, a name that no other writer draws.

        Transient while another writer has the reservation.
        """
        generation = secrets.token_hex(8)
        try:
            aws.dynamodb().update_item(
                TableName=self.name,
                Key=HEADER,
                UpdateExpression="SET writing = :generation, writing_until = :until",
                ConditionExpression="attribute_not_exists(writing_until) OR writing_until < :now",
                ExpressionAttributeValues={
                    ":generation": {"S": generation},
                    ":until": {"N": _seconds(now + ProjectionPolicy.writer_lease)},
                    ":now": {"N": _seconds(now)},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == _LOST_CONDITION:
                raise Transient(
                    "another consent projection is being written; try again when it is done"
                ) from None
            raise
        return generation

    def give_up_generation(self, generation: str) -> None:
        """End the reservation without naming the generation: its items never count, another writer may begin."""
        with suppress(BotoCoreError, ClientError):  # it ends by itself, only later
            aws.dynamodb().update_item(
                TableName=self.name,
                Key=HEADER,
                UpdateExpression="REMOVE writing, writing_until",
                ConditionExpression="writing = :generation",
                ExpressionAttributeValues={":generation": {"S": generation}},
            )

    def publish_generation(self, projection: Projection, now: datetime) -> None:
        """Name the generation in the header and end the reservation: from here on, its items count.

        Transient when another writer has taken the reservation over.
        """
        try:
            aws.dynamodb().put_item(
                TableName=self.name,
                Item={
                    **HEADER,
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
            if error.response["Error"]["Code"] == _LOST_CONDITION:
                raise Transient(
                    "another consent projection has taken over; try again when it is done"
                ) from None
            raise

    def write_items(self, items: Iterable[CustomerItem], expires: datetime) -> None:
        """Write at most `WRITE_BATCH` items, which DynamoDB deletes after `expires`; Transient when it refuses them."""

        def send(requests: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
            answer = aws.dynamodb().batch_write_item(RequestItems={self.name: requests})  # type: ignore[dict-item]
            unprocessed: Sequence[Any] = answer.get("UnprocessedItems", {}).get(self.name, [])
            return unprocessed

        requests = [{"PutRequest": {"Item": _to_dynamodb(item, expires)}} for item in items]
        if resend_rejected(send, requests, RESEND_ITEMS):
            raise Transient("DynamoDB does not take the consent projection's items; try again")

    def read_items(self, customer_ids: Iterable[str]) -> tuple[list[CustomerItem], set[str]]:
        """Return the items there are of customers, and the customers that DynamoDB gave no answer for."""
        items: list[CustomerItem] = []
        unanswered: set[str] = set()

        def ask(keys: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
            request: Any = {self.name: {"Keys": keys, "ConsistentRead": True}}
            answer: Any = aws.dynamodb().batch_get_item(RequestItems=request)
            items.extend(_from_dynamodb(item) for item in answer["Responses"].get(self.name, []))
            left_over: Sequence[Any] = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            return left_over

        for batch in batches(customer_ids, count=READ_BATCH):
            keys = [{"pk": {"S": f"{_CUSTOMER}{customer}"}} for customer in batch]
            unprocessed = resend_rejected(ask, keys, RESEND_ITEMS)
            unanswered.update(key["pk"]["S"].removeprefix(_CUSTOMER) for key in unprocessed)
        return items, unanswered


def _to_dynamodb(item: CustomerItem, expires: datetime) -> dict[str, Any]:
    consent_ids = {grant: {"S": consent_id} for grant, consent_id in item.consent_ids.items()}
    return {
        "pk": {"S": f"{_CUSTOMER}{item.customer_id}"},
        "grants": {"M": consent_ids},
        "generation": {"S": item.generation},
        "expires_at": {"N": _seconds(expires)},
    }


def _from_dynamodb(item: Mapping[str, Any]) -> CustomerItem:
    consent_ids = {grant: value["S"] for grant, value in item["grants"]["M"].items()}
    return CustomerItem(item["pk"]["S"].removeprefix(_CUSTOMER), item["generation"]["S"], consent_ids)


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))
