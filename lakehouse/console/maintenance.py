"""What `lakehouse maintain` did or would do, for people."""

from __future__ import annotations

from typing import Any

from lakehouse.console.terminal import grid, out, plain, size

_COUNTS = ("files", "small_files", "bytes", "manifests", "snapshots", "orphans")


def show_maintenance(reports: dict[str, dict[str, Any]], *, dry_run: bool) -> None:
    """Print each table before and after, and why; tables with nothing to do are only counted."""
    told = {name: report for name, report in reports.items() if report.get("why")}
    rows = [
        [name, *(_change(count, report["before"][count], report["after"][count]) for count in _COUNTS)]
        for name, report in told.items()
    ]
    if rows:
        out.print(grid("Expected" if dry_run else "Maintained", ("table", *_COUNTS), rows))
        for name, report in told.items():
            for reason in report["why"]:
                out.print(f"{plain(name)}: {plain(reason)}", soft_wrap=True)
    idle = sum("failed" not in report for report in reports.values()) - len(told)
    out.print(f"{idle} tables have nothing to do" if idle != 1 else "1 table has nothing to do")


def show_raw_files(done: dict[str, dict[str, int]], *, dry_run: bool) -> None:
    """Print what became of each source's raw files whose days are over; nothing where no source limits them."""
    if not done:
        return
    rows = [
        [
            place,
            f"{one['files']:,}",
            size(one["bytes"]),
            *(f"{one[n]:,}" for n in ("waiting", "unversioned", "failed")),
        ]
        for place, one in done.items()
    ]
    head = ("source", "would go" if dry_run else "gone", "bytes", "nothing loaded", "no versions", "failed")
    out.print(grid("Raw files whose days are over", head, rows))


def _change(count: str, before: int, after: int) -> str:
    first, last = (size(n) if count == "bytes" else f"{n:,}" for n in (before, after))
    return first if before == after else f"{first} → {last}"
