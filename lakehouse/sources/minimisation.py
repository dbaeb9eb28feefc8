"""What is kept of a column's values: all, or less. A definition says it under `collect`; ingest does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lakehouse.definitions import FieldsError, Location
from lakehouse.sources import headers
from lakehouse.tables.contract import Partition

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source, SourceColumn

Unit = Literal["year", "month", "day", "hour"]
UNITS: dict[str, tuple[Unit, ...]] = {
    "date": ("year", "month"),
    "timestamptz": ("year", "month", "day", "hour"),
}
_FORMS = (
    "drop, hash, {hash: lower}, {truncate: 3}, {truncate: network}, {truncate: year}, month, day or hour, "
    "or {without: [key, …]}"
)


class Collect(BaseModel):
    """One rule. Exactly one of its fields is set.

    `drop`: no value is kept, and there is no column for it. `hash`: the keyed hash of the text as it came, or of it
    in lower case. `truncate`: so many characters, the network of an address, or a moment down to a unit. `without`: a
    JSON object less these keys.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    drop: bool = False
    hash: Literal["text", "lower"] | None = None
    truncate: Annotated[int, Field(ge=1, strict=True)] | Literal["network"] | Unit | None = None
    without: tuple[Annotated[str, Field(min_length=1)], ...] = Field(default=(), min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, rule: Any) -> Any:
        if rule == "drop":
            return {"drop": True}
        if rule == "hash":
            return {"hash": "text"}
        if isinstance(rule, dict) and len(rule) == 1 and rule.keys() <= {"hash", "truncate", "without"}:
            return rule
        raise ValueError(f"collect is {_FORMS}")

    @property
    def description(self) -> str:
        """Return what is kept, in words: those of the data dictionary."""
        if self.drop:
            return "dropped"
        if self.hash:
            return "hashed in lower case" if self.hash == "lower" else "hashed"
        if self.without:
            return f"without {', '.join(self.without)}"
        if isinstance(self.truncate, int):
            return f"first {self.truncate} characters" if self.truncate > 1 else "first character"
        return "network alone" if self.truncate == "network" else f"{self.truncate} alone"

    def check(self, kind: str, json_type: str | None, checks: dict[str, Any]) -> None:
        """Raise ValueError where a column of this type cannot be collected so.

        `checks` holds what the column requires of its values, by field: a dropped column's values are never read.
        """
        if self.drop:
            self._check_drop(checks)
        if self.without and json_type != "object":
            raise ValueError("without takes keys from a column of json_type: object")
        if (self.hash or self.truncate) and json_type == "object":
            raise ValueError("an object is neither hashed nor truncated; {without: [key]} fits")
        if self.truncate:
            self._check_truncate(kind)

    def _check_drop(self, checks: dict[str, Any]) -> None:
        required = [name for name, value in checks.items() if value]
        if required:
            raise ValueError(f"drop never reads the column: take away {', '.join(required)}")

    def _check_truncate(self, kind: str) -> None:
        of_text = isinstance(self.truncate, int) or self.truncate == "network"
        if of_text and kind != "string":
            raise ValueError(f"truncate: {self.truncate} is of text, and the column is {kind}")
        units = UNITS.get(kind, ())
        if not of_text and self.truncate not in units:
            raise ValueError(
                f"truncate: {self.truncate} does not fit {kind}; {', '.join(units) or 'nothing'} does"
            )


@dataclass(frozen=True)
class _Uses:
    """What the rest of a source does with a column."""

    name: str
    distinguishes: bool  # the key or dedupe names it: it must differ where records do
    sorts: bool
    partition: str | None  # the transform that partitions by it
    identifier_types: tuple[str, ...]


def check_source(source: Source) -> None:
    """Raise FieldsError where the rule of a column contradicts what else its source says of it."""
    problems = [*_contradictory_origins(source), *_nested_origins(source)]
    for position, column in enumerate(source.columns):
        where = ("columns", position, "collect")
        problems += [(where, message) for message in _contradictory_uses(source, column)]
    if problems:
        raise FieldsError(*problems)


def _contradictory_origins(source: Source) -> Iterator[tuple[Location, str]]:
    """Yield where one value is read twice, and one reading undoes the rule of the other."""
    by_origin: dict[str, list[SourceColumn]] = {}
    for column in source.columns:
        by_origin.setdefault(headers.normal(column.origin), []).append(column)
    for readings in by_origin.values():
        origin = readings[0].origin
        rules = [column.collect for column in readings]
        if len(readings) > 1 and any(column.dropped for column in readings):
            yield ("columns",), f"{origin} is dropped by one column and read by another"
        elif any(rules) and not all(rules):
            yield ("columns",), f"{origin} has several columns, and not each of them says `collect`"


def _nested_origins(source: Source) -> Iterator[tuple[Location, str]]:
    """Yield a value within an object that is kept in `extra` under another spelling."""
    if source.format != "ndjson" or source.strict:
        return
    for position, column in enumerate(source.columns):
        if column.collect and "." in column.origin:
            message = (
                f"{column.origin} stands within an object, of which other spellings of it would be kept: say "
                "`strict: true`, or take it from the object with {without: [key]}"
            )
            yield ("columns", position, "collect"), message


def _uses(source: Source, name: str) -> _Uses:
    partitions = {part.column: part.transform for part in map(Partition.parse, source.partition)}
    return _Uses(
        name=name,
        distinguishes=name in source.key or (source.dedupe is not None and source.dedupe.column == name),
        sorts=name in source.sort,
        partition=partitions.get(name),
        identifier_types=tuple(each.type for each in source.identifiers if each.value == name),
    )


def _contradictory_uses(source: Source, column: SourceColumn) -> Iterator[str]:
    """Yield what the source does with a column that its rule rules out."""
    rule = column.collect
    if rule is None:
        return
    uses = _uses(source, column.name)
    if rule.drop:
        yield from _uses_of_dropped(uses)
    if rule.hash:
        yield from _uses_of_hashed(uses)
    if rule.truncate:
        yield from _uses_of_truncated(uses)


def _uses_of_dropped(uses: _Uses) -> Iterator[str]:
    if uses.distinguishes or uses.sorts or uses.partition:
        yield f"{uses.name} is dropped: neither key, sort, partition nor dedupe can name it"


def _uses_of_hashed(uses: _Uses) -> Iterator[str]:
    if uses.partition not in (None, "identity"):
        yield f"{uses.name} is hashed: it has no {uses.partition} to partition by"
    if {"email", "phone"} & set(uses.identifier_types):
        yield (
            f"{uses.name} is hashed, so it is no address and no number: give its identifier a type of its own, such "
            "as email_hash"
        )


def _uses_of_truncated(uses: _Uses) -> Iterator[str]:
    if uses.distinguishes:
        yield f"{uses.name} is truncated: what key or dedupe names must differ where records do"
    if uses.identifier_types:
        yield f"{uses.name} is truncated: as an identifier it would tie strangers"
