"""What a call costs beside its rows: `python -m tests.support.small_calls` loads two rows, and brings all up to them.

Prints seconds of this process's processor time, of each step the first time, which imports and makes what a process
keeps, and the least of the times after it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lakehouse.stages.aggregate import aggregate
from lakehouse.stages.consents import refresh_consents
from lakehouse.stages.resolve import resolve
from tests import conftest
from tests.support import small_company

ROUNDS = 6
HEADER = "contact_id,name,email,phone,country,marketing_consent,marketing_consent_at,created_at,updated_at"
# Two who look alike in part: they are weighed against each other.
ROWS = (
    "{n}1,Ines Vogt,ines{n}@home.example.com,+1 212 555 0371,US,no,2026-05-01T10:00:00Z,2026-01-01,2026-11-15",
    "{n}2,Paul Vogt,paul{n}@home.example.com,(212) 555-0371,US,yes,2026-06-01T10:00:00Z,2026-01-01,2026-06-02",
)


def steps(company: small_company.SmallCompany, number: int) -> dict[str, Callable[[], object]]:
    """Return what is done in a round, by name."""
    rows = "\n".join([HEADER, *(row.format(n=number) for row in ROWS)]) + "\n"
    return {
        "load a file": lambda: company.load("crm/contacts", f"{number}.csv", rows),
        "resolve": lambda: resolve(company.settings),
        "resolve, nothing new": lambda: resolve(company.settings),
        "consents": lambda: refresh_consents(company.settings),
        "aggregate": lambda: aggregate(company.settings),
        "a question": lambda: company.ask("select count(*) from core.consent_answers"),
    }


def measure(folder: Path) -> dict[str, list[float]]:
    """Return the seconds of each step, round by round, in an empty lake."""
    for name in ("warehouse", "scratch"):
        (folder / name).mkdir()
    environment = {
        "LAKEHOUSE_CATALOG": "sql",
        "LAKEHOUSE_CATALOG_URI": f"sqlite:///{folder}/catalog.sqlite",
        "LAKEHOUSE_WAREHOUSE": f"file://{folder}/warehouse",
        "LAKEHOUSE_SCRATCH": str(folder / "scratch"),
    }
    took: dict[str, list[float]] = {}
    with pytest.MonkeyPatch.context() as monkeypatch:
        lake = conftest._settings(monkeypatch, environment)
        next(lake)
        with small_company.company(monkeypatch, folder) as company:
            for number in range(ROUNDS):
                for name, step in steps(company, number).items():
                    began = time.process_time()
                    step()
                    took.setdefault(name, []).append(time.process_time() - began)
        next(lake, None)
    return took


def main() -> int:
    """Print the figures."""
    with TemporaryDirectory() as folder:
        for name, seconds in measure(Path(folder)).items():
            sys.stderr.write(f"{name:20} first {seconds[0]:5.2f}  least {min(seconds[1:]):5.2f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
