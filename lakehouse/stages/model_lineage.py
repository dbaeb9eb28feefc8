"""What a table or one of its columns is made of, and what is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.definitions import nearest
from lakehouse.errors import Terminal
from lakehouse.models import lineage
from lakehouse.models.given_rows import column_types
from lakehouse.sources import definition
from lakehouse.stages.check_models import check_names

if TYPE_CHECKING:
    from lakehouse.models.registry import Models
    from lakehouse.settings import Settings


@dataclass(frozen=True)
class Lineage:
    """Of a table: of each column those that it is made of, the tables that it is made of, those made of it."""

    table: str
    columns: dict[str, list[str]]
    upstream: list[str]
    downstream: list[str]


def lineage_of(settings: Settings, models: Models, name: str) -> Lineage:
    """Return the lineage of `<namespace>.<table>`, or of one `.<column>` of it; `Terminal` where there is none such."""
    namespace, table, column = (*name.split("."), "", "")[:3]
    full_name = f"{namespace}.{table}"
    check_names(models, [full_name])
    if full_name in models.wrong:
        raise Terminal(models.wrong[full_name])
    model = models.by_table[full_name]
    known = [each.name for each in model.contract.columns]
    if column and column not in known:
        raise Terminal(f"{full_name} has no column {column}{nearest(column, known)}")
    types = column_types(models, definition.load(settings.definitions).values())
    upstream = lineage.upstream(models, full_name)
    return Lineage(
        full_name,
        lineage.column_sources(model, types, [column] if column else ()),
        sorted({each for inputs in upstream.values() for each in inputs}),
        lineage.downstream(models, full_name),
    )
