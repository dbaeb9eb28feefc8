"""Segments for people in a terminal: which there are, who is in them and why, what a run would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakehouse.console.terminal import complain, grid, out, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakehouse.segments.comparison import Difference, Moved
    from lakehouse.segments.trace import Line
    from lakehouse.stages.segment_questions import Preview, Why


def show_list(found: Sequence[dict[str, Any]]) -> None:
    """Print the segments, and on standard error what is wrong with them."""
    rows = [
        (
            each["name"],
            each["title"],
            each["owner"],
            each["size"],
            _minute(each["at"]),
            each["state"],
            _minute(each["next_at"]),
        )
        for each in found
    ]
    columns = ("segment", "title", "owner", "customers", "looked at (UTC)", "state", "next (UTC)")
    optional = ("owner", *(() if any(each["next_at"] for each in found) else ("next (UTC)",)))
    out.print(grid("Segments", columns, rows, optional=optional))
    for each in found:
        if each["wrong"]:
            complain(f"{each['name']}: {each['wrong']}")


def _minute(at: str | None) -> str | None:
    return at[:16].replace("T", " ") if at else None


def show_preview(found: Preview) -> None:
    """Print how many would be in a segment, how many of them lack consent, and some of them."""
    rows: list[tuple[str, Any]] = [
        ("would be in it", found.size),
        ("are in it since the last run", found.members),
    ]
    rows += [
        (f"of those who would be, lack consent for {asked}", count) for asked, count in found.lacking.items()
    ]
    out.print(
        grid(f"{found.segment}: {found.title}, by the marts of {found.as_of}", ("what", "customers"), rows)
    )
    say(" ".join(found.where.split()))
    if found.visible_from is not None:
        say(
            f"{found.control:,} of them would be the control group: enough to see in four cases of five that writing "
            f"moves the share that buys by {100 * found.visible_from:.1f} points or more (`segments effect`)"
        )
    if found.parameters:
        say(", ".join(f"{name} = {value}" for name, value in found.parameters.items()))
    if found.sample:
        names = list(found.sample[0]["values"])
        cells = [
            (
                each["customer"],
                each["name"],
                each["email"],
                *(_cell(value) for value in each["values"].values()),
            )
            for each in found.sample
        ]
        out.print(grid("Some of them, names masked", ("customer", "name", "e-mail", *names), cells))
    _show_wrong(found.segment, found.wrong)


def show_why(found: Why) -> None:
    """Print why a customer is in a segment, or is not."""
    standing = f"is in it, seen since {found.since}" if found.since else "is not in it"
    say(f"{found.customer} {standing}")
    if found.wrong:
        _show_wrong(found.segment, found.wrong)
    elif found.as_of is None:
        say("the marts have no row of this customer: the next run takes it out")
    elif found.fulfils != bool(found.since):
        say(f"the next run {'takes it in' if found.fulfils else 'takes it out'}")
    if found.as_of is not None:
        show_lines(f"By the marts of {found.as_of}", found.lines, found.include, found.exclude)


def show_lines(
    title: str, lines: Iterable[Line], include: Mapping[str, bool], exclude: Mapping[str, bool]
) -> None:
    """Print the parts of a definition, whether each holds for a customer, and the values that it asks."""
    rows = [
        ("  " * line.depth + plain(line.text), _holds(line.holds),
         ", ".join(f"{name} = {_cell(value)}" for name, value in line.values.items()))
        for line in lines
    ]  # fmt: skip
    rows += [(f"or in {name} (include)", _holds(is_in), "") for name, is_in in include.items()]
    rows += [(f"and not in {name} (exclude)", _holds(not is_in), "") for name, is_in in exclude.items()]
    out.print(grid(title, ("condition", "holds", "values"), rows))


def show_differences(found: Sequence[Difference]) -> None:
    """Print what would change in each segment, and why."""
    rows = [
        (each.segment, each.state, each.before, each.entering.count, each.leaving.count, each.after)
        for each in found
    ]
    out.print(grid("What would change", ("segment", "definition", "before", "enter", "leave", "after"), rows))
    for each in found:
        for line in each.definition:
            say(f"{each.segment}: {line}")
        _show_moved(each.segment, "enter", each.entering)
        _show_moved(each.segment, "leave", each.leaving)
        _show_wrong(each.segment, each.wrong)


def _show_moved(segment: str, what: str, moved: Moved) -> None:
    if not moved.count:
        return
    lacking = ", ".join(f"{count:,} lack consent for {asked}" for asked, count in moved.lacking.items())
    rows = [(reason, count) for reason, count in moved.reasons.items()]
    title = f"{segment}: {moved.count:,} would {what}" + (f"; of them {lacking}" if lacking else "")
    why = "what did not hold before" if what == "enter" else "what does not hold any more"
    out.print(grid(title, (why, "customers"), rows))
    if moved.customers:
        say("such as " + ", ".join(customer for customer, _ in moved.customers))


def _show_wrong(segment: str, wrong: str) -> None:
    if wrong:
        complain(f"{segment} keeps its members: {wrong}")


def say(text: str) -> None:
    """Print a line as it is."""
    out.print(plain(text), markup=False, soft_wrap=True)


def _holds(holds: bool | None) -> str:
    return "unknown" if holds is None else "yes" if holds else "no"


def _cell(value: Any) -> str:
    return "nothing" if value is None else plain(value)
