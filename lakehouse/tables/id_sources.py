"""The view `core.id_sources`: of which source are the ids by which a source's records name those of another entity."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.tables.entities.references import REFERENCES, REFERRED

NAME = "core.id_sources"
MEANING = "Whose ids each source uses for the records of another entity (a view)"
Declared = Mapping[tuple[str, str], str]  # (source, referred entity): source whose ids it uses
_UNION = " UNION ALL\n"
NONE_DECLARED: Declared = MappingProxyType({})


def view_sql(declared: Declared = NONE_DECLARED) -> str:
    """Return the statement that makes the view, with the columns `source`, `entity` and `id_source`.

    A row says: ids of `entity` in records of `source` are those of `id_source`. There is one row where the source has
    such records itself or a definition declares whose it uses, else one for each source that has them. Both arms of the
    join read only the tables of an entity that is asked for. Every table of the entities has to be there.
    """
    return (
        f"CREATE OR REPLACE VIEW {qualified(NAME)} AS\n"
        f"WITH referring AS (\n{_referring_sql()}\n),\nholding AS (\n{_holding_sql()}\n),\n"
        f"declared AS (\n{_declared_sql(declared)}\n)\n"
        "SELECT referring.source, entity, holding.source AS id_source\n"
        "FROM referring JOIN holding USING (entity)\n"
        "LEFT JOIN declared ON declared.source = referring.source AND declared.referred = entity\n"
        "WHERE declared.id_source IS NULL OR declared.id_source = holding.source\n"
        "QUALIFY declared.id_source IS NOT NULL OR holding.source = referring.source\n"
        "    OR NOT bool_or(holding.source = referring.source) OVER (PARTITION BY entity, referring.source)"
    )


def _referring_sql() -> str:
    """Return the SELECT of each source that names records of an entity."""
    arms = (
        f"SELECT source, {literal(reference.referred)} AS entity FROM {qualified(f'core.{reference.entity}')} "
        f"WHERE {identifier(reference.column)} IS NOT NULL"
        for reference in REFERENCES
    )
    return f"SELECT DISTINCT source, entity FROM (\n{_UNION.join(arms)}\n)"


def _holding_sql() -> str:
    """Return the SELECT of each source that has records of an entity."""
    arms = (
        f"SELECT DISTINCT source, {literal(entity)} AS entity FROM {qualified(f'core.{entity}')}"
        for entity in REFERRED
    )
    return _UNION.join(arms)


def _declared_sql(declared: Declared) -> str:
    if not declared:
        nobody = ("source", "referred", "id_source")
        return f"SELECT {', '.join(f'NULL::VARCHAR AS {name}' for name in nobody)} WHERE false"
    rows = (
        f"({literal(source)}, {literal(entity)}, {literal(id_source)})"
        for (source, entity), id_source in sorted(declared.items())
    )
    return f"SELECT * FROM (VALUES {', '.join(rows)}) AS declared(source, referred, id_source)"
