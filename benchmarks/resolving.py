"""What who is who costs after few new rows, against a lake with ten times the events, and against everybody anew.

`resolve --records N` measures a thousand new contacts into so many from the tables, as a function does: in a process of
its own. `--lake FOLDER` keeps the lake of before, so that the next time it need not be built. Seconds are of a
process's processors, whatever else the machine does.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import statistics
import tempfile
import time
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import chinese_people
from benchmarks.ingest import running_stack
from benchmarks.processes import measured
from benchmarks.report import Result
from lakehouse import aws, settings
from lakehouse.engine import duck
from lakehouse.ingest.batch import ingest
from lakehouse.landing.raw_files import listing
from lakehouse.local.stack import Stack
from lakehouse.stages.resolve import resolve
from lakehouse.tables import catalog, views
from lakehouse.tables.people import MATCH_KEYS, MATCHES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakehouse.settings import Settings

_PEOPLE, _VISITORS, _VISITS = 20_000, 20_000, 5
_TIMES = 10  # the larger lake has so many times the visits
_NEW, _CONTACTS = 10, 1_000  # page views of new visitors; new records of the CRM
_ROUNDS = 5
_FUNCTION_MIB = "400"  # of the function that resolves the new records; DuckDB has half of it
_NOTE = "lake.json"  # what a lake that is kept holds
_COLUMNS = ("contact_id", "name", "phone", "email", "address", "birth_date", "updated_at")


def resolving(*, quick: bool) -> list[Result]:
    """Return the processor time after new page views, in lakes with more visits and more visitors over one with few."""
    visitors = _VISITORS // 10 if quick else _VISITORS
    with running_stack() as (found, folder):
        records = _contacts(folder, _PEOPLE // 10 if quick else _PEOPLE)
        _load(found, "crm/contacts", "known.csv", _csv(records[:-_CONTACTS]))
        _load(found, "web/events", "few.json", _visits("v", visitors, range(_VISITS)))
        everybody = _seconds(found)
        few = _after_page_views(found, "few")
        for part in range(1, _TIMES):  # as many files as days would bring
            hours = range(part * _VISITS, (part + 1) * _VISITS)
            _load(found, "web/events", f"more{part}.json", _visits("v", visitors, hours))
        resolve(found)
        many = _after_page_views(found, "many")
        _load(found, "web/events", "others.json", _visits("w", visitors * (_TIMES - 1), range(_VISITS)))
        resolve(found)
        crowd = _after_page_views(found, "crowd")
        _load(found, "crm/contacts", "new.csv", _csv(records[-_CONTACTS:]))
        contacts = _seconds(found)
        _forget(found)
        again = _seconds(found)
    what, note = f"resolve after {_NEW} page views of new visitors", f"{few:.2f} s with fewer"
    return [
        Result(f"{what}, with {_TIMES} × the events over fewer", many / few, "×", 1.2, at_least=False, note=note),
        Result(f"the same, with {_TIMES} × the visitors", crowd / few, "×", note=note),
        Result(
            f"resolve after {_CONTACTS:,} new contacts over everybody anew", contacts / again, "×",
            note=f"{contacts:.1f} s against {again:.1f} s, {len(records):,} contacts, {visitors * _TIMES:,} visitors",
        ),
        Result("resolve of a new lake", everybody, "s", note=f"{len(records):,} contacts, {visitors:,} visitors"),
    ]  # fmt: skip


def from_tables(records: int, kept: Path | None = None) -> list[Result]:
    """Return what a thousand new records into so many cost from the tables, and how many a rebuild has elsewhere.

    In the folder `kept` the lake of before stays, or is found: to build it takes most of the time.
    """
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        known = kept or work / "known"
        if not (known / _NOTE).exists():
            _build(known, records)
        note = json.loads((known / _NOTE).read_text("utf-8"))
        shutil.copytree(known / "lake", work / "lake")
        with _started(work / "lake") as found:
            _load(found, "crm/contacts", "new.csv", (known / "new.csv").read_bytes())
            seconds, peak = _in_a_process(AWS_LAMBDA_FUNCTION_MEMORY_SIZE=_FUNCTION_MIB)
            told = _customers(found)
            _forget_but_the_model(found)
            _in_a_process()
            otherwise = _elsewhere(told, _customers(found))
    what = f"resolve from its tables: {_CONTACTS:,} new contacts into {note['records']:,}, processor"
    return [
        Result(what, seconds, "s", 5, at_least=False, note=f"everybody: {note['everybody']:.0f} s"),
        Result("the same, peak memory of the process", peak, "MiB", 400, at_least=False),
        Result("identifiers that a rebuild puts elsewhere", otherwise, "", 0, at_least=False),
    ]


def _build(folder: Path, records: int) -> None:
    """Make a lake of so many contacts that are resolved, and the file of the new ones, in a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows = _contacts(folder, records // 2)  # of one person there are two on average
    (folder / "new.csv").write_bytes(_csv(rows[-_CONTACTS:]))
    with _started(folder / "lake") as found:
        _load(found, "crm/contacts", "known.csv", _csv(rows[:-_CONTACTS]))
        everybody, _ = _in_a_process()
    (folder / "people.csv").unlink()
    note = {"records": len(rows) - _CONTACTS, "everybody": everybody}
    (folder / _NOTE).write_text(json.dumps(note), "utf-8")  # last: it says that all is there


@contextmanager
def _started(lake: Path) -> Iterator[Settings]:
    """Give the settings of a stack on a folder, whose functions do not run."""
    with Stack(lake) as stack:
        stack.start()
        settings.current.cache_clear()
        catalog.open_catalog.cache_clear()
        yield settings.current()


_CALL = (
    "from lakehouse import settings; from lakehouse.stages.resolve import resolve; import time; "
    "resolve(settings.current()); print(time.process_time())"
)


def _in_a_process(**environment: str) -> tuple[float, float]:
    """Resolve in a process of its own; return its seconds of processor, and its peak memory in MiB."""
    printed, _, peak = measured(_CALL, **environment)
    return float(printed.split()[-1]), peak


def _customers(found: Settings) -> dict[tuple[str, str], str]:
    """Return the customer of each identifier."""
    with closing(duck.connect(found)) as con:
        views.open_tables(con, found, ["core.identities"])
        rows = con.execute(
            "SELECT identifier_type, identifier_value, customer_id FROM core.identities"
        ).fetchall()
    return {(kind, value): customer for kind, value, customer in rows}


def _elsewhere(one: dict[tuple[str, str], str], other: dict[tuple[str, str], str]) -> int:
    """Return how many identifiers are with others than before, whatever the customers are called."""
    pairs = {(one.get(name), other.get(name)) for name in one.keys() | other.keys()}
    left, right = Counter(pair[0] for pair in pairs), Counter(pair[1] for pair in pairs)
    return sum(
        left[one.get(name)] > 1 or right[other.get(name)] > 1 or None in (one.get(name), other.get(name))
        for name in one.keys() | other.keys()
    )


def _forget_but_the_model(found: Settings) -> None:
    """Drop what is computed but for the pairs, which name the model, so that it weighs all pairs once more."""
    lake = catalog.open_catalog(found)
    for name in catalog.table_names(lake, ["core"]):
        if name != MATCHES.name:
            lake.drop_table(name)
    catalog.ensure(lake, MATCH_KEYS)


def _after_page_views(found: Settings, name: str) -> float:
    """Return the median of the processor time that resolve takes after page views of visitors that nobody knew."""
    times = []
    for number in range(_ROUNDS):
        _load(found, "web/events", f"{name}-{number}.json", _visits(f"{name}{number}-", _NEW, [0]))
        times.append(_seconds(found))
    return statistics.median(times)


def _seconds(found: Settings) -> float:
    start = time.process_time()
    if not resolve(found):
        raise AssertionError("there was nothing to resolve")
    return time.process_time() - start


def _forget(found: Settings) -> None:
    """Drop what is computed, so that everybody is resolved anew."""
    lake = catalog.open_catalog(found)
    for name in catalog.table_names(lake, ["core"]):
        lake.drop_table(name)


def _load(found: Settings, place: str, name: str, body: bytes) -> None:
    aws.s3().put_object(Bucket=found.landing_bucket, Key=f"{place}/{name}", Body=body)
    files = [file for file in listing(found.landing_bucket, f"{place}/") if file.key.endswith(f"/{name}")]
    if ingest(found, files).failed:
        raise AssertionError(f"{name} was not loaded")


def _contacts(folder: Path, people: int) -> list[dict[str, str]]:
    """Return what clerks wrote of so many people, as records of one CRM."""
    path = folder / "people.csv"
    chinese_people.write(path, people, 1.0)
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {**row, "contact_id": row["record_id"], "updated_at": "2026-01-01T00:00:00Z"}
            for row in csv.DictReader(file)
        ]


def _csv(records: Iterable[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def _visits(prefix: str, visitors: int, hours: Iterable[int]) -> bytes:
    """Return page views, one an hour of each visitor; every fourth has signed in."""
    return b"".join(_visit_lines(prefix, visitors, list(hours)))


def _visit_lines(prefix: str, visitors: int, hours: list[int]) -> Iterator[bytes]:
    for visitor in range(visitors):
        user = {"userId": f"u{prefix}{visitor}"} if visitor % 4 == 0 else {}
        for hour in hours:
            moment = f"2026-05-{1 + hour // 24:02}T{hour % 24:02}:00:00Z"
            event = {
                "messageId": f"{prefix}{visitor}-{hour}", "type": "page", "name": "Home", "timestamp": moment,
                "anonymousId": f"{prefix}{visitor}", **user,
            }  # fmt: skip
            yield json.dumps(event).encode() + b"\n"
