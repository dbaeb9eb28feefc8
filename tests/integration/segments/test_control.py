"""The control group, from the definition to the audience."""

from __future__ import annotations

from lakehouse import objects
from lakehouse.segments import audience, refresh
from lakehouse.segments.control import in_control
from lakehouse.stages.export_members import members_of
from tests.integration.segments.test_refresh import customers, define
from tests.support.small_company import forget


def test_a_control_group_is_drawn_of_the_members_and_stays(company, monkeypatch, tmp_path):
    """In the table and the audience, not in the file for people; a segment that becomes wrong keeps its own."""
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path))
    monkeypatch.setenv("LAKEHOUSE_AS_OF", "2026-03-01")
    forget()
    names = [f"c{n}" for n in range(20)]
    customers(company, **dict.fromkeys(names, 3))
    company.fill("core.customers", *({"customer_id": name} for name in names))
    text = "name: held\ntitle: T\ndoc: D\nwhere: purchase_days >= 1\ncontrol_share: 0.4\n"
    define(tmp_path, held=text)
    expected = {name for name in names if in_control("held", name, 0.4)}
    assert 0 < len(expected) < len(names)
    for is_wrong in (False, True):
        held = text.replace("purchase_days >= 1", "no_such_column") if is_wrong else text
        define(tmp_path, held=held, others=text.replace("held", "others").replace("0.4", "0"))
        refresh.refresh(company.settings)
        rows = list(audience.audience(company.settings, ["held", "others"], "marketing", "email"))
        assert {row["customer_id"] for row in rows if row["control_of"] == ["held"]} == expected
        assert all(row["segments"] == ["held", "others"] for row in rows)
        with members_of(company.settings, "held", ()) as members:
            assert {row[0] for row in members.answer.fetchall()} == set(names) - expected
    prefix = "exports/held/"
    (key,) = [key for key in objects.list_keys(company.settings.ops_bucket, prefix) if key.endswith(".csv")]
    body = objects.get(company.settings.ops_bucket, prefix + key).decode()
    assert {line.partition(",")[0] for line in body.splitlines()[1:]} == set(names) - expected
    customers(company, **dict.fromkeys(names, 0))
    define(tmp_path, held=text)
    refresh.refresh(company.settings)
    query = (
        "select change, customer_id from ops.segment_changes where segment = 'held' and control order by all"
    )
    assert company.ask(query) == [
        (change, name) for change in ("entered", "left") for name in sorted(expected)
    ]
