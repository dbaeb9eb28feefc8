"""With every hint lost, tick asks the stages that have something to do."""

from __future__ import annotations

from lakehouse.stages import export, tick
from tests.support.small_company import SmallCompany, forget

EVENT = '{"type":"page","messageId":"m1","anonymousId":"a","timestamp":"2026-01-01T00:00:00Z"}\n'
STAGES = ("resolve", "aggregate", "export", "books")


def asked(company: SmallCompany) -> dict[str, int]:
    return {name: len(company.hints(name)) for name in STAGES}


def test_tick_asks_those_who_have_something_to_do(company):
    """Books and resolve always: looking costs them little, and the consent projection ages."""
    assert tick.tick(company.settings) == []
    assert asked(company) == {"resolve": 1, "aggregate": 0, "export": 0, "books": 1}
    company.load("web/events", "x.ndjson", EVENT)
    assert tick.tick(company.settings) == ["resolve", "aggregate"]
    assert asked(company) == {"resolve": 1, "aggregate": 1, "export": 0, "books": 1}


def test_a_wrong_definition_does_not_keep_others_from_being_asked(company, monkeypatch, tmp_path):
    """A stage that cannot say whether it has work is asked, and reports what is wrong."""
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "big.yaml").write_text("name: [", "utf-8")
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path))
    forget()
    company.fill("marts.customer_360", {"customer_id": "ann"})
    company.fill("marts.rfm", {"customer_id": "ann"})
    company.load("web/events", "x.ndjson", EVENT)
    assert tick.tick(company.settings) == ["resolve", "aggregate", "export_segments"]
    assert asked(company) == {"resolve": 1, "aggregate": 1, "export": 1, "books": 1}


def test_pending_names_the_stages_in_order(company, monkeypatch):
    """Those that wait for each other come one after the other."""
    monkeypatch.setattr(export.segments, "pending", lambda _: True)
    company.load("web/events", "x.ndjson", EVENT)
    assert tick.pending(company.settings) == ["resolve", "aggregate", "export_segments"]
