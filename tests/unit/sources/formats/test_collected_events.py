"""Requests that were collected become events, each with its own text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import BadFile
from lakehouse.landing.collected import Collected
from lakehouse.sources.formats.collected_events import event_lines, is_collected
from tests.support.packed_files import EXAMPLES, cut

RECEIVED = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def events(body, call="batch", ip="", sizes=(1 << 20,)):
    """Return the events of one request, as the door takes it and ingest reads it."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    line = Collected("r1", RECEIVED, "web", call, text, ip).line()
    assert is_collected(line.encode())
    return [json.loads(one) for one in b"".join(event_lines(cut(line.encode() + b"\n", sizes))).splitlines()]


def event(body, call="batch", **more):
    (one,) = events(body, call, **more)
    return one


def test_each_event_of_a_batch_is_a_line():
    """With its type, its id, and when it was received."""
    sent = [
        {"type": "track", "event": "A", "userId": "u", "messageId": "m1"},
        {"type": "page", "userId": "u", "messageId": "m2", "name": "Home"},
    ]
    first, second = events({"batch": sent, "writeKey": "secret"})
    assert first == sent[0] | {
        "receivedAt": "2026-03-01T12:00:00.250000Z",
        "timestamp": "2026-03-01T12:00:00.250000Z",
    }
    assert (second["type"], second["name"]) == ("page", "Home")


@pytest.mark.parametrize("call", ["track", "identify", "page", "screen", "group", "alias"])
def test_a_call_of_one_event_says_its_type(call):
    """Whatever the body says it is; the key that let it in is not kept."""
    made = event({"type": "other", "userId": "u", "writeKey": "secret", "messageId": "m"}, call)
    assert made["type"] == call
    assert "writeKey" not in made


def test_what_the_batch_says_goes_to_each_event():
    """An event's own members come first."""
    first, second, third = events({
        "context": {"ip": "1.2.3.4", "locale": "de"},
        "integrations": {"All": True},
        "batch": [
            {"messageId": "1", "context": {"locale": "fr"}},
            {"messageId": "2", "integrations": {"All": False}},
            {"messageId": "3", "context": None},
        ],
    })  # fmt: skip
    assert first["context"] == {"ip": "1.2.3.4", "locale": "fr"}
    assert first["integrations"] == {"All": True}
    assert second["context"] == third["context"] == {"ip": "1.2.3.4", "locale": "de"}
    assert second["integrations"] == {"All": False}


def test_an_event_without_id_gets_one_that_stays():
    """The same line read again, or delivered again, is the same event."""
    body = {"batch": [{"type": "track"}, {"messageId": None}, {"messageId": ""}, {"messageId": "own"}]}
    assert [one["messageId"] for one in events(body)] == ["r1:0", "r1:1", "r1:2", "own"]


@pytest.mark.parametrize("blank", [" ", "\u0000", " \t\u0000", "\u200b", "\u3000\ufeff"])
def test_an_id_that_nobody_sees_is_none(blank):
    """All that had it would be one event; RudderStack's gateway fell over it (rudder-server#4063)."""
    first, second = events({"batch": [{"messageId": blank}, {"messageId": f"{blank}a"}]})
    assert first["messageId"] == "r1:0"
    assert second["messageId"] == f"{blank}a"


@pytest.mark.parametrize("sent_at", ["soon", 1_700_000_000_123, True, {}, "", None])
@pytest.mark.parametrize("call", ["batch", "track"])
def test_a_sending_time_that_is_none_costs_no_event(call, sent_at):
    """It happened when it says; where the batch says when it was sent, that counts."""
    said = {"messageId": "m", "timestamp": "2026-03-01T11:00:00Z", "sentAt": sent_at}
    alone = event({"batch": [said]} if call == "batch" else said, call)
    assert "sentAt" not in alone
    assert alone["timestamp"] == "2026-03-01T11:00:00Z"
    if call == "batch":
        with_one = event({"batch": [said], "sentAt": "2026-03-01T12:00:00Z"})
        assert with_one["timestamp"] == "2026-03-01T11:00:00.250000Z"


def test_the_senders_clock_is_corrected():
    """By what it is ahead when the request was sent; Segment's own example, and one of 2099."""
    for ahead in (timedelta(), timedelta(hours=-3), timedelta(days=26_000)):
        happened = RECEIVED - timedelta(seconds=90) + ahead
        sent_at = RECEIVED - timedelta(seconds=1) + ahead
        said = {"messageId": "m", "timestamp": happened.isoformat()}
        for body in (
            {"batch": [said], "sentAt": sent_at.isoformat()},
            {"batch": [said | {"sentAt": sent_at.isoformat()}]},
        ):
            made = event(body)
            assert datetime.fromisoformat(made["timestamp"]) == RECEIVED - timedelta(seconds=89)
            assert datetime.fromisoformat(made["originalTimestamp"]) == happened
            assert datetime.fromisoformat(made["sentAt"]) == sent_at


@pytest.mark.parametrize("happened", ["2019-05-01T10:00:00Z", "yesterday", 1_700_000_000])
def test_without_a_time_of_sending_it_happened_when_it_says(happened):
    """Also where that is no time: ingest sets the event aside, and no other."""
    made = event({"batch": [{"messageId": "m", "timestamp": happened}], "sentAt": "soon"})
    assert made["timestamp"] == made["originalTimestamp"] == happened
    assert "sentAt" not in made


def test_rudderstacks_original_timestamp_counts():
    """Its SDKs say when under that name."""
    made = event(
        {"messageId": "m", "originalTimestamp": "2026-03-01T11:00:00Z", "sentAt": "2026-03-01T12:00:00Z"},
        "track",
    )
    assert made["timestamp"] == "2026-03-01T11:00:00.250000Z"


def test_the_address_is_kept_only_where_it_is_asked_for():
    """`direct` means: take it from the connection."""
    asked = {"messageId": "m", "context": {"direct": True, "ip": "10.0.0.1"}}
    assert event({"batch": [asked]}, ip="203.0.113.9")["context"]["ip"] == "203.0.113.9"
    assert event({"batch": [asked | {"context": {"direct": False}}]}, ip="203.0.113.9")["context"] == {
        "direct": False
    }
    assert event({"batch": [asked | {"context": {"say": "direct"}}]}, ip="203.0.113.9")["context"] == {
        "say": "direct"
    }


def test_what_is_no_event_stays_as_it_is_and_costs_no_neighbour():
    """Ingest says what is wrong with it."""
    made = events({"batch": [1, "x", None, [], {"messageId": "m", "context": "text"}]})
    assert made[:4] == [1, "x", None, []]
    assert (made[4]["messageId"], made[4]["context"]) == ("m", "text")


def test_numbers_keep_their_digits_and_the_queue_gets_what_it_takes():
    """As the sender wrote them; U+FFFE may stand in JSON, and in no message."""
    body = '{"batch":[{"messageId":"m","properties":{"price":1.10,"id":12345678901234567890.5,"note":"\ufffe\uffff"}}]}'
    line = Collected("r1", RECEIVED, "web", "batch", body).line()
    assert not {"\ufffe", "\uffff", "\n"} & set(line)
    (made,) = b"".join(event_lines(iter([line.encode()]))).splitlines()
    assert b'"price":1.10,"id":12345678901234567890.5' in made
    assert json.loads(made)["properties"]["note"] == "\ufffe\uffff"


def test_a_large_event_says_so():
    """What an SDK would not have sent is set aside by that, alone."""
    small, large = events(
        {"batch": [{"messageId": "s"}, {"messageId": "l", "properties": {"x": "y" * 33_000}}]}
    )
    assert "eventBytes" not in small
    assert large["eventBytes"] > 32 * 1024


def test_a_line_that_is_no_request_stays_as_it_is():
    """Cut off, of another version, or not ours: ingest names it."""
    good = Collected("r1", RECEIVED, "web", "track", '{"messageId":"m"}').line()
    for bad in (
        good[:-5],
        '{"lakehouse_request":1,"body":{}}',
        "[]",
        "",
        "{}",
        good.replace("2026-03-01", "then"),
    ):
        lines = b"".join(event_lines(iter([f"{good}\n{bad}\n{good}\n".encode()]))).split(b"\n")[:-1]
        assert lines[1] == bad.encode()
        assert json.loads(lines[0]) == json.loads(lines[2])


def test_a_line_without_end_ends_the_file():
    """Nothing is held that no request can be."""
    with pytest.raises(BadFile, match="longer than any request"):
        list(event_lines(iter([b'{"lakehouse_request":1,' + b"x" * (1 << 20)] * 6)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(["messageId", "type", "context", "integrations", "timestamp", "sentAt", "originalTimestamp",
                        "receivedAt", "writeKey", "properties", "userId", "event", "x"])  # fmt: skip
OBJECTS = st.dictionaries(
    KEYS, JSON | st.sampled_from(["2026-01-01T00:00:00Z", "0001-01-01", "9999-12-31T23:59:59Z"])
)


def plainly(item, batch, number):
    """The rule, read plainly, but for the clock: the event's own word, then the batch's, then the door's."""
    said = {key: value for key, value in item.items() if value not in (None, "")}
    ours = ("writeKey", "receivedAt", "timestamp", "originalTimestamp", "sentAt")
    made = {key: value for key, value in item.items() if key not in ours}
    own_id = said.get("messageId")
    blank = isinstance(own_id, str) and not any(one.isprintable() and not one.isspace() for one in own_id)
    made["messageId"] = f"r1:{number}" if own_id is None or blank else own_id
    for name in ("context", "integrations"):
        shared, own = batch.get(name), said.get(name)
        if isinstance(shared, dict) and isinstance(own, dict):
            made[name] = shared | own
        elif shared not in (None, ""):
            made[name] = shared if own is None else own
        elif name == "context":
            made.pop(name, None)
            if own is not None:
                made[name] = own
    return made


@EXAMPLES
@given(
    st.lists(OBJECTS, min_size=1, max_size=4), OBJECTS, st.lists(st.integers(1, 60), min_size=1, max_size=5)
)
def test_no_event_loses_or_gains_a_word(items, batch, sizes):
    """Whatever the batch, and wherever its bytes are cut."""
    made = events(batch | {"batch": items}, sizes=sizes)
    assert len(made) == len(items)
    for number, (one, item) in enumerate(zip(made, items, strict=True)):
        times = {"receivedAt", "timestamp", "originalTimestamp", "sentAt"}
        assert {key: value for key, value in one.items() if key not in times} == plainly(item, batch, number)
        assert one["receivedAt"] == "2026-03-01T12:00:00.250000Z"
        assert one["timestamp"] is not None
