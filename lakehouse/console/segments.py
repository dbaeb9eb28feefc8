"""Segments for people: in a terminal, and as Markdown for those who review a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.console.terminal import complain, grid, out

if TYPE_CHECKING:
    from collections.abc import Sequence


def show_list(found: Sequence[dict[str, Any]]) -> None:
    """Print the segments, and on standard error what is wrong with them."""
    rows = [
        (each["name"], each["title"], each["owner"], each["size"], _minute(each["at"]), each["state"])
        for each in found
    ]
    columns = ("segment", "title", "owner", "customers", "looked at (UTC)", "state")
    out.print(grid("Segments", columns, rows, optional=("owner",)))
    for each in found:
        if each["wrong"]:
            complain(f"{each['name']}: {each['wrong']}")


def _minute(at: str | None) -> str | None:
    return at[:16].replace("T", " ") if at else None
