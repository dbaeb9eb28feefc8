"""`lakehouse timeline …` as a person runs it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from lakehouse import cli
from lakehouse.local import session as sessions

if TYPE_CHECKING:
    from tests.support.small_company import SmallCompany


def test_what_happened_with_a_customer_is_shown_in_order_of_time(
    company: SmallCompany, monkeypatch, capsys, tmp_path
):
    """As text and as JSON; of nobody, what to do is said in a line."""

    @contextmanager
    def session(*_, **__):
        yield company.settings

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["lakehouse", "timeline", *arguments, "--data", str(tmp_path / "d")])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    monkeypatch.setattr(sessions, "session", session)
    company.fill("core.customers", {"customer_id": "c_ann"})
    days = {"a2": datetime(2026, 1, 2, tzinfo=UTC), "a1": datetime(2026, 1, 1, tzinfo=UTC)}
    company.fill(
        "core.activities",
        *(
            {"source": "crm", "activity_id": name, "customer_id": "c_ann", "kind": "call", "occurred_at": day}
            for name, day in days.items()
        ),
    )
    code, shown, _ = command("c_ann")
    assert code == 0
    assert shown.index("a1") < shown.index("a2")
    assert [row["id"] for row in json.loads(command("c_ann", "--json")[1])] == ["a1", "a2"]
    code, _, error = command("c_zed")
    assert code == 1
    assert "lakehouse identity explain" in error
