"""Contracts as they were, tables made from them, and what must be alike when such a table has come to the newest.

`python -m tests.support.evolution 0.2.0` freezes the present contracts: once a release, and before a migration.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.models import registry
from lakehouse.sources.definition import load
from lakehouse.tables.catalog import ensure
from lakehouse.tables.contract import Contract, Migration, columns, partitions
from lakehouse.tables.migrations import shape

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

FROZEN = Path(__file__).parents[1] / "contract"
VALUES = {
    "string": "'text'",
    "int": "2147483647",
    "long": "9223372036854775807",
    "float": "0.1::FLOAT",
    "double": "0.1",
    "boolean": "true",
    "date": "DATE '2026-02-28'",
    "timestamptz": "TIMESTAMPTZ '2026-02-28T23:59:59.999999Z'",
}


def present() -> list[Contract]:
    """Return the contracts of all tables as they are now."""
    own = registry.load().contracts.values()
    return sorted([*own, *(source.contract for source in load().values())], key=lambda found: found.name)


def frozen() -> list[tuple[str, Contract]]:
    """Return (release, contract) of everything that was frozen."""
    return [
        (path.stem.removeprefix("contracts-"), thaw(row))
        for path in sorted(FROZEN.glob("contracts-*.json"))
        for row in json.loads(path.read_text("utf-8"))
    ]


def freeze(contract: Contract) -> dict[str, Any]:
    """Return what makes a table of a contract."""
    return {
        "name": contract.name,
        "columns": [[c.name, c.type, *(["pii"] if c.pii else [])] for c in contract.columns],
        "partition": [f"{part.transform}({part.column})" for part in contract.partition],
        "sort": list(contract.sort),
        "properties": contract.properties,
        "drops": [migration.drop for migration in contract.migrations],
    }


def thaw(row: dict[str, Any]) -> Contract:
    """Return a contract that makes the same table."""
    drops = enumerate(row.get("drops", []), start=1)
    return Contract(
        row["name"],
        "As it was",
        "one row a row",
        columns(*((name, kind, name, *pii) for name, kind, *pii in row["columns"])),
        partition=partitions(*row["partition"]),
        sort=tuple(row["sort"]),
        properties=row["properties"],
        migrations=tuple(Migration(number, "as it was", drop=drop) for number, drop in drops),
    )


def made_by_the_first_release(catalog: Catalog, contract: Contract) -> Table:
    """Make a table as version 0.1.0 did: it says nothing of migrations."""
    table = ensure(catalog, contract)
    with table.transaction() as transaction:
        transaction.remove_properties(shape.NUMBER)
    return table


def a_row(contract: Contract) -> str:
    """Return a SELECT of one row that has something in each column."""
    cells = (
        f'{VALUES.get(column.type, f"CAST(1 AS {column.duck_type})")} AS "{column.name}"'
        for column in contract.columns
    )
    return f"SELECT {', '.join(cells)}"


def looks(table: Table) -> dict[str, Any]:
    """Return what must not depend on how a table came to be what it is."""
    names = {field.field_id: field.name for field in table.schema().fields}
    return {
        "columns": [(f.field_id, f.name, str(f.field_type)) for f in table.schema().fields],
        "partition": {(names[f.source_id], str(f.transform), f.name) for f in table.spec().fields},
        "sort": [
            (names[f.source_id], str(f.transform), f.direction, f.null_order)
            for f in table.sort_order().fields
        ],
        # A catalog may note by itself which names columns had: for files without field ids, which we have not.
        "properties": {
            name: value for name, value in table.properties.items() if name != "schema.name-mapping.default"
        },
    }


def docs(table: Table) -> list[str | None]:
    return [field.doc for field in table.schema().fields]


if __name__ == "__main__":
    lines = ",\n".join(" " + json.dumps(freeze(contract)) for contract in present())
    (FROZEN / f"contracts-{sys.argv[1]}.json").write_text(f"[\n{lines}\n]\n", "utf-8")
