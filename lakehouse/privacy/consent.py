"""The consent projection: who allows what, kept where `publish` can ask at the moment of sending.

The truth is `core.consents`; this is a copy in DynamoDB that may be lost. It fails closed: without a header
that is current, and for every item that is not of the header's generation, nobody allows anything.

One item a customer (`c#<customer_id>`) and one header (`#projection`). A projection is a generation: its
items are written first and count for nothing until the header names them, which is written last. While a new
generation is being written, a customer whose item it has reached already is withheld for a moment.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lakehouse import telemetry
from lakehouse.batching import batches
from lakehouse.privacy.policy import ProjectionPolicy
from lakehouse.privacy.projection_table import WRITE_BATCH, CustomerItem, Projection, ProjectionTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from lakehouse.settings import Settings

NO_PROJECTION = "none"


@dataclass(frozen=True, slots=True)
class Grants:
    """Who of some customers allows one purpose by one channel.

    `consent_ids` has the consent row that each of them leans on. `unanswered` are customers of whom nothing is known:
    the projection is absent or stale, or DynamoDB did not answer. Who is in neither allows nothing.
    """

    consent_ids: Mapping[str, str] = field(default_factory=dict)
    unanswered: frozenset[str] = frozenset()


def grants(
    settings: Settings, customer_ids: Iterable[str], purpose: str, channel: str, now: datetime
) -> Grants:
    """Return which of the customers allow this purpose and channel now. Without a projection in force nobody does."""
    asked = frozenset(customer_ids)
    table = ProjectionTable(settings.consent_table)
    try:
        projection = table.projection()
        if projection is None or not projection.in_force(now):
            telemetry.warn("consent projection absent or stale; everything is withheld")
            return Grants(unanswered=asked)
        items, unanswered = table.read_items(sorted(asked))
    except (BotoCoreError, ClientError) as error:
        telemetry.failed("consent projection cannot be read; everything is withheld", error)
        return Grants(unanswered=asked)
    grant = _grant(purpose, channel)
    current = [item for item in items if item.generation == projection.generation]
    consent_ids = {item.customer_id: item.consent_ids[grant] for item in current if grant in item.consent_ids}
    return Grants(consent_ids, frozenset(unanswered))


def generation(settings: Settings, now: datetime) -> str:
    """Return a name for the projection in force (`NO_PROJECTION`: there is none); each writing has one of its own."""
    try:
        projection = ProjectionTable(settings.consent_table).projection()
    except (BotoCoreError, ClientError) as error:
        telemetry.failed("consent projection cannot be read", error)
        return NO_PROJECTION
    if projection is None or not projection.in_force(now):
        return NO_PROJECTION
    return projection.generation


def project(
    settings: Settings,
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
    written anew once a share of it has passed. Transient when another writer is at it, or DynamoDB refuses.
    """
    max_age = max_age or timedelta(hours=settings.consent_max_age_hours)
    table = ProjectionTable(settings.consent_table)
    truth = (as_of or now).timestamp()
    if not must_write(table.projection(), version, truth, now, max_age):
        return False
    generation = table.reserve_generation(now)
    try:
        if not must_write(table.projection(), version, truth, now, max_age):
            table.give_up_generation(generation)
            return False
        _write_items(table, _items(rows, generation), now + max_age + ProjectionPolicy.grace)
    except Exception:
        table.give_up_generation(generation)
        raise
    table.publish_generation(Projection(version, generation, (now + max_age).timestamp(), truth), now)
    return True


def must_write(
    current: Projection | None, version: str, truth: float, now: datetime, max_age: timedelta
) -> bool:
    """Decide whether a truth, as it was at the Unix time `truth`, has to be projected.

    Not when a newer one stands, and not when the same one stands and is fresh enough.
    """
    if current is None:
        return True
    if current.as_of > truth:
        return False
    refresh_at = now + max_age * (1 - ProjectionPolicy.refresh_after_share)
    return current.version != version or not current.in_force(refresh_at)


def _write_items(table: ProjectionTable, items: Iterable[CustomerItem], expires: datetime) -> None:
    with ThreadPoolExecutor(ProjectionPolicy.writer_threads) as pool:
        list(pool.map(lambda batch: table.write_items(batch, expires), batches(items, count=WRITE_BATCH)))


def _items(rows: Iterable[tuple[str, str, str, str]], generation: str) -> Iterator[CustomerItem]:
    """Yield one item a customer, with all that the customer grants."""
    consent_ids: dict[str, dict[str, str]] = {}
    for customer_id, purpose, channel, consent_id in rows:
        consent_ids.setdefault(customer_id, {})[_grant(purpose, channel)] = consent_id
    for customer_id, granted in consent_ids.items():
        yield CustomerItem(customer_id, generation, granted)


def _grant(purpose: str, channel: str) -> str:
    return f"{purpose}:{channel}"
