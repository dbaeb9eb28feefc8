"""Files of runs: who entered and who left, with a manifest; whatever dies in between, none is lost."""

from __future__ import annotations

import json
from datetime import date, datetime

import pytest

from lakehouse import objects
from lakehouse.segments import policy, refresh
from tests.support.small_company import SmallCompany, forget

REGULARS = "name: regulars\ntitle: R\ndoc: D\nwhere: purchase_days >= 3\n"


@pytest.fixture
def own(company, monkeypatch, tmp_path):
    """A company with one segment of its own, beside the shipped ones."""
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "definitions"))
    forget()
    (tmp_path / "definitions" / "segments").mkdir(parents=True)
    (tmp_path / "definitions" / "segments" / "regulars.yaml").write_text(REGULARS, "utf-8")


def customers(company: SmallCompany, day: int = 1, **purchase_days: int) -> None:
    """Compute the marts of these customers."""
    as_of = date(2026, 3, day)
    names = purchase_days.items()
    company.fill(
        "marts.customer_360",
        *({"customer_id": n, "as_of": as_of, "purchase_days": days} for n, days in names),
    )
    company.fill("marts.rfm", *({"customer_id": name, "as_of": as_of, "m": 1} for name in purchase_days))


class Died(BaseException):
    """The function was killed."""


def exported(company: SmallCompany, segment: str = "regulars") -> dict[str, list[str]]:
    """Return the lines of each file of a segment below `exports/`, by its name."""
    bucket, prefix = company.settings.ops_bucket, f"exports/{segment}/"
    keys = [f"{prefix}{key}" for key in objects.list_keys(bucket, prefix)]
    return {key.rpartition("/")[2]: (objects.get(bucket, key) or b"").decode().splitlines() for key in keys}


def test_each_run_writes_a_file_of_changes_a_segment(company, own):
    """For people and tools that read files: ids only, with a manifest; a segment that did not change has none."""
    customers(company, ann=3, bob=4)
    first = refresh.refresh(company.settings).run
    customers(company, day=2, ann=3, eve=4)
    second = refresh.refresh(company.settings).run
    customers(company, day=3, ann=3, eve=4)
    refresh.refresh(company.settings)
    files = exported(company)
    assert sorted(files) == sorted(
        f"{run}{suffix}" for run in (first, second) for suffix in (".csv", ".json")
    )
    assert files[f"{first}.csv"] == [
        "customer_id,change,as_of",
        "ann,entered,2026-03-01",
        "bob,entered,2026-03-01",
    ]
    assert files[f"{second}.csv"] == [
        "customer_id,change,as_of",
        "bob,left,2026-03-02",
        "eve,entered,2026-03-02",
    ]
    told = json.loads("".join(files[f"{second}.json"]))
    assert (told["segment"], told["file"], told["kind"], told["rows"]) == (
        "regulars",
        f"{second}.csv",
        "changes",
        2,
    )
    made, expires = datetime.fromisoformat(told["made_at"]), date.fromisoformat(told["expires_on"])
    assert (expires - made.date()).days == policy.ExportPolicy.days
    assert exported(company, "high_value") == {}


@pytest.mark.parametrize("step", ["export_files.write_changes", "_replace"])
def test_a_run_that_dies_loses_no_file(company, own, step):
    """All files together are the changes that the table holds, whatever came after the crash."""
    customers(company, ann=3, bob=3)

    def dead(*_, **__):
        raise Died

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"lakehouse.segments.refresh.{step}", dead)
        with pytest.raises(Died):
            refresh.refresh(company.settings)
    customers(company, ann=3, eve=3)
    refresh.refresh(company.settings)
    written = sorted(line for lines in exported(company).values() for line in lines if ",20" in line)
    noted = company.ask("select customer_id, change from ops.segment_changes where segment = 'regulars'")
    assert written == sorted(f"{customer},{change},2026-03-01" for customer, change in noted)
    assert sorted(noted) == [("ann", "entered"), ("bob", "entered"), ("bob", "left"), ("eve", "entered")]
