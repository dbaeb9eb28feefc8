"""The demo: real purchases, generated people around them, the whole loop, and a summary."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import Transient
from lakehouse.landing.put import put
from lakehouse.progress import Progress
from lakehouse.sample import company, purchases
from lakehouse.settings import Settings
from lakehouse.stages import tick

AS_OF = "1998-06-30"  # the CDNOW purchases end on this day
PATIENCE_S = 600.0
COMPANY = 500  # customers of the generated company that lands beside the real purchases


@dataclass(frozen=True)
class Summary:
    """What a demo has to tell; `people` and `segments` are rows to print."""

    landed: int
    known: int
    status: dict[str, Any]
    people: dict[str, int]
    segments: list[tuple[str, str, int]]


def write_sample(data: Path, progress: Progress) -> list[tuple[str, Path]]:
    """Write the sample files below the data folder, the same bytes at each call; return (source/entity, file) of each.

    Real purchases with what was generated around them, and what all systems of a generated company write; that one
    sells with Shopify alone, so that `raw.shop_orders` stays real.
    """
    folder = data / "sample"
    folder.mkdir(parents=True, exist_ok=True)
    files = purchases.write(folder, progress=progress)
    real = [(f"{file.source}/{file.entity}", file.path) for file in files]
    return [*real, *_company(folder / "company")]


def _company(folder: Path) -> list[tuple[str, Path]]:
    """Write the company, unless it is there whole; HubSpot and Salesforce have contacts of CDNOW's already."""
    if not (folder / "truth.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        until, crms = dt.date.fromisoformat(AS_OF), ("zoho", "wukong")
        company.write(folder, customers=COMPANY, until=until, crms=crms, shops=("shopify",))
    found = sorted(path for path in folder.glob("*/*/*") if path.is_file())
    return [("/".join(path.parts[-3:-1]), path) for path in found]


def land(settings: Settings, files: list[tuple[str, Path]], progress: Progress) -> tuple[int, int]:
    """Put the files; return how many are new and how many were there already."""
    fresh = 0
    for number, (place, path) in enumerate(files, start=1):
        fresh += put(settings.landing_bucket, place, path).fresh
        progress("land", number, len(files))
    return fresh, len(files) - fresh


def settle(settings: Settings, progress: Progress, beat: Callable[[], None] = lambda: None) -> None:
    """Wait until no file, stage or chunk has anything left to do; Transient when that takes ten minutes."""
    from lakehouse.stages.status import status  # noqa: PLC0415 - heavy, and `up` needs none of it

    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        beat()
        found = status(settings)["ingest"]
        progress("ingest", found["files"] - found["in_flight"], found["files"])
        due = ["ingest"] if found["in_flight"] else tick.pending(settings)
        if not due:
            return
        progress(due[0], 0, 0)
        time.sleep(0.5)
    raise Transient(
        f"the loop did not settle within {PATIENCE_S:.0f} s; see logs/functions.log in the data folder"
    )


def summarise(settings: Settings, landed: int, known: int) -> Summary:
    """Count what the loop made of the files."""
    from lakehouse.engine import duck  # noqa: PLC0415 - heavy, as below
    from lakehouse.segments import definition  # noqa: PLC0415
    from lakehouse.stages.status import status  # noqa: PLC0415
    from lakehouse.tables import views  # noqa: PLC0415

    con = duck.connect(settings)
    try:
        views.open_tables(con, settings)
        row = con.execute(
            """SELECT count(*), count(*) FILTER (contacts > 0), sum(contacts), count(*) FILTER (contacts > 1),
                sum(contacts - 1) FILTER (contacts > 1) FROM core.customers"""
        ).fetchone()
        names = (
            "customers",
            "with a CRM contact",
            "CRM contacts",
            "customers with several",
            "duplicate contacts",
        )
        people = {name: int(count or 0) for name, count in zip(names, row or (), strict=True)}
        sizes = dict(con.execute("SELECT segment, count(*) FROM ops.segment_members GROUP BY 1").fetchall())
    finally:
        con.close()
    segments = [(s.name, s.doc.strip(), sizes.get(s.name, 0)) for s in definition.load(settings.definitions)]
    return Summary(landed, known, status(settings), people, segments)
