"""Copies into `ops.*` what stands elsewhere: ledger rows from commit summaries, the rest from objects.

Everything here can be rebuilt from what it copies. There is one writer (a FIFO queue with one group); should a
second one run all the same, the exclusive commit refuses the slower.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse import aws, telemetry
from lakehouse.engine import duck
from lakehouse.engine.escape import identifier, literals
from lakehouse.errors import CommitConflict
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, datafiles, ledger, views
from lakehouse.tables.contract import Contract
from lakehouse.tables.contracts import AUDIT_LOG, DELIVERIES, LEDGER, QUARANTINE

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog, Table

_OBJECTS_A_COMMIT = 2_000
_THREADS = 8


@dataclass(frozen=True)
class Copied:
    """How many rows each table gained."""

    rows: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Objects:
    """Objects under a prefix that are copied into a table, and how to tell which are in it already.

    `select` reads the relation `objects(line, key)`, one row a line of an object; `origin` computes the object's
    key from the table's columns.
    """

    contract: Contract
    prefix: str
    suffix: str
    origin: str
    select: str
    empty: frozenset[str] = frozenset()


def run(settings: Settings, objects: Iterable[Objects], copied: Copied | None = None) -> Copied:
    """Copy what is new; raises CommitConflict when another writer was first.

    What was copied is added to `copied`, where that is given, also by a run that ends in an error.
    """
    copied = copied or Copied()
    catalog = catalogs.open_catalog(settings)
    con = duck.connect(settings)
    try:
        copied.rows[LEDGER.name] += _copy_ledger(con, settings, catalog)
        for kind in objects:
            copied.rows[kind.contract.name] += 0
            for rows in _copy_objects(con, settings, catalog, kind):
                copied.rows[kind.contract.name] += rows
    finally:
        con.close()
    return copied


def _copy_ledger(con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog) -> int:
    table = catalogs.ensure(catalog, LEDGER)
    rows: dict[str, dict[str, Any]] = {}
    raw = (name for name in catalogs.table_names(catalog) if name.startswith("raw."))
    for name in raw:  # every raw table there is: a source may be defined no longer
        for snapshot_id, at_ms, record in ledger.in_summaries(catalogs.load(catalog, name)):
            when = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
            rows[record.file_id] = asdict(record) | {
                "table_name": name, "snapshot_id": snapshot_id, "committed_at": when,
            }  # fmt: skip
    for record in ledger.tableless(settings.ops_bucket):
        rows[record.file_id] = asdict(record) | {"committed_at": record.started_at}
    for file_id in ledger.in_ledger(catalog, set(rows)):
        del rows[file_id]
    if not rows:
        return 0
    _lines(con, [(json.dumps(row), "") for row in rows.values()])
    return _append(con, table, _typed(LEDGER, "SELECT line FROM objects"))


def _copy_objects(
    con: duckdb.DuckDBPyConnection, settings: Settings, catalog: Catalog, kind: Objects
) -> Iterator[int]:
    """Copy the objects that the table does not have, a bounded number a commit; yield each commit's rows."""
    table = catalogs.ensure(catalog, kind.contract)
    views.attach(con, catalog, [kind.contract.name])
    origins = con.execute(f"SELECT DISTINCT {kind.origin} FROM {kind.contract.name}").fetchall()
    known = {row[0] for row in origins}
    fresh = [key for key in _keys(settings.ops_bucket, kind) if key not in known]
    for start in range(0, len(fresh), _OBJECTS_A_COMMIT):
        _lines(con, list(_read_all(settings.ops_bucket, fresh[start : start + _OBJECTS_A_COMMIT])))
        yield _append(con, table, kind.select)


def _lines(con: duckdb.DuckDBPyConnection, lines: list[tuple[str, str]]) -> None:
    """Make the temp table `objects(line, key)` of JSON texts and the keys they came from."""
    con.execute("CREATE OR REPLACE TEMP TABLE objects (line JSON, key VARCHAR)")
    con.execute(
        "INSERT INTO objects SELECT CAST(unnest(?) AS JSON), unnest(?)",
        [[line for line, _ in lines], [key for _, key in lines]],
    )


def _read_all(bucket: str, keys: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each line of each object, with the object's key."""

    def read(key: str) -> str:
        return aws.s3().get_object(Bucket=bucket, Key=key)["Body"].read().decode()

    with ThreadPoolExecutor(_THREADS) as pool:
        for key, body in zip(keys, pool.map(read, keys), strict=True):
            yield from ((line, key) for line in body.split("\n") if line.strip())


def _keys(bucket: str, kind: Objects) -> list[str]:
    pages = aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=kind.prefix)
    return [
        entry["Key"]
        for page in pages
        for entry in page.get("Contents", [])
        if entry["Key"].endswith(kind.suffix) and entry["ETag"].strip('"') not in kind.empty
    ]


def _typed(contract: Contract, lines: str) -> str:
    """Return the SELECT that reads a contract's columns out of JSON lines."""
    cells = (
        f"CAST(json_extract_string(line, {literals(['$.' + column.name])})[1] AS {column.duck_type}) "
        f"AS {identifier(column.name)}"
        for column in contract.columns
    )
    return f"SELECT {', '.join(cells)} FROM ({lines})"


def _append(con: duckdb.DuckDBPyConnection, table: Table, query: str) -> int:
    """Append rows that `table`, as it was loaded, does not have; CommitConflict when others came in meanwhile."""
    written = datafiles.write(con, table, query, f"books-{uuid.uuid4()}")
    if written.files:
        try:
            commit.append(table, written.files, exclusive=True)
        except CommitConflict:
            datafiles.discard(table, written)
            raise
        telemetry.info("books copied", table=".".join(table.name()), rows=written.rows)
    return written.rows


QUARANTINED = Objects(
    QUARANTINE, "quarantine/", ".json", "'quarantine/' || file_id || '.json'",
    _typed(QUARANTINE, "SELECT line FROM objects"),
)  # fmt: skip

AUDITED = Objects(
    AUDIT_LOG, "audit/", ".json", "split_part(audit_id, '#', 1)",
    "SELECT key || '#' || row_number() OVER (PARTITION BY key ORDER BY line->>'$.subject', CAST(line AS VARCHAR)) "
    "AS audit_id, CAST(line->>'$.at' AS TIMESTAMPTZ) AS decided_at, line->>'$.action' AS action, "
    "line->>'$.subject' AS subject, CAST(line->'$.detail' AS VARCHAR) AS detail FROM objects",
)  # fmt: skip

_DELIVERY_ORIGIN = (
    "'outbound/' || sync || '/' || run || CASE WHEN chunk = 'plan' THEN '/left_out.json' "
    "ELSE '/' || chunk || '/outcome.json' END"
)

DELIVERED = Objects(
    DELIVERIES, "outbound/", "/outcome.json", _DELIVERY_ORIGIN,
    "SELECT line->>'$.sync' AS sync, line->>'$.run' AS run, line->>'$.chunk' AS chunk, "
    "r->>'$.customer_id' AS customer_id, r->>'$.action' AS action, r->>'$.status' AS outcome, "
    "nullif(r->>'$.code', '') AS reason, nullif(r->>'$.consent_id', '') AS consent_id, "
    "nullif(r->>'$.crm_id', '') AS crm_id, CAST(line->>'$.finished_at' AS TIMESTAMPTZ) AS outcome_at "
    "FROM (SELECT line, unnest(CAST(line->'$.rows' AS JSON[])) AS r FROM objects)",
)  # fmt: skip

_NOBODY: tuple[dict[str, list[str]], ...] = ({}, {"consent": [], "no_address": [], "same_address": []})

LEFT_OUT = Objects(
    DELIVERIES, "outbound/", "/left_out.json", _DELIVERY_ORIGIN,
    "SELECT split_part(key, '/', 2) AS sync, split_part(key, '/', 3) AS run, 'plan' AS chunk, "
    "unnest(CAST(line->('$.' || reason) AS VARCHAR[])) AS customer_id, 'upsert' AS action, 'withheld' AS outcome, "
    "reason, NULL AS consent_id, NULL AS crm_id, NULL AS outcome_at "
    "FROM objects, (VALUES ('consent'), ('no_address'), ('same_address')) AS reasons(reason)",
    frozenset(hashlib.md5(json.dumps(nobody).encode(), usedforsecurity=False).hexdigest() for nobody in _NOBODY),
)  # fmt: skip
