"""A company's own definition of events may leave out what it does not want to keep; models read null there."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
import yaml

from lakehouse import settings
from lakehouse.models import runner
from lakehouse.sources import definition
from lakehouse.sources.read_contracts import columns_left_out
from lakehouse.stages.check_sources import check_text
from lakehouse.stages.resolve import resolve

LEFT_OUT = ("user_agent", "group_id", "consent_management")


def own_text(*left_out: str) -> str:
    """Return the shipped definition of events without some columns, and what speaks of them."""
    shipped = yaml.safe_load((files("lakehouse.sources") / "definitions/web_events.yaml").read_text("utf-8"))
    shipped["columns"] = [one for one in shipped["columns"] if one["name"] not in left_out]
    shipped["checks"] = [
        one for one in shipped["checks"] if not any(name in one["when"] for name in left_out)
    ]
    content = shipped["dedupe"]["content"]
    shipped["dedupe"]["content"] = [name for name in content if name not in left_out]
    del shipped["core"]
    return yaml.safe_dump(shipped, allow_unicode=True)


def use(monkeypatch, folder, text: str) -> None:
    """Have the lake read this definition of events; each in a folder of its own, as definitions are kept."""
    (folder / "sources").mkdir(parents=True)
    (folder / "sources" / "web_events.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(folder))
    settings.current.cache_clear()


def page(number: int, agent: str = "Googlebot/2.1") -> str:
    moment = f"2026-01-{number:02d}T10:00:00Z"
    said = {"type": "page", "messageId": f"m{number}", "anonymousId": f"d{number % 3}", "timestamp": moment}
    return json.dumps(said | {"receivedAt": moment, "context": {"userAgent": agent}})


def ran(company) -> set[str]:
    """Run what is due; nothing of it may fail."""
    resolve(company.settings)
    run = runner.run(company.settings)
    assert not run.wrong
    return {each.table for each in run.committed} | set(run.unchanged)


def test_models_read_null_where_a_definition_has_no_column(company, monkeypatch, tmp_path):
    """All rows at first, then in part; and what is asked by hand. Once the column is there, it is read."""
    use(monkeypatch, tmp_path / "without", own_text(*LEFT_OUT))
    company.load("web/events", "1.json", "\n".join(page(number) for number in range(1, 10)))
    assert "marts.sessions" in ran(company)
    assert company.ask("select count(*) from marts.sessions") == [(9,)]  # nobody knows of the robot
    company.load("web/events", "2.json", page(20))
    ran(company)
    assert company.ask("select count(*), count(browser) from marts.sessions") == [(10, 0)]
    assert company.ask("select count(*), count(browser), bool_or(is_bot) from core.fct_events") == [
        (10, 0, False)
    ]
    assert company.ask("select count(*), count(user_agent) from core.events") == [(10, 0)]
    use(monkeypatch, tmp_path / "with", own_text("group_id"))
    company.load("web/events", "3.json", page(21))
    ran(company)
    assert company.ask("select count(*) from marts.sessions") == [
        (10,)
    ]  # the robot of before is a person still
    assert company.ask("select count(*), count_if(is_bot) from core.fct_events") == [(11, 1)]


@pytest.mark.parametrize("left_out", [(), LEFT_OUT])
def test_check_says_what_models_will_not_find(lake, left_out):
    """As a warning: it may be meant."""
    source, findings = check_text(lake, own_text(*left_out), "web_events.yaml")
    said = [one.message for one in findings if one.field == "columns"]
    assert said == (
        ["the shipped definition has group_id, consent_management, user_agent, too: models read null there"]
        if left_out
        else []
    )
    assert source is not None
    assert [one.name for one in columns_left_out(source)] == [
        one.name for one in definition.load()["web", "events"].contract.columns if one.name in left_out
    ]


def test_no_source_that_ships_leaves_anything_out():
    """And one that does not ship has nothing that it could."""
    assert {columns_left_out(source) for source in definition.load().values()} == {()}
