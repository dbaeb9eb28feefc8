"""How lines of objects become rows of the books, and which objects are copied."""

from __future__ import annotations

import json
from hashlib import md5

import duckdb
import pytest

from lakehouse.books.book_sources import (
    ALL,
    AUDITED,
    DELIVERED,
    LEFT_OUT,
    QUARANTINED,
    ListedObject,
    json_lines_sql,
)
from lakehouse.books.load_lines import load_objects_table
from lakehouse.tables.contract import Contract, columns


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        yield con


def copied(con, source, *objects):
    """Return the rows that a source makes of objects (key, line), by column, and the keys that they lead back to."""
    load_objects_table(con, [(json.dumps(line), key) for key, line in objects])
    con.execute(f"CREATE OR REPLACE TABLE copied AS {source.select_sql}")
    rows = con.execute("SELECT * FROM copied ORDER BY ALL")
    names = [column[0] for column in rows.description]
    dicts = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    origins = {key for (key,) in con.execute(f"SELECT {source.origin_sql} FROM copied").fetchall()}
    return dicts, origins


@pytest.mark.parametrize("source", ALL, ids=lambda source: source.prefix + source.suffix)
def test_a_source_fills_the_columns_of_its_table(con, source):
    """All of them, by name."""
    load_objects_table(con, [])
    names = [column[0] for column in con.execute(source.select_sql).description]
    assert sorted(names) == sorted(column.name for column in source.contract.columns)


def test_json_lines_become_typed_columns(con):
    """By name; what a line does not have is null."""
    contract = Contract(
        "ops.t",
        "T",
        "one row a t",
        columns(("n", "long", "N"), ("a b", "string", "T"), ("at", "timestamptz", "When")),
    )
    lines = """SELECT unnest(['{"n": 7, "a b": "x", "at": "2026-01-01T00:00:00Z"}', '{}'])::JSON AS line"""
    rows = con.execute(json_lines_sql(contract, lines)).fetchall()
    assert (rows[0][:2], rows[0][2].isoformat()) == ((7, "x"), "2026-01-01T00:00:00+00:00")
    assert rows[1] == (None, None, None)


def test_a_quarantined_row_leads_back_to_its_object(con):
    """By its key; old rows have none, and are found by file and generation."""
    key = "quarantine/f1/0/digest.json"
    rows, origins = copied(con, QUARANTINED, (key, {"file_id": "f1", "row": 3, "code": "bad_number"}))
    assert (rows[0]["file_id"], rows[0]["row"], rows[0]["object"]) == ("f1", 3, key)
    assert origins == {key}
    con.execute("UPDATE copied SET object = NULL")
    origin = f"SELECT {QUARANTINED.origin_sql} FROM copied"
    assert con.execute(origin).fetchall() == [("quarantine/f1.json",)]
    con.execute("UPDATE copied SET replay = 2")
    assert con.execute(origin).fetchall() == [("quarantine/f1/2.json",)]


def test_audited_decisions_are_numbered_within_their_object(con):
    """So that two of one object are two rows, the same at every copy."""
    at = "2026-01-01T00:00:00+00:00"
    lines = [{"action": "merge", "subject": who, "at": at, "detail": {}} for who in ("c2", "c1")]
    rows, origins = copied(con, AUDITED, *(("audit/a.json", line) for line in lines))
    assert [(row["audit_id"], row["subject"]) for row in rows] == [
        ("audit/a.json#1", "c1"), ("audit/a.json#2", "c2"),
    ]  # fmt: skip
    assert origins == {"audit/a.json"}


def test_outcomes_are_a_row_a_customer(con):
    """With the chunk that delivered it."""
    outcome = {
        "sync": "s", "run": "1", "chunk": "c", "finished_at": "2026-01-01T00:00:00Z",
        "rows": [{"customer_id": who, "action": "upsert", "status": "sent", "code": "", "crm_id": ""} for who in "ab"],
    }  # fmt: skip
    capped = {"customer_id": "c", "action": "upsert", "status": "withheld", "code": "cap", "by": "s/1/c/0"}
    outcome["rows"].append(capped | {"until": "2026-01-08T00:00:00+00:00"})
    rows, origins = copied(con, DELIVERED, ("outbound/s/1/c/outcome.json", outcome))
    assert [(row["customer_id"], row["outcome"], row["reason"]) for row in rows] == [
        ("a", "sent", None), ("b", "sent", None), ("c", "withheld", "cap"),
    ]  # fmt: skip
    until = [(row["withheld_by"], row["withheld_until"] and row["withheld_until"].day) for row in rows]
    assert until == [(None, None), (None, None), ("s/1/c/0", 8)]
    assert origins == {"outbound/s/1/c/outcome.json"}


def test_those_who_were_left_out_are_rows_with_a_reason(con):
    """Withheld by the plan, in no chunk."""
    line = {
        "consent": ["a"],
        "no_address": ["b"],
        "control:vip": ["c", "e"],
        'consent:s:"1': ["d"],
        "no_longer": ["f"],
    }
    rows, origins = copied(con, LEFT_OUT, ("outbound/s/1/left_out.json", line))
    found = [(row["customer_id"], row["outcome"], row["reason"], row["withheld_by"]) for row in rows]
    assert sorted(found) == [
        ("a", "withheld", "consent", None), ("b", "withheld", "no_address", None), ("c", "withheld", "control", "vip"),
        ("d", "withheld", "consent", 's:"1'), ("e", "withheld", "control", "vip"),
        ("f", "no_longer_withheld", None, None),
    ]  # fmt: skip
    assert origins == {"outbound/s/1/left_out.json"}


def test_objects_without_rows_are_known_by_their_etag():
    """The listing alone says that there is nothing to copy."""
    for nobody in ({}, {"consent": [], "no_address": [], "same_address": []}):
        etag = md5(json.dumps(nobody).encode(), usedforsecurity=False).hexdigest()
        assert etag in LEFT_OUT.empty_etags
    assert md5(b"", usedforsecurity=False).hexdigest() in AUDITED.empty_etags


def test_only_quarantine_that_a_commit_counted_is_copied(con):
    """An attempt that died left objects, too; where the ledger does not decide, every object counts."""
    con.execute("CREATE SCHEMA ops")
    con.execute(
        "CREATE TABLE ops.ingest_ledger AS SELECT * FROM (VALUES ('f1', 0, 'd', 2), ('f2', NULL, NULL, 1), "
        "('f3', 1, '', 1), ('f4', 0, 'd', 0)) AS v(file_id, replay, set_aside, quarantined)"
    )
    keys = [
        "quarantine/f1/0/d.json", "quarantine/f2.json", "quarantine/f3/1.json", "quarantine/f4/0/d.json",
        "quarantine/dead/0/d.json",
    ]  # fmt: skip
    objects = [ListedObject(key, 1, empty=False) for key in keys]
    assert [listed.key for listed in QUARANTINED.to_copy(con, objects)] == keys[:3]
    assert list(AUDITED.to_copy(con, objects)) == objects
    assert list(AUDITED.to_copy(con, [ListedObject("audit/x.json", 0, empty=True)])) == []
