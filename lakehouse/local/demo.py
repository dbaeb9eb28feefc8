"""The demo: real purchases, generated people around them, the whole loop, and a summary."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from lakehouse import settings as settings_module
from lakehouse.errors import Transient
from lakehouse.landing.put import put
from lakehouse.local.data_folder import DataFolder
from lakehouse.local.policy import DemoPolicy
from lakehouse.local.stack import Stack
from lakehouse.progress import Progress
from lakehouse.sample import company, purchases
from lakehouse.settings import Settings
from lakehouse.stages import tick
from lakehouse.stages.debounce import has_messages

AS_OF = "1998-06-30"  # the CDNOW purchases end on this day

# The steps that progress is reported of, in their order, and what each does.
STEPS = {
    "sample": "writing the sample company",
    "land": "landing its files",
    "ingest": "loading raw tables",
    "resolve": "working out who is who",
    "aggregate": "computing customers and marts",
    "export_segments": "segments, and what the CRM must know",
}


@dataclass(frozen=True)
class Summary:
    """What a demo shows at its end.

    `landed` files are new, `known` ones landed earlier. `people` counts customers and contacts by what they are;
    `segments` has name, description and number of customers. `status` is what `lakehouse status` knows.
    """

    landed: int
    known: int
    status: dict[str, Any]
    people: dict[str, int]
    segments: list[tuple[str, str, int]]


def run_demo(data: Path, progress: Progress, check_interrupt: Callable[[], None]) -> Summary:
    """Run the whole loop on the sample in the data folder, on a stack that is stopped at the end.

    `progress` hears of `STEPS`, in two threads. `check_interrupt` is called now and then; what it raises ends the demo.
    """
    write_definitions(DataFolder(data))
    with Stack(data, as_of=AS_OF) as stack:
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write_sample, data, progress)
            stack.start("all")
            files = writing.result()
        settings = settings_module.current()
        stack.run()  # before files land: each is announced once, and the sweep of the start finds none
        landed, known = land(settings, files, progress)
        settle(settings, progress, check_interrupt)
        stack.invoke("books", {"Records": []})
        return summarise(settings, landed, known)


def write_definitions(folder: DataFolder) -> None:
    """Write a segment, two syncs and where these deliver to among the folder's definitions; what is there stays."""
    folder.make()
    for kind in (resources.files("lakehouse.local") / "demo_definitions").iterdir():
        (folder.definitions / kind.name).mkdir(exist_ok=True)
        for file in kind.iterdir():
            with suppress(FileExistsError), (folder.definitions / kind.name / file.name).open("xb") as out:
                out.write(file.read_bytes())


def write_sample(data: Path, progress: Progress) -> list[tuple[str, Path]]:
    """Write the sample files below the data folder, the same bytes at each call; return (source/entity, file) of each.

    Real purchases with what was generated around them, and what all systems of a generated company write. The company
    sells with Shopify alone, so that `raw.shop_orders` stays real.
    """

    def report_file(_file: str, done: int = 0, total: int = 0) -> None:
        progress("sample", done, total)

    progress("sample")
    folder = data / "sample"
    folder.mkdir(parents=True, exist_ok=True)
    files = purchases.write(folder, progress=report_file)
    purchase_files = [(f"{file.source}/{file.entity}", file.path) for file in files]
    return [*purchase_files, *_write_company(folder / "company")]


def _write_company(folder: Path) -> list[tuple[str, Path]]:
    """Write the company, unless it is there complete; HubSpot and Salesforce have contacts of CDNOW's already."""
    complete = (folder / "truth.json").exists()  # it is written last
    if not complete:
        shutil.rmtree(folder, ignore_errors=True)
        company.write(
            folder,
            customers=DemoPolicy.company_customers,
            until=dt.date.fromisoformat(AS_OF),
            crms=("zoho", "wukong"),
            shops=("shopify",),
        )
    files = sorted(path for path in folder.glob("*/*/*") if path.is_file())
    return [("/".join(path.parts[-3:-1]), path) for path in files]


def land(settings: Settings, files: list[tuple[str, Path]], progress: Progress) -> tuple[int, int]:
    """Put the files; return how many are new and how many were there already."""
    fresh = 0
    for number, (source_key, path) in enumerate(files, start=1):
        fresh += put(settings, source_key, path).fresh
        progress("land", number, len(files))
    return fresh, len(files) - fresh


def settle(settings: Settings, progress: Progress, check_interrupt: Callable[[], None]) -> None:
    """Wait until no file, stage or chunk has anything left to do; `Transient` when that takes ten minutes.

    To look at all tables takes as much as a function does: while queues have messages, that is done now and then. A
    stage that is due while no queue has a message gets its hint here, as `tick` would send it within five minutes.
    """
    from lakehouse.stages.status import status  # noqa: PLC0415 - heavy, and `up` needs none of it

    deadline = time.monotonic() + DemoPolicy.settle_seconds
    next_look = 0.0
    while time.monotonic() < deadline:
        check_interrupt()
        step = _busy_step(settings)
        if step is None or time.monotonic() >= next_look:
            ingest = status(settings)["ingest"]
            progress("ingest", ingest["files"] - ingest["in_flight"], ingest["files"])
            due = ["ingest"] if ingest["in_flight"] else tick.pending(settings)
            if not due:
                return
            if step is None:
                tick.hint(settings, due)
            step = due[0]
            next_look = time.monotonic() + DemoPolicy.look_seconds
        progress(step)
        time.sleep(DemoPolicy.poll_seconds)
    raise Transient(
        f"the loop did not settle within {DemoPolicy.settle_seconds:.0f} s;"
        " run it again: it goes on where it stopped; logs/functions.log in the data folder says what failed"
    )


def _busy_step(settings: Settings) -> str | None:
    """Return the first step whose queue has messages, None where none has."""
    queues = {
        "ingest": settings.ingest_queue_url,
        "resolve": settings.resolve_queue_url,
        "aggregate": settings.aggregate_queue_url,
        "export_segments": settings.export_queue_url,
    }
    return next((step for step, queue_url in queues.items() if has_messages(queue_url)), None)


_PEOPLE_SQL = """
SELECT count(*) AS "customers",
    count(*) FILTER (contacts > 0) AS "with a CRM contact",
    sum(contacts) AS "CRM contacts",
    count(*) FILTER (contacts > 1) AS "customers with several",
    sum(contacts - 1) FILTER (contacts > 1) AS "duplicate contacts"
FROM core.customers
"""
_SEGMENTS_SQL = "SELECT segment, count(*) FROM ops.segment_members GROUP BY segment"


def summarise(settings: Settings, landed: int, known: int) -> Summary:
    """Count what the loop made of the files."""
    from lakehouse.engine import duck  # noqa: PLC0415 - heavy, as below
    from lakehouse.segments import definition  # noqa: PLC0415
    from lakehouse.stages.status import status  # noqa: PLC0415
    from lakehouse.tables import views  # noqa: PLC0415

    con = duck.connect(settings)
    try:
        views.open_tables(con, settings)
        answer = con.execute(_PEOPLE_SQL)
        names = [column[0] for column in answer.description or []]
        counts = answer.fetchone() or ()
        sizes = dict(con.execute(_SEGMENTS_SQL).fetchall())
    finally:
        con.close()
    people = {name: int(count or 0) for name, count in zip(names, counts, strict=True)}
    segments = [
        (segment.name, segment.doc.strip(), sizes.get(segment.name, 0))
        for segment in definition.load(settings.definitions).defined
    ]
    return Summary(landed, known, status(settings), people, segments)
