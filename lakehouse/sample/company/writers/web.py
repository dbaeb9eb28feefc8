"""The clickstream of site and app, one Segment-shaped message a line, packed with gzip; some are there twice.

The lines are put together as Arrow texts, never one by one: the buffer of the joined column is the file. Values
that stand in JSON here hold neither quotes nor backslashes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.random_arrays import Ints, random_stream
from lakehouse.sample.company.world.accounts import BOTH, WECHAT
from lakehouse.sample.company.world.browsing import IDENTIFY, ORDERED, PAGE, VIEW
from lakehouse.sample.company.world.catalogue import CATEGORIES, PRODUCTS_A_CATEGORY
from lakehouse.sample.company.writers.export import LINES, PACKED, Dirt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.writers.export import Export

SITE = "https://shop.example.com"
_PAGES = (("首页", "/"), ("新品", "/new"), ("热卖", "/bestsellers"), ("门店", "/stores"), ("会员", "/member"))
_REFERRERS = ("", "https://search.example.org/", "https://news.example.net/")
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_AGENTS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/126.0.0.0 Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 14; Mobile) {_WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {_WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1",
)
_LIBRARY = '"library":{"name":"crm-lakehouse-sample","version":"1"}'
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the messages of a chunk's people, in order of time."""
    rng = random_stream(chunk.scenario.seed, "web", chunk.number)
    count = len(chunk.tables["events"])
    account, at = chunk.array("events", "account"), chunk.array("events", "at")
    waits, latency = rng.integers(20, 2000, count), rng.integers(30, 400, count)
    user = chunk.column("accounts", "customer_id", account)
    known = text.joined('"', user, '"')
    signed_in = chunk.tables["events"]["signed_in"].combine_chunks()
    head, properties = _said(chunk)
    lines = text.joined(
        head,
        ',"messageId":"',
        text.uuids(rng.integers(0, 256, (count, 16), np.uint8)),
        '","anonymousId":"',
        chunk.column("devices", "anonymous_id", chunk.array("events", "device")),
        '","userId":',
        pc.if_else(signed_in, known, "null"),
        ',"timestamp":"',
        _stamp(at + latency),  # Segment's rule: receivedAt - (sentAt - originalTimestamp)
        '","originalTimestamp":"',
        _stamp(at),
        '","sentAt":"',
        _stamp(at + waits),
        '","receivedAt":"',
        _stamp(at + waits + latency),
        '",',
        properties,
        _context(chunk, rng),
        "}\n",
    )
    person = chunk.array("persons", "person")[chunk.array("events", "row")]
    yield Dirt(chunk, "web/events").export({LINES: lines}, person, PACKED)


def _stamp(milliseconds: Ints) -> pa.Array:
    seconds = milliseconds // 1000 - text.UTC_OFFSET
    return text.joined(
        text.days(seconds),
        "T",
        text.clock(seconds),
        ".",
        text.digits(milliseconds % 1000, 3),
        "Z",
    )


def _said(chunk: Chunk) -> tuple[pa.Array, pa.Array]:
    """Return the beginning of each message, its type and name, and its properties or traits."""
    kind, subject = chunk.array("events", "kind"), chunk.array("events", "subject")
    app = chunk.array("events", "app")
    heads = (
        '{"type":"page"',
        '{"type":"track","event":"Product Viewed"',
        '{"type":"identify"',
        '{"type":"track","event":"Order Completed"',
        '{"type":"screen"',
    )
    head = text.pick(heads, np.where(app & (kind == PAGE), len(heads) - 1, kind))
    told: dict[int, Any] = {
        PAGE: lambda of: text.pick([_page(*page) for page in _PAGES], of),
        VIEW: lambda of: text.pick(_products(chunk), of),
        IDENTIFY: lambda of: _traits(chunk, of),
        ORDERED: lambda of: _ordered(chunk, of),
    }
    parts = [told[one](subject[kind == one]) for one in told]
    place = np.empty(len(kind), np.int64)
    place[np.concatenate([np.flatnonzero(kind == one) for one in told])] = np.arange(len(kind))
    return head, pa.concat_arrays(parts).take(pa.array(place))


def _page(name: str, path: str) -> str:
    return f'"name":"{name}","properties":{_encode({"path": path, "title": name, "url": SITE + path})}'


def _products(chunk: Chunk) -> list[str]:
    catalogue = chunk.scenario.catalogue
    return [
        '"properties":'
        + _encode(
            {
                "product_id": product,
                "name": name,
                "category": CATEGORIES[number // PRODUCTS_A_CATEGORY],
                "price": int(catalogue.prices[number, 0]) / 100,
                "currency": "CNY",
            }
        )
        for number, (product, name) in enumerate(zip(catalogue.ids, catalogue.names, strict=True))
    ]


def _traits(chunk: Chunk, account: Ints) -> pa.Array:
    """Return what an account says of its person when it signs in first: phone, e-mail or unionid."""
    row, carries = chunk.array("accounts", "row")[account], chunk.array("accounts", "carries")[account]
    name = (chunk.column("persons", part, row) for part in ("given_first", "given_second", "family"))
    first, second, family = name
    phone = text.joined(',"phone":"+86', chunk.column("persons", "phone", row), '"')
    email = text.joined(',"email":"', chunk.column("persons", "email", row), '"')
    union = text.joined(',"unionid":"', chunk.column("persons", "unionid", row), '"')
    return text.joined(
        '"traits":{"firstName":"',
        first,
        second,
        '","lastName":"',
        family,
        '"',
        pc.if_else(pa.array(carries == BOTH), email, ""),
        pc.if_else(pa.array(carries == WECHAT), union, phone),
        "}",
    )


def _ordered(chunk: Chunk, order: Ints) -> pa.Array:
    lines = np.bincount(chunk.array("items", "order"), weights=chunk.array("items", "quantity")).astype(
        np.int64
    )
    return text.joined(
        '"properties":{"order_id":"',
        chunk.column("orders", "order_id", order),
        '","revenue":',
        text.money(chunk.array("orders", "amount")[order]),
        ',"currency":"CNY","quantity":',
        text.integers(lines[order]),
        "}",
    )


def _context(chunk: Chunk, rng: np.random.Generator) -> pa.Array:
    """Return where a message came from: a page with its browser, or the app on a telephone."""
    agents = [
        f',"context":{{"page":{_encode({"url": SITE, "referrer": referrer})},"userAgent":"{agent}","locale":"zh-CN",'
        f"{_LIBRARY}}}"
        for agent in _AGENTS
        for referrer in _REFERRERS
    ]
    apps = [
        f',"context":{{"app":{{"name":"shop","version":"{version}"}},"os":{{"name":"{os}"}},"locale":"zh-CN",{_LIBRARY}}}'
        for os in ("Android", "iOS")
        for version in ("5.1.0", "5.2.1")
    ]
    # a device keeps its browser or telephone; where it came from may change
    device, app = chunk.array("events", "device"), chunk.array("events", "app")
    browser = device % len(_AGENTS) * len(_REFERRERS) + rng.integers(0, len(_REFERRERS), len(device))
    return text.pick([*agents, *apps], np.where(app, len(agents) + device // 2 % len(apps), browser))
