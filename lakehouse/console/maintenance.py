"""What `lakehouse maintain` did or would do, for people."""

from __future__ import annotations

from typing import Any

from lakehouse.console.terminal import grid, out, plain, size

_COUNTS = ("files", "small_files", "bytes", "manifests", "snapshots", "orphans")


def show_maintenance(reports: dict[str, dict[str, Any]], *, dry_run: bool) -> None:
    """Print each table before and after, and why; tables with nothing to do are only counted."""
    maintained = {name: report for name, report in reports.items() if report.get("why")}
    if maintained:
        title = "Expected" if dry_run else "Maintained"
        rows = [[name, *_changes(report["before"], report["after"])] for name, report in maintained.items()]
        out.print(grid(title, ("table", *_COUNTS), rows))
    for name, report in maintained.items():
        _show_reasons(name, report["why"])
    failed = [name for name, report in reports.items() if "failed" in report]
    idle = len(reports) - len(maintained) - len(failed)
    out.print("1 table has nothing to do" if idle == 1 else f"{idle} tables have nothing to do")


def _show_reasons(name: str, reasons: list[str]) -> None:
    for reason in reasons:
        out.print(f"{plain(name)}: {plain(reason)}", soft_wrap=True)


def show_raw_files(counts: dict[str, dict[str, int]], *, dry_run: bool) -> None:
    """Print what became of each source's raw files whose days are over; nothing where no source limits them."""
    if not counts:
        return
    rows = []
    for source_key, count in counts.items():
        staying = [f"{count[name]:,}" for name in ("waiting", "unversioned", "failed")]
        rows.append([source_key, f"{count['files']:,}", size(count["bytes"]), *staying])
    deleted = "would go" if dry_run else "gone"
    columns = ("source", deleted, "bytes", "nothing loaded", "no versions", "failed")
    out.print(grid("Raw files whose days are over", columns, rows))


def _changes(before: dict[str, int], after: dict[str, int]) -> list[str]:
    return [_change(name, before[name], after[name]) for name in _COUNTS]


def _change(name: str, before: int, after: int) -> str:
    """Return one number where nothing changed, else both with an arrow."""
    shown_before, shown_after = _shown(name, before), _shown(name, after)
    return shown_before if before == after else f"{shown_before} → {shown_after}"


def _shown(name: str, number: int) -> str:
    return size(number) if name == "bytes" else f"{number:,}"
