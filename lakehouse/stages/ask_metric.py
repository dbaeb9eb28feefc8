"""The SELECT behind a question about a metric, as people name it: the metric, what to divide by, which rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.definitions import nearest
from lakehouse.errors import Terminal
from lakehouse.models import metric, registry
from lakehouse.models.metric_query import metric_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakehouse.settings import Settings


def question(settings: Settings, name: str, by: Sequence[str] = (), where: str = "") -> str:
    """Return the SELECT; `Terminal` for a metric or dimension that is not there, and for a wrong one."""
    known = metric.load(settings.definitions)
    if name in known.wrong:
        raise Terminal(known.wrong[name])
    if name not in known.defined:
        near = nearest(name, list(known.defined), shown_by="lakehouse metrics list")
        raise Terminal(f"there is no metric {name!r}{near}")
    contracts = registry.load(settings.definitions).contracts
    with_history = {table for table, contract in contracts.items() if "valid_from" in contract.key}
    return metric_sql(known.defined[name], with_history, by, where)
