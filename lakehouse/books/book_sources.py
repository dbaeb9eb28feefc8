"""What the books are copied from: objects under a prefix, and how their lines become rows of a table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse import aws
from lakehouse.engine.escape import identifier, literals
from lakehouse.tables.contract import Contract
from lakehouse.tables.contracts import AUDIT_LOG, DELIVERIES, LEDGER, QUARANTINE

if TYPE_CHECKING:
    import duckdb

_EMPTY = hashlib.md5(b"", usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Found:
    """One object of a listing; `bytes` is its size, `empty` whether it says nothing."""

    key: str
    bytes: int
    empty: bool


@dataclass(frozen=True)
class Objects:
    """Objects under a prefix that are copied into a table, and how to tell which are in it already.

    `select` reads the relation `objects(line, key)`, one row a line of an object; `origin` computes the object's
    key from the table's columns. `valid` is a query of the keys that count, where not all do; it reads the ledger.
    """

    contract: Contract
    prefix: str
    suffix: str
    origin: str
    select: str
    empty: frozenset[str] = frozenset({_EMPTY})  # ETags
    valid: str = ""

    def listed(self, bucket: str) -> Iterator[Found]:
        """Yield the objects there are."""
        for page in aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=self.prefix):
            for entry in page.get("Contents", []):
                if entry["Key"].endswith(self.suffix):
                    yield Found(entry["Key"], entry["Size"], entry["ETag"].strip('"') in self.empty)

    def counting(self, con: duckdb.DuckDBPyConnection, found: Iterator[Found]) -> Iterator[Found]:
        """Yield those of the objects that count and say something; the ledger is attached to the connection."""
        valid = {row[0] for row in con.execute(self.valid).fetchall()} if self.valid else None
        yield from (one for one in found if not one.empty and (valid is None or one.key in valid))


def typed(contract: Contract, lines: str) -> str:
    """Return the SELECT that reads a contract's columns out of JSON lines."""
    cells = (
        f"CAST(json_extract_string(line, {literals(['$.' + column.name])})[1] AS {column.duck_type}) "
        f"AS {identifier(column.name)}"
        for column in contract.columns
    )
    return f"SELECT {', '.join(cells)} FROM ({lines})"


_OLD_QUARANTINE = "'quarantine/' || file_id || CASE WHEN replay > 0 THEN '/' || replay ELSE '' END || '.json'"
_SET_ASIDE = "'quarantine/' || file_id || '/' || coalesce(replay, 0) || '/' || set_aside || '.json'"

# What an attempt left that came to nothing, or a file that was loaded once its source was defined, does not count.
QUARANTINED = Objects(
    QUARANTINE, "quarantine/", ".json", f"coalesce(object, {_OLD_QUARANTINE})",
    typed(QUARANTINE, "SELECT json_merge_patch(line, json_object('object', key)) AS line FROM objects"),
    valid=f"SELECT CASE WHEN set_aside <> '' THEN {_SET_ASIDE} ELSE {_OLD_QUARANTINE} END "
    f"FROM {LEDGER.name} WHERE quarantined > 0",
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

ALL = (QUARANTINED, AUDITED, DELIVERED, LEFT_OUT)
