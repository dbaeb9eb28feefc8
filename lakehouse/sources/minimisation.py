"""What is kept of a column's values: all, or less. A definition says it under `collect`; ingest does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

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
    def _from_yaml(cls, given: Any) -> Any:
        if given == "drop":
            return {"drop": True}
        if given == "hash":
            return {"hash": "text"}
        if isinstance(given, dict) and len(given) == 1 and given.keys() <= {"hash", "truncate", "without"}:
            return given
        raise ValueError(f"collect is {_FORMS}")

    @property
    def told(self) -> str:
        """Return what is kept, in words."""
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

        `checks` holds what the column asks of its values: nobody looks at those of a dropped one.
        """
        if self.drop and (asked := [name for name, wanted in checks.items() if wanted]):
            raise ValueError(f"collect: drop never reads the column: take away {', '.join(asked)}")
        if self.without and json_type != "object":
            raise ValueError("collect: without takes keys from a column of json_type: object")
        if (self.hash or self.truncate) and json_type == "object":
            raise ValueError("collect: an object is neither hashed nor truncated; {without: [key]} fits")
        if isinstance(self.truncate, int) or self.truncate == "network":
            if kind != "string":
                raise ValueError(f"collect: truncate: {self.truncate} is of text, and the column is {kind}")
        elif self.truncate and self.truncate not in UNITS.get(kind, ()):
            fitting = ", ".join(UNITS.get(kind, ())) or "nothing"
            raise ValueError(f"collect: truncate: {self.truncate} does not fit {kind}; {fitting} does")


def check_source(source: Source) -> None:
    """Raise ValueError where the rule of a column contradicts what else its source says of it."""
    _check_origins(source)
    within = [one.origin for one in source.columns if one.collect and "." in one.origin]
    if within and source.format == "ndjson" and not source.strict:
        raise ValueError(
            f"collect: {within[0]} stands within an object, of which other spellings of it would be kept: say "
            "`strict: true`, or take it from the object with {without: [key]}"
        )
    for column in source.columns:
        if column.collect is not None:
            _check_uses(source, column, column.collect)


def _check_origins(source: Source) -> None:
    """Raise ValueError where one value is read twice, and one reading undoes the rule of the other."""
    by_origin: dict[str, list[SourceColumn]] = {}
    for column in source.columns:
        by_origin.setdefault(headers.normal(column.origin), []).append(column)
    for same in by_origin.values():
        if len(same) > 1 and any(one.dropped for one in same):
            raise ValueError(f"{same[0].origin} is dropped by one column and read by another")
        if any(one.collect for one in same) and not all(one.collect for one in same):
            raise ValueError(f"{same[0].origin} has several columns, and not each of them says `collect`")


def _check_uses(source: Source, column: SourceColumn, rule: Collect) -> None:
    name = column.name
    once = {*source.key, *([source.dedupe.column] if source.dedupe else [])}
    partitions = {part.column: part.transform for part in map(Partition.parse, source.partition)}
    ties = [found.type for found in source.identifiers if found.value == name]
    if rule.drop and name in {*once, *source.sort, *partitions}:
        raise ValueError(f"{name} is dropped: neither key, sort, partition nor dedupe can name it")
    if rule.hash and partitions.get(name, "identity") != "identity":
        raise ValueError(f"{name} is hashed: it has no {partitions[name]} to partition by")
    if rule.hash and {"email", "phone"} & set(ties):
        raise ValueError(
            f"{name} is hashed, so it is no address and no number: give its identifier a type of its own, such as "
            "email_hash"
        )
    if rule.truncate and name in once:
        raise ValueError(f"{name} is truncated: what key or dedupe names must differ where records do")
    if rule.truncate and ties:
        raise ValueError(f"{name} is truncated: as an identifier it would tie strangers")
