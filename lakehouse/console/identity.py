"""Why somebody is one customer, for people in a terminal, and as a picture of records and what ties them."""

from __future__ import annotations

import shlex
from html import escape
from typing import TYPE_CHECKING, Final

from lakehouse.command_line import command_line
from lakehouse.console.terminal import grid, out

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lakehouse.stages.explain_identity import Explanation
    from lakehouse.stages.review_matches import Pair, Reason

_DOES: Final = {
    "ties": "",
    "superseded": "the record says something else since",
    "cleared": "empty since",
    "invalid": "none of its type",
    "placeholder": "stands for nobody",
    "shared": "too many people carry it: ties nobody",
}
_CAME_OF_IT: Final = {
    "tied": "one person",
    "review": "nobody has said whether they are one",
    "apart": "somebody said that they are two",
    "denied": "names or birth dates contradict",
}
_LINE: Final = 34  # pixels of a line of the picture
_COLUMNS: Final = (20, 430, 840)  # where records begin, where identifiers begin, how wide the picture is


def show(explanations: Iterable[Explanation]) -> None:
    """Print all that is known of each customer."""
    for explained in explanations:
        out.print(f"[bold]{explained.customer_id}[/bold]")
        out.print(
            grid(
                "Known by",
                ("type", "value", "tied by", "since", "sources", "records"),
                [
                    (
                        each.type,
                        each.value,
                        each.rule,
                        f"{each.first_seen_at:%Y-%m-%d}",
                        each.sources,
                        each.records,
                    )
                    for each in explained.identifiers
                ],
                optional=("sources",),
            )
        )
        out.print(
            grid(
                "Said by its records",
                ("record", "of", "says", "value", "since", "until", "but", "file", "row"),
                [
                    (
                        each.record, each.source, each.slot, each.value, f"{each.since:%Y-%m-%d %H:%M}",
                        f"{each.until:%Y-%m-%d %H:%M}" if each.until else None, _DOES[each.standing] or None,
                        each.file_id[:12], each.row,
                    )
                    for each in explained.evidence
                ],
                optional=("row", "file", "of", "until"),
            )
        )  # fmt: skip
        for other in explained.others:
            reason = "too many carry it" if other.standing == "shared" else "what they say contradicts"
            carried = f"{other.type} {other.value} is also carried by {', '.join(other.customers)}: {reason}"
            out.print(carried, markup=False)
        for pair in explained.alike:
            out.print(
                f"{pair.one} looks like {pair.other}, {pair.weight_bits:+.1f} bits: {_CAME_OF_IT[pair.standing]} "
                f"({_because(pair.reasons)})",
                markup=False,
            )
        for change in explained.history:
            out.print(f"{change.at:%Y-%m-%d %H:%M} {change.action}: {change.customer_id} → {change.into}")


def show_pairs(pairs: Sequence[Pair], standing: str, data: Path) -> None:
    """Print pairs of records, what each says, what makes them alike, and how to decide."""
    for pair in pairs:
        left, right = pair.left, pair.right
        fields = list(dict.fromkeys((*left.says, *right.says)))
        out.print(
            grid(
                f"{pair.weight_bits:+.1f} bits",
                ("", left.name, right.name),
                [
                    ("of", left.source, right.source),
                    *((name, left.says.get(name), right.says.get(name)) for name in fields),
                    ("customer", left.customer_id, right.customer_id),
                ],
            )
        )
        out.print(_because(pair.reasons), markup=False)
        both = f"{shlex.quote(left.name)} {shlex.quote(right.name)}"
        if standing != "tied":
            out.print(f"one person: {command_line(f'identity tie {both}', data)}", markup=False)
        out.print(f"two people: {command_line(f'identity untie {both}', data)}\n", markup=False)
    if not pairs:
        out.print(f"no pair of records {'waits for your word' if standing == 'review' else f'is {standing}'}")


def _because(reasons: Iterable[Reason]) -> str:
    return "; ".join(f"{each.comparison.replace('_', ' ')} {each.level} {each.bits:+.1f}" for each in reasons)


def picture(explanations: Iterable[Explanation]) -> str:
    """Return an SVG: records at the left, identifiers at the right; a line for what is said, dashes for what was."""
    body: list[str] = []
    top = 0
    for explained in explanations:
        records = list(dict.fromkeys((each.source, each.record) for each in explained.evidence))
        values = list(
            dict.fromkeys((each.type, each.value) for each in explained.evidence if each.value is not None)
        )
        body.append(_text(_COLUMNS[0], top + _LINE, explained.customer_id, "bold"))
        places = {key: top + _LINE * (2 + at) for at, key in enumerate(records)}
        spots = {key: top + _LINE * (2 + at) for at, key in enumerate(values)}
        for each in explained.evidence:
            if each.value is not None:
                dashes = "" if each.standing == "ties" else ' stroke-dasharray="3 5"'
                start, end = places[each.source, each.record], spots[each.type, each.value]
                body.append(
                    f'<line x1="{_COLUMNS[1] - 60}" y1="{start - 5}" x2="{_COLUMNS[1] - 8}" y2="{end - 5}" '
                    f'stroke="#57c"{dashes}/>'
                )
        body.extend(_text(_COLUMNS[0], at, f"{record} ({source})") for (source, record), at in places.items())
        body.extend(_text(_COLUMNS[1], at, f"{kind} {value}") for (kind, value), at in spots.items())
        top += _LINE * (2 + max(len(records), len(values)))
    size = f'width="{_COLUMNS[2]}" height="{top + _LINE}" font-family="sans-serif" font-size="13"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(body)}</svg>\n'


def _text(left: int, top: int, text: str, weight: str = "normal") -> str:
    return f'<text x="{left}" y="{top}" font-weight="{weight}">{escape(text)}</text>'
