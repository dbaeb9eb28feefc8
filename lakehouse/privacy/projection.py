"""Writing the consent projection: differences to what it holds, refusals first, counted from one header on.

What a new truth grants besides gets the next generation, and counts for nothing until the header names that. What it
grants no longer is deleted at once. So whoever is allowed before and after stays allowed throughout, whoever is allowed
by neither never is, and a writer's death changes nothing of both: the next one compares with what the dead one may have
written, too. Where there is nothing to compare with, everything is written anew, as another epoch beside the old one.
"""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, Protocol

from lakehouse import telemetry
from lakehouse.batching import batches
from lakehouse.errors import Transient
from lakehouse.privacy.address_hash import address_hasher
from lakehouse.privacy.policy import ProjectionPolicy
from lakehouse.privacy.projection_table import WRITE_BATCH, GrantKey, Projection, ProjectionTable, Write
from lakehouse.steady_clock import read_steady, steady_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lakehouse.privacy.address_hash import AddressHasher
    from lakehouse.settings import Settings

Plan = Literal["nothing", "header", "differences", "whole"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A grant that a truth has, or has no longer.

    `consent_id` is the statement it leans on, None where it is gone. `counted` says that the projection grants it
    already. Those of one `phase` are written before those of the next.
    """

    phase: int
    customer_id: str
    address: str
    purpose: str
    channel: str
    consent_id: str | None
    counted: bool = False


class Truth(Protocol):
    """What is to be projected."""

    @property
    def version(self) -> str:
        """Return a name of it, another one for other grants."""

    @property
    def as_of(self) -> datetime:
        """Return since when it is so: a slow writer with an older truth never undoes a newer withdrawal."""

    def grants(self) -> Iterator[Difference]:
        """Yield all grants."""

    def differences(self, bases: Sequence[str]) -> Iterator[Difference] | None:
        """Yield what differs from these versions, by phase; None where one of them is there no longer.

        The first is projected; what any of the others grants may be in the table besides.
        """


def project(settings: Settings, truth: Truth, now: datetime, max_age: timedelta | None = None) -> bool:
    """Write who allows what; return False when nothing was to be written: this truth, or a later one, stands.

    The projection is valid for `max_age` (default: the setting `consent_max_age_hours`), which is renewed once a share
    of it has passed. Transient when another writer is at it, or DynamoDB refuses.
    """
    max_age = max_age or timedelta(hours=settings.consent_max_age_hours)
    table, hasher = ProjectionTable(settings.consent_table), address_hasher(settings)
    if plan_projection(table.projection(), truth, hasher.fingerprint, now, max_age) == "nothing":
        return False
    token = table.reserve_generation(now, read_steady(settings), truth.version)
    try:
        current = table.projection()
        plan = plan_projection(without_own(current), truth, hasher.fingerprint, now, max_age)
        if plan == "nothing":
            table.give_up_generation(token)
            return False
        projected = _write(table, current, truth, hasher, plan, now)
    except Exception:
        table.give_up_generation(token)
        raise
    valid_until = (now + max_age).timestamp()
    table.publish_generation(
        replace(projected, valid_until=valid_until, as_of=truth.as_of.timestamp()), token, now
    )
    return True


def without_own(current: Projection | None) -> Projection | None:
    """Return the header as it was before this writer noted its own version, the last one."""
    return None if current is None else replace(current, pending=current.pending[:-1])


def plan_projection(
    current: Projection | None, truth: Truth, key: str, now: datetime, max_age: timedelta
) -> Plan:
    """Decide what has to be written of a truth: nothing when a newer one stands, or the same one is fresh enough.

    Everything where nothing stands, the key is another one, or the items would not live as long as the header.
    """
    if current is None or current.key != key or current.epoch_ends <= (now + max_age).timestamp():
        return "whole"
    if current.as_of > truth.as_of.timestamp():
        return "nothing"
    if current.version != truth.version or current.pending:
        return "differences"
    refresh_at = now + max_age * (1 - ProjectionPolicy.refresh_after_share)
    return "nothing" if current.in_force(now) and current.in_force(refresh_at) else "header"


def _write(
    table: ProjectionTable,
    current: Projection | None,
    truth: Truth,
    hasher: AddressHasher,
    plan: Plan,
    now: datetime,
) -> Projection:
    """Write the items that a plan asks for; return the header that makes them count."""
    if current is not None and plan == "header":
        return replace(current, pending=())
    if current is not None and plan == "differences":
        bases = list(dict.fromkeys([current.version, *current.pending[:-1]]))
        differences = truth.differences(bases)
        if differences is not None:
            following = current.generation + 1
            written = _write_items(table, current, differences, hasher, following)
            generation = following if written else current.generation
            return replace(current, version=truth.version, generation=generation, pending=())
        telemetry.warn("consent projection written whole: what it was written from is gone")
    epoch_ends = (now + ProjectionPolicy.epoch_age).timestamp()
    begun = Projection(truth.version, secrets.token_hex(4), 1, 0.0, 0.0, epoch_ends, hasher.fingerprint)
    _write_items(table, begun, truth.grants(), hasher, 1)
    return begun


def _write_items(
    table: ProjectionTable,
    header: Projection,
    differences: Iterable[Difference],
    hasher: AddressHasher,
    generation: int,
) -> int:
    """Write differences phase by phase, several batches at once; return how many there were.

    Transient when it takes longer than the reservation lasts: another writer may have begun.
    """
    deadline = steady_seconds() + ProjectionPolicy.writer_lease.total_seconds()
    expires = datetime.fromtimestamp(header.epoch_ends, UTC) + ProjectionPolicy.grace
    at_once = WRITE_BATCH * ProjectionPolicy.writer_threads
    count = 0
    with ThreadPoolExecutor(ProjectionPolicy.writer_threads) as pool:
        for _, of_phase in groupby(differences, attrgetter("phase")):
            for window in batches(of_phase, count=at_once):
                if steady_seconds() > deadline:
                    raise Transient("writing the consent projection took too long; try again")
                writes = [_item(difference, hasher, generation) for difference in window]
                parts = batches(writes, count=WRITE_BATCH)
                list(pool.map(lambda part: table.write_items(part, header.epoch, expires), parts))
                count += len(writes)
    return count


def _item(difference: Difference, hasher: AddressHasher, generation: int) -> Write:
    key = GrantKey(
        difference.customer_id, hasher.hash(difference.address), difference.purpose, difference.channel
    )
    return Write(key, difference.consent_id, 0 if difference.counted else generation)
