"""Sync definitions: which segments go to which CRM, for what purpose, and what is written there."""

from __future__ import annotations

import hashlib
import re
from datetime import date, time
from pathlib import PurePath
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from lakehouse.definition_files import DefinitionLoader
from lakehouse.definitions import Problem, find_line, parse_yaml
from lakehouse.errors import BadDefinition, Terminal
from lakehouse.outbound.destinations.definition import find_destination
from lakehouse.outbound.policies.definition import Contact
from lakehouse.outbound.policy import BrakePolicy
from lakehouse.outbound.records import Desired

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]
# What a destination calls a property: a name of its API, or the head of a column.
PropertyName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,120}$", strip_whitespace=True)]


CHANNEL_ADDRESS = "channel_address"
FACTS = "contact_facts"  # of a row: what the policies of contacting people ask for, as in `records.Row`
_ANY_NAME = re.compile(r".+")
_API_NAMES = {
    "hubspot": re.compile(r"[a-z0-9][a-z0-9_]*"),
    "salesforce": re.compile(r"[A-Za-z][A-Za-z0-9_]*"),
}


class Brakes(BaseModel):
    """When a plan is stopped until somebody says `lakehouse publish SYNC --accept`; what is left out is as usual."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    leaving_share: Annotated[float, Field(ge=0, le=1)] = BrakePolicy.leaving_share
    leaving_rows: Annotated[int, Field(ge=0)] = BrakePolicy.leaving_rows
    first_run_rows: Annotated[int, Field(ge=0)] = BrakePolicy.first_run_rows


class Identifier(BaseModel):
    """How the CRM knows a person: its unique property, and the column that holds our value of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    property: PropertyName
    column: Name = Field(alias="from")


class Sync(BaseModel):
    """One sync: customers in at least one of `segments` are kept up to date at `destination`.

    `properties` maps a property of the CRM to a column of the customer's row ("tier") or to a text with
    columns in braces ("{tier} since {first_order_on}"). Leavers get `removed` in each of them ("" clears). Who is in a
    segment of `suppress` is not written to. A `purpose` or `channel` that it does not say is that of its segments
    (`stages.sync_consent`). `contact` is given of a sync that writes to people, such as one of messages
    or tasks, and not only to their records.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    enabled: bool = True
    destination: Name
    object: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] = "contacts"
    id: Identifier
    purpose: Name = ""
    channel: Name = ""
    segments: Annotated[tuple[Name, ...], Field(min_length=1)]
    properties: Annotated[dict[PropertyName, str], Field(min_length=1)]
    suppress: tuple[Name, ...] = ()
    contact: Contact | None = None
    removed: str = ""
    retry_failed_after_hours: Annotated[
        float,
        Field(ge=0, description="hours after which a row that failed is tried again though nothing changed"),
    ] = 24
    brakes: Brakes = Brakes()

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
    def asked_segments(self) -> tuple[str, ...]:
        """Return the segments whose members it has to know."""
        return (*self.segments, *self.suppress)

    @property
    def fingerprint(self) -> str:
        """Return a hash of the definition: it changes whenever what is to be sent may."""
        return hashlib.sha256(self.model_dump_json(exclude={"brakes"}).encode()).hexdigest()

    @property
    def writes(self) -> set[tuple[str, str, str]]:
        """Return what it writes in the CRM: destination, object and property."""
        return {(self.destination, self.object, name) for name in self.properties}

    def desired(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Desired]:
        """Turn customers' rows into what the CRM should hold, leaving out those in none of the segments.

        A row has `customer_id`, `segments` (names), `columns`, `consented` (bool; nobody consented without it), and
        perhaps `control_of` (names of segments in whose control group the customer is), and `channel_address`: where
        the channel writes to, when that is not how the CRM knows the person. For a segment in whose control group
        somebody is, nothing is written.
        """
        for row in rows:
            member_of = set(row["segments"]).intersection(self.segments)
            control_of = member_of.intersection(row.get("control_of") or ())
            suppressed_by = min(set(row["segments"]).intersection(self.suppress), default="")
            if member_of:
                written = sorted(member_of - control_of)
                held_out = "" if written else min(control_of)
                yield self._desired_row(
                    {**row, "segments": written, "held_out": held_out, "suppressed_by": suppressed_by}
                )

    def _desired_row(self, values: Mapping[str, Any]) -> Desired:
        name = _normal(values[self.id.column])
        address = _normal(values.get(CHANNEL_ADDRESS))
        return Desired(
            customer_id=str(values["customer_id"]),
            id=name or None,
            properties={
                name: self._render(name, template, values) for name, template in self.properties.items()
            },
            consented=values.get("consented") is True,
            erased=values.get("erased") is True,
            address=address if address != name else "",
            refused_by=str(values.get("refused_by") or ""),
            suppressed_by=values["suppressed_by"],
            control_of=values["held_out"],
            facts=values.get(FACTS) or {},
        )

    def _render(self, name: str, template: str, values: Mapping[str, Any]) -> str:
        try:
            if "{" not in template:
                return _text(values[template])
            return template.format_map({column: _text(values[column]) for column in _columns(template)})
        except KeyError as missing:
            raise BadDefinition(
                f"sync {self.name}: properties.{name}: there is no column {missing}"
            ) from None


def parse_sync(text: str, where: str) -> Sync:
    """Read one definition; BadDefinition names the file, the field and its line."""
    sync = parse_yaml(text, where, Sync)
    if sync.name != PurePath(where).stem:
        raise BadDefinition(f"{where}: name: {sync.name!r} must be the file's own name")
    return sync


_load = DefinitionLoader("syncs", ("lakehouse.outbound", "syncs"), parse_sync, lambda sync: sync.name)


def load_syncs(overrides: Path | None = None) -> dict[str, Sync]:
    """Return the enabled syncs by name: those shipped, overridden by the files below `<overrides>/syncs/`.

    One whose file is wrong, or whose destination there is not, is left out, and `wrong_syncs` says why. Raises
    BadDefinition for an `overrides` that is not there.
    """
    return {name: sync for name, sync in _loaded(overrides)[0].items() if sync.enabled}


def disabled_syncs(overrides: Path | None = None) -> dict[str, Sync]:
    """Return the syncs that are switched off, by name."""
    return {name: sync for name, sync in _loaded(overrides)[0].items() if not sync.enabled}


def wrong_syncs(overrides: Path | None = None) -> Mapping[str, str]:
    """Return what is wrong with each file that defines no sync, by its name."""
    return _loaded(overrides)[1]


def _loaded(overrides: Path | None) -> tuple[dict[str, Sync], dict[str, str]]:
    """Return the syncs by name, and what is wrong with the others."""
    found = _load.load_each(overrides)
    syncs: dict[str, Sync] = {}
    wrong = dict(found.wrong)
    for name, sync in sorted(found.definitions.items()):
        problem = _destination_problem(overrides, sync)
        if problem is None:
            syncs[name] = sync
        else:
            wrong[name] = (
                f"{name}.yaml: {Problem(problem[0], _line(overrides, name, problem[0]), problem[1])}"
            )
    return syncs, wrong


def _destination_problem(overrides: Path | None, sync: Sync) -> tuple[str, str] | None:
    """Return which field keeps a sync from being delivered by its destination, and why; None where none does."""
    try:
        kind = find_destination(overrides, sync.destination).kind
    except Terminal as error:
        return "destination", str(error)
    if kind == "hubspot" and sync.object != "contacts":
        return "object", f"HubSpot is written contacts, and no {sync.object!r}"
    names = _API_NAMES.get(kind, _ANY_NAME)
    for name in sync.properties:
        if not names.fullmatch(name):
            return "properties", f"{name!r} is no name of a property in a destination of kind {kind}"
        if name == sync.id.property and kind != "hubspot":
            return "properties", f"{name!r} is what records are known by: `id` writes it already"
    if not names.fullmatch(sync.id.property):
        return "id.property", f"{sync.id.property!r} is no name of a property in a destination of kind {kind}"
    return None


def _line(overrides: Path | None, name: str, field: str) -> int:
    """Return the line of a field in a sync's own file; 0 where it ships with the package."""
    own = _load.own_files(overrides) if overrides is not None else iter(())
    return next((find_line(file.text, field, Sync) for file in own if PurePath(file.name).stem == name), 0)


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


def _normal(address: Any) -> str:
    return str(address or "").strip().lower()


def _text(value: Any) -> str:
    """Return a value as CRMs take it: lists joined by semicolons, true/false, ISO dates, "" for nothing."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list() | tuple() | set() | frozenset():
            return ";".join(sorted(map(_text, value)))
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)
