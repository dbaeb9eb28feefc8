"""Metrics are asked of the lake as it is, and `status` names those that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.errors import Terminal
from lakehouse.stages import analyst_sql
from lakehouse.stages.ask_metric import question
from lakehouse.stages.status import status
from tests.support.small_company import forget

WEBSITES = """\
name: events
title: Events
question: What happened on the site?
table: raw.events
sql: count(*)
dimensions: {kind: type}
unit: events
owner: web
"""


@pytest.fixture
def own(company, monkeypatch, tmp_path) -> Path:
    """A folder of people's own metrics, which counts from the next question on."""
    (tmp_path / "own" / "metrics").mkdir(parents=True)
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "own"))
    forget()
    return tmp_path / "own" / "metrics"


def _ask(settings, name, *by):
    con = analyst_sql.connect(settings)
    try:
        return analyst_sql.ask(con, question(settings, name, by)).fetchall()
    finally:
        con.close()


def test_a_metric_of_ones_own_is_asked_like_those_that_ship(company, own):
    """Of a lake without rows there is nothing, and none of it is an error."""
    (own / "events.yaml").write_text(WEBSITES, "utf-8")
    assert _ask(company.settings, "events") == [(0,)]
    assert _ask(company.settings, "events", "kind") == []
    assert _ask(company.settings, "revenue") == [(None,)]
    assert _ask(company.settings, "csat", "month", "theme") == []
    assert status(company.settings)["definitions"] == []


def test_a_wrong_one_is_named_and_stops_itself_alone(company, own):
    """With the file and the line; the others are asked all the same."""
    (own / "events.yaml").write_text(WEBSITES.replace("count(*)", "type"), "utf-8")
    (own / "orders.yaml").write_text(WEBSITES.replace("name: events", "name: orders"), "utf-8")
    found = {(each["kind"], each["name"]): each for each in status(company.settings)["definitions"]}
    wrong = found.pop(("metric", "events"))
    assert all("orders" in each["reason"] for each in found.values())  # a ratio whose part is another now
    assert wrong["reason"] == "events.yaml: sql: no aggregate: say sum(…), count(…) or the like (line 5)"
    with pytest.raises(Terminal, match="no aggregate"):
        question(company.settings, "events")
    assert _ask(company.settings, "orders") == [(0,)]
    with pytest.raises(Terminal, match=r"there is no metric 'revenu'; did you mean revenue\?"):
        question(company.settings, "revenu")
