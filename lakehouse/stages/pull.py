"""Pulls what changed in a CRM: asks for it by when it changed, lands it as raw files, then remembers how far it came.

A file is durable before the cursor says so. Whatever ends a pull, the next one begins where the last cursor stands, and
lands again at most what that does not know; loading the same version twice changes nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from lakehouse import objects, telemetry
from lakehouse.batching import batches
from lakehouse.definitions import nearest
from lakehouse.errors import Terminal
from lakehouse.outbound.destinations import Declared, open_destination
from lakehouse.outbound.destinations import hubspot as hubspot_destination
from lakehouse.outbound.destinations.definition import HUBSPOT, Rate, load_destinations
from lakehouse.outbound.destinations.delivery import Pace
from lakehouse.outbound.destinations.exchange import Refused
from lakehouse.outbound.destinations.salesforce import Salesforce
from lakehouse.pulls import hubspot, salesforce
from lakehouse.pulls.changes import Changed, Cursor, csv_of, file_key, unseen
from lakehouse.pulls.policy import PullPolicy
from lakehouse.sources import definition as sources
from lakehouse.sources.headers import normal

if TYPE_CHECKING:
    from lakehouse.settings import Settings

ENTITIES: Final = {"hubspot": ("contacts",), "salesforce": tuple(salesforce.OBJECTS)}
_FROM_THE_START: Final = "delete it, and all is pulled again, which does no harm"


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull landed: records in files, by key; `through` (ISO-8601) is the last change known, "" for none."""

    source_key: str
    records: int
    files: list[str]
    through: str


@dataclass(frozen=True, slots=True)
class _Feed:
    """Changes of one kind. `is_ordered`: they come in the order in which they were made."""

    name: str
    changes: Callable[[int], Iterable[Changed]]
    is_ordered: bool = True


def pull(
    settings: Settings, system: str, entity: str, now: Callable[[], datetime], destination: str = ""
) -> Pulled:
    """Land what changed in a CRM since the last pull; `destination` is which Salesforce organisation, of several.

    Terminal for a system or an entity that cannot be pulled, and where a person must act; Transient when it may work
    later. What was landed until then stays, and is known.
    """
    if entity not in ENTITIES.get(system, ()):
        known = [f"{one} {each}" for one, entities in ENTITIES.items() for each in entities]
        raise Terminal(f"{system} {entity} cannot be pulled; what can be: {', '.join(known)}")
    source_key = f"{system}/{entity}"
    wanted = _wanted(settings, source_key)
    try:
        headers, feeds = (
            _hubspot(settings, wanted)
            if system == "hubspot"
            else _salesforce(settings, entity, destination, wanted)
        )
        files = [
            (key, count) for feed in feeds for key, count in _land(settings, source_key, headers, feed, now)
        ]
    except Refused as refused:
        raise Terminal(f"{system} refuses to be asked for {entity} ({refused.code})") from None
    through = max(_cursor(settings, source_key, feed.name).through for feed in feeds)
    pulled = Pulled(source_key, sum(count for _, count in files), [key for key, _ in files], _iso(through))
    telemetry.info("changes pulled", stage=source_key, rows=pulled.records, count=len(files))
    return pulled


def _land(
    settings: Settings, source_key: str, headers: list[str], feed: _Feed, now: Callable[[], datetime]
) -> Iterable[tuple[str, int]]:
    """Land a feed's changes; yield each file's key and its records. The cursor is written after the file it knows of.

    Of a feed without order it is written once all is landed: a later file may hold an earlier change.
    """
    cursor = before = _cursor(settings, source_key, feed.name)
    for batch in batches(unseen(feed.changes(before.start), before), count=PullPolicy.file_rows):
        body = csv_of(headers, batch)
        key = file_key(source_key, body, now())
        objects.put_unless_there(settings.landing_bucket, key, body, "text/csv")
        cursor = cursor.after(batch)
        if feed.is_ordered:
            _write_cursor(settings, source_key, feed.name, cursor)
        yield key, len(batch)
    if not feed.is_ordered and cursor != before:
        _write_cursor(settings, source_key, feed.name, cursor)


def _wanted(settings: Settings, source_key: str) -> Callable[[str], bool]:
    """Return whether a header is one that the source reads: nothing else is asked for."""
    source = sources.load(settings.definitions).get(tuple(source_key.split("/")))  # type: ignore[arg-type]
    if source is None:
        raise Terminal(f"no source definition reads {source_key}: it would be pulled for nobody")
    known = {normal(name) for column in source.columns if not column.dropped for name in column.names}
    return lambda header: normal(header) in known


def _hubspot(settings: Settings, wanted: Callable[[str], bool]) -> tuple[list[str], list[_Feed]]:
    account = hubspot_destination.open_destination(settings, HUBSPOT)
    api = account.api
    rate = Rate(requests=round(PullPolicy.hubspot_requests_a_second * 10), seconds=10)
    pace = Pace(Declared(1, rate, idempotent=True, removal="none"), workers=1)

    def search(body: dict[str, Any]) -> dict[str, Any]:
        pace.wait()
        return api.post("/search", body, _deadline()).value

    contacts = hubspot.Contacts(search, lambda path, query: api.get(path, query, _deadline()).value, wanted)
    feeds = [
        _Feed("changed", contacts.changed),
        _Feed("archived", lambda _: contacts.archived(), is_ordered=False),
    ]
    return contacts.headers, feeds


def _salesforce(
    settings: Settings, entity: str, destination: str, wanted: Callable[[str], bool]
) -> tuple[list[str], list[_Feed]]:
    organisations = [
        each.name for each in load_destinations(settings.definitions).values() if each.kind == "salesforce"
    ]
    if destination and destination not in organisations:
        raise Terminal(f"no organisation is called {destination!r}{nearest(destination, organisations)}")
    if not destination and len(organisations) != 1:
        many = f"say which: {', '.join(sorted(organisations))}" if organisations else "a destination names it"
        raise Terminal(f"which Salesforce organisation is not known; {many}")
    organisation = open_destination(settings, destination or organisations[0])
    if not isinstance(organisation, Salesforce):
        raise TypeError(f"{destination} is no organisation")
    records = salesforce.Records(
        lambda path, query: organisation.get(path, query, _deadline()), salesforce.OBJECTS[entity], wanted
    )
    return records.headers, [_Feed("changed", records.changed)]


def _cursor(settings: Settings, source_key: str, feed: str) -> Cursor:
    key = _cursor_key(source_key, feed)
    return objects.get_json(settings.ops_bucket, key, Cursor.from_json, _FROM_THE_START) or Cursor()


def _write_cursor(settings: Settings, source_key: str, feed: str, cursor: Cursor) -> None:
    objects.put(settings.ops_bucket, _cursor_key(source_key, feed), json.dumps(cursor.to_json()).encode())


def _cursor_key(source_key: str, feed: str) -> str:
    return f"pulls/{source_key}/{feed}.json"


def _deadline() -> float:
    return time.monotonic() + PullPolicy.request_seconds


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat() if at else ""
