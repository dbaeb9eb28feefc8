"""A segment to begin with: a file that says in comments what may stand in it, and counts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.errors import Terminal
from lakehouse.segments.definition import parse

if TYPE_CHECKING:
    from pathlib import Path

_TEXT = """# A segment: customers who fulfil a condition. Nobody is written to for it until a sync names it.
# See who is in it: lakehouse segments preview {name}
name: {name} # as the file
title: {title}
doc: Bought on four days or more, and not in the last 90 days. # say what it is for
owner: "" # who answers for it, such as marketing

# SQL over one customer's columns: those of marts.customer_360 and marts.rfm (lakehouse sql "describe marts.rfm").
# Others that may stand here:
#   date_trunc('month', first_order_on) = date_trunc('month', as_of)
#   m = 5 AND revenue > (SELECT avg(revenue) FROM marts.customer_360)
where: purchase_days >= 4 AND recency_days > 90

# Who is in one of these segments is in, too, whatever `where` says; who is in one of those is not.
# include: [high_value]
# exclude: [new_this_month]

# What its size must be; else it keeps the members that it had, and `lakehouse status` says so.
# guard_rails:
#   never_empty: true
#   most_members: 50000
#   most_change: 0.5 # share of the members that there were: how many may come and go at once
"""


def new_segment(folder: Path, name: str) -> Path:
    """Write a segment to begin with below a definitions folder; return the file.

    Raises `Terminal` where the segment has a file there, `BadDefinition` for a name that none may have.
    """
    text = _TEXT.format(name=name, title=name.replace("_", " ").capitalize())
    parse(text, f"{name}.yaml")
    below = folder / "segments"
    there = next((path for path in (below / f"{name}.yaml", below / f"{name}.yml") if path.exists()), None)
    if there is not None:
        raise Terminal(f"{there} is there already")
    below.mkdir(parents=True, exist_ok=True)
    path = below / f"{name}.yaml"
    path.write_text(text, "utf-8")
    return path
