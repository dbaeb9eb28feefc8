"""Requests that `collect` took, read as events: each bad one is set aside with its code, and its neighbours load."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from lakehouse.landing.collected import Collected
from lakehouse.sources.definition import load

WEB = load()["web", "events"]
RECEIVED = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = {"type": "track", "event": "A", "userId": "u", "timestamp": "2026-03-01T11:00:00Z"}


def collected(*bodies, call="batch"):
    lines = (
        Collected(f"r{number}", RECEIVED, "web", call, json.dumps(body)).line()
        for number, body in enumerate(bodies)
    )
    return "".join(f"{line}\n" for line in lines).encode()


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({**GOOD, "userId": None}, "no_user_anon_id"),
        ({**GOOD, "event": None}, "event_not_defined"),
        ({**GOOD, "event": 7}, "event_not_string"),
        ({**GOOD, "properties": "x"}, "properties_not_object"),
        ({**GOOD, "traits": []}, None),  # as PHP writes an empty object
        ({**GOOD, "traits": [1]}, "traits_not_object"),
        ({**GOOD, "context": 1}, "context_not_object"),
        ({**GOOD, "type": "page", "name": 1}, "name_not_string"),
        ({**GOOD, "type": "page", "category": 1}, "category_not_string"),
        ({**GOOD, "type": "page", "category": "c"}, None),
        ({**GOOD, "type": "page", "category": None}, None),
        ({**GOOD, "type": "group"}, "id_required"),
        ({**GOOD, "type": "group", "groupId": "g"}, None),
        ({**GOOD, "type": "alias"}, "id_required"),
        ({**GOOD, "type": "alias", "previousId": "p"}, None),
        ({**GOOD, "type": "other"}, "not_allowed"),
        ({**GOOD, "type": None}, "missing_value"),
        ({**GOOD, "timestamp": "yesterday"}, "bad_timestamp"),
        ({**GOOD, "sentAt": "soon"}, None),  # the clock of the sending is not what happened
        ({**GOOD, "properties": {"x": "y" * 33_000}}, "event_too_large"),
        ({**GOOD, "messageId": "{{messageId}}"}, "missing_value"),
        (7, "not_an_object"),
        ("text", "not_an_object"),
        (None, "not_an_object"),
        ([], "not_an_object"),
        ({**GOOD, "integrations": {"All": False}, "context": {"ip": "1.1.1.1"}}, None),
    ],
)  # fmt: skip
def test_a_bad_event_costs_only_itself(read, item, code):
    """In the middle of its batch, by the code that Segment has for it."""
    rows = read(WEB, collected({"batch": [GOOD, item, GOOD]}, {"batch": [GOOD]}))
    assert [row["_code"] for _, row in sorted(rows.items())] == [None, code, None, None]
    assert len({row["message_id"] for row in rows.values() if row["_code"] is None}) == 4 - (code is not None)


def test_what_is_stored_is_what_was_sent(read):
    """Columns, and the rest as JSON; the key that let it in is nowhere."""
    rows = read(
        WEB, collected({**GOOD, "writeKey": "secret", "properties": {"price": 1.10}, "x": 1}, call="track")
    )
    ((_, row),) = rows.items()
    assert (row["message_id"], row["type"], row["user_id"]) == ("r0:0", "track", "u")
    assert row["received_at"] == RECEIVED
    assert row["properties"] == '{"price":1.1}'
    assert json.loads(row["extra"]) == {"x": 1}
    assert "secret" not in str(row)


def nested(depth, inside="1"):
    """Return JSON of objects and arrays within each other."""
    outer = depth // 2
    return '{"a":' * outer + "[" * (depth - outer) + inside + "]" * (depth - outer) + "}" * outer


def as_they_are(*items):
    """Return a batch of items that are text already."""
    text = f'{{"context":{{"locale":"de"}},"batch":[{",".join(items)}]}}'
    return f"{Collected('r0', RECEIVED, 'web', 'batch', text).line()}\n".encode()


@pytest.mark.parametrize(
    ("depth", "codes"),
    [
        (99, [None, None, None, None, "bad_timestamp", "not_allowed", "not_an_object"]),
        (100, ["event_too_deep"] * 4 + ["bad_timestamp", "not_allowed", "not_an_object"]),
        (1_500, ["event_too_deep"] * 4 + ["bad_timestamp", "not_allowed", "not_an_object"]),
        (20_000, ["event_too_large"] * 4 + ["bad_timestamp", "not_allowed", "not_an_object"]),
    ],
)
def test_a_deep_event_costs_only_itself(read, depth, codes):
    """Wherever it is deep, and however deep: its neighbours load, and it is told by its code. 100 are not too many."""
    good = json.dumps(GOOD)
    deep = [
        json.dumps({**GOOD, place: "DEEP"}).replace('"DEEP"', nested(depth))
        for place in ("properties", "context", "x", "traits", "timestamp", "type")
    ]
    found = read(WEB, as_they_are(good, *deep, "[" * depth + "]" * depth, good))
    assert [row["_code"] for _, row in sorted(found.items())] == [None, *codes, None]
    assert json.loads(found[min(found)]["context"]) == {"locale": "de"}
