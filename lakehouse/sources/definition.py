"""A source definition: how a raw file is read, which table it fills, and what its columns mean."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lakehouse.errors import BadDefinition
from lakehouse.sources import headers, value_formats
from lakehouse.sources.mappable_entities import EACH, ENTITIES, TOGETHER, WHERE
from lakehouse.sources.minimisation import Collect, check_source
from lakehouse.tables.contract import Column, Contract, Migration, Partition, columns

SYSTEM_COLUMNS = columns(
    ("_file_id", "string", "Raw file the row came from: sha-256 of bucket, key and version"),
    ("_row", "long", "Data row in that file, counted from 1"),
    ("_loaded_at", "timestamptz", "When the row was loaded"),
    ("extra", "string", "JSON of the columns that the mapping does not name", "pii"),
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SourceColumn(_Strict):
    """One column: where it stands in the file, what it becomes, and what is kept of it (all, without `collect`).

    In JSON `after.id` is the value `id` of the object `after`, unless a key is called so. Of a table's header: `also`
    are other names by which a file may call it, tried in their order; `present` sets a file aside that lacks the
    column, though each row may leave it empty. See `lakehouse.sources.headers`.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    origin: str = Field(alias="from")
    also: tuple[str, ...] = ()
    type: str = "string"
    doc: str
    pii: bool = False
    required: bool = False
    present: bool = False
    json_type: Literal["string", "object", "array"] | None = None
    allowed: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()  # see `lakehouse.sources.value_formats`
    collect: Collect | None = None

    @property
    def dropped(self) -> bool:
        """Return whether no value of it is kept; then the table has no such column."""
        return self.collect is not None and self.collect.drop

    @property
    def hashed(self) -> bool:
        """Return whether the table holds the hash of each value."""
        return self.collect is not None and self.collect.hash is not None

    @property
    def stored_type(self) -> str:
        """Return the type of the table's column; `type` is that of the values that come."""
        return "string" if self.hashed else self.type

    @property
    def duck_type(self) -> str:
        """Return DuckDB's name of the type that values are read as."""
        return Column(self.name, self.type, self.doc).duck_type

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names by which a file may call it, the better ones first."""
        return (self.origin, *self.also)

    @property
    def expected(self) -> bool:
        """Tell whether a table without the column is set aside."""
        return self.required or self.present

    @model_validator(mode="after")
    def _fits(self) -> SourceColumn:
        if self.name == "rowid":
            raise ValueError("DuckDB calls the place of a row in a table so: give the column another name")
        value_formats.check(self.type, self.formats)
        if self.collect is not None:
            asked = {name: getattr(self, name) for name in ("required", "json_type", "allowed", "formats")}
            self.collect.check(self.type, self.json_type, asked)
        return self


class Check(_Strict):
    """A row is bad when the SQL condition over the typed columns holds."""

    code: str
    when: str
    reason: str


class Dedupe(_Strict):
    """One row a value of `column`, however often it arrives within `days`."""

    column: str
    days: int = Field(ge=1)


class FullExport(_Strict):
    """Each file lists all records there are: one that is missing was deleted.

    A file that would delete more than this share of them is set aside, for a person to say whether that is so.
    """

    held_above: float = Field(0.2, ge=0, le=1)


class Identifier(_Strict):
    """An identifier that a row carries, for identity resolution."""

    type: str
    value: str


class Change(_Strict):
    """A numbered migration of the raw table: see `lakehouse.tables.contract.Migration`."""

    number: int = Field(ge=1)
    why: str
    rename: dict[str, str] = Field(default_factory=dict)
    drop: dict[str, int] = Field(default_factory=dict)


class Source(_Strict):
    """One source and entity. Field ids follow the order of `columns`: new ones go to the end.

    What a file is, is told by its bytes: `format` says whether its text is a table or lines of JSON. `encoding` is of
    text that is neither Unicode nor GB 18030, `sheet` the name of a workbook's sheet that is not the first. `time_zone`
    is that of times written without one. Columns that the mapping does not name are kept in `extra`, unless the source
    is `strict`. Raw files go `raw_days` days after they came, once they are loaded; without it they stay.
    """

    source: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    entity: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    doc: str
    grain: str
    format: Literal["csv", "ndjson"]
    encoding: str | None = None
    sheet: str | None = None
    time_zone: str = "UTC"
    full_export: FullExport | None = None
    strict: bool = False
    raw_days: int | None = Field(None, ge=1)
    columns: tuple[SourceColumn, ...]
    key: tuple[str, ...] = ()
    partition: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    dedupe: Dedupe | None = None
    record: str | None = None
    seen_at: str | None = None
    region: str = "NULL"
    identifiers: tuple[Identifier, ...] = ()
    core: dict[str, dict[str, str] | tuple[dict[str, str], ...]] = Field(default_factory=dict)
    migrations: tuple[Change, ...] = ()

    @property
    def table(self) -> str:
        """Return the name of the raw table; the clickstream's is `raw.events`, for short."""
        return (
            "raw.events"
            if (self.source, self.entity) == ("web", "events")
            else f"raw.{self.source}_{self.entity}"
        )

    @property
    def stored(self) -> tuple[SourceColumn, ...]:
        """Return the columns that the table has: those that are not dropped."""
        return tuple(column for column in self.columns if not column.dropped)

    @property
    def guarded(self) -> bool:
        """Return whether something of what comes must not be kept, so that a row as it came must not be either."""
        return self.strict or any(column.collect for column in self.columns)

    @property
    def hashes(self) -> bool:
        """Return whether loading it takes the hash key."""
        return any(column.hashed for column in self.columns)

    @property
    def contract(self) -> Contract:
        """Return the raw table's contract: the system's columns, then the source's in their order."""
        mapped = (Column(one.name, one.stored_type, one.doc, one.pii) for one in self.stored)
        return Contract(
            name=self.table,
            doc=self.doc,
            grain=self.grain,
            columns=(*SYSTEM_COLUMNS, *mapped),
            key=self.key,
            partition=tuple(Partition.parse(text) for text in self.partition),
            sort=self.sort,
            migrations=tuple(Migration(**change.model_dump()) for change in self.migrations),
        )

    def mappings(self, entity: str) -> tuple[dict[str, str], ...]:
        """Return how the source maps to an entity: not at all, once, or several times."""
        found = self.core.get(entity, ())
        return (found,) if isinstance(found, dict) else found

    @model_validator(mode="after")
    def _whole(self) -> Source:
        check_source(self)
        names = {column.name for column in self.contract.columns}
        for column in self.columns:
            _ = column.duck_type
        if self.full_export and not self.key:
            raise ValueError("full_export needs a `key`: a record is missing when its key is")
        if not _is_zone(self.time_zone):
            raise ValueError(f"time_zone: {self.time_zone!r} is none of IANA's, such as Asia/Shanghai")
        self._names_are_apart()
        if self.dedupe and self.dedupe.column not in names:
            raise ValueError(f"dedupe names no column: {self.dedupe.column}")
        if self.identifiers and not (self.record and self.seen_at):
            raise ValueError("identifiers need `record` and `seen_at`")
        self._check_mappings()
        return self

    def _check_mappings(self) -> None:
        for entity in self.core:
            if entity not in ENTITIES:
                raise ValueError(f"core names no entity: {entity}; there are {', '.join(ENTITIES)}")
            for one in self.mappings(entity):
                if unknown := one.keys() - ENTITIES[entity].keys() - {WHERE, EACH, TOGETHER}:
                    raise ValueError(f"core.{entity} has no column {', '.join(sorted(unknown))}")
                named = {name.strip() for name in one.get(TOGETHER, "source").split(",")}
                if lost := named - one.keys() - {"source", "time_zone"}:
                    raise ValueError(
                        f"core.{entity}.together names what is not mapped: {', '.join(sorted(lost))}"
                    )

    def _names_are_apart(self) -> None:
        """Raise ValueError where a name in `also` is another column's, too."""
        owners = {headers.normal(column.origin): column.name for column in self.columns}
        for column in self.columns:
            for name in column.also:
                if owners.setdefault(headers.normal(name), column.name) != column.name:
                    raise ValueError(f"also: {name} is a name of {owners[headers.normal(name)]}, too")


def _is_zone(name: str) -> bool:
    """Return whether a time zone may be one: Lambda's image has no list of them, and DuckDB, which reads, its own."""
    try:
        ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return name == "UTC" or not any(Path(folder).is_dir() for folder in TZPATH)
    except (ValueError, OSError):  # a path, a folder of zones
        return False
    return True


def parse(text: str, where: str) -> Source:
    """Read one definition; BadDefinition names the file and the field."""
    try:
        return Source.model_validate(yaml.load(text, yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise BadDefinition(f"{where}: not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise BadDefinition(f"{where}: {field}: {first['msg']}") from error


_State = tuple[tuple[str, int, int], ...]  # of each file of a folder: name, time of its last change, bytes


class _Load:
    """Reads the definitions, and again when a file of people's own came, went or changed.

    So one that is added to a stack that runs counts from the next look on.
    """

    def __call__(self, overrides: Path | None = None) -> dict[tuple[str, str], Source]:
        """Return every source by (source, entity): those shipped, overridden by `<overrides>/sources/*.yaml`.

        Raises BadDefinition, also for two definitions of one thing and for a folder that is not there.
        """
        return _loaded(overrides, _state(overrides))

    def cache_clear(self) -> None:
        """Forget what was read."""
        _loaded.cache_clear()


load = _Load()


def _state(overrides: Path | None) -> _State:
    if overrides is None:
        return ()
    if not overrides.is_dir():
        raise BadDefinition(f"{overrides}: no such folder; LAKEHOUSE_DEFINITIONS names it")
    found = []
    for path in (overrides / "sources").glob("*.yaml"):
        with suppress(FileNotFoundError):  # one that goes meanwhile
            told = path.stat()
            found.append((path.name, told.st_mtime_ns, told.st_size))
    return tuple(sorted(found))


@lru_cache(maxsize=4)
def _loaded(overrides: Path | None, _: _State) -> dict[tuple[str, str], Source]:
    found = _read(files("lakehouse.sources") / "definitions")
    if overrides is not None and (overrides / "sources").is_dir():
        found |= _read(overrides / "sources")
    tables: dict[str, tuple[str, str]] = {}
    for place, source in found.items():
        if tables.setdefault(source.table, place) != place:
            raise BadDefinition(
                f"{'/'.join(place)} and {'/'.join(tables[source.table])} share {source.table}"
            )
    return found


def _read(folder: Traversable) -> dict[tuple[str, str], Source]:
    found: dict[tuple[str, str], Source] = {}
    where: dict[tuple[str, str], str] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not entry.name.endswith(".yaml"):
            continue
        try:
            source = parse(entry.read_text("utf-8"), entry.name)
        except UnicodeDecodeError as error:
            raise BadDefinition(f"{entry.name}: not UTF-8") from error
        place = (source.source, source.entity)
        if place in found:
            raise BadDefinition(f"{entry.name}: {'/'.join(place)} is defined by {where[place]} too")
        found[place], where[place] = source, entry.name
    return found
