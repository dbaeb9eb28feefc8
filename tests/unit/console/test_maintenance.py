"""What people see of maintenance: before and after, and why."""

from __future__ import annotations

from lakehouse.console.maintenance import show_maintenance, show_raw_files

NONE = {"files": 0, "bytes": 0, "waiting": 0, "unversioned": 0, "failed": 0}
STATE = {
    "files": 1200,
    "small_files": 1200,
    "bytes": 5 * 2**20,
    "manifests": 40,
    "snapshots": 90,
    "orphans": 2,
}
DONE = {"files": 30, "small_files": 30, "bytes": 5 * 2**20, "manifests": 2, "snapshots": 50, "orphans": 0}


def test_before_and_after_and_why(capsys):
    """What changed has an arrow, what did not has one number; idle and failed tables are no rows."""
    reports = {
        "raw.web_events": {"before": STATE, "after": DONE, "why": ["1,200 files: rewrite into 30"]},
        "raw.shop_orders": {"before": DONE, "after": DONE, "why": []},
        "raw.bad": {"failed": "OSError"},
    }
    show_maintenance(reports, dry_run=False)
    shown = capsys.readouterr().out
    assert "1,200 → 30" in shown
    assert "5 MiB" in shown
    assert "→ 5 MiB" not in shown
    assert "raw.web_events: 1,200 files: rewrite into 30" in shown
    assert "1 table has nothing to do" in shown
    assert "raw.shop_orders" not in shown
    assert "raw.bad" not in shown
    assert "Maintained" in shown


def test_a_dry_run_says_so(capsys):
    """What is shown then is expected, not done."""
    show_maintenance({"raw.x": {"before": STATE, "after": DONE, "why": ["x"]}}, dry_run=True)
    assert "Expected" in capsys.readouterr().out


def test_nothing_at_all(capsys):
    """A lake without tables."""
    show_maintenance({}, dry_run=False)
    assert "0 tables have nothing to do" in capsys.readouterr().out


def test_people_read_what_went(capsys):
    """And nothing where no source limits its files."""
    show_raw_files({}, dry_run=False)
    assert capsys.readouterr().out == ""
    show_raw_files({"shop/orders": NONE | {"files": 1_234, "bytes": 5 << 20}}, dry_run=True)
    said = capsys.readouterr().out
    assert "shop/orders" in said
    assert "would go" in said
    assert "1,234" in said
