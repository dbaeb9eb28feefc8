"""What a table is: columns with fixed field ids, grain, key, partition, sort. Pure data, no Iceberg yet."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_MAX_DIGITS: Final = 38  # of a decimal in Iceberg and in DuckDB
_TRANSFORM = re.compile(r"(identity|day|month|year)\((\w+)\)")
DUCK_TYPES = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamptz": "TIMESTAMPTZ",
}


@dataclass(frozen=True)
class Column:
    """One column. Its field id follows from its position in the contract: see `Contract.field_ids`."""

    name: str
    type: str
    doc: str
    pii: bool = False
    zh: str = ""  # the doc in Chinese, where there is one

    @property
    def duck_type(self) -> str:
        """Return DuckDB's name of the type; ValueError for a type that no contract may use."""
        if digits := decimal_digits(self.type):
            precision, scale = digits
            if 0 < precision <= _MAX_DIGITS and scale <= precision:
                return self.type.upper()
            raise ValueError(
                f"column {self.name}: {self.type} is not decimal(P,S) with S <= P <= {_MAX_DIGITS}"
            )
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
class Migration:
    """A change that needs more than another contract text: numbered from 1, and never removed again.

    `rename` is old name → new name; `drop` is name → field id, which no column gets again. One with neither lets
    partition, sort order, properties and the columns' docs become what the contract says; so do all others.
    """

    number: int
    why: str
    rename: Mapping[str, str] = field(default_factory=dict)
    drop: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Contract:
    """A table's contract. `grain` says in words what one row is; `key` names the columns that identify it.

    `zh` is the doc in Chinese, where there is one.
    Columns at the end, wider types and new properties need no migration: tables get them by themselves.
    """

    name: str
    doc: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    partition: tuple[Partition, ...] = ()
    sort: tuple[str, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)
    migrations: tuple[Migration, ...] = ()
    zh: str = ""

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
        self._check_migrations(set(names))

    def _check_migrations(self, names: set[str]) -> None:
        numbers = [migration.number for migration in self.migrations]
        if numbers != list(range(1, len(numbers) + 1)):
            raise ValueError(f"{self.name}: migrations are numbered 1, 2, 3, … and stand in that order")
        dropped = [field_id for migration in self.migrations for field_id in migration.drop.values()]
        if len(set(dropped)) != len(dropped) or any(field_id < 1 for field_id in dropped):
            raise ValueError(f"{self.name}: two migrations drop one field id, or one below 1")
        for migration in self.migrations:
            self._check_renames(migration, names)

    def _check_renames(self, migration: Migration, names: set[str]) -> None:
        for old in migration.rename:
            newest = self.renamed(old, after=migration.number - 1)
            if newest is not None and newest not in names:
                raise ValueError(
                    f"{self.name}: migration {migration.number} ends at {newest}, which is no column"
                )

    @property
    def namespace(self) -> str:
        """Return the part before the dot."""
        return self.name.split(".", 1)[0]

    @property
    def number(self) -> int:
        """Return the number of the newest migration, 0 where there is none."""
        return len(self.migrations)

    @property
    def dropped(self) -> dict[int, str]:
        """Return the name that each dropped column had, by its field id."""
        return {field_id: name for migration in self.migrations for name, field_id in migration.drop.items()}

    def field_ids(self) -> dict[str, int]:
        """Return the Iceberg field id of each column: its position, from 1, skipping the ids of dropped columns."""
        dropped = self.dropped
        ids: Iterator[int] = (field_id for field_id in itertools.count(1) if field_id not in dropped)
        return {column.name: field_id for column, field_id in zip(self.columns, ids, strict=False)}

    def renamed(self, name: str, *, after: int) -> str | None:
        """Return what the migrations after a number make of a column's name; None when they drop it."""
        for migration in self.migrations[after:]:
            if name in migration.drop:
                return None
            name = migration.rename.get(name, name)
        return name


def decimal_digits(kind: str) -> tuple[int, int] | None:
    """Return how many digits a type of decimals has in all, and behind the point; None for another type."""
    match = _DECIMAL.fullmatch(kind)
    return None if match is None else (int(match[1]), int(match[2]))


def wider(current: str, target: str) -> bool:
    """Return whether type `target` holds every value of type `current`, and Iceberg lets a column become it."""
    if (current, target) in (("int", "long"), ("float", "double")):
        return True
    old, new = decimal_digits(current), decimal_digits(target)
    if old is None or new is None:
        return False
    same_scale = old[1] == new[1]
    return same_scale and old[0] < new[0]


def columns(*rows: tuple[str, str, str] | tuple[str, str, str, str]) -> tuple[Column, ...]:
    """Make columns from (name, type, doc) rows; a fourth word 'pii' tags personal data."""
    return tuple(Column(row[0], row[1], row[2], pii=len(row) > 3) for row in rows)  # noqa: PLR2004


def bilingual(*rows: tuple[str, str, str, str] | tuple[str, str, str, str, str]) -> tuple[Column, ...]:
    """Make columns from (name, type, doc, doc in Chinese) rows; a fifth word 'pii' tags personal data."""
    return tuple(Column(row[0], row[1], row[2], pii=len(row) > 4, zh=row[3]) for row in rows)  # noqa: PLR2004


def partitions(*texts: str) -> tuple[Partition, ...]:
    """Make partition fields from texts like `day(timestamp)`."""
    return tuple(Partition.parse(text) for text in texts)
