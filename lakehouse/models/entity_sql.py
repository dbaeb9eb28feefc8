"""The models of the canonical entities: from all versions that sources sent, the record as it is and as it was.

One rule for all. The versions of a record are ordered by its source's own clock, then by `sequence`, then by arrival;
where the source has no clock, arrival counts. So it does not matter in which order they came, or how often. A version
that says the record is gone ends the one before it, and of a record without history nothing remains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.models.model import Model
from lakehouse.sources.mappable_entities import CLOCK, COMPUTED, record_key
from lakehouse.tables import entities

if TYPE_CHECKING:
    from lakehouse.tables.contract import Contract

# The later of two versions of one time. A row may both say that a record exists and, since the next full export lacks
# the record, that it is gone.
_LATER = "sequence DESC NULLS LAST, _loaded_at DESC, _file_id DESC, _row DESC, deleted DESC NULLS LAST"
_OWNER = "LEFT JOIN core.identities AS i USING (identifier_type, identifier_value)"


def model(entity: Contract) -> Model:
    """Return the model of an entity."""
    mapped = f"mapped.{entity.name.removeprefix('core.')}"
    inputs = (mapped, "core.identities") if _has_owner(entity) else (mapped,)
    return Model(entity, inputs, model_sql(entity), where=entity.name)


def model_sql(entity: Contract) -> str:
    """Return the SELECT of the columns of an entity's table."""
    name = entity.name.removeprefix("core.")
    names = [column.name for column in entity.columns]
    has_owner = _has_owner(entity)
    if "valid_from" in entity.key:
        versions = _versions(entity, name, _OWNER if has_owner else "")
        return f"{versions}SELECT {', '.join(names)}\nFROM records\n"
    columns = ["i.customer_id" if column == "customer_id" else f"r.{column}" for column in names]
    owner = f"\n{_OWNER}" if has_owner else ""
    return f"{_newest(entity, name)}SELECT {', '.join(columns)}\nFROM records AS r{owner}\n"


def _has_owner(entity: Contract) -> bool:
    return any(column.name == "customer_id" for column in entity.columns)


def _newest(entity: Contract, name: str) -> str:
    """Return the CTE `records`: of each record the newest version, unless that says that the record is gone."""
    key = ", ".join(record_key(entity))
    return (
        f"WITH newest AS (\n    SELECT * FROM mapped.{name}\n"
        f"    QUALIFY CASE WHEN {_has_key(entity)} THEN row_number() OVER (\n"
        f"        PARTITION BY {key}\n        ORDER BY coalesce(updated_at, _loaded_at) DESC, {_LATER}\n"
        "    ) END = 1\n),\n"
        "records AS (SELECT * FROM newest WHERE deleted IS NOT TRUE)\n"
    )


def _versions(entity: Contract, name: str, owner: str) -> str:
    """Return the CTE `records`: the versions of each record; one that says the same as the one before it is none.

    Whose record it is, is part of what it says. `owner` is the join that says so, "" for an entity without.
    """
    key = ", ".join(record_key(entity))
    not_compared = {*record_key(entity), *CLOCK, *COMPUTED, "created_at"}
    compared = [f"m.{column.name}" for column in entity.columns if column.name not in not_compared]
    if owner:
        compared.append("i.customer_id")
    texts = ", ".join(f"coalesce(CAST({column} AS VARCHAR), chr(30))" for column in compared)
    return (
        f"WITH stamped AS (\n    SELECT m.*,{' i.customer_id,' if owner else ''}\n"
        "        coalesce(m.updated_at, m._loaded_at) AS valid_from,\n"
        f"        CASE WHEN m.deleted THEN 'gone' ELSE md5(concat_ws(chr(31), {texts})) END AS content\n"
        f"    FROM mapped.{name} AS m {owner}\n),\n"
        "newest_at_a_time AS (\n    SELECT * FROM stamped\n"
        f"    QUALIFY CASE WHEN {_has_key(entity)} THEN\n"
        f"        row_number() OVER (PARTITION BY {key}, valid_from ORDER BY {_LATER}) END = 1\n),\n"
        "changed AS (\n    SELECT * FROM newest_at_a_time\n"
        f"    QUALIFY content IS DISTINCT FROM lag(content) OVER (PARTITION BY {key} ORDER BY valid_from)\n),\n"
        f"dated AS (\n    SELECT *, lead(valid_from) OVER (PARTITION BY {key} ORDER BY valid_from) AS valid_to\n"
        "    FROM changed\n),\n"
        "records AS (SELECT * FROM dated WHERE deleted IS NOT TRUE)\n"
    )


def _has_key(entity: Contract) -> str:
    """Return the condition that a row names a record at all: not all of its key is null.

    It is asked behind the window. DuckDB moves a condition that stands before one into the scan, where the expressions
    of ids are made ready anew for each file, which takes longer than reading small ones.
    """
    columns = (f"CAST({column} AS VARCHAR)" for column in record_key(entity)[1:])
    return f"coalesce({', '.join(columns)}) IS NOT NULL"


MODELS = {name: model(entity) for name, entity in entities.BY_NAME.items()}
