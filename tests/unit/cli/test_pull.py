"""`lakehouse pull` as a person runs it: what landed, as text and as JSON, and what cannot be pulled."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from lakehouse import cli
from lakehouse.local import session as sessions
from lakehouse.settings import current
from lakehouse.stages import pull as stage


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the command on settings without a stack; return its exit code and what it said."""

    @contextmanager
    def session(*_, **__):
        yield current()

    monkeypatch.setattr(sessions, "session", session)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["lakehouse", "pull", *arguments, "--data", str(tmp_path)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return run


def test_a_system_that_cannot_be_pulled_is_told(run):
    """With those that can be."""
    code, said = run("pipedrive")
    assert code == 1
    assert "hubspot" in said
    assert "salesforce" in said
    code, said = run("hubspot", "deals")
    assert code == 1
    assert "deals" in said


def test_help_says_how(run):
    """And names an example."""
    code, said = run("--help")
    assert code == 0
    assert "lakehouse pull" in said


def test_what_landed_is_said(run, monkeypatch):
    """How many records, through when, and what to do; nothing new is no file."""
    answers = [
        stage.Pulled(("hubspot", "contacts"), 0, (), ""),
        stage.Pulled(("hubspot", "contacts"), 1234, ("a.csv",), "2026-03-01"),
    ]
    monkeypatch.setattr(stage, "pull", lambda *_: answers.pop(0))
    assert "nothing changed" in run("hubspot")[1]
    answers.append(answers[0])
    assert "1,234 changed records" in run("hubspot")[1]
    assert json.loads(run("hubspot", "--json")[1])["records"] == 1234
