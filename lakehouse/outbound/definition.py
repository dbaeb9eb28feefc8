"""Sync definitions: which segments go to which CRM, for what purpose, and what is written there."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from lakehouse.errors import BadDefinition
from lakehouse.outbound.records import Desired

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.resources.abc import Traversable
    from pathlib import Path

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]


class Identifier(BaseModel):
    """How the CRM knows a person: its unique property, and the column that holds our value of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    property: str
    column: Name = Field(alias="from")


class Sync(BaseModel):
    """One sync: customers in at least one of `segments` are kept up to date at `destination`.

    `properties` maps a property of the CRM to a column of the customer's row ("tier") or to a text with
    columns in braces ("{tier} since {first_order_on}"). Leavers get `removed` in each of them ("" clears).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    enabled: bool = True
    destination: Literal["hubspot"]
    object: Literal["contacts"] = "contacts"
    id: Identifier
    purpose: Name
    channel: Name
    segments: Annotated[tuple[Name, ...], Field(min_length=1)]
    properties: Annotated[dict[Name, str], Field(min_length=1)]
    removed: str = ""
    retry_failed_after_hours: Annotated[float, Field(ge=0)] = 24

    @field_validator("properties")
    @classmethod
    def _plain_columns(cls, properties: dict[str, str]) -> dict[str, str]:
        for name, template in properties.items():
            try:
                columns = _columns(template)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            if bad := [column for column in columns if not column.isidentifier()]:
                raise ValueError(f"{name}: {bad[0]!r} is not the name of a column")
        return properties

    @property
    def columns(self) -> set[str]:
        """Return the columns that a customer's row needs, besides `customer_id` and `segments`."""
        used = {column for template in self.properties.values() for column in _columns(template)}
        return (used | {self.id.column}) - {"customer_id", "segments"}

    @property
    def fingerprint(self) -> str:
        """Return a hash of the definition: it changes whenever the definition does."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def desired(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Desired]:
        """Turn customers' rows into what the CRM should hold, leaving out those in none of the segments.

        A row has `customer_id`, `segments` (names), `columns`, and `consented` (bool; taken as true without).
        """
        for row in rows:
            member_of = sorted(set(row["segments"]).intersection(self.segments))
            if not member_of:
                continue
            values = {**row, "segments": member_of}
            written = {
                name: self._render(name, template, values) for name, template in self.properties.items()
            }
            address = row[self.id.column]
            address = str(address).strip().lower() if address else None
            yield Desired(str(row["customer_id"]), address or None, written, bool(row.get("consented", True)))

    def _render(self, name: str, template: str, values: Mapping[str, Any]) -> str:
        try:
            if "{" not in template:
                return _text(values[template])
            return template.format_map({column: _text(values[column]) for column in _columns(template)})
        except KeyError as missing:
            raise BadDefinition(
                f"sync {self.name}: properties.{name}: there is no column {missing}"
            ) from None


def load_syncs(folder: Path | None = None) -> dict[str, Sync]:
    """Return the enabled syncs by name: the packaged ones, overridden by `<folder>/syncs/*.yaml`.

    Raises `BadDefinition`, naming file and field.
    """
    places: list[Traversable] = [files("lakehouse.outbound").joinpath("syncs")]
    if folder is not None and (folder / "syncs").is_dir():
        places.append(folder / "syncs")
    found: dict[str, Sync] = {}
    for place in places:
        for file in sorted(place.iterdir(), key=lambda f: f.name):
            if file.name.endswith((".yaml", ".yml")):
                sync = read_sync(file)
                found[sync.name] = sync
    return {name: sync for name, sync in sorted(found.items()) if sync.enabled}


def read_sync(file: Traversable) -> Sync:
    """Read one definition. Raises `BadDefinition`, naming file and field."""
    try:
        sync = Sync.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadDefinition(f"{file}: not YAML: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise BadDefinition(f"{file}: {wrong}") from error
    if sync.name != file.name.rpartition(".")[0]:
        raise BadDefinition(f"{file}: name: {sync.name!r} must be the file's own name")
    return sync


def _columns(template: str) -> list[str]:
    """Return the columns that a template names; ValueError for one that is no plain template."""
    if "{" not in template and "}" not in template:
        return [template]
    columns = []
    for _, column, spec, conversion in Formatter().parse(template):
        if column is None:
            continue
        if spec or conversion:
            raise ValueError(f"{column!r}: only plain columns stand in braces")
        columns.append(column)
    return columns


def _text(value: Any) -> str:
    """Return a value as CRMs take it: lists joined by semicolons, true/false, ISO dates, "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ";".join(sorted(_text(item) for item in value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
