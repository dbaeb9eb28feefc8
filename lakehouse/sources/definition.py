"""A source definition: how a raw file is read, which table it fills, and what its columns mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from lakehouse.definition_files import DefinitionLoader
from lakehouse.definitions import FieldsError, nearest, parse_yaml
from lakehouse.errors import BadDefinition
from lakehouse.sources import headers, id_columns, minimisation, value_formats, zones
from lakehouse.sources.core_mappings import read_core
from lakehouse.sources.id_columns import IdColumn
from lakehouse.sources.minimisation import Collect
from lakehouse.tables.contract import DUCK_TYPES, Column, Contract, Migration, Partition, columns
from lakehouse.tables.entities.references import REFERRED

SYSTEM_COLUMNS = columns(
    ("_file_id", "string", "Raw file the row came from: sha-256 of bucket, key and version"),
    (
        "_row",
        "long",
        "Data row in that file, counted from 1; in part n of it, a sheet or a member of a zip, n × 10¹² more",
    ),
    ("_loaded_at", "timestamptz", "When the row was loaded"),
    ("extra", "string", "JSON of the columns that the mapping does not name", "pii"),
)
_TYPES = (*DUCK_TYPES, "decimal(18,2)")
# What types are called elsewhere, and what they are called here.
_TYPES_ELSEWHERE = {
    "text": "string", "varchar": "string", "str": "string", "integer": "int", "bigint": "long", "bool": "boolean",
    "timestamp": "timestamptz", "datetime": "timestamptz", "number": "decimal(18,2)", "decimal": "decimal(18,2)",
    "numeric": "decimal(18,2)", "money": "decimal(18,2)",
}  # fmt: skip
SourceKey = tuple[str, str]  # source and entity
LISTED_BY = "lakehouse sources list"  # the command that shows all sources


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SourceColumn(_Strict):
    """One column: where it stands in the file, what it becomes, and what is kept of it (all, without `collect`).

    In JSON `after.id` is the value `id` of the object `after`, unless a key is called so. Of a table's header: `also`
    are other names by which a file may call it, tried in their order; `present` sets a file aside that lacks the
    column, though each row may leave it empty. See `lakehouse.sources.headers`.
    """

    called_by: ClassVar[str] = "name"

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
        """Return whether a table without the column is set aside."""
        return self.required or self.present

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if name == "rowid":
            raise ValueError("DuckDB calls the number of a row in a table so: give the column another name")
        return name

    @field_validator("type")
    @classmethod
    def _check_type(cls, kind: str, fields: ValidationInfo) -> str:
        if kind not in DUCK_TYPES and not kind.startswith("decimal("):
            better = _TYPES_ELSEWHERE.get(kind.lower())
            hint = f"; did you mean {better}?" if better else nearest(kind, list(_TYPES))
            raise ValueError(f"no type {kind}{hint}")
        _ = Column(fields.data.get("name", ""), kind, "").duck_type  # refuses a decimal that is too wide
        return kind

    @field_validator("formats")
    @classmethod
    def _check_formats(cls, formats: tuple[str, ...], fields: ValidationInfo) -> tuple[str, ...]:
        if "type" in fields.data:
            value_formats.check(fields.data["type"], formats)
        return formats

    @field_validator("collect")
    @classmethod
    def _check_collect(cls, rule: Collect | None, fields: ValidationInfo) -> Collect | None:
        if rule is not None and "type" in fields.data:
            checks = {name: fields.data.get(name) for name in ("required", "json_type", "allowed", "formats")}
            rule.check(fields.data["type"], fields.data.get("json_type"), checks)
        return rule


class Check(_Strict):
    """A row is bad when the SQL condition over the typed columns holds."""

    called_by: ClassVar[str] = "code"

    code: str
    when: str
    reason: str


class Dedupe(_Strict):
    """One row a value of `column`, and of what the columns of `content` say with it, however often within `days`."""

    column: str
    days: int = Field(ge=1, description="days of arrival within which an equal value is loaded once")
    content: tuple[str, ...] = ()


class FullExport(_Strict):
    """Each file lists all records there are: one that is missing was deleted.

    A file that would delete more than this share of them is set aside, for a person to say whether that is so.
    """

    held_above: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share of the known records; a full export that would delete more is set aside",
    )


class Identifier(_Strict):
    """An identifier that a row carries. The first names the record itself. See `docs/new-source.md` for the others."""

    called_by: ClassVar[str] = "type"

    type: str
    value: str
    every: bool = False
    alias: bool = False


class Change(_Strict):
    """A numbered migration of the raw table: see `lakehouse.tables.contract.Migration`."""

    number: int = Field(ge=1)
    why: str
    rename: dict[str, str] = Field(default_factory=dict)
    drop: dict[str, int] = Field(default_factory=dict)


class Source(_Strict):
    """One source and entity. Field ids follow the order of `columns`: new ones go to the end.

    How a file is packed is told by its bytes: `format` says whether its text is a table or lines of JSON. `encoding` is
    of text that is neither Unicode nor GB 18030. `sheet` names the one sheet of a workbook that is read; without it
    every visible one is that has the header. `time_zone` is that of times written without one. Columns that the mapping
    does not name are kept in `extra`, unless the source is `strict`. Raw files are deleted `raw_days` days after they
    came, once they are loaded; without it they stay.

    SQL may use DuckDB's functions and those of `lakehouse.engine.sql_functions`. `region` says which country's national
    format phones are in, as ISO 3166-1 alpha-2. See `lakehouse.sources.mappable_entities` for `core`.

    `references` says of an entity which source's ids the records use, such as `{products: shop}`. Without it they are
    the source's own where it has such records, else those of any source: see `lakehouse.tables.entities.references`.
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
    raw_days: int | None = Field(
        None, ge=1, description="days after which a raw file that is loaded is deleted; it stays without"
    )
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
    person: dict[str, str] = Field(default_factory=dict)
    core: dict[str, dict[str, str] | tuple[dict[str, str], ...]] = Field(default_factory=dict)
    references: dict[str, str] = Field(default_factory=dict)
    migrations: tuple[Change, ...] = ()

    @property
    def source_key(self) -> SourceKey:
        """Return source and entity: the first two folders of its raw files' keys."""
        return self.source, self.entity

    @property
    def table(self) -> str:
        """Return the name of the raw table; the clickstream's is `raw.events`, for short."""
        if self.source_key == ("web", "events"):
            return "raw.events"
        return f"raw.{self.source}_{self.entity}"

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other fields; what was computed of the former ones is computed anew."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("ids", "stored", "contract"):
            copied.__dict__.pop(name, None)
        return copied

    @cached_property
    def ids(self) -> Mapping[str, IdColumn]:
        """Return the columns that hold ids, by name: see `lakehouse.sources.id_columns`."""
        return id_columns.find(self)

    @cached_property
    def stored(self) -> tuple[SourceColumn, ...]:
        """Return the columns that the table has: those that are not dropped. Ids are read as such."""
        kept = (column for column in self.columns if not column.dropped)
        return tuple(id_columns.as_read(column, self.ids.get(column.name)) for column in kept)

    @property
    def guarded(self) -> bool:
        """Return whether something of what comes must not be kept, so that a row as it came must not be either."""
        return self.strict or any(column.collect for column in self.columns)

    @property
    def hashes(self) -> bool:
        """Return whether loading it takes the hash key."""
        return any(column.hashed for column in self.columns)

    @cached_property
    def contract(self) -> Contract:
        """Return the raw table's contract: the system's columns, then the source's in their order."""
        kept = (column for column in self.columns if not column.dropped)
        mapped = (Column(column.name, column.stored_type, column.doc, column.pii) for column in kept)
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
        mappings = self.core.get(entity, ())
        return (mappings,) if isinstance(mappings, dict) else mappings

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, name: str) -> str:
        if not zones.is_zone(name):
            raise ValueError(f"{name!r} is none of IANA's, such as Asia/Shanghai")
        return name

    @field_validator("core", mode="before")
    @classmethod
    def _read_core(cls, core: Any, fields: ValidationInfo) -> Any:
        source_columns = fields.data.get("columns")
        if source_columns is None:  # they are wrong themselves
            return read_core(core, None)
        return read_core(core, [column.name for column in source_columns if not column.dropped])

    @field_validator("references")
    @classmethod
    def _check_references(cls, references: dict[str, str]) -> dict[str, str]:
        problems = [
            ((entity,), f"no entity that others refer to{nearest(entity, list(REFERRED))}")
            for entity in references
            if entity not in REFERRED
        ]
        if problems:
            raise FieldsError(*problems)
        return references

    @model_validator(mode="after")
    def _check_fields_together(self) -> Source:
        minimisation.check_source(self)
        if self.full_export and not self.key:
            raise FieldsError((("full_export",), "needs a `key`: a record is missing when its key is"))
        self._check_dedupe(sorted(column.name for column in self.contract.columns))
        if self.identifiers and not (self.record and self.seen_at):
            raise FieldsError((("identifiers",), "need `record` and `seen_at`"))
        self._check_other_names()
        return self

    def _check_dedupe(self, known: list[str]) -> None:
        rule = self.dedupe
        asked = [("column", rule.column), *(("content", name) for name in rule.content)] if rule else []
        for part, name in asked:
            if name not in known:
                raise FieldsError((("dedupe", part), f"there is no column {name}{nearest(name, known)}"))

    def _check_other_names(self) -> None:
        """Raise FieldsError where a name in `also` is another column's, too."""
        owners = {headers.normal(column.origin): column.name for column in self.columns}
        for position, column in enumerate(self.columns):
            for name in column.also:
                owner = owners.setdefault(headers.normal(name), column.name)
                if owner != column.name:
                    raise FieldsError((("columns", position, "also"), f"{name} is a name of {owner}, too"))


def parse(text: str, where: str) -> Source:
    """Return the definition that a YAML text holds; BadDefinition names the file, the fields and their lines."""
    return parse_yaml(text, where, Source)


def _check_tables(sources: dict[SourceKey, Source]) -> None:
    """Raise BadDefinition for two sources with one raw table: `a_b/c` and `a/b_c` would both be raw.a_b_c."""
    owners: dict[str, SourceKey] = {}
    for source_key, source in sources.items():
        owner = owners.setdefault(source.table, source_key)
        if owner != source_key:
            raise BadDefinition(f"{'/'.join(source_key)} and {'/'.join(owner)} share {source.table}")


def declared_references(sources: Iterable[Source]) -> dict[tuple[str, str], str]:
    """Return by source and entity whose ids the records of the source use, where definitions say so.

    Raises BadDefinition where two definitions of one source say different things.
    """
    declared: dict[tuple[str, str], str] = {}
    for source in sources:
        for entity, id_source in source.references.items():
            other = declared.setdefault((source.source, entity), id_source)
            if other != id_source:
                raise BadDefinition(
                    f"definitions of {source.source} say that its ids of {entity} are those of {other} "
                    f"and of {id_source}: one source uses one source's ids"
                )
    return declared


def _check_together(sources: dict[SourceKey, Source]) -> None:
    """Raise BadDefinition for definitions that are good one by one, and contradict each other."""
    _check_tables(sources)
    declared_references(sources.values())


load: DefinitionLoader[SourceKey, Source] = DefinitionLoader(
    "sources",
    ("lakehouse.sources", "definitions"),
    parse,
    lambda source: source.source_key,
    check_all=_check_together,
)


def find_own(folder: Path, source_key: SourceKey) -> tuple[Source, Path] | None:
    """Return the definition of a source in a folder of people's own and the file it stands in; None where none does."""
    for file in load.own_files(folder):
        source = parse(file.text, file.name)
        if source.source_key == source_key:
            return source, folder / "sources" / file.name
    return None
