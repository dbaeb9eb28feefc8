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
    from collections.abc import Iterable, Iterator

    from lakehouse.models.registry import Models
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
    sources = list(definition.load(settings.definitions).values())
    read = {*_of_models(models, sources), *_of_definitions(settings), *_of_mappings(sources)}
    return [
        UnreadField(contract.name, column.name, column.doc, column.pii)
        for contract in _contracts(models, sources)
        for column in contract.columns
        if f"{contract.name}.{column.name}" not in read and not _is_needed(contract, column.name)
    ]


def _contracts(models: Models, sources: Iterable[Source]) -> list[Contract]:
    """Return the contracts of core tables, and of raw tables that a mapping reads, by name."""
    of_core = [contract for name, contract in models.contracts.items() if name.startswith("core.")]
    of_raw = [source.contract for source in sources if source.core]
    return sorted([*of_core, *of_raw], key=lambda contract: contract.name)


def _is_needed(contract: Contract, column: str) -> bool:
    return column.startswith("_") or column in contract.key or column in (*_KEPT, _REST)


def _of_models(models: Models, sources: Iterable[Source]) -> Iterator[str]:
    types = column_types(models, sources)
    for model in models.in_order:
        yield from lineage.read_columns(model, types)


def _of_definitions(settings: Settings) -> Iterator[str]:
    """Yield what metrics read, and what syncs read of a customer."""
    for each in metric.load(settings.definitions).defined.values():
        if isinstance(each, metric.Metric):
            yield from each.read_columns()
    for sync in load_syncs(settings.definitions).values():
        yield from (f"{CUSTOMERS.name}.{column}" for column in sync.columns)


def _of_mappings(sources: Iterable[Source]) -> Iterator[str]:
    """Yield the words of all that a mapping says beside what its columns are: more than it reads, never less."""
    for source in sources:
        said = source.model_dump(mode="json", exclude={"columns", "doc", "grain", "migrations"})
        yield from (f"{source.table}.{word}" for word in _WORD.findall(str(said)))
