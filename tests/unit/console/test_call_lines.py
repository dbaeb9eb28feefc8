"""What `lakehouse up` prints of function calls."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from lakehouse.console.call_lines import CallLines

NOON = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - a person's own time


def test_hints_that_a_stage_puts_off_are_one_line_a_minute():
    """While another stage works for two minutes, a hint comes every second."""
    now = [0.0]
    lines = CallLines(clock=lambda: now[0])
    shown = []
    for second in range(120):
        now[0] = float(second)
        shown += [lines.line(stage, 1, 0.2, 0, NOON) for stage in ("aggregate", "export_segments")]
    texts = [line for line in shown if line]
    assert len(texts) == 4
    assert texts[0] == "12:00:00  aggregate        1 message         0.2 s"
    assert texts[2].endswith("after 59 short calls")


def test_work_and_failures_are_always_shown():
    """And everything of functions that do not run on hints; sweep and tick only when they fail."""
    lines = CallLines(clock=lambda: 0.0, data=Path("mine"))
    for _ in range(2):
        assert lines.line("aggregate", 1, 58.0, 0, NOON)
        failed = str(lines.line("aggregate", 2, 0.1, 2, NOON))
        assert "2 to be tried again" in failed
        assert "mine/logs/functions.log" in failed
        assert lines.line("ingest", 3, 0.1, 0, NOON)
        assert lines.line("tick", 1, 0.1, 0, NOON) is None
        assert lines.line("tick", 1, 0.1, 1, NOON)
