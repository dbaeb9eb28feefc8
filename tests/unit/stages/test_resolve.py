"""Merges and splits become lines of an audit object; who is merely new does not."""

from __future__ import annotations

import json

import duckdb

from lakehouse.stages.resolve import _audit_lines


def test_merges_and_splits_are_lines_of_json():
    """In one order, whatever order they were found in."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(
            "CREATE TABLE identity_changes AS SELECT *, TIMESTAMPTZ '2026-03-01 12:00:00+00' AS \"at\" FROM (VALUES "
            "('split', 'c2', 'c3'), ('merge', 'c1', 'c2'), ('new', 'c9', NULL)) "
            "AS v(change, customer_id, into_customer_id)"
        )
        lines = [json.loads(line) for line in _audit_lines(con).splitlines()]
    assert [(line["action"], line["subject"], line["detail"]) for line in lines] == [
        ("merge", "c1", {"customer_id": "c2"}),
        ("split", "c2", {"customer_id": "c3"}),
    ]
    assert {line["at"] for line in lines} == {"2026-03-01T12:00:00+00:00"}
