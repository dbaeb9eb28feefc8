"""The models of the canonical entities: from all versions that sources sent, the record as it is and as it was.

One rule for all. The versions of a record stand in the order of its source's own clock, then of `sequence`, then of
arrival; where the clock is silent, arrival counts. So it is all the same in which order they came, and how often. A
version that says the record is gone ends the one before it, and leaves nothing of a record without history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.sources.mappable_entities import CLOCK, COMPUTED, record_key
from lakehouse.tables import entities

if TYPE_CHECKING:
    from lakehouse.tables.contract import Contract

# Of two versions of one time the later by these. A row may say both that a record is there and, missing from the
# next file, that it is gone.
_LATER = "sequence DESC NULLS LAST, _loaded_at DESC, _file_id DESC, _row DESC, deleted DESC NULLS LAST"
_OWNER = "LEFT JOIN core.identities AS i USING (identifier_type, identifier_value)"


def model_sql(entity: Contract) -> str:
    """Return the model of an entity: its header, and the SELECT of its table's columns."""
    name = entity.name.removeprefix("core.")
    whose = "customer_id" in (column.name for column in entity.columns)
    inputs = f"mapped.{name}" + (", core.identities" if whose else "")
    head = f"-- table: {entity.name}\n-- inputs: {inputs}\n"
    if "valid_from" in entity.key:
        cells = ", ".join(column.name for column in entity.columns)
        return f"{head}{_versions(entity, name, _OWNER if whose else '')}SELECT {cells}\nFROM records\n"
    cells = ", ".join(
        "i.customer_id" if column.name == "customer_id" else f"r.{column.name}" for column in entity.columns
    )
    owner = f"\n{_OWNER}" if whose else ""
    return f"{head}{_newest(entity, name)}SELECT {cells}\nFROM records AS r{owner}\n"


def _newest(entity: Contract, name: str) -> str:
    key = ", ".join(record_key(entity))
    return (
        f"WITH newest AS (\n    SELECT * FROM mapped.{name}\n    WHERE {_named(entity)}\n"
        f"    QUALIFY row_number() OVER (\n"
        f"        PARTITION BY {key}\n        ORDER BY coalesce(updated_at, _loaded_at) DESC, {_LATER}\n    ) = 1\n),\n"
        "records AS (SELECT * FROM newest WHERE deleted IS NOT TRUE)\n"
    )


def _versions(entity: Contract, name: str, owner: str) -> str:
    """Return the versions of each record; one that says the same as the one before it is no version.

    Whose record it is, is part of what it says.
    """
    key = ", ".join(record_key(entity))
    still = {*record_key(entity), *CLOCK, *COMPUTED, "created_at"}
    said = [f"m.{column.name}" for column in entity.columns if column.name not in still]
    said += ["i.customer_id"] if owner else []
    texts = ", ".join(f"coalesce(CAST({column} AS VARCHAR), chr(30))" for column in said)
    return (
        f"WITH stamped AS (\n    SELECT m.*,{' i.customer_id,' if owner else ''}\n"
        "        coalesce(m.updated_at, m._loaded_at) AS valid_from,\n"
        f"        CASE WHEN m.deleted THEN 'gone' ELSE md5(concat_ws(chr(31), {texts})) END AS content\n"
        f"    FROM mapped.{name} AS m {owner}\n    WHERE {_named(entity)}\n),\n"
        "newest_at_a_time AS (\n    SELECT * FROM stamped\n"
        f"    QUALIFY row_number() OVER (PARTITION BY {key}, valid_from ORDER BY {_LATER}) = 1\n),\n"
        "changed AS (\n    SELECT * FROM newest_at_a_time\n"
        f"    QUALIFY content IS DISTINCT FROM lag(content) OVER (PARTITION BY {key} ORDER BY valid_from)\n),\n"
        f"held AS (\n    SELECT *, lead(valid_from) OVER (PARTITION BY {key} ORDER BY valid_from) AS valid_to\n"
        "    FROM changed\n),\n"
        "records AS (SELECT * FROM held WHERE deleted IS NOT TRUE)\n"
    )


def _named(entity: Contract) -> str:
    """Return the condition that a row names a record at all: not all of its key is null."""
    return f"coalesce({', '.join(f'CAST({part} AS VARCHAR)' for part in record_key(entity)[1:])}) IS NOT NULL"


MODELS = {name: model_sql(entity) for name, entity in entities.BY_NAME.items()}
