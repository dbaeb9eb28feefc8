"""Sessions are those that a plain reading of the rule gives, whatever order messages come in, and however late."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.model_cases import answer

SILENCE = timedelta(minutes=30)
BEGIN = datetime(2026, 1, 31, 15, 0, tzinfo=UTC)  # an hour before midnight in the zone of the business
ACTS = st.tuples(
    st.sampled_from(["d1", "d2", None]),
    st.sampled_from(["ann", "bob", None, None]),
    st.sampled_from([0, 10, 29, 30, 31, 60, 61, 91, 95]),  # minutes
    st.fixed_dictionaries({}, optional={"name": st.sampled_from("xy"), "medium": st.sampled_from("xy")}),
    st.sampled_from(["1", "2", None, None]),  # click id
    st.sampled_from(["robot", "browser", None, None]),
).filter(lambda act: act[0] or act[1])
AGENTS = [{"user_agent": "robot", "is_bot": True}, {"user_agent": "browser", "is_bot": False}]
SIGNED_IN = [
    {"identifier_type": "user_id", "identifier_value": who, "customer_id": who} for who in ("ann", "bob")
]


def messages(acts: list[Any]) -> list[dict[str, Any]]:
    """Return a message for each act, numbered in their order."""
    return [
        {
            "message_id": f"m{number:03d}",
            "type": "page",
            "anonymous_id": device,
            "user_id": user,
            "timestamp": BEGIN + timedelta(minutes=minute),
            "context": json.dumps(_context(campaign, click)) if campaign or click else None,
            "user_agent": agent,
        }
        for number, (device, user, minute, campaign, click, agent) in enumerate(acts)
    ]


def _context(campaign: dict[str, str], click: str | None) -> dict[str, Any]:
    url = "https://x.org/" + (f"?gclid={click}" if click else "")
    return {"page": {"url": url}} | ({"campaign": campaign} if campaign else {})


def named(row: dict[str, Any]) -> dict[str, str]:
    """Return what a message names of a campaign, by parameter."""
    context = json.loads(row["context"] or "{}")
    _, _, click = context.get("page", {}).get("url", "").partition("?gclid=")
    return context.get("campaign", {}) | ({"click": click} if click else {})


def expected_sessions(rows: list[dict[str, Any]]) -> list[list[str]]:
    """Return the message ids of each session, as the rule says in words."""
    streams: dict[tuple[bool, str], list[dict[str, Any]]] = {}
    people = (row for row in rows if row["user_agent"] != "robot")
    for row in sorted(people, key=lambda each: (each["timestamp"], each["message_id"])):
        device = row["anonymous_id"]
        streams.setdefault((device is not None, device or row["user_id"]), []).append(row)
    sessions: list[list[str]] = []
    for stream in streams.values():
        last: datetime | None = None
        for row in stream:
            campaign = named(row)
            if last is None or row["timestamp"] - last > SILENCE:
                person, before = None, campaign
                sessions.append([])
            elif (person and row["user_id"] and row["user_id"] != person) or campaign != {
                key: before.get(key) for key in campaign
            }:
                sessions.append([])
            sessions[-1].append(row["message_id"])
            last = row["timestamp"]
            person, before = row["user_id"] or person, before | campaign
    return sessions


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts=st.lists(ACTS, min_size=1, max_size=12), data=st.data())
def test_sessions_are_as_the_rule_says_in_any_order(acts, data):
    """Each message is in the session that the rule gives, and rows do not depend on the order of arrival."""
    rows = messages(acts)
    shuffled = data.draw(st.permutations(rows))
    found = answer(
        "marts.sessions", core__identities=SIGNED_IN, raw__events=shuffled, core__user_agents=AGENTS
    )
    in_order = answer(
        "marts.sessions", core__identities=SIGNED_IN, raw__events=rows, core__user_agents=AGENTS
    )
    assert found == in_order
    at = {row["message_id"]: row["timestamp"] for row in rows}
    expected = sorted((at[session[0]], at[session[-1]], len(session)) for session in expected_sessions(rows))
    assert sorted((row["started_at"], row["ended_at"], row["events"]) for row in found) == expected


def test_a_late_message_joins_the_two_sessions_that_it_lies_between():
    """The session keeps its id, since its first message stays the first."""
    early, late = messages([("d1", None, 0, {}, None, None), ("d1", None, 40, {}, None, None)])
    before = answer("marts.sessions", raw__events=[early, late])
    assert [row["events"] for row in before] == [1, 1]
    between = messages([("d1", None, 20, {}, None, None)])[0] | {"message_id": "between"}
    (joined,) = answer("marts.sessions", raw__events=[early, late, between])
    assert joined["events"] == 3
    assert joined["session_id"] in {row["session_id"] for row in before}
