"""What a table is: columns with fixed field ids, grain, key, partition, sort. Pure data, no Iceberg yet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_DIGITS = 38  # what Iceberg and DuckDB hold
_TRANSFORM = re.compile(r"(identity|day|month|year)\((\w+)\)")
DUCK_TYPES = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "long": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamptz": "TIMESTAMPTZ",
}


@dataclass(frozen=True)
class Column:
    """One column. Its field id is its place in the contract, counted from 1: new columns go to the end."""

    name: str
    type: str
    doc: str
    pii: bool = False

    @property
    def duck_type(self) -> str:
        """Return DuckDB's name of the type; ValueError for a type that no contract may use."""
        if match := _DECIMAL.fullmatch(self.type):
            precision, scale = int(match[1]), int(match[2])
            if 0 < precision <= _DIGITS and scale <= precision:
                return self.type.upper()
            raise ValueError(f"column {self.name}: {self.type} is not decimal(P,S) with S <= P <= {_DIGITS}")
        try:
            return DUCK_TYPES[self.type]
        except KeyError:
            raise ValueError(f"column {self.name}: unknown type {self.type!r}") from None


@dataclass(frozen=True)
class Partition:
    """One partition field: a transform of a column."""

    transform: str
    column: str

    @property
    def name(self) -> str:
        """Return the field's name in the Iceberg spec, as Spark would call it."""
        return self.column if self.transform == "identity" else f"{self.column}_{self.transform}"

    @classmethod
    def parse(cls, text: str) -> Partition:
        """Read `day(timestamp)`; ValueError for anything but identity, day, month or year of a column."""
        match = _TRANSFORM.fullmatch(text)
        if match is None:
            raise ValueError(
                f"partition {text!r} is not identity(…), day(…), month(…) or year(…) of a column"
            )
        return cls(match[1], match[2])


@dataclass(frozen=True)
class Contract:
    """A table's contract. `grain` says in words what one row is; `key` names the columns that identify it."""

    name: str
    doc: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    partition: tuple[Partition, ...] = ()
    sort: tuple[str, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a contract that contradicts itself."""
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: two columns share a name")
        used = [*self.key, *self.sort, *(part.column for part in self.partition)]
        if unknown := set(used) - set(names):
            raise ValueError(
                f"{self.name}: key, sort or partition name no column: {', '.join(sorted(unknown))}"
            )

    @property
    def namespace(self) -> str:
        """Return the part before the dot."""
        return self.name.split(".", 1)[0]

    def field_ids(self) -> dict[str, int]:
        """Return the Iceberg field id of each column."""
        return {column.name: number for number, column in enumerate(self.columns, start=1)}


def columns(*rows: tuple[str, str, str] | tuple[str, str, str, str]) -> tuple[Column, ...]:
    """Make columns from (name, type, doc) rows; a fourth word 'pii' tags personal data."""
    return tuple(Column(row[0], row[1], row[2], pii=len(row) > 3) for row in rows)  # noqa: PLR2004


def partitions(*texts: str) -> tuple[Partition, ...]:
    """Make partition fields from texts like `day(timestamp)`."""
    return tuple(Partition.parse(text) for text in texts)
