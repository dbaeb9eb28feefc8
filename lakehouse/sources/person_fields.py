"""What a source says of the person that its record is: names, a birth date, an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lakehouse.sources.definition import Source

PEOPLE_ENTITIES: Final = ("contacts", "leads")
PERSON_FIELDS: Final = {
    "name": "VARCHAR", "first_name": "VARCHAR", "last_name": "VARCHAR", "birth_date": "DATE", "address": "VARCHAR",
    "city": "VARCHAR", "region_code": "VARCHAR", "country": "VARCHAR",
}  # fmt: skip


def person_of(source: Source) -> dict[str, str]:
    """Return the SQL of what a source says of people, by field; nothing where it says nothing of one.

    It is what the source maps to contacts or leads, or what its `person` says.
    """
    if not source.identifiers:
        return {}
    mapped = next((source.mappings(entity)[0] for entity in PEOPLE_ENTITIES if source.mappings(entity)), {})
    fields = {**mapped, **source.person}
    return {name: fields[name] for name in PERSON_FIELDS if name in fields}
