"""What the books are copied from: objects under a prefix, and how their lines become rows of a table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse import aws
from lakehouse.engine.escape import identifier, literals
from lakehouse.tables.contract import Contract
from lakehouse.tables.contracts import AUDIT_LOG, DELIVERIES, LEDGER, QUARANTINE

if TYPE_CHECKING:
    import duckdb

_EMPTY_OBJECT = hashlib.md5(b"", usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class ListedObject:
    """One object of a listing; `bytes` is its size, `empty` whether it has no row for the books."""

    key: str
    bytes: int
    empty: bool


@dataclass(frozen=True)
class BookSource:
    """Objects under a prefix that are copied into a table, and how to tell which are in it already.

    `select_sql` reads the relation `objects(line, key)`, one row a line of an object; `origin_sql` computes the
    object's key from the table's columns. `valid_keys_sql` is a query of the keys that count, where not all do; it
    reads the ledger. `empty_etags` are those of objects without a row for the books.
    """

    contract: Contract
    prefix: str
    suffix: str
    origin_sql: str
    select_sql: str
    empty_etags: frozenset[str] = frozenset({_EMPTY_OBJECT})
    valid_keys_sql: str = ""

    def list_objects(self, bucket: str) -> Iterator[ListedObject]:
        """Yield the objects there are."""
        pages = aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=self.prefix)
        for page in pages:
            for entry in page.get("Contents", []):
                if entry["Key"].endswith(self.suffix):
                    empty = entry["ETag"].strip('"') in self.empty_etags
                    yield ListedObject(entry["Key"], entry["Size"], empty)

    def to_copy(
        self, con: duckdb.DuckDBPyConnection, objects: Iterable[ListedObject]
    ) -> Iterator[ListedObject]:
        """Yield those of the objects that count and are not empty; the ledger is attached to the connection."""
        not_empty = (listed for listed in objects if not listed.empty)
        if not self.valid_keys_sql:
            return not_empty
        valid = {key for (key,) in con.execute(self.valid_keys_sql).fetchall()}
        return (listed for listed in not_empty if listed.key in valid)


def json_lines_sql(contract: Contract, lines: str) -> str:
    """Return the SELECT that reads a contract's columns out of JSON lines; `lines` selects them as `line`."""
    cells = (
        f"CAST(json_extract_string(line, {literals(['$.' + column.name])})[1] AS {column.duck_type}) "
        f"AS {identifier(column.name)}"
        for column in contract.columns
    )
    return f"SELECT {', '.join(cells)} FROM ({lines})"


_OLD_QUARANTINE = "'quarantine/' || file_id || CASE WHEN replay > 0 THEN '/' || replay ELSE '' END || '.json'"
_SET_ASIDE = "'quarantine/' || file_id || '/' || coalesce(replay, 0) || '/' || set_aside || '.json'"

# Objects of attempts that were never committed do not count, nor those of files that a later load replaced.
QUARANTINED = BookSource(
    QUARANTINE, "quarantine/", ".json", f"coalesce(object, {_OLD_QUARANTINE})",
    json_lines_sql(QUARANTINE, "SELECT json_merge_patch(line, json_object('object', key)) AS line FROM objects"),
    valid_keys_sql=f"SELECT CASE WHEN set_aside <> '' THEN {_SET_ASIDE} ELSE {_OLD_QUARANTINE} END "
    f"FROM {LEDGER.name} WHERE quarantined > 0",
)  # fmt: skip

AUDITED = BookSource(
    AUDIT_LOG, "audit/", ".json", "split_part(audit_id, '#', 1)",
    "SELECT key || '#' || row_number() OVER (PARTITION BY key ORDER BY line->>'$.subject', CAST(line AS VARCHAR)) "
    "AS audit_id, CAST(line->>'$.at' AS TIMESTAMPTZ) AS decided_at, line->>'$.action' AS action, "
    "line->>'$.subject' AS subject, CAST(line->'$.detail' AS VARCHAR) AS detail FROM objects",
)  # fmt: skip

_DELIVERY_ORIGIN = (
    "'outbound/' || sync || '/' || run || CASE WHEN chunk = 'plan' THEN '/left_out.json' "
    "ELSE '/' || chunk || '/outcome.json' END"
)

DELIVERED = BookSource(
    DELIVERIES, "outbound/", "/outcome.json", _DELIVERY_ORIGIN,
    "SELECT line->>'$.sync' AS sync, line->>'$.run' AS run, line->>'$.chunk' AS chunk, "
    "r->>'$.customer_id' AS customer_id, r->>'$.action' AS action, r->>'$.status' AS outcome, "
    "nullif(r->>'$.code', '') AS reason, nullif(r->>'$.consent_id', '') AS consent_id, "
    "nullif(r->>'$.crm_id', '') AS crm_id, CAST(line->>'$.finished_at' AS TIMESTAMPTZ) AS outcome_at, "
    "nullif(r->>'$.by', '') AS withheld_by, CAST(nullif(r->>'$.until', '') AS TIMESTAMPTZ) AS withheld_until "
    "FROM (SELECT line, unnest(CAST(line->'$.rows' AS JSON[])) AS r FROM objects)",
)  # fmt: skip

_NOBODY: tuple[dict[str, list[str]], ...] = (
    {},
    {"consent": [], "no_address": [], "same_address": []},
    {"consent": [], "erased": [], "no_address": [], "same_address": [], "no_longer": []},
)

LEFT_OUT = BookSource(
    DELIVERIES, "outbound/", "/left_out.json", _DELIVERY_ORIGIN,
    "SELECT split_part(key, '/', 2) AS sync, split_part(key, '/', 3) AS run, 'plan' AS chunk, "
    "unnest(CAST(customers AS VARCHAR[])) AS customer_id, 'upsert' AS action, "
    "CASE name WHEN 'no_longer' THEN 'no_longer_withheld' ELSE 'withheld' END AS outcome, "
    "CASE WHEN name <> 'no_longer' THEN split_part(name, ':', 1) END AS reason, NULL AS consent_id, NULL AS crm_id, "
    "NULL AS outcome_at, CASE WHEN contains(name, ':') THEN substr(name, strpos(name, ':') + 1) END AS withheld_by, "
    "NULL AS withheld_until "
    "FROM (SELECT o.key, e.key AS name, e.value AS customers FROM objects AS o, json_each(o.line) AS e)",
    frozenset(hashlib.md5(json.dumps(nobody).encode(), usedforsecurity=False).hexdigest() for nobody in _NOBODY),
)  # fmt: skip

ALL = (QUARANTINED, AUDITED, DELIVERED, LEFT_OUT)
