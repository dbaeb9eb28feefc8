"""A collected request is one line that says all of it, and one object whose key follows from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.landing.collected import CALLS, MARK, Collected, object_key

AT = datetime(2026, 1, 5, 8, 30, 0, 123, tzinfo=UTC)

bodies = st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=4)
requests = st.builds(
    Collected,
    st.text(max_size=8),
    st.datetimes(datetime.fromisoformat("2020-01-01"), timezones=st.just(UTC)),
    st.text(max_size=8),
    st.sampled_from(sorted(CALLS.values())),
    st.tuples(bodies, st.booleans(), st.sampled_from([None, 2])).map(
        lambda way: json.dumps(way[0], ensure_ascii=way[1], indent=way[2])
    ),
    st.text(max_size=8),
)


@given(requests)
def test_a_line_says_all_of_a_request(made: Collected) -> None:
    """However its body was written: with line breaks, and with what no message of a queue may hold."""
    line = made.line()
    said = json.loads(line)
    assert said.pop("lakehouse_request") == 1
    assert datetime.fromisoformat(said.pop("received_at")) == made.received_at
    assert said == {
        "id": made.request_id,
        "source": made.source,
        "call": made.call,
        "ip": made.ip,
        "body": json.loads(made.body),
    }
    assert line.startswith(MARK)
    assert not {"\n", "\r", "\ufffe", "\uffff"} & set(line)


def test_a_body_stays_as_it_came() -> None:
    """Numbers keep their digits, names that come twice do, and blanks too."""
    body = '{"a": 1.10, "a": 12345678901234567890123,\n"张": "\\u5f20"}'
    line = Collected("r1", AT, "web", "track", body).line()
    assert line == (
        '{"lakehouse_request":1,"id":"r1","received_at":"2026-01-05T08:30:00.000123Z","source":"web","call":"track",'
        '"ip":"","body":{"a": 1.10, "a": 12345678901234567890123, "张": "\\u5f20"}}'
    )


def test_requests_of_one_minute_stand_together() -> None:
    """Each under a key of its own, that any text may be an id of."""
    made = Collected("r1", AT, "web", "track", "{}")
    assert made.key == object_key("r1", AT)
    assert made.key.startswith("collected/2026/01/05/08/30/")
    keys = {object_key(name, AT) for name in ("r1", "r2", "../r1", "王", "")}
    assert len(keys) == 5
    assert {key.rpartition("/")[0] for key in keys} == {"collected/2026/01/05/08/30"}
    assert all(
        key.removeprefix("collected/").replace("/", "").removesuffix(".json").isalnum() for key in keys
    )


@pytest.mark.parametrize(
    ("path", "call"),
    [("track", "track"), ("t", "track"), ("identify", "identify"), ("i", "identify"), ("page", "page"), ("p", "page"),
     ("screen", "screen"), ("s", "screen"), ("group", "group"), ("g", "group"), ("alias", "alias"), ("a", "alias"),
     ("batch", "batch"), ("b", "batch"), ("import", "batch")],
)  # fmt: skip
def test_paths_of_every_sdk_are_known(path: str, call: str) -> None:
    """Servers write the name, browsers its first letter, Ruby sends batches to `import`; there is no other."""
    assert CALLS[path] == call
    assert len(CALLS) == 15


@pytest.mark.parametrize("character", ["\n", "\r", "\ufffe", "\uffff"])
def test_what_no_line_and_no_message_may_hold_is_written_otherwise(character: str) -> None:
    """A break between members as a blank, and the code points that queues refuse as JSON's own escapes."""
    is_break = character in "\r\n"
    body = f'{{{character}"a": "b"}}' if is_break else f'{{"a": "{character}"}}'
    line = Collected("r1", AT, "web", "track", body).line()
    assert character not in line
    assert json.loads(line)["body"] == {"a": "b" if is_break else character}
