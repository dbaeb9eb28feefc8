"""A segment to begin with: a file that says in comments what may stand in it, and counts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.errors import Terminal
from lakehouse.segments.definition import parse

if TYPE_CHECKING:
    from pathlib import Path

_HEAD = """# A segment: customers who fulfil a condition. Nobody is written to for it until a sync names it.
# See who is in it: lakehouse segments preview {name}
name: {name} # as the file
title: {title}
doc: Bought on four days or more, and not in the last 90 days. # say what it is for
owner: "" # who answers for it, such as marketing
# purpose: marketing # what it is written to for, and how: syncs that name it ask for this consent
# channel: email

"""
_WHERE = """# SQL over one customer's columns: those of marts.customer_360 and marts.rfm
# (lakehouse sql "describe marts.rfm").
# Others that may stand here:
#   date_trunc('month', first_order_on) = date_trunc('month', as_of)
#   m = 5 AND revenue > (SELECT avg(revenue) FROM marts.customer_360)
# The same without SQL: lakehouse segments new OTHER_NAME --form who
where: purchase_days >= 4 AND recency_days > 90
"""
_WHO = """# Conditions: `all` that stand below must hold, `any` of them, or `not` the one.
# A condition tests a field of marts.customer_360 or marts.rfm (lakehouse sql "describe marts.customer_360"), or of
# another table by its name (churn_risk.churn_probability), or counts what somebody did.
# Tests: is, is_not, in, not_in, known: true|false, more_than, at_least, less_than, at_most, between,
#   contains, starts_with, ends_with, before, after, on, on_or_before, on_or_after, in_last, in_next
# Days: 2026-03-01, today, 90 days ago, in 7 days, start of month. Lengths: 90 days, 3 months.
# $days is the parameter below; try another: lakehouse segments preview {name} --set days=60
who:
  all:
    - {{field: purchase_days, at_least: 4}}
    - not: {{count: orders, in_last: $days, at_least: 1}}
#   - {{count: purchases, that: {{field: product, is: Green tea}}, in_last: 90 days, at_least: 2}}
#   - {{count: events, that: {{field: event, is: Product Viewed}}, in_last: 2 weeks, at_least: 3}}
#   - any:
#       - {{field: segment, in: [champions, loyal]}}
#       - {{field: revenue, at_least: 1000}}
parameters:
  days: {{type: integer, default: 90, doc: How long they have been silent}}
"""
_SELECT = """# One SELECT of customer_id over tables of core and marts. Whoever it gives twice is in once; a row without
# an id, or with one that no customer has, counts for nothing. It asks no clock: $as_of is the day that the
# marts look back from.
select: |
  SELECT customer_id FROM core.order_values
  WHERE is_order AND ordered_on <= $as_of
  GROUP BY customer_id
  HAVING count(DISTINCT ordered_on) >= 4 AND max(ordered_on) < $as_of - $days
parameters:
  days: {{type: integer, default: 90, doc: How long they have been silent}}
"""
_FOOT = """
# It is computed with each change of what it asks, or at times of its own, by the clock of the business:
# schedule: {{cron: "0 6 * * mon"}} # or {{every: 6 hours}}

# Who is in one of these segments is in, too, whatever stands above; who is in one of those is not.
# include: [high_value]
# exclude: [new_this_month]

# What its size must be; else it keeps the members that it had, and `lakehouse status` says so.
# guard_rails:
#   never_empty: true
#   most_members: 50000
#   most_change: 0.5 # share of the members that there were: how many may come and go at once
"""
FORMS: Final = {"who": _WHO, "where": _WHERE, "select": _SELECT}


def new_segment(folder: Path, name: str, form: str = "where") -> Path:
    """Write a segment to begin with below a definitions folder, in one of `FORMS`; return the file.

    Raises `Terminal` where the segment has a file there and for another form, `BadDefinition` for a name that none may
    have.
    """
    if form not in FORMS:
        raise Terminal(f"--form {form}: there are {', '.join(FORMS)}")
    text = (_HEAD + FORMS[form] + _FOOT).format(name=name, title=name.replace("_", " ").capitalize())
    parse(text, f"{name}.yaml")
    below = folder / "segments"
    there = next((path for path in (below / f"{name}.yaml", below / f"{name}.yml") if path.exists()), None)
    if there is not None:
        raise Terminal(f"{there} is there already")
    below.mkdir(parents=True, exist_ok=True)
    path = below / f"{name}.yaml"
    path.write_text(text, "utf-8")
    return path
