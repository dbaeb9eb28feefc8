"""What a person sees in a terminal: tables, counts, the state of the loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lakehouse.command_line import DEFAULT_DATA, command_line
from lakehouse.console.policy import TerminalPolicy

_UNFOLDED: Final = 100_000  # characters: what is written to a file or pipe is folded by whoever reads it
_FRAME: Final = 3  # characters that a column's border and margins take
_NOTHING: Final = "–"
# Data comes from outside; what a terminal would obey (colours, cursor, line breaks) is shown instead.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    9: "\\t",
    10: "\\n",
    13: "\\r",
}


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=_UNFOLDED)


out = _console(stderr=False)
err = _console(stderr=True)


def complain(message: str) -> None:
    """Tell an error on standard error, as text whatever is in it."""
    err.print(Text.assemble(("lakehouse: ", "bold red"), message), soft_wrap=True)


def grid(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], optional: Sequence[str] = ()
) -> RenderableType:
    """Return a table of counts; numbers stand right and with separators, nothing (None) as a dash.

    Where the terminal is too narrow, `optional` columns are left out, one after the other; where that does not help, a
    table of few rows changes rows and columns, and of more rows each is a list of its columns, all of them.
    """
    listed = [list(row) for row in rows]
    shown = [[_counted(value) for value in row] for row in listed]
    names = [name.replace("_", " ") for name in columns]
    unfolded = list(names), [list(cells) for cells in shown]
    for name in optional:
        if _widths(names, shown) is None:
            _drop(names.index(name), names, *listed, *shown)
    if _widths(names, shown) is not None:
        return _table(title, names, listed, shown)
    if len(listed) > TerminalPolicy.rows_turned:
        return _lists(title, *unfolded)
    header, *turned = [list(cells) for cells in zip(names, *shown, strict=True)]
    table = _table(title, header, turned, turned)
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _drop(position: int, *rows: list[Any]) -> None:
    for row in rows:
        row.pop(position)


def _lists(title: str, columns: Sequence[str], shown: Sequence[Sequence[str]]) -> Group:
    """Return each row as a list of its columns that hold something, under its first cell."""
    lines = [Text(title, "bold")] if title else []
    for first, *cells in shown:
        lines.append(Text(first, "bold"))
        lines += [
            Text.assemble((f"  {name}: ", "dim"), cell)
            for name, cell in zip(columns[1:], cells, strict=True)
            if cell != _NOTHING
        ]
    return Group(*lines)


def _table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], shown: Sequence[Sequence[str]]
) -> Table:
    table = Table(title=title or None, title_justify="left", title_style="bold", header_style="dim")
    widths = _widths(columns, shown)
    for number, name in enumerate(columns):
        right = any(_is_number(row[number]) for row in rows)
        width = widths[number] if widths else None
        table.add_column(
            Text(name),
            justify="right" if right else "left",
            overflow="fold",
            no_wrap=number == 0,
            width=width,
        )
    for cells in shown:
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _widths(columns: Sequence[str], shown: Sequence[Sequence[str]]) -> list[int] | None:
    """Return how wide the columns of a table are in this terminal; None where it holds no such table.

    The first column names the rows and is never folded. A long text is folded between words, over a few lines.
    """
    cells = list(zip(columns, *shown, strict=True))
    widths = [max(map(cell_len, column)) for column in cells]
    least = [_least_width(column, width) for column, width in zip(cells, widths, strict=True)]
    least[0] = widths[0]
    room = out.width - _FRAME * len(widths) - 1
    if sum(least) > room:
        return None
    while sum(widths) > room:  # what can give most, gives
        widest = max(range(len(widths)), key=lambda position: widths[position] - least[position])
        widths[widest] -= 1
    return widths


def _least_width(cells: Sequence[str], width: int) -> int:
    """Return how narrow a column may become: as its longest word, and so that no cell takes too many lines."""
    longest_word = max(cell_len(word) for cell in cells for word in cell.split(" "))
    return max(longest_word, -(-width // TerminalPolicy.lines_a_cell))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _counted(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else plain(value)


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return a number and what it counts: `1 file`, `1,200 files`; `plural` where that is more than an s."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def plain(value: Any) -> str:
    """Return a value as one line of text: numbers to the last digit, None as a dash."""
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value).translate(_CONTROL)


def show_status(state: dict[str, Any], data: Path = DEFAULT_DATA) -> None:
    """Print what `lakehouse status` knows; `data` is the folder that its hints name."""
    ingest = state["ingest"]
    names = ("files", "received", "loaded", "duplicates", "quarantined", "in_flight", "balanced")
    columns = [*names[:-1], "books balance"]
    out.print(grid("Raw files and their rows", columns, [[ingest[name] for name in names]]))
    if dismissed := ingest.get("dismissed", 0):
        out.print(f"Of the rows in quarantine {dismissed:,} are dealt with.", markup=False, soft_wrap=True)
    if ingest["quarantined"] > dismissed:
        hint = f"Why rows are quarantined: {command_line('quarantine list', data)}"
        out.print(hint, markup=False, soft_wrap=True)
    rows = [
        [name, t["rows"], t["files"], size(t["bytes"]), t["snapshots"], _moment(t["latest"])]
        for name, t in state["tables"].items()
    ]
    if rows:
        headers = ("table", "rows", "files", "size", "snapshots", "last commit (UTC)")
        out.print(grid("Tables", headers, rows, optional=("snapshots", "files")))
        for name, table in state["tables"].items():
            if wrong := table.get("wrong"):
                out.print(f"{name} keeps its old rows: {wrong}", style="red", markup=False, soft_wrap=True)
    else:
        put, up = command_line("put SOURCE/ENTITY FILE", data), command_line("up", data)
        hint = f"There are no tables yet: `{put}` lands files, `{up}` loads them."
        out.print(hint, markup=False, soft_wrap=True)
    show_deliveries(state["deliveries"])
    for sync, stopped in state.get("stopped", {}).items():
        out.print(
            f"The sync {sync} is stopped: {stopped['reason']}", style="red", markup=False, soft_wrap=True
        )
    for destination, closed in state.get("destinations", {}).items():
        text = f"The destination {destination} {closed['reason']}; its rows stay in flight, others go on"
        out.print(text, style="yellow", markup=False, soft_wrap=True)
    for found in state.get("definitions", ()):
        text = f"The {found['kind']} {found['name']} is wrong and stays as it was: {found['reason']}"
        out.print(text, style="red", markup=False, soft_wrap=True)


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
    withheld = [
        [
            sync,
            reason.replace("_", " "),
            count,
            _WITHHELD[reason] + until_text(d.get("withheld_until", {}).get(reason)),
        ]
        for sync, d in deliveries.items()
        for reason, count in d["withheld"].items()
        if count
    ]
    if withheld:
        out.print(grid("Not sent, and why", ("sync", "reason", "customers", "what it means"), withheld))


_WITHHELD: Final = {
    "consent": "nobody said yes for this address, or somebody said no",
    "erased": "the person was erased; only their own word since counts",
    "projection": "consent could not be asked; it is asked again",
    "cap": "written to often enough lately, by any sync or by people",
    "quiet_hours": "it is night where the person is",
    "control": "in the control group of the segment, to measure the others by",
    "suppressed": "in a segment that the sync keeps away from, or another customer has the address, too",
    "no_address": "no address for this channel is known",
    "no_owner": "it is for the customer's owner, and nobody knows one",
}


def until_text(span: Sequence[str] | None) -> str:
    """Return until when rows are withheld, as the first and the last moment (ISO-8601) of them; "" where unknown."""
    if not span:
        return ""
    first, last = (f"{moment[:16].replace('T', ' ')} UTC" for moment in (span[0], span[-1]))
    return f" (until {first})" if first == last else f" (until {first}, the last until {last})"


def _moment(iso: str | None) -> str | None:
    return iso[:16].replace("T", "\u00a0") if iso else None  # not folded between day and time


def _reasons(withheld: dict[str, int]) -> str:
    reasons = [f"{count:,} {reason.replace('_', ' ')}" for reason, count in withheld.items() if count]
    return ", ".join(reasons) or "–"


def size(count: int) -> str:
    """Return a number of bytes in the largest unit that keeps it above one."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:  # noqa: PLR2004
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, more: bool) -> None:
    """Print the rows of a query; where the terminal is too narrow for a table, each as a list of its columns."""
    shown = [[plain(value) for value in row] for row in rows]
    if len(columns) == 1 or _widths(columns, shown) is not None:
        out.print(_table("", columns, rows, shown))
    else:
        for number, cells in enumerate(shown, start=1):
            out.print(Text(f"row {number}", "bold"))
            for name, cell in zip(columns, cells, strict=True):
                out.print(Text.assemble((f"  {name}: ", "dim"), cell), soft_wrap=True)
    if more:
        out.print(f"… these are the first {len(rows)} rows; `-o FILE` gives all")
