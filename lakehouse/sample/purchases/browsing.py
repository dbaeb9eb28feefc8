"""What a visit is made of: devices, pages, products and hours. All invented; no real record is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lakehouse.sample.purchases.policy import WebPolicy

if TYPE_CHECKING:
    import random

SITE = "https://shop.example.com"
AGENTS = (
    "Mozilla/4.0 (compatible; MSIE 4.01; Windows 98)",
    "Mozilla/4.0 (compatible; MSIE 4.01; Windows NT)",
    "Mozilla/2.0 (compatible; MSIE 3.02; Windows 95)",
    "Mozilla/4.04 [en] (Win95; I)",
    "Mozilla/3.01 (Macintosh; I; PPC)",
    "Mozilla/3.0 (X11; I; SunOS 5.5.1 sun4u)",
)
PAGES = (("Home", "/"), ("New releases", "/new"), ("Bestsellers", "/bestsellers"), ("Jazz", "/genre/jazz"))
PRODUCTS = (
    "Northern Lights",
    "Seven Bridges",
    "Blue Tram",
    "The Paper Boats",
    "Harbour Nights",
    "Slow Lantern",
    "Red Maple Quartet",
    "茉莉花开",
    "Attic Sessions",
    "Winter Garden",
    "Glass Orchard",
    "Midnight Ferry",
    "秋天的信",
    "Copper Sky",
    "Old Radio Songs",
    "Salt and Cedar",
)
REFERRERS = ("", "", "https://search.example.org/", "https://news.example.net/music")
# busy in the evening; nobody starts after 22:59, so that a visit stays within its day
HOURS: Final = (8, 9, 10, 10, 11, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 20, 20, 21, 21, 22)


class Device(NamedTuple):
    """A browser: its anonymous id and what it says of itself."""

    anonymous_id: str
    agent: str
    locale: str


def uuid_like(rng: random.Random) -> str:
    """Return 128 random bits in the shape of a version 4 UUID."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def devices(rng: random.Random, *, chinese: bool) -> list[Device]:
    """Return the one or two devices of a person."""
    count = 2 if rng.random() < WebPolicy.second_device else 1
    locale = "zh-CN" if chinese else "en-US"
    return [Device(uuid_like(rng), rng.choice(AGENTS), locale) for _ in range(count)]


def pick_device(rng: random.Random, owned: list[Device]) -> Device:
    """Return the device of one visit: mostly the first."""
    if len(owned) > 1 and rng.random() < WebPolicy.on_second_device:
        return owned[-1]
    return owned[0]


def page(rng: random.Random) -> dict[str, Any]:
    """Return the fields of a `page` call."""
    name, path = rng.choice(PAGES)
    return {"type": "page", "name": name, "properties": {"path": path, "title": name, "url": SITE + path}}


def product_viewed(rng: random.Random) -> dict[str, Any]:
    """Return the fields of a `Product Viewed` call."""
    number = rng.randrange(len(PRODUCTS))
    properties = {
        "product_id": f"CD{number:03d}",
        "name": PRODUCTS[number],
        "category": "CD",
        "price": rng.randrange(799, 1899) / 100,
        "currency": "USD",
    }
    return {"type": "track", "event": "Product Viewed", "properties": properties}
