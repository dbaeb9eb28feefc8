"""What a person sees in a terminal: tables, counts, the summary of a demo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

MAX_ROWS = 100
_WIDE = 120  # of what is written to a file or pipe


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=_WIDE)


out = _console(stderr=False)
err = _console(stderr=True)


def grid(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Return a table; numbers stand right and with separators, nothing (None) as a dash."""
    listed = [list(row) for row in rows]
    table = Table(title=title or None, title_justify="left", title_style="bold", header_style="dim")
    for number, name in enumerate(columns):
        numeric = any(
            isinstance(row[number], (int, float)) and not isinstance(row[number], bool) for row in listed
        )
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("[", "\\[")


def show_status(found: dict[str, Any]) -> None:
    """Print what `lakehouse status` knows."""
    ingest = found["ingest"]
    names = ("files", "received", "loaded", "duplicates", "quarantined", "in_flight")
    out.print(
        grid("Received", [*names, "books balance"], [[*(ingest[n] for n in names), ingest["balanced"]]])
    )
    rows = [
        [name, t["rows"], t["files"], _size(t["bytes"]), t["snapshots"], (t["latest"] or "")[:19] or None]
        for name, t in found["tables"].items()
    ]
    out.print(grid("Tables", ("table", "rows", "files", "size", "snapshots", "latest (UTC)"), rows))
    show_deliveries(found["deliveries"])


def show_deliveries(deliveries: dict[str, Any]) -> None:
    """Print what was sent to each CRM, and why the rest was not."""
    if not deliveries:
        out.print("Nothing was sent to a CRM yet.")
        return
    names = ("selected", "sent", "removed", "unchanged", "failed", "unknown", "in_flight")
    rows = [
        [sync, *(d[name] for name in names), _reasons(d["withheld"]), d["balanced"]]
        for sync, d in deliveries.items()
    ]
    out.print(grid("Sent to the CRM (latest run)", ("sync", *names, "withheld", "books balance"), rows))


def _reasons(withheld: dict[str, int]) -> str:
    told = [f"{count:,} {reason.replace('_', ' ')}" for reason, count in withheld.items() if count]
    return ", ".join(told) or "–"


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:  # noqa: PLR2004
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print the rows of a query, the first hundred of them."""
    out.print(grid("", columns, rows[:MAX_ROWS]))
    if len(rows) > MAX_ROWS:
        out.print(f"… and {len(rows) - MAX_ROWS:,} more rows; `--json` prints all")
