"""References between sources, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from lakehouse.console.terminal import grid, out, plain

if TYPE_CHECKING:
    from lakehouse.stages.check_references import ReferenceCount

_COLUMNS = ("reference", "source", "names", "filled", "own", "elsewhere", "of", "found")


def show_references(counts: Sequence[ReferenceCount]) -> None:
    """Print how many ids name a record, the least found first, and a warning for each that is broken."""
    if not counts:
        return
    ordered = sorted(counts, key=lambda count: (count.share_found, count.entity, count.column, count.source))
    for count in ordered:
        if count.is_broken:
            name = f"{count.source}: {count.entity}.{count.column}"
            message = f"{name}: {_percent(count)} of {count.filled:,} ids name one of {count.referred}; {count.advice}"
            out.print(Text.assemble(("warning ", "yellow"), plain(message)), soft_wrap=True)
    out.print(grid("References", _COLUMNS, [_row(count) for count in ordered], optional=("of", "own")))


def _row(count: ReferenceCount) -> list[str | int | None]:
    return [
        f"{count.entity}.{count.column}",
        plain(count.source),
        count.referred,
        count.filled,
        count.own,
        count.elsewhere,
        plain(", ".join(count.id_sources)) or None,
        _percent(count),
    ]


def _percent(count: ReferenceCount) -> str:
    """Return the share found in per cent, rounded down: only all of them are 100 %."""
    return f"{int(count.share_found * 100)} %"
