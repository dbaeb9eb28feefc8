"""Sync definitions: which segments go to which CRM, for what purpose, and what is written there."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import date, time
from decimal import Decimal
from pathlib import PurePath
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from lakehouse.definition_files import DefinitionLoader
from lakehouse.definitions import Problem, find_line, parse_yaml
from lakehouse.errors import BadDefinition, Terminal
from lakehouse.outbound import destination_fit
from lakehouse.outbound.destinations.definition import find_destination
from lakehouse.outbound.policies.definition import Contact
from lakehouse.outbound.policy import BrakePolicy
from lakehouse.outbound.record_definition import Name, Owner, PropertyName, PropertySpec, Removal
from lakehouse.outbound.record_kinds import (
    CAUSE_KEY,
    HUBSPOT,
    KINDS,
    LIST_PREFIX,
    MEMBER,
    RecordKind,
    with_defaults,
)
from lakehouse.outbound.records import Desired

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

CHANNEL_ADDRESS = "channel_address"
FACTS = "contact_facts"  # of a row: what the policies of contacting people ask for, as in `records.Row`


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
    columns in braces ("{tier} since {first_order_on}"); `fixed` has texts as they are. Leavers get `removed` in each of
    them ("" clears). Who is in a segment of `suppress` is not written to. A `purpose` or `channel` that it does not say
    is that of its segments (`stages.sync_consent`). `contact` is given of a sync that writes to people, such as one of
    messages, and not only to their records.

    A row may be a cause instead of a customer: a row of `triggers`, the entry of a customer into a segment where
    `object` is one of `KINDS`, or, of `duplicates`, the records of that source that are one person. `owner` says for
    whom it is.
    `fill_blanks` names properties that are written only while nobody in the CRM has typed one. `removal` says what
    becomes of what was written once its reason is gone; `closed` is what closing it writes. `list` is the id of a
    static list of HubSpot's that who is written enters, and who leaves is taken off. `create_properties` lets
    properties be made that the CRM lacks.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    enabled: bool = True
    destination: Name
    object: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] = "contacts"
    id: Identifier
    purpose: Name = ""
    channel: Name = ""
    segments: tuple[Name, ...] = ()
    triggers: tuple[Name, ...] = ()
    duplicates: Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9_]*)?$")] = ""
    properties: dict[PropertyName, str] = {}
    fixed: dict[PropertyName, str] = {}
    fill_blanks: tuple[PropertyName, ...] = ()
    owner: Owner | None = None
    list: Annotated[str, StringConstraints(pattern=r"^[0-9]*$")] = ""
    suppress: tuple[Name, ...] = ()
    contact: Contact | None = None
    removed: str = ""
    removal: Removal = "clear"
    closed: dict[PropertyName, str] = {}
    create_properties: bool | dict[PropertyName, PropertySpec] = False
    retry_failed_after_hours: Annotated[
        float,
        Field(ge=0, description="hours after which a row that failed is tried again though nothing changed"),
    ] = 24
    brakes: Brakes = Brakes()

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, said: Any) -> Any:
        return with_defaults(said) if isinstance(said, dict) else said

    @model_validator(mode="after")
    def _fits_together(self) -> Sync:
        wrong = next(destination_fit.contradictions(self), None)
        if wrong is not None:
            raise ValueError(f"{wrong[0]}: {wrong[1]}")
        return self

    @field_validator("properties")
    @classmethod
    def _plain_columns(cls, properties: dict[str, str]) -> dict[str, str]:
        for name, template in properties.items():
            try:
                columns = template_columns(template)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            if bad := [column for column in columns if not column.isidentifier()]:
                raise ValueError(f"{name}: {bad[0]!r} is not the name of a column")
        return properties

    @property
    def columns(self) -> set[str]:
        """Return the columns that a customer's row needs, besides `customer_id` and `segments`."""
        used = {column for template in self.properties.values() for column in template_columns(template)}
        return (used | {self.id.column}) - {"customer_id", "segments"}

    @property
    def kind(self) -> RecordKind | None:
        """Return the kind of records that it writes; None of contacts, and of what other destinations call objects."""
        return KINDS.get(self.object) if self.destination == HUBSPOT else None

    @property
    def is_by_cause(self) -> bool:
        """Return whether its rows are causes, of which a customer may have several, and not customers."""
        by_row = bool(self.triggers or self.duplicates) or self.kind is not None
        return by_row or self.id.column == CAUSE_KEY

    @property
    def written(self) -> set[str]:
        """Return the properties that it writes."""
        of_owner = {self.owner.property} if self.owner else set()
        return {*self.properties, *self.fixed, *of_owner, *self._membership}

    @property
    def _membership(self) -> dict[str, str]:
        return {f"{LIST_PREFIX}{self.list}": MEMBER} if self.list else {}

    @property
    def guarded(self) -> set[str]:
        """Return the properties that are written only where nobody in the CRM has typed something else."""
        return self.written if self.kind is not None else set(self.fill_blanks)

    @property
    def created_properties(self) -> dict[str, dict[str, Any]] | None:
        """Return by name the properties to make where the CRM lacks them, as `PropertySpec`; None: none is made."""
        if self.create_properties is False:
            return None
        said = {} if self.create_properties is True else self.create_properties
        specs = {
            name: said.get(name, PropertySpec()) for name in sorted(self.written - self._membership.keys())
        }
        return {name: spec.model_dump() | {"declared": name in said} for name, spec in specs.items()}

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
        prefix = f"{self.name}/" if self.kind is not None else ""  # two syncs write records of their own
        return {(self.destination, self.object, f"{prefix}{name}") for name in self.written}

    def desired(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Desired]:
        """Turn customers' rows into what the CRM should hold, leaving out those in none of the segments.

        A row has `customer_id`, `segments` (names), `columns`, `consented` (bool; nobody consented without it), and
        perhaps `control_of` (names of segments in whose control group the customer is), and `channel_address`: where
        the channel writes to, when that is not how the CRM knows the person. For a segment in whose control group
        somebody is, nothing is written.
        """
        for row in rows:
            if self.is_by_cause:
                yield self._desired_cause(row)
                continue
            member_of = set(row["segments"]).intersection(self.segments)
            control_of = member_of.intersection(row.get("control_of") or ())
            suppressed_by = min(set(row["segments"]).intersection(self.suppress), default="")
            if member_of:
                written = sorted(member_of - control_of)
                held_out = "" if written else min(control_of)
                yield self._desired_row(
                    {**row, "segments": written, "held_out": held_out, "suppressed_by": suppressed_by}
                )

    def _desired_cause(self, row: Mapping[str, Any]) -> Desired:
        """Turn a cause's row, as `segments.causes` has it, into what the CRM should hold."""
        member_of = set(row["segments"])
        suppressed_by = min(member_of.intersection(self.suppress), default="")
        written = sorted(member_of.intersection(self.segments))
        held_out = row["because"] if row.get("is_control") else ""
        key = f"{self.name}\x1f{row[CAUSE_KEY]}"
        more = {"segments": written, "held_out": held_out, "suppressed_by": suppressed_by}
        return self._desired_row({**row, **more, CAUSE_KEY: hashlib.sha256(key.encode()).hexdigest()[:32]})

    def _desired_row(self, values: Mapping[str, Any]) -> Desired:
        name = _normal(values[self.id.column])
        address = _normal(values.get(CHANNEL_ADDRESS))
        owner = self.owner.of(_text(values.get("owner"))) if self.owner else ""
        properties = {
            name: self._render(name, template, values) for name, template in self.properties.items()
        }
        return Desired(
            customer_id=str(values["customer_id"]),
            id=name or None,
            properties={
                **properties,
                **self.fixed,
                **({self.owner.property: owner} if self.owner else {}),
                **self._membership,
            },
            consented=values.get("consented") is True,
            erased=values.get("erased") is True,
            address=address if address != name else "",
            refused_by=str(values.get("refused_by") or ""),
            suppressed_by=values["suppressed_by"],
            control_of=values["held_out"],
            facts=values.get(FACTS) or {},
            about=_text(values.get("crm_contact_id")) if self.kind is not None else "",
            no_owner=self.owner is not None and not owner,
        )

    def _render(self, name: str, template: str, values: Mapping[str, Any]) -> str:
        try:
            if "{" not in template:
                return _text(values[template])
            return template.format_map(
                {column: _text(values[column]) for column in template_columns(template)}
            )
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
    return next(destination_fit.problems(sync, kind), None)


def _line(overrides: Path | None, name: str, field: str) -> int:
    """Return the line of a field in a sync's own file; 0 where it ships with the package."""
    own = _load.own_files(overrides) if overrides is not None else iter(())
    return next((find_line(file.text, field, Sync) for file in own if PurePath(file.name).stem == name), 0)


def template_columns(template: str) -> list[str]:
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
    """Return an address or id as it is compared and sent: e-mails in lower case; of other ids, case tells two apart."""
    text = str(address or "").strip()
    return text.lower() if "@" in text else text


def _text(value: Any) -> str:
    """Return a value as CRMs take it: lists joined by semicolons, true/false, ISO dates, "" for nothing.

    Numbers have all their digits and no exponent, and what is none (NaN, infinity) is nothing; an object is JSON.
    """
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list() | tuple() | set() | frozenset():
            return ";".join(sorted(map(_text, value)))
        case date() | time():
            return value.isoformat()
        case float() | Decimal():
            return f"{Decimal(str(value)):f}" if math.isfinite(value) else ""
        case _:
            is_object = isinstance(value, dict)
            return json.dumps(value, ensure_ascii=False, default=_text) if is_object else str(value)
