"""`lakehouse why`: what is printed."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import date

import pytest

from lakehouse import cli
from lakehouse.local import session as sessions
from lakehouse.stages import why_written
from lakehouse.stages.why_written import Delivery, Values, Why

SENT = Delivery(
    "news",
    "7",
    "a-0001",
    "c_1",
    "upsert",
    "sent",
    outcome_at="2026-03-01T10:00:00+00:00",
    id="ann@x.org",
    address="ann@x.org",
    crm_id="42",
    purpose="marketing",
    channel="email",
    properties={"tier": "gold"},
    planned_at="2026-03-01T09:00:00+00:00",
    claims=("2026-03-01T09:30:00+00:00",),
    values=(
        Values(
            "ops.segment_members", "9", "kept", ({"segment": "regulars", "entered_on": date(2026, 2, 1)},)
        ),
        Values("marts.customer_360", "5", "kept", ({"customer_id": "c_1", "orders": 4, "city": "Oslo"},)),
        Values("marts.rfm", "3", "expired"),
    ),
    consent_id="k_1",
    objects=("outbound/news/7/run.json",),
)
LEFT_OUT = Delivery(
    "news", "8", "plan", "c_1", "upsert", "withheld", "consent", planned_at="2026-03-02T09:00:00"
)


@pytest.fixture
def printed(monkeypatch, capsys):
    """Run the command on an answer; return what it printed."""

    @contextmanager
    def session(*_, **__):
        yield "settings"

    monkeypatch.setattr(sessions, "session", session)
    monkeypatch.setenv("COLUMNS", "200")

    def run(found: Why, *arguments: str) -> str:
        monkeypatch.setattr(why_written, "why", lambda *_: found)
        monkeypatch.setattr("sys.argv", ["lakehouse", "why", "ann@x.org", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
        return capsys.readouterr().out

    return run


def test_an_answer_tells_what_stands_behind_a_delivery(printed):
    """The columns that count, not the whole row; what cannot be known any more is said."""
    said = printed(Why("ann@x.org", ("c_1",), (LEFT_OUT, SENT), ("orders",)))
    for part in ("withheld (consent)", "regulars since 2026-02-01", "orders=4", "snapshot 3: expired",
                 "consent_id=k_1, standing=gone", "record 42", "tier=gold", "outbound/news/7/run.json"):  # fmt: skip
        assert part in said
    assert "Oslo" not in said


def test_json_has_everything(printed):
    """As the stage found it."""
    (sent,) = json.loads(printed(Why("ann@x.org", ("c_1",), (SENT,)), "--json"))["deliveries"]
    assert sent["values"][1]["rows"][0]["city"] == "Oslo"
    assert sent["claims"] == ["2026-03-01T09:30:00+00:00"]


def test_nothing_is_said_as_such(printed):
    """Not by silence."""
    assert "Nothing was sent" in printed(Why("ann@x.org", ("c_1",), ()))
