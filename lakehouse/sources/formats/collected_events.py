"""Requests that `collect` took become lines of events: each the sender's own text, with what the door knew of it.

What a batch says for all its events goes to each of them. A `type` comes from the path where a call is of one event.
The sender's clock is compared with ours, as Segment does it: https://segment.com/docs/connections/spec/common/#timestamps
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from lakehouse.errors import BadFile
from lakehouse.json_text import Member, depth, elements, members, object_text
from lakehouse.landing.collected import BATCH, MARK
from lakehouse.landing.policy import CollectLimits
from lakehouse.sources.formats.byte_stream import joined
from lakehouse.sources.formats.policy import JsonPolicy

# What the door knows better than the sender, and the key that let the request in.
_REPLACED: Final = frozenset({"writeKey", "receivedAt", "timestamp", "originalTimestamp", "sentAt"})
_SHARED: Final = ("context", "integrations")
_NOTHING: Final = frozenset({"null", '""'})
SIZE_KEY: Final = "eventBytes"  # how large an event is that is larger than it may be
DEPTH_KEY: Final = "eventDepth"  # how deep an event is that is deeper than it may be


def is_collected(head: bytes) -> bool:
    """Tell whether a file that begins so holds requests that `collect` took."""
    return head.startswith(MARK.encode())


def event_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield NDJSON, about 1 MiB a chunk: the events of each request. A line that is no request stays as it is.

    Raises BadFile (too_long) for a line that no request can be.
    """
    return joined(_events(chunks), JsonPolicy.write_bytes, end=b"\n")


def _events(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for line in _lines(chunks):
        try:
            request = _request(line.decode())
            events = [request.event(item, number) for number, item in enumerate(request.items)]
        except (ValueError, LookupError, TypeError, RecursionError):
            yield line
            continue
        yield from (event.encode("utf-8", "surrogatepass") for event in events)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        if len(rest) > JsonPolicy.max_element_bytes:
            raise BadFile("too_long", "a line is longer than any request that is collected")
    if rest:
        yield rest


@dataclass(frozen=True)
class _Request:
    """One request: what is said of all its events, and the text of each."""

    request_id: str
    received_at: datetime
    ip: str
    type: str | None  # of the one event; None for a batch, whose events say theirs
    shared: dict[str, str]  # members that go to each event, as text
    sent_at: str | None
    items: Sequence[str]

    def event(self, item: str, number: int) -> str:
        """Return the line of an event, the `number`-th from 0 of its request. What is no object stays as it is."""
        if not item.startswith("{"):
            return item
        parts = members(item)
        said = {key: text for key, text in parts if text not in _NOTHING}
        if _is_blank(said.get("messageId", "")):
            del said["messageId"]
        kept = [part for part in parts if part.key not in _REPLACED and not self._is_ours(part.key, said)]
        kept += self._own(said, number)
        return object_text([*kept, *_beyond_limits(item), *self._times(said)])

    def _is_ours(self, key: str, said: dict[str, str]) -> bool:
        """Tell whether `_own` says what stands under a key."""
        return (
            key == "context"
            or (key == "type" and self.type is not None)
            or (key == "messageId" and key not in said)
            or (key == "integrations" and key in self.shared)
        )

    def _own(self, said: dict[str, str], number: int) -> list[Member]:
        """Return the members that an event has from its request, or from both."""
        own = []
        if self.type is not None:
            own.append(Member("type", json.dumps(self.type)))
        if "messageId" not in said:
            own.append(Member("messageId", json.dumps(f"{self.request_id}:{number}")))
        for name in _SHARED:
            text = _merged(self.shared.get(name), said.get(name))
            if text is not None and name == "context":
                text = self._with_address(text)
            if text is not None and (name == "context" or name in self.shared):
                own.append(Member(name, text))
        return own

    def _with_address(self, context: str) -> str:
        """Return a context with the address that the request came from, where it asks for that by `direct`."""
        if not self.ip or '"direct"' not in context or not context.startswith("{"):
            return context
        parts = members(context)
        if ("direct", "true") not in parts:
            return context
        kept = [part for part in parts if part.key != "ip"]
        return object_text([*kept, Member("ip", json.dumps(self.ip))])

    def _times(self, said: dict[str, str]) -> list[Member]:
        """Return when an event happened, by our clock and by the sender's, when it was sent, and received."""
        received = _text(self.received_at)
        happened = said.get("originalTimestamp", said.get("timestamp"))
        own = said.get("sentAt", "")  # a clock that cannot be read is no reason to lose what happened
        sent = self.sent_at if _moment(own) is None else own
        times = [Member("receivedAt", received)]
        if sent is not None:
            times.append(Member("sentAt", sent))
        if happened is None:
            return [*times, Member("timestamp", received)]
        times.append(Member("originalTimestamp", happened))
        return [*times, Member("timestamp", self._by_our_clock(happened, sent))]

    def _by_our_clock(self, happened: str, sent: str | None) -> str:
        """Return the moment of an event less what the sender's clock is ahead; as it came, where that is not known."""
        at, sent_at = _moment(happened), _moment(sent or "")
        if at is None or sent_at is None:
            return happened
        try:
            return _text(self.received_at - (sent_at - at))
        except OverflowError:
            return happened


def _beyond_limits(item: str) -> list[Member]:
    """Return what an event is too much of, as members by which a check sets it aside."""
    found = []
    size = len(item.encode("utf-8", "surrogatepass"))
    if size > CollectLimits.event_bytes:
        found.append(Member(SIZE_KEY, str(size)))
    brackets = item.count("{") + item.count("[")  # no event is deeper, and few have so many
    if brackets > CollectLimits.event_depth and (deep := depth(item)) > CollectLimits.event_depth:
        found.append(Member(DEPTH_KEY, str(deep)))
    return found


def _request(line: str) -> _Request:
    """Take a line apart. Raises ValueError, LookupError or TypeError where it is no request."""
    said = dict(members(line))
    body_text, call = said["body"], json.loads(said["call"])
    received_at = _moment(said["received_at"])
    if not line.startswith(MARK) or received_at is None:
        raise ValueError("no request")
    body = dict(members(body_text))
    is_batch = call == BATCH
    sent_at = body.get("sentAt")
    return _Request(
        request_id=json.loads(said["id"]),
        received_at=received_at,
        ip=json.loads(said["ip"]),
        type=None if is_batch else call,
        shared={name: body[name] for name in _SHARED if name in body} if is_batch else {},
        # what a batch says wrongly is not what an event says
        sent_at=sent_at if is_batch and _moment(sent_at or "") is not None else None,
        items=elements(body["batch"]) if is_batch else [body_text],
    )


def _is_blank(text: str) -> bool:
    """Tell whether a JSON string holds nothing that is seen: blanks, NULs, and characters without a width."""
    if not text.startswith('"') or text[1].isalnum():
        return False
    return not any(one.isprintable() and not one.isspace() for one in json.loads(text))


def _merged(shared: str | None, own: str | None) -> str | None:
    """Return an object with the members of two, its own first in rank; whatever is no object stays as it is."""
    if shared is None or shared in _NOTHING:
        return own
    if own is None:
        return shared
    if not (shared.startswith("{") and own.startswith("{")):
        return own
    own_parts = members(own)
    own_keys = {part.key for part in own_parts}
    return object_text([*(part for part in members(shared) if part.key not in own_keys), *own_parts])


def _moment(text: str) -> datetime | None:
    """Return the moment that a JSON string says, in UTC where it names no zone; None where it says none."""
    if not text.startswith('"'):
        return None
    value: Any = json.loads(text)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    """Return a moment as JSON."""
    return json.dumps(f"{moment.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z")
