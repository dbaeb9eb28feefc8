"""`lakehouse consent`: times as they are typed, what is printed, and what a recall tells person by person."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from lakehouse import cli
from lakehouse.cli import consent
from lakehouse.errors import Terminal
from lakehouse.local import session as sessions
from lakehouse.stages import consent_questions, consent_statements, erasure_marks
from lakehouse.stages.consent_statements import Recall
from lakehouse.stages.erasure_marks import Marked

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEANING = {"customer_id": "c_1", "sync": "news", "purpose": "marketing", "channel": "email"}
SENT = LEANING | {
    "run": "1",
    "chunk": "2",
    "outcome": "sent",
    "outcome_at": NOW,
    "consent_id": "k_1",
    "crm_id": None,
}
FOUND = Recall(
    "form", "popup", [SENT, SENT | {"run": "2"}], [LEANING | {"to_do": "the next run takes them off"}]
)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command with stages that note what they are asked; return what it printed."""
    asked: list[tuple] = []

    @contextmanager
    def session(*_, **__):
        yield "settings"

    def noting(answer):
        def stage(*arguments, **named):
            asked.append((*arguments, named) if named else arguments)
            return answer

        return stage

    monkeypatch.setattr(sessions, "session", session)
    monkeypatch.setattr(consent_statements, "state", noting("s1"))
    monkeypatch.setattr(consent_statements, "recall", noting(FOUND))
    monkeypatch.setattr(
        consent_questions, "answers", noting([{"customer_id": "c_1", "allowed": False, "at": None}])
    )
    explained = {
        "answers": [],
        "statements": [{"record": "7"}],
        "erasures": [{"erasure_id": "e_1", "reason": None}],
    }
    monkeypatch.setattr(consent_questions, "explain", noting(explained))
    monkeypatch.setattr(erasure_marks, "mark_erased", noting(Marked("e_1", ["c_1"], 2, 3)))
    monkeypatch.setattr(erasure_marks, "end_erasure", noting(Marked("e_1", [], 2, 3)))

    def run(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["lakehouse", "consent", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        assert ended.value.code in {0, None}, printed.err
        return printed.out

    run.asked = asked
    return run


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        (None, NOW),
        ("2026-02-28T09:00:00", datetime(2026, 2, 28, 9, tzinfo=UTC)),
        ("2026-02-28T09:00:00+08:00", datetime(2026, 2, 28, 9, tzinfo=timezone(timedelta(hours=8)))),
        ("2026-02-28", datetime(2026, 2, 28, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_utc_and_none_is_now(typed, moment):
    """One with a zone keeps it."""
    assert consent._moment(typed, NOW) == moment


@pytest.mark.parametrize("typed", ["yesterday", "2026-13-01", ""])
def test_what_is_no_time_is_told(typed):
    """Rather than taken for now: a statement of the wrong time may outrank a refusal."""
    with pytest.raises(Terminal, match="not a time in ISO 8601"):
        consent._moment(typed, NOW)


@pytest.mark.parametrize(("command", "granted"), [("grant", True), ("withdraw", False)])
def test_grant_says_yes_and_withdraw_says_no(run, command, granted):
    """Of the address in its normal form, with all that was typed."""
    options = [
        "--channel",
        "sms",
        "--purpose",
        "service",
        "--at",
        "2026-02-28",
        "--policy",
        "v1",
        "--evidence",
        "a call",
    ]
    printed = run(command, "+1 415 555 0101", *options, "--by", "me", "--json")
    assert json.loads(printed) == {"statement_id": "s1"}
    [(_, statement, by, _)] = run.asked
    at = datetime(2026, 2, 28, tzinfo=UTC)
    said = ("+14155550101", "sms", "service", granted, at, "v1", "a call")
    assert (statement, by) == (consent_statements.Statement(*said), "me")


def test_a_recall_says_why_of_what_and_whether_it_ends(run):
    """Without a reason nothing is recalled."""
    printed = run("recall", "popup", "--why", " asked wrongly ", "--kind", "form", "--undo", "--by", "me")
    [(_, target, why, by, _, named)] = run.asked
    assert (target, why, by, named) == ("popup", "asked wrongly", "me", {"kind": "form", "undo": True})
    assert printed.splitlines()[:3] == list(consent.recall_lines(vars_of(FOUND)))[:3]
    assert (
        json.loads(run("recall", "popup", "--why", "x", "--json"))["people"][0]["to_do"]
        == "the next run takes them off"
    )
    with pytest.raises(AssertionError, match="say with --why"):
        run("recall", "popup", "--why", "  ")
    assert len(run.asked) == 2


def vars_of(found: Recall) -> dict:
    return {"kind": found.kind, "target": found.target, "sends": found.sends, "people": found.people}


def test_a_recall_is_told_person_by_person():
    """What to do, below it each send; of two syncs each has its own; in the end people are counted, not lines."""
    other = LEANING | {"sync": "club", "to_do": "nothing"}
    found = vars_of(FOUND) | {
        "people": [*FOUND.people, other],
        "sends": [*FOUND.sends, SENT | {"sync": "club"}],
    }
    assert list(consent.recall_lines(found)) == [
        "c_1  news: the next run takes them off",
        "  run=1  chunk=2  outcome=sent  outcome_at=2026-03-01 12:00:00+00:00  consent_id=k_1",
        "  run=2  chunk=2  outcome=sent  outcome_at=2026-03-01 12:00:00+00:00  consent_id=k_1",
        "c_1  club: nothing",
        "  run=1  chunk=2  outcome=sent  outcome_at=2026-03-01 12:00:00+00:00  consent_id=k_1",
        "form popup: 3 deliveries to 1 person leaned on it",
    ]


def test_answers_leave_out_what_is_empty_and_silence_is_told(run):
    """A `False` is no emptiness."""
    shown = run("show", "c_1").splitlines()
    assert shown[0] == "Who may be contacted"
    assert [" ".join(line.split()) for line in shown if "c" in line][1:] == [
        "┃ customer id ┃ allowed ┃",
        "│ c_1 │ no │",
    ]
    explained = run("explain", "c_1")
    assert explained.startswith("Who may be contacted: nobody said anything\n")
    assert all(text in explained for text in ("What was said, newest first", "│ 7", "Erased", "│ e_1"))
    assert json.loads(run("show", "Ann@x.org", "--json")) == [
        {"customer_id": "c_1", "allowed": False, "at": None}
    ]
    assert run.asked[-1] == ("settings", "ann@x.org")


def test_an_erasure_is_told_in_numbers_and_ended_by_its_id(run):
    """Without a reason nothing is put down."""
    assert "2 addresses and 3 other ids of 1 customer are remembered" in run(
        "erased", "c_1", "--why", "r 7", "--by", "me"
    )
    assert run.asked[-1][:4] == ("settings", "c_1", "r 7", "me")
    assert "may be contacted again" in run("erased", "e_1", "--why", "wrong one", "--undo")
    assert json.loads(run("erased", "c_1", "--why", "r 7", "--json"))["erasure_id"] == "e_1"
    with pytest.raises(AssertionError, match="say with --why"):
        run("erased", "c_1")


def test_the_folder_is_the_one_that_was_named(run, monkeypatch):
    """`--data` picks the stack."""
    seen = []

    @contextmanager
    def session(data, *_):
        seen.append(data)
        yield "settings"

    monkeypatch.setattr(sessions, "session", session)
    run("show", "c_1", "--data", "elsewhere")
    assert seen == [Path("elsewhere")]
