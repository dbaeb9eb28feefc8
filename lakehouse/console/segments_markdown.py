"""What a change of segments would do, as Markdown for those who review it. It names no customer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakehouse.segments.comparison import Difference, Moved


def as_markdown(found: Sequence[Difference]) -> str:
    """Return a table of the segments that change or are wrong, then of each why; it ends with a line break."""
    concerned = [each for each in found if each.wrong or each.definition or _moves(each)]
    lines = ["### Segments: what would change"]
    if concerned:
        lines += [
            "",
            "| segment | definition | before | enter | leave | after |",
            "| --- | --- | --: | --: | --: | --: |",
        ]
        lines += [
            f"| {_text(each.segment)} | {each.state} | {each.before:,} | {each.entering.count:,} "
            f"| {each.leaving.count:,} | {each.after:,} |"
            for each in concerned
        ]
        for each in concerned:
            lines += _details(each)
    same = len(found) - len(concerned)
    lines += [
        "",
        f"Nothing changes in {same} {'other ' if concerned else ''}segment{'' if same == 1 else 's'}.",
    ]
    return "\n".join(lines) + "\n"


def _moves(each: Difference) -> int:
    return each.entering.count + each.leaving.count


def _details(each: Difference) -> Iterator[str]:
    if each.wrong:
        yield from ("", f"**{_text(each.segment)} is wrong and keeps its members**: {_text(each.wrong)}")
        return
    if each.definition or _moves(each):
        yield from ("", f"#### {_text(each.segment)}")
    if each.definition:
        yield ""
        yield from (f"- {_code(line)}" for line in each.definition)
    yield from _reasons("would enter", "What did not hold before", each.entering)
    yield from _reasons("would leave", "What does not hold any more", each.leaving)


def _reasons(what: str, why: str, moved: Moved) -> Iterator[str]:
    if not moved.count:
        return
    lacking = "; ".join(
        f"{count:,} of them lack consent for {_text(asked)}" for asked, count in moved.lacking.items()
    )
    yield from ("", f"**{moved.count:,} {what}**" + (f"; {lacking}." if lacking else "."))
    yield from ("", f"| {why} | customers |", "| --- | --: |")
    for reason, count in moved.reasons.items():
        yield f"| {_code(reason, in_table=True)} | {count:,} |"


def _text(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(text.split()))


def _code(text: str, *, in_table: bool = False) -> str:
    """Return text as code, whatever backticks it holds; in a table a bar ends a cell, also in code."""
    flat = " ".join(text.split())
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest else ""
    shown = flat.replace("|", "\\|") if in_table else flat
    return f"{fence}{space}{shown}{space}{fence}"
