"""The clickstream of site and app, one Segment-shaped message a line, packed with gzip; some are there twice.

The lines are put together as Arrow texts, never one by one: the buffer of the joined column is the file. Values
that stand in JSON here hold neither quotes nor backslashes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.sample.company import text_columns as text
from lakehouse.sample.company.random_arrays import Ints, random_stream
from lakehouse.sample.company.units import MILLISECONDS
from lakehouse.sample.company.world.accounts import BOTH, WECHAT
from lakehouse.sample.company.world.browsing import DEVICES_A_PERSON, IDENTIFY, ORDERED, PAGE, VIEW
from lakehouse.sample.company.world.catalogue import CATEGORIES, PRODUCTS_A_CATEGORY
from lakehouse.sample.company.world.scenario import ADVERTISING
from lakehouse.sample.company.writers.export import LINES, PACKED, DirtyExport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.sample.company.world.chunk import Chunk
    from lakehouse.sample.company.world.scenario import Advertising
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
# of the kinds PAGE, VIEW, IDENTIFY and ORDERED; a page of the app is a screen
_BEGINNINGS = (
    '{"type":"page"',
    '{"type":"track","event":"Product Viewed"',
    '{"type":"identify"',
    '{"type":"track","event":"Order Completed"',
)
_SCREEN = '{"type":"screen"'
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def exports(chunk: Chunk) -> Iterator[Export]:
    """Yield the messages of a chunk's people, in order of time."""
    rng = random_stream(chunk.scenario.seed, "web", chunk.number)
    count = len(chunk.tables["events"])
    happened_at = chunk.array("events", "at")
    sent_after, latency = rng.integers(20, 2000, count), rng.integers(30, 400, count)
    sent_at = happened_at + sent_after
    lines = text.joined(
        _beginnings(chunk),
        ',"messageId":"',
        text.uuids(rng.integers(0, 256, (count, 16), np.uint8)),
        '","anonymousId":"',
        chunk.column("devices", "anonymous_id", chunk.array("events", "device")),
        '","userId":',
        _user_ids(chunk),
        ',"timestamp":"',
        _stamp(happened_at + latency),  # Segment's rule: receivedAt - (sentAt - originalTimestamp)
        '","originalTimestamp":"',
        _stamp(happened_at),
        '","sentAt":"',
        _stamp(sent_at),
        '","receivedAt":"',
        _stamp(sent_at + latency),
        '",',
        _contents(chunk),
        _contexts(chunk, rng),
        "}\n",
    )
    person = chunk.array("persons", "person")[chunk.array("events", "row")]
    yield DirtyExport(chunk, "web/events").build({LINES: lines}, person, PACKED)


def _stamp(milliseconds: Ints) -> pa.Array:
    """Return local moments (ms) as UTC: 2026-06-30T13:05:00.123Z."""
    seconds = milliseconds // MILLISECONDS - text.UTC_OFFSET
    decimals = text.digits(milliseconds % MILLISECONDS, 3)
    return text.joined(text.days(seconds), "T", text.clock(seconds), ".", decimals, "Z")


def _user_ids(chunk: Chunk) -> pa.Array:
    """Return who is signed in, as JSON: a customer id or null."""
    customer_ids = chunk.column("accounts", "customer_id", chunk.array("events", "account"))
    signed_in = chunk.column("events", "signed_in")
    return pc.if_else(signed_in, text.joined('"', customer_ids, '"'), "null")


def _beginnings(chunk: Chunk) -> pa.Array:
    """Return the beginning of each message: its type and name."""
    kind = chunk.array("events", "kind")
    is_screen = chunk.array("events", "app") & (kind == PAGE)
    return text.pick((*_BEGINNINGS, _SCREEN), np.where(is_screen, len(_BEGINNINGS), kind))


def _contents(chunk: Chunk) -> pa.Array:
    """Return the properties or traits of each message."""
    kind, subject = chunk.array("events", "kind"), chunk.array("events", "subject")
    of_kind = {number: np.flatnonzero(kind == number) for number in (PAGE, VIEW, IDENTIFY, ORDERED)}
    contents = (
        text.pick([_page(*page) for page in _PAGES], subject[of_kind[PAGE]]),
        text.pick(_products(chunk), subject[of_kind[VIEW]]),
        _traits(chunk, subject[of_kind[IDENTIFY]]),
        _ordered(chunk, subject[of_kind[ORDERED]]),
    )
    position = np.empty(len(kind), np.int64)  # of each message in the concatenated contents
    position[np.concatenate(list(of_kind.values()))] = np.arange(len(kind))
    return pa.concat_arrays(contents).take(pa.array(position))


def _page(name: str, path: str) -> str:
    return f'"name":"{name}","properties":{_encode({"path": path, "title": name, "url": SITE + path})}'


def _products(chunk: Chunk) -> list[str]:
    """Return the properties of a view of each product."""
    catalogue = chunk.scenario.catalogue
    properties = [
        {
            "product_id": catalogue.ids[number],
            "name": name,
            "category": CATEGORIES[number // PRODUCTS_A_CATEGORY],
            "price": int(catalogue.prices[number, 0]) / 100,
            "currency": "CNY",
        }
        for number, name in enumerate(catalogue.names)
    ]
    return [f'"properties":{_encode(product)}' for product in properties]


def _traits(chunk: Chunk, account: Ints) -> pa.Array:
    """Return what an account says of its person when it signs in first: phone, e-mail or unionid."""
    row, carries = chunk.array("accounts", "row")[account], chunk.array("accounts", "carries")[account]
    phone = text.joined(',"phone":"+86', chunk.column("persons", "phone", row), '"')
    email = text.joined(',"email":"', chunk.column("persons", "email", row), '"')
    unionid = text.joined(',"unionid":"', chunk.column("persons", "unionid", row), '"')
    return text.joined(
        '"traits":{"firstName":"',
        chunk.column("persons", "given_first", row),
        chunk.column("persons", "given_second", row),
        '","lastName":"',
        chunk.column("persons", "family", row),
        '"',
        pc.if_else(pa.array(carries == BOTH), email, ""),
        pc.if_else(pa.array(carries == WECHAT), unionid, phone),
        "}",
    )


def _ordered(chunk: Chunk, order: Ints) -> pa.Array:
    pieces = np.bincount(chunk.array("items", "order"), weights=chunk.array("items", "quantity"))
    return text.joined(
        '"properties":{"order_id":"',
        chunk.column("orders", "order_id", order),
        '","revenue":',
        text.money(chunk.array("orders", "amount")[order]),
        ',"currency":"CNY","quantity":',
        text.integers(pieces[order].astype(np.int64)),
        "}",
    )


def _contexts(chunk: Chunk, rng: np.random.Generator) -> pa.Array:
    """Return where each message came from: a page with its browser, or the app on a telephone.

    A device keeps its browser or telephone; the page that it came from may change. Who came by an advertisement has
    its campaign in the address.
    """
    links = [SITE, *map(_advertised, ADVERTISING)]
    browsers = [
        _browser(agent, referrer, link) for link in links for agent in _AGENTS for referrer in _REFERRERS
    ]
    apps = [_app(system, version) for system in ("Android", "iOS") for version in ("5.1.0", "5.2.1")]
    device, in_app = chunk.array("events", "device"), chunk.array("events", "app")
    agent = device % len(_AGENTS)
    by_link = len(_AGENTS) * len(_REFERRERS)
    link = chunk.array("events", "advert") + 1  # the first is that of nobody's
    browser = link * by_link + agent * len(_REFERRERS) + rng.integers(0, len(_REFERRERS), len(device))
    app = len(browsers) + device // DEVICES_A_PERSON % len(apps)
    return text.pick([*browsers, *apps], np.where(in_app, app, browser))


def _advertised(advert: Advertising) -> str:
    return f"{SITE}/?utm_source={advert.channel}&utm_medium=cpc&utm_campaign={advert.campaign_id}"


def _browser(agent: str, referrer: str, link: str) -> str:
    page = _encode({"url": link, "referrer": referrer})
    return f',"context":{{"page":{page},"userAgent":"{agent}","locale":"zh-CN",{_LIBRARY}}}'


def _app(system: str, version: str) -> str:
    app, os = _encode({"name": "shop", "version": version}), _encode({"name": system})
    return f',"context":{{"app":{app},"os":{os},"locale":"zh-CN",{_LIBRARY}}}'
