"""The shop's clickstream, shaped as Segment delivers it: visits around the real purchases, one file a month.

A visit is one to three views and then the order, on the day of the purchase. A resend is the same message
with later `sentAt` and `receivedAt`; it may fall into the next month's file, never later than seven days.
"""

from __future__ import annotations

import datetime as dt
import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

from lakehouse.sample.purchases import browsing
from lakehouse.sample.purchases.files import SampleFile, write_gzip_lines
from lakehouse.sample.purchases.policy import WebPolicy

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lakehouse.sample.purchases.people import Person
    from lakehouse.sample.purchases.shop import Purchase
    from lakehouse.sample.purchases.truth import Truth

LIBRARY = {"name": "crm-lakehouse-sample", "version": "1"}
BAD_LINES = ("invalid_json", "no_user_anon_id", "event_not_string", "bad_timestamp") * 2 + ("invalid_json",)
# drawn from, which is twice as fast as making each anew
DELAYS = [dt.timedelta(milliseconds=ms) for ms in range(20, 2_000)]  # until the browser sends
LATENCIES = [dt.timedelta(milliseconds=ms) for ms in range(30, 400)]  # until the server has it
READING = [dt.timedelta(milliseconds=ms) for ms in range(8_000, 300_000, 97)]  # until the next click
_END = "1998-07"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Clickstream:
    """Generates month after month; what is sent again next month is carried over."""

    def __init__(self, rng: random.Random, truth: Truth) -> None:
        self._rng = rng
        self._truth = truth
        self._people = {person.shop_id: person for person in truth.people}
        self._devices = {
            person.shop_id: browsing.devices(rng, chinese=person.chinese) for person in truth.people
        }
        self._carried: list[tuple[str, str]] = []

    def month(self, month: str, purchases: Sequence[Purchase]) -> list[str]:
        """Return the lines that arrived in a month (`yyyy-mm`), in order of arrival."""
        arrivals, self._carried = self._carried, []
        counts = self._truth.counts["web"]
        for purchase in purchases:
            for event in self._visit(self._people[purchase.customer_id], purchase):
                arrivals.append((event["receivedAt"], _encode(event)))
                counts["messages"] += 1
                counts[event.get("event") or event["type"]] += 1
                if self._rng.random() < WebPolicy.resent:
                    self._resend(event, month, arrivals)
        arrivals.sort()
        return [line for _, line in arrivals]

    def _resend(self, event: dict[str, Any], month: str, arrivals: list[tuple[str, str]]) -> None:
        """Send a message again, within the month or in the next."""
        delay = dt.timedelta(days=WebPolicy.resent_within_days) * self._rng.random()
        again = event | {key: _delayed(event[key], delay) for key in ("sentAt", "receivedAt")}
        if again["receivedAt"] >= _END:  # the sample ends here: it comes at once instead
            again = event
        in_next_file = not again["receivedAt"].startswith(month)
        file_arrivals = self._carried if in_next_file else arrivals
        file_arrivals.append((again["receivedAt"], _encode(again)))
        self._truth.count("web", "resent")
        self._truth.count("web", "resent_in_next_file", int(in_next_file))

    def _visit(self, person: Person, purchase: Purchase) -> Iterator[dict[str, Any]]:
        """Yield the calls of one visit; its order is signed in, so every device is known in the end."""
        rng = self._rng
        device = browsing.pick_device(rng, self._devices[person.shop_id])
        is_first = purchase.order_id == person.first_order
        signed_in_before = not is_first and rng.random() < WebPolicy.signed_in_before
        views = _views(rng)
        moment = _begin(rng, purchase.day)
        referrer = rng.choice(browsing.REFERRERS)
        for _ in range(views):
            is_page = rng.random() < WebPolicy.page_view
            call = browsing.page(rng) if is_page else browsing.product_viewed(rng)
            user_id = person.shop_id if signed_in_before else None
            yield self._event(call, user_id, device, moment, referrer)
            moment += rng.choice(READING)
        if is_first and person.identified:
            call = {"type": "identify", "traits": self._traits(person)}
            yield self._event(call, person.shop_id, device, moment, browsing.SITE + "/")
            moment += rng.choice(READING)
        yield self._event(_ordered(purchase), person.shop_id, device, moment, browsing.SITE + "/cart")

    def _traits(self, person: Person) -> dict[str, str]:
        phone = person.phone if self._rng.random() < WebPolicy.phone_trait else None
        self._truth.note_identify(person, email=person.email, phone=phone)
        traits = {"firstName": person.name.given, "lastName": person.name.family, "email": person.email}
        if phone:
            traits["phone"] = phone
        return traits

    def _event(
        self,
        call: dict[str, Any],
        user_id: str | None,
        device: browsing.Device,
        moment: dt.datetime,
        referrer: str,
    ) -> dict[str, Any]:
        rng = self._rng
        sent, latency = moment + rng.choice(DELAYS), rng.choice(LATENCIES)
        path = _path(call)
        return {
            **call,
            "messageId": browsing.uuid_like(rng),
            "anonymousId": device.anonymous_id,
            "userId": user_id,
            # Segment's rule: timestamp = receivedAt - (sentAt - originalTimestamp)
            "timestamp": _stamp(moment + latency),
            "originalTimestamp": _stamp(moment),
            "sentAt": _stamp(sent),
            "receivedAt": _stamp(sent + latency),
            "context": {
                "page": {"url": browsing.SITE + path, "path": path, "referrer": referrer},
                "userAgent": device.agent,
                "locale": device.locale,
                "library": LIBRARY,
            },
        }


def _views(rng: random.Random) -> int:
    """Return how many views come before an order."""
    draw = rng.random()
    if draw < WebPolicy.one_view:
        return 1
    return 2 if draw < WebPolicy.two_views_at_most else 3


def _begin(rng: random.Random, day: str) -> dt.datetime:
    """Return when a visit begins on a day."""
    since_midnight = dt.timedelta(
        hours=rng.choice(browsing.HOURS), seconds=rng.randrange(3600), milliseconds=rng.randrange(1000)
    )
    return dt.datetime.fromisoformat(day) + since_midnight


def _ordered(purchase: Purchase) -> dict[str, Any]:
    properties = {
        "order_id": purchase.order_id,
        "revenue": float(purchase.amount),
        "currency": "USD",
        "quantity": int(purchase.quantity),
    }
    return {"type": "track", "event": "Order Completed", "properties": properties}


def _path(call: dict[str, Any]) -> str:
    match call:
        case {"type": "page", "properties": {"path": str(path)}}:
            return path
        case {"event": "Product Viewed", "properties": {"product_id": product}}:
            return f"/cd/{product}"
        case {"type": "identify"}:
            return "/sign-in"
    return "/checkout/thanks"


def _stamp(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="milliseconds") + "Z"


def _delayed(stamp: str, delay: dt.timedelta) -> str:
    return _stamp(dt.datetime.fromisoformat(stamp[:-1]) + delay)


def _break(rng: random.Random, line: str, code: str) -> str:
    """Return a line that cannot load, made of a good one, under a message id of its own."""
    event = json.loads(line) | {"messageId": browsing.uuid_like(rng)}
    if code == "invalid_json":
        return _encode(event)[: rng.randrange(40, 400)]
    if code == "no_user_anon_id":
        del event["userId"], event["anonymousId"]
    elif code == "event_not_string":
        event |= {"type": "track", "event": rng.choice((42, ["Order Completed"]))}
    else:
        event |= {"timestamp": "31.31.1997 25:61"}
    return _encode(event)


def months(purchases: Sequence[Purchase]) -> list[str]:
    """Return the months (`yyyy-mm`) that have purchases, in order."""
    return sorted({purchase.month for purchase in purchases})


def write_events(
    folder: Path,
    streams: tuple[random.Random, random.Random],
    purchases: Sequence[Purchase],
    truth: Truth,
) -> Iterator[SampleFile]:
    """Write `web/events`, one file a month, and yield each; the second stream breaks lines."""
    rng, breaking_rng = streams
    clickstream = Clickstream(rng, truth)
    by_month = groupby(sorted(purchases, key=_month), key=_month)
    files = len(months(purchases))
    for number, (month, purchases_of_month) in enumerate(by_month):
        good_lines = clickstream.month(month, list(purchases_of_month))
        lines = _with_bad_lines(breaking_rng, good_lines, BAD_LINES[number::files])
        path = folder / f"web_events_{month}.ndjson.gz"
        write_gzip_lines(path, [line for line, _ in lines])
        truth.note_bad_rows(path.name, (code for _, code in lines))
        yield SampleFile("web", "events", path, len(lines))


def _month(purchase: Purchase) -> str:
    return purchase.month


def _with_bad_lines(
    rng: random.Random, good_lines: list[str], codes: Sequence[str]
) -> list[tuple[str, str | None]]:
    """Return the lines, each with its code (None: good), and at random positions lines that cannot load."""
    lines: list[tuple[str, str | None]] = [(line, None) for line in good_lines]
    for code in codes:
        position = rng.randrange(len(lines) + 1)
        lines.insert(position, (_break(rng, rng.choice(good_lines), code), code))
    return lines
