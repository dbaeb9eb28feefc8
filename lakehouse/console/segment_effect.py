"""What writing to a segment brought, for people in a terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from lakehouse.console.segments import say
from lakehouse.console.terminal import grid, out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakehouse.segments.effect import Effect
    from lakehouse.segments.uplift import Group, Interval, Verdict

_MEANING: Final[Mapping[Verdict, str]] = {
    "works": "it works: more of those who were to be written to bought",
    "harms": "it harms: fewer of those who were to be written to bought",
    "not seen": "no difference is seen: it may be as small as the interval says, on either side of zero",
    "no control group": "there is nobody to compare with: say `control_share: 0.1` in the segment's file",
    "too early": "it is too early to say",
}


def as_json(found: Effect) -> dict[str, Any]:
    """Return an effect with what follows from its figures."""
    derived = {
        name: asdict(interval) if interval else None
        for name, interval in (("difference", found.difference), ("order_lift", found.order_lift))
    }
    return {**asdict(found), **derived, "visible_from": found.visible_from, "verdict": found.verdict}


def show_effect(found: Effect) -> None:
    """Print both groups beside each other, what lies between them, and what to make of it."""
    rows: list[tuple[str, Any, Any]] = [
        ("customers", found.treated.customers, found.control.customers),
        ("of them, reached by a sync", found.reached, 0),
        ("bought", found.treated.buyers, found.control.buyers),
        ("share that bought", _share(found.treated), _share(found.control)),
        ("orders", found.treated.orders, found.control.orders),
        ("their value", found.treated.value, found.control.value),
    ]
    title = f"{found.segment}: {found.days} days from entering it, up to {found.as_of}"
    out.print(grid(title, ("what", "to be written to", "control group"), rows))
    say(_MEANING[found.verdict])
    for text, interval in (
        ("share that bought, difference in points", found.difference),
        ("orders a customer, more in percent", found.order_lift),
    ):
        if interval:
            say(f"{text}: {_signed(interval)}")
    if found.visible_from:
        say(f"groups of these sizes show a difference from {100 * found.visible_from:.1f} points on")
    if found.running:
        say(f"{found.running:,} more entered it, and their days are not over")
    if found.in_both:
        say(
            f"{found.in_both:,} are in both groups, by records that turned out to be one person's: they count nowhere"
        )


def _share(group: Group) -> str:
    return f"{100 * group.share:.1f} %" if group.customers else ""


def _signed(interval: Interval) -> str:
    value, low, high = (f"{100 * each:+.1f}" for each in (interval.value, interval.low, interval.high))
    return f"{value} (95 %: {low} to {high})"
