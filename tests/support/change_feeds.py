"""What a source did to its records, how it tells of it, and plain models of what should be known of them by then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from lakehouse.sources.definition import parse

START = datetime(2026, 1, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
COLUMNS = """
  - {name: sku, from: sku, required: true, doc: "SKU"}
  - {name: title, from: title, doc: "Title"}
  - {name: changed, from: changed, type: timestamptz, doc: "Changed"}
  - {name: size, from: size, allowed: ["1"], doc: "What some rows have wrong"}
"""
FEED_YAML = f"""
source: feed
entity: products
doc: Changes with what was done
grain: one row a change
format: csv
key: [sku]
columns:{COLUMNS}
  - {{name: op, from: op, doc: "I, U or D"}}
  - {{name: position, from: position, type: long, doc: "Position in the log"}}
core:
  products: {{product_id: sku, name: title, updated_at: changed, sequence: position, deleted: op = 'D'}}
  prices: {{price_id: sku, kind: title, updated_at: changed, sequence: position, deleted: op = 'D'}}
"""
FULL_YAML = f"""
source: full
entity: products
doc: All there are
grain: one row a record of an export
format: csv
key: [sku]
full_export: {{held_above: 0.5}}
columns:{COLUMNS}
core:
  products: {{product_id: sku, name: title, updated_at: changed}}
  prices: {{price_id: sku, kind: title, updated_at: changed}}
"""
FEED, FULL = parse(FEED_YAML, "feed_products.yaml"), parse(FULL_YAML, "full_products.yaml")


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


class Change(NamedTuple):
    """What a source did to a record: its new title, or None when it deleted it. `position` orders one instant."""

    sku: str
    minute: int
    position: int
    title: str | None


class Version(NamedTuple):
    """A title that a record had, and when."""

    sku: str
    title: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True)
class Export:
    """A full export: when it was loaded, and the title and date of change of each record that it lists.

    `unread` rows could not be loaded.
    """

    minute: int
    listed: Mapping[str, tuple[str, int | None]]
    unread: int = 0


# --- the models


def current(changes: Iterable[Change]) -> dict[str, str]:
    """Return the records as they stand after all changes: a dict, written to and deleted from in the source's order."""
    records: dict[str, str] = {}
    for change in sorted(changes, key=lambda change: (change.minute, change.position)):
        if change.title is None:
            records.pop(change.sku, None)
        else:
            records[change.sku] = change.title
    return records


def history(changes: Iterable[Change]) -> list[Version]:
    """Return every title that a record kept for a while, in order."""
    ordered = sorted(changes, key=lambda change: (change.sku, change.minute, change.position))
    return _versions([(change.sku, at(change.minute), change.title) for change in ordered])


def exported(exports: Sequence[Export]) -> list[Version]:
    """Return the history that full exports tell: who is missing from one without unread rows was deleted."""
    told: dict[str, list[tuple[str, datetime, str | None]]] = defaultdict(list)
    there: dict[str, datetime | None] = {}  # when the record says that it changed
    gone: dict[str, datetime] = {}  # since which export
    for export in exports:
        moment = at(export.minute)
        for sku, (title, minute) in export.listed.items():
            changed = at(minute) if minute is not None else None
            when = changed or moment
            if sku in gone:
                missed = gone.pop(sku)
                if changed and not missed < changed <= moment:
                    when = max(moment, changed + INSTANT)
            there[sku] = changed
            told[sku].append((sku, when, title))
        if not export.unread:
            for sku in there.keys() - gone.keys() - export.listed.keys():
                changed = there[sku]
                told[sku].append((sku, max(moment, changed + INSTANT) if changed else moment, None))
                gone[sku] = moment
    return _versions([one for sku in sorted(told) for one in sorted(told[sku], key=lambda told: told[1])])


def standing(versions: Iterable[Version]) -> dict[str, str]:
    return {version.sku: version.title for version in versions if version.valid_to is None}


def _versions(told: Sequence[tuple[str, datetime, str | None]]) -> list[Version]:
    """Return versions of what was said of records in order; of several things of one instant the last counts."""
    found = []
    for sku, of_record in groupby(told, key=lambda one: one[0]):
        instants = {when: title for _, when, title in of_record}
        steps = list(instants.items())
        steps = [step for n, step in enumerate(steps) if n == 0 or step[1] != steps[n - 1][1]]
        for n, (when, title) in enumerate(steps):
            until = steps[n + 1][0] if n + 1 < len(steps) else None
            if title is not None:
                found.append(Version(sku, title, when, until))
    return found


# --- the files


def feed_csv(changes: Iterable[Change]) -> str:
    """Return a file of changes; of what is deleted it says the key alone."""
    lines = ["sku,title,changed,size,op,position"]
    for change in changes:
        when = at(change.minute).isoformat()
        op = "D" if change.title is None else "U"
        lines.append(f"{change.sku},{change.title or ''},{when},1,{op},{change.position}")
    return "\n".join(lines) + "\n"


def export_csv(export: Export) -> str:
    """Return a full export; its unread rows have a size that none may have."""
    lines = ["sku,title,changed,size"]
    for sku, (title, minute) in export.listed.items():
        lines.append(f"{sku},{title},{at(minute).isoformat() if minute is not None else ''},1")
    lines += [f"unread{n},x,,many" for n in range(export.unread)]
    return "\n".join(lines) + "\n"
