"""Raw files that a seed thinks of, and what must become of each: the plain model that runs are compared with."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.simulation.world import BEGIN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

_HEADER = "order_id,customer_id,ordered_at,quantity,amount,currency"
_BAD_ORDERS = ("o,c1,2026-01-01T00:00:00Z,1,a lot,EUR", ",c1,2026-01-01T00:00:00Z,1,9.99,EUR")
_BAD_EVENTS = ('{"messageId": "x"', '{"type": "page", "userId": "u"}', '"words"')
IDS = 12  # so few messages that most are sent again
_KINDS = {"orders": 4, "events": 5, "packed": 5, "torn": 1, "empty": 0.5, "unknown": 1, "binary": 0.5}


@dataclass(frozen=True)
class Expected:
    """What a file holds: the good rows' names by place, the places of the bad ones (None: the whole file)."""

    table: str
    good: dict[int, str] = field(default_factory=dict)
    bad: frozenset[int | None] = frozenset()

    @property
    def received(self) -> int:
        return len(self.good) + len(self.bad)


@dataclass(frozen=True)
class Content:
    """A file to put under a key."""

    key: str
    body: bytes
    expected: Expected


def think_of(rng: Random, number: int) -> Content:
    """Return the `number`-th file of a run."""
    kind = rng.choices(list(_KINDS), list(_KINDS.values()))[0]
    name = f"{number:03d}"
    if kind == "unknown":
        return whole(f"crm/nobody/{name}.csv", f"a,b\n1,{number}\n".encode(), "")
    if kind == "empty":
        return whole(f"shop/orders/{name}.csv", b"", "raw.shop_orders")
    if kind == "binary":
        return whole(f"web/events/{name}.ndjson", bytes(range(256)) * 8, "raw.events")
    places = range(1, rng.choice((1, 3, 8)) + 1)
    bad = [place for place in places if rng.random() < 0.15]
    good = [place for place in places if place not in bad]
    if kind == "orders":
        return orders_file(name, good, bad)
    content = events_file(name, {place: f"m{rng.randrange(IDS)}" for place in good}, bad)
    return content if kind == "events" else packed(content, rng.randint(1, 20) if kind == "torn" else 0)


def whole(key: str, body: bytes, table: str) -> Content:
    """Return a file that is bad as a whole."""
    return Content(key, body, Expected(table, bad=frozenset([None])))


def orders_file(name: str, good: Iterable[int], bad: Iterable[int]) -> Content:
    """Return an export of the shop with good and bad rows at these places, which follow on one another."""
    lines = {place: _BAD_ORDERS[place % 2] for place in bad}
    orders = {place: f"o{name}-{place}" for place in good}
    for place, order in orders.items():
        lines[place] = f"{order},c{place},2026-0{place % 3 + 1}-01T00:00:00Z,1,9.99,EUR"
    body = "\n".join([_HEADER, *(lines[place] for place in sorted(lines))]) + "\n"
    return Content(
        f"shop/orders/{name}.csv", body.encode(), Expected("raw.shop_orders", orders, frozenset(bad))
    )


def events_file(name: str, good: dict[int, str], bad: Iterable[int] = ()) -> Content:
    """Return tracked messages with these names at their places, and bad lines at others."""
    lines = {place: _BAD_EVENTS[place % 3] for place in bad}
    lines |= {place: json.dumps(_message(message)) for place, message in good.items()}
    body = "\n".join(lines[place] for place in sorted(lines)) + "\n"
    return Content(f"web/events/{name}.ndjson", body.encode(), Expected("raw.events", good, frozenset(bad)))


def packed(content: Content, cut: int) -> Content:
    """Return the same file as gzip; with `cut` bytes missing at its end it is bad as a whole."""
    body = gzip.compress(content.body, mtime=0)
    key = f"{content.key}.gz"
    if cut:
        return whole(key, body[:-cut], content.expected.table)
    return replace(content, key=key, body=body)


def _message(name: str) -> dict[str, Any]:
    day = datetime.fromtimestamp(BEGIN, UTC) - timedelta(days=int(name[1:]) % 3)
    return {"messageId": name, "type": "page", "userId": "u", "timestamp": day.isoformat()}
