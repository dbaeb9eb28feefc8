"""What stands beside a file of a segment."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from lakehouse.segments.export_files import manifest
from lakehouse.segments.policy import ExportPolicy


def test_a_manifest_says_until_when_a_file_may_be_used():
    """By the day of UTC on which it was made, not by that of whoever made it."""
    made_at = datetime(2026, 3, 2, 7, 30, tzinfo=timezone(timedelta(hours=8)))
    found = json.loads(manifest("quiet", "1-a.csv", made_at, {"kind": "changes", "rows": 2}))
    assert found["made_at"] == "2026-03-01T23:30:00+00:00"
    assert datetime.fromisoformat(found["expires_on"]) - datetime(2026, 3, 1) == timedelta(ExportPolicy.days)  # noqa: DTZ001
    assert (found["file"], found["kind"], found["rows"]) == ("1-a.csv", "changes", 2)
