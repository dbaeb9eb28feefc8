"""What the outbound log holds survives its way through JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from lakehouse.outbound.records import Chunk, Outcome, Result, Row, chunk_id


def test_chunks_and_outcomes_are_read_as_they_were_written():
    """With all their rows."""
    chunk = Chunk(
        "news",
        "1",
        "x",
        "hubspot",
        "contacts",
        "email",
        "m",
        "e",
        [Row(0, "c", "a@x.org", "upsert", {"t": "金"})],
    )
    outcome = Outcome("news", "1", "x", 1, "2026-03-01", [Result(0, "c", "upsert", "sent", crm_id="9")])
    assert Chunk.from_json(json.loads(json.dumps(asdict(chunk)))) == chunk
    assert Outcome.from_json(json.loads(json.dumps(asdict(outcome)))) == outcome


def test_the_name_of_a_chunk_carries_its_plan():
    """No two plans share one."""
    assert chunk_id("abcdef0123456789", 7) == "abcdef01-0007"
