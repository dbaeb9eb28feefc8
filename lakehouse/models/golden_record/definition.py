"""The definition of the golden record: a rule of survivorship for each field."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from lakehouse.definition_files import DefinitionLoader, Loaded
from lakehouse.definitions import FieldsError, nearest, parse_yaml
from lakehouse.errors import BadDefinition

Rule = Literal["most_recent", "most_trusted", "most_complete", "longest"]
OF_CONTACTS: Final = ("first_name", "last_name", "city", "country", "language", "name")
OF_IDENTIFIERS: Final = ("email", "phone")
_FIELDS: Final = (*OF_CONTACTS, *OF_IDENTIFIERS)
_NAME: Final = "customers"


class GoldenRecord(BaseModel):
    """`fields` that it does not name have what was said last; `trusted` are sources, the most trusted one first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["customers"]
    doc: str
    trusted: tuple[str, ...] = ()
    fields: dict[str, Rule] = Field(default_factory=dict)

    @field_validator("fields")
    @classmethod
    def _check_fields(cls, fields: dict[str, Rule]) -> dict[str, Rule]:
        unknown = [name for name in fields if name not in _FIELDS]
        if unknown:
            raise FieldsError(
                *(
                    ((name,), f"no field of the golden record{nearest(name, list(_FIELDS))}")
                    for name in unknown
                )
            )
        return fields

    def rule(self, field: str) -> Rule:
        """Return the rule of a field."""
        return self.fields.get(field, "most_recent")


def _parse(text: str, where: str) -> GoldenRecord:
    record = parse_yaml(text, where, GoldenRecord)
    if "most_trusted" in record.fields.values() and not record.trusted:
        raise BadDefinition(f"{where}: trusted: name sources, the most trusted first: fields go by them")
    return record


_load = DefinitionLoader(
    "identity", ("lakehouse.models", "golden_record"), _parse, lambda record: record.name
)


def read(overrides: Path | None = None) -> Loaded[str, GoldenRecord]:
    """Return what the file says, or what is wrong with it: the same object until it comes, goes or changes."""
    return _load.load_each(overrides)


def load(overrides: Path | None = None) -> GoldenRecord:
    """Return the definition, the shipped one or that of `<overrides>/identity/`; BadDefinition names file and field."""
    return _load(overrides)[_NAME]
