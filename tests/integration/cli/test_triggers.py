"""`lakehouse triggers …` and `lakehouse explain …` as a person runs them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from lakehouse import cli
from lakehouse.local import session as sessions
from lakehouse.stages.fire_triggers import fire

if TYPE_CHECKING:
    from tests.support.small_company import SmallCompany


@pytest.fixture
def command(company: SmallCompany, monkeypatch, capsys, tmp_path):
    """Run a command on the company; return exit code, output and errors."""

    @contextmanager
    def session(*_, **__):
        yield company.settings

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["lakehouse", *arguments, "--data", str(tmp_path / "d")])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    monkeypatch.setattr(sessions, "session", session)
    return run


def test_rules_rows_and_why(company, command):
    """Listed, previewed, made and explained, as text and as JSON."""
    now = datetime.now(UTC)
    order = {
        "source": "s",
        "order_id": "O1",
        "customer_id": "c_ann",
        "ordered_on": now.date(),
        "ordered_at": now,
    }
    company.fill("core.order_values", order | {"is_order": True})
    [reason] = json.loads(command("triggers", "preview", "first_purchase", "--json")[1])
    assert (reason["customer_id"], reason["becomes"]) == ("c_ann", "new")
    assert "new" in command("triggers", "preview", "first_purchase")[1]
    fire(company.settings)
    code, text, _ = command("triggers", "list", "--json")
    assert code == 0
    listed = {each["name"]: each for each in json.loads(text)["triggers"]}
    assert (listed["first_purchase"]["rows"], listed["first_purchase"]["standing"]) == (1, 1)
    assert "first_purchase" in command("triggers", "list")[1]
    assert command("triggers", "preview", "no_such")[0] == 1
    code, text, _ = command("explain", "c_ann", "marts.triggers", "--json")
    found = json.loads(text)
    assert code == 0
    assert found["rows"][0]["trigger"] == "first_purchase"
    assert found["read"][0]["rows"][0]["order_id"] == "O1"
    code, text, _ = command("explain", "c_ann", "marts.triggers")
    assert code == 0
    assert "core.order_values: 1 of 1 rows" in text
    code, _, error = command("explain", "c_ann", "marts.triggers", "--day", "yesterday")
    assert code == 1
    assert "say a day as 2026-03-01" in error
