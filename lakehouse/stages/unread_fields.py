"""Fields that nobody reads: columns of raw and core tables that no mapping, model, metric or sync names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lakehouse.models import lineage, metric, registry
from lakehouse.models.given_rows import column_types
from lakehouse.outbound.definition import load_syncs
from lakehouse.sources import definition
from lakehouse.tables.people import CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source
    from lakehouse.tables.contract import Contract

_WORD: Final = re.compile(r"[a-z_][a-z0-9_]*")
# of a table with history: how it is kept, which nobody needs to ask for
_KEPT: Final = ("valid_from", "valid_to", "updated_at", "deleted")
_REST: Final = "extra"  # of a raw table: what its file has beside its columns


@dataclass(frozen=True)
class UnreadField:
    """A column that is received or computed, and read by nothing; `doc` is what its contract says of it."""

    table: str
    column: str
    doc: str
    pii: bool


def unread_fields(settings: Settings) -> list[UnreadField]:
    """Return the columns of raw and core tables that nothing reads, by table and place.

    Of a raw table the mapping of its source reads what its expressions name, and so do models; of a core table models,
    metrics and syncs do. Keys, columns with `_` before them, and those by which versions are kept, are left out: they
    are needed though nobody asks for them; so are raw tables that only the code reads, such as what people said of who
    is who. Raises BadDefinition for a definition that cannot be read.
    """
    models = registry.load(settings.definitions)
    sources = definition.load(settings.definitions).values()
    types = column_types(models, sources)
    read = {name for model in models.in_order for name in lineage.read_columns(model, types)}
    syncs = load_syncs(settings.definitions)
    read |= set(_of_metrics(metric.load(settings.definitions)))
    read |= {f"{CUSTOMERS.name}.{column}" for sync in syncs.values() for column in sync.columns}
    for source in sources:
        read |= {f"{source.table}.{word}" for word in _mapped_words(source)}
    contracts: Mapping[str, Contract] = {
        **{name: contract for name, contract in models.contracts.items() if name.startswith("core.")},
        **{source.table: source.contract for source in sources if source.core},
    }
    return [
        UnreadField(name, column.name, column.doc, column.pii)
        for name, contract in sorted(contracts.items())
        for column in contract.columns
        if f"{name}.{column.name}" not in read and not _is_needed(contract, column.name)
    ]


def _is_needed(contract: Contract, column: str) -> bool:
    return column.startswith("_") or column in contract.key or column in (*_KEPT, _REST)


def _of_metrics(known: metric.Metrics) -> Iterator[str]:
    for each in known.defined.values():
        if isinstance(each, metric.Metric):
            yield from each.read_columns()


def _mapped_words(source: Source) -> set[str]:
    """Return the words of all that a mapping says beside what its columns are: more than it reads, never less."""
    said = source.model_dump(mode="json", exclude={"columns", "doc", "grain", "migrations"})
    return set(_WORD.findall(str(said)))
