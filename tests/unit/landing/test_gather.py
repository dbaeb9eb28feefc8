"""What is taken for a collected request, and what is not; files are written in `tests/functions/test_collect.py`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.landing import gather as gathering
from lakehouse.landing.collected import Collected
from lakehouse.landing.gather import _request, gather
from lakehouse.landing.policy import GatherPolicy
from lakehouse.settings import Settings

AT = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
LINE = Collected("r1", AT, "web", "track", '{"event": "A"}').line()


@given(
    st.text(max_size=6),
    st.datetimes(datetime.fromisoformat("2020-01-01"), timezones=st.just(UTC)),
    st.from_regex("[a-z0-9][a-z0-9_]{0,5}", fullmatch=True),
)
def test_what_the_door_writes_is_a_request(name: str, received_at: datetime, source: str) -> None:
    """With the key of its object, so that this goes when the request is in a file."""
    made = Collected(name, received_at, source, "batch", "{}")
    assert _request(made.line()) == (received_at, made.line(), source, made.key)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "no JSON",
        "[]",
        "1",
        "null",
        '{"lakehouse_request":1,"id":"r1"}',
        LINE[:-1],
        LINE.replace('"lakehouse_request":1,', ""),
        LINE.replace('"lakehouse_request":1', '"lakehouse_request":2'),
        f" {LINE}",
        LINE.replace('"id":"r1",', ""),
        LINE.replace("2026-01-05T08", "2026-01-05T28"),
        LINE.replace('"received_at":"2026-01-05T08:30:00.000000Z"', '"received_at":5'),
        *(
            LINE.replace('"source":"web"', f'"source":{json.dumps(source)}')
            for source in ("", "../web", "web/contacts", "Web", "_web", "web\n", None, 7)
        ),
    ],
)
def test_what_is_none_is_refused(line: str) -> None:
    """A source is a folder of the landing bucket: none leads elsewhere."""
    with pytest.raises((ValueError, TypeError, KeyError)):
        _request(line)


@pytest.fixture
def files(monkeypatch) -> list[list[str]]:
    """The lines that are written, and the requests whose objects go then."""
    landed: list[list[str]] = []
    monkeypatch.setattr(gathering, "_land", lambda _, found: landed.append([each.line for each in found]))
    return landed


def test_messages_that_are_none_are_named_and_cost_no_other(files) -> None:
    """The queue hands them on again, and then sets them aside."""
    bodies = {"a": LINE, "b": "no request", "c": LINE.replace("r1", "r2"), "d": "[]"}
    records = [{"messageId": name, "body": body} for name, body in bodies.items()]
    assert gather(Settings(), records, pytest.fail) == ["b", "d"]
    assert files == [[bodies["a"], bodies["c"]]]


@pytest.mark.parametrize(("bytes_more", "waits"), [(-1, False), (0, True)])
def test_a_full_call_takes_its_time(files, bytes_more: int, waits: bool) -> None:
    """So that no load makes more than about a file a second; any other is done at once."""
    pauses: list[float] = []
    body = "x" * (GatherPolicy.full_bytes + bytes_more)
    gather(Settings(), [{"messageId": "a", "body": body}], pauses.append)
    assert bool(pauses) is waits
    assert all(
        0 < pause <= timedelta(seconds=GatherPolicy.full_call_seconds).total_seconds() for pause in pauses
    )


def test_a_body_nested_as_deeply_as_may_be_is_gathered() -> None:
    """It passed the door: another parser's limit must not keep its neighbours waiting for ever."""
    deep = '{"batch":[' + "[" * 100_000 + "]" * 100_000 + "]}"
    line = Collected("r1", AT, "web", "batch", deep).line()
    assert _request(line).source == "web"
