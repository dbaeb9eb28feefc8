"""Ids that two systems give to different people, and that one definition takes for one: nothing else would tell.

Two shops land in one source, and the later's #3001 is a new version of the earlier's. Or two sources say `user_id`, and
the site's user 42 is not the shop's account 42.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.engine import duck, normal_forms
from lakehouse.engine.duck import WRONG_SQL
from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.engine.ids import CONTACT_TYPES
from lakehouse.sources import definition
from lakehouse.sources.evidence_views import PERSON
from lakehouse.sources.mapping_views import guarded_rows_sql
from lakehouse.sources.review import Finding
from lakehouse.sources.says import columns_of
from lakehouse.stages.policy import CollisionPolicy
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import views
from lakehouse.tables.people import OBSERVATIONS

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings
    from lakehouse.sources.definition import Source


@dataclass(frozen=True)
class Shared:
    """Ids that are said twice, by two files of a source or by two sources, with what they say of people each time.

    `strangers` are those of which the two have nothing in common: no e-mail, phone, name or other id.
    """

    name: str
    field: str
    ids: int
    strangers: int
    remedy: str

    @property
    def is_collision(self) -> bool:
        """Return whether so many are strangers that corrections and moves do not explain it."""
        return self.ids > 0 and self.strangers / self.ids > CollisionPolicy.most_strangers

    def warning(self) -> Finding:
        """Return what to say of a collision."""
        counts = (
            f"of {self.ids:,} ids that came twice {self.strangers:,} are of people with nothing in common"
        )
        message = f"{counts}: {self.remedy}"
        return Finding("warning", self.name, self.field, message)


def find_collisions(settings: Settings) -> list[Finding]:
    """Return a warning for each source, and each pair of sources, whose ids stand for different people."""
    catalog = catalogs.open_catalog(settings)
    existing = set(catalogs.table_names(catalog))
    sources = [
        source
        for source in definition.load(settings.definitions).values()
        if source.identifiers and source.table in existing
    ]
    with closing(duck.connect(settings)) as con:
        views.attach(con, catalog, [source.table for source in sources], [each.contract for each in sources])
        shared = [found for source in sources for found in _within(con, source)]
        if OBSERVATIONS.name in existing:
            views.attach(con, catalog, [OBSERVATIONS.name])
            shared += _between(con)
    return [each.warning() for each in shared if each.is_collision]


def keys_sql(source: Source) -> str | None:
    """Return the SELECT of how many keys came in several files, and of how many the first and last are strangers.

    None for a source whose rows say nothing of people but by their key.
    """
    key = set(source.key)
    said = [
        each.value
        for each in source.identifiers
        if not each.alias and not columns_of(source, each.value) <= key
    ]
    if not key or not said or source.dedupe:  # then a key is loaded once
        return None
    names = ", ".join(map(identifier, source.key))
    values = ", ".join(f"lower(trim(CAST({value} AS VARCHAR)))" for value in said)
    return (
        "SELECT count(*), count(*) FILTER (NOT list_has_any(first, last)) FROM ("
        "SELECT arg_min(said, moment) AS first, arg_max(said, moment) AS last FROM ("
        f"SELECT {names}, {{'at': min(_loaded_at), 'file': _file_id}} AS moment, "
        f"list_distinct(flatten(list([{values}]))) AS said "
        f"FROM {guarded_rows_sql(source, qualified(source.table))} GROUP BY {names}, _file_id"
        f") WHERE len(said) > 0 GROUP BY {names} HAVING count(*) > 1)"
    )


# By the type of ids that name records of two sources: of how many both say something of the person, and of how many of
# these nothing that is the same.
_BETWEEN = f"""
WITH named AS (
    SELECT DISTINCT source, record, type, value FROM {OBSERVATIONS.name}
    WHERE own AND NOT list_contains({list(CONTACT_TYPES)}, type)
),
spoken AS (
    SELECT source, record, value AS said FROM {OBSERVATIONS.name} WHERE list_contains({list(CONTACT_TYPES)}, type)
    UNION ALL
    SELECT source, record,
        coalesce(value->>'$.name', (value->>'$.first_name') || ' ' || (value->>'$.last_name')) AS said
    FROM {OBSERVATIONS.name} WHERE type = {literal(PERSON)}
),
people AS (
    SELECT source, type, value, list(DISTINCT lower(trim(said))) AS said
    FROM named JOIN spoken USING (source, record) WHERE said IS NOT NULL GROUP BY ALL
)
SELECT type, one.source, other.source, count(*), count(*) FILTER (NOT list_has_any(one.said, other.said))
FROM people AS one JOIN people AS other USING (type, value)
WHERE one.source < other.source AND split_part(one.source, ':', 1) <> split_part(other.source, ':', 1)
GROUP BY ALL ORDER BY ALL
"""


def _within(con: duckdb.DuckDBPyConnection, source: Source) -> Iterator[Shared]:
    sql = keys_sql(source)
    if sql is None:
        return
    normal_forms.create_for(con, sql)
    try:
        found = con.execute(sql).fetchone()
    except WRONG_SQL:  # `sources check` says what is wrong with it
        return
    if found is not None:
        ids, strangers = found
        remedy = (
            "do two systems write to this source? give each its own: "
            f"`lakehouse sources copy {source.source} {source.source}_2`"
        )
        yield Shared("/".join(source.source_key), "key", ids, strangers, remedy)


def _between(con: duckdb.DuckDBPyConnection) -> Iterator[Shared]:
    for kind, one, other, ids, strangers in con.execute(_BETWEEN).fetchall():
        first, second = one.replace(":", "/"), other.replace(":", "/")
        remedy = f"does {first} share its {kind} with {second}? if not, call one of them otherwise in its definition"
        yield Shared(first, f"identifiers.{kind}", ids, strangers, remedy)
