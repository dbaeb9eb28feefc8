"""Asking the consent projection at the moment of sending: who allows what, at which address.

The truth is `core.consent_answers`; the projection is a copy in DynamoDB that may be lost. It fails closed: without a
header that is current, and for every grant that has no item which counts, nobody allows anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import telemetry
from lakehouse.errors import LakehouseError
from lakehouse.privacy.address_hash import address_hasher
from lakehouse.privacy.projection_table import GrantKey, ProjectionTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from lakehouse.privacy.projection_table import Projection
    from lakehouse.settings import Settings

NO_PROJECTION = "none"
Recipient = tuple[str, str]  # customer id, and the address in its normal form


@dataclass(frozen=True, slots=True)
class Grants:
    """Which of some customers allow one purpose by one channel, each at one address.

    `consent_ids` has the statement in `core.consents` that each of them leans on. Of those `unanswered` nothing is
    known: the projection is absent, stale or just being written, or DynamoDB did not answer. Who is in neither allows
    nothing; of those `erased` because the person at that address was.
    """

    consent_ids: Mapping[Recipient, str] = field(default_factory=dict)
    unanswered: frozenset[Recipient] = frozenset()
    erased: frozenset[Recipient] = frozenset()


def grants(
    settings: Settings, recipients: Iterable[Recipient], purpose: str, channel: str, now: datetime
) -> Grants:
    """Return which of the customers allow this now, at these addresses. Without a projection in force nobody does."""
    asked = frozenset(recipients)
    table = ProjectionTable(settings.consent_table)
    try:
        hasher = address_hasher(settings)
        projection = table.projection()
        if projection is None or not projection.in_force(now) or projection.key != hasher.fingerprint:
            telemetry.warn("consent projection absent or stale; everything is withheld")
            return Grants(unanswered=asked)
        keys = {
            (customer_id, address): GrantKey(customer_id, hasher.hash(address), purpose, channel)
            for customer_id, address in sorted(asked)
        }
        return _ask(table, projection, keys)
    except (BotoCoreError, ClientError, LakehouseError) as error:
        telemetry.failed("consent projection cannot be read; everything is withheld", error)
        return Grants(unanswered=asked)


def _ask(table: ProjectionTable, projection: Projection, keys: Mapping[Recipient, GrantKey]) -> Grants:
    """Return what the projection in force says of each recipient's grant."""
    found, without_answer = table.read_items(keys.values(), projection.epoch)
    consent_ids, unanswered, refused = {}, set(), {}
    for recipient, key in keys.items():
        item = found.get(key)
        if key in without_answer or (item is not None and item.generation > projection.generation):
            unanswered.add(recipient)
        elif item is not None:
            consent_ids[recipient] = item.consent_id
        else:
            refused[recipient] = key.address_hash
    erased = table.read_erased(refused.values())
    of_erased = (recipient for recipient, address_hash in refused.items() if address_hash in erased)
    return Grants(consent_ids, frozenset(unanswered), frozenset(of_erased))


def generation(settings: Settings, now: datetime) -> str:
    """Return a name for the projection in force (`NO_PROJECTION`: there is none); another one has other grants."""
    try:
        projection: Projection | None = ProjectionTable(settings.consent_table).projection()
    except (BotoCoreError, ClientError) as error:
        telemetry.failed("consent projection cannot be read", error)
        return NO_PROJECTION
    if projection is None or not projection.in_force(now):
        return NO_PROJECTION
    return projection.name
