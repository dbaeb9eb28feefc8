"""A small company's segments, and the commands on them as a person runs them."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse import cli

if TYPE_CHECKING:
    from tests.support.small_company import SmallCompany

HEAD = "title: T\nowner: ann\ndoc: D\n"
REGULARS = f"name: regulars\n{HEAD}where: purchase_days >= 3 AND recency_days <= 30\nexclude: [rich]\n"
RICH = f"name: rich\n{HEAD}where: m = 5\n"
SYNC = """name: mine
destination: hubspot
id: {property: email, from: email}
purpose: marketing
channel: email
segments: [regulars]
properties: {a: segments}
"""


class Commands:
    """Runs commands on a company, and writes its definitions."""

    def __init__(self, company: SmallCompany, folder, capsys, monkeypatch) -> None:
        self.company, self.folder = company, folder
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def __call__(self, *arguments: str, code: int = 0) -> str:
        self._capsys.readouterr()
        self._monkeypatch.setattr(
            "sys.argv", ["lakehouse", "segments", *arguments, "--data", str(self.folder / "d")]
        )
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = self._capsys.readouterr()
        assert int(ended.value.code or 0) == code, said
        return said.out + said.err

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code))

    def define(self, where: str = "own", **texts: str) -> str:
        for name, text in texts.items():
            kind = "syncs" if name == "mine" else "segments"
            (self.folder / where / kind).mkdir(parents=True, exist_ok=True)
            (self.folder / where / kind / f"{name}.yaml").write_text(text, "utf-8")
        return str(self.folder / where)

    def marts(self, day: int, **customers: tuple[int, int, int]) -> None:
        """Compute the marts of a day: of each customer its purchase days, recency and m."""
        as_of = date(2026, 3, day)
        self.company.fill("marts.customer_360", *(
            {"customer_id": name, "as_of": as_of, "purchase_days": days, "recency_days": recency, "orders": days,
             "revenue": Decimal("1.10")}
            for name, (days, recency, _) in customers.items()
        ))  # fmt: skip
        self.company.fill(
            "marts.rfm", *({"customer_id": n, "as_of": as_of, "m": m} for n, (_, _, m) in customers.items())
        )
