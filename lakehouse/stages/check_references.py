"""The references stage: over a lake, how many of the ids by which records name others name a record that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.progress import Progress, no_progress
from lakehouse.stages import analyst_sql
from lakehouse.stages.policy import ReferencesPolicy
from lakehouse.tables import entities, id_sources
from lakehouse.tables.entities.references import REFERENCES, Reference

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings


_RULE = "rule_of_references"


@dataclass(frozen=True)
class ReferenceCount:
    """What became of the ids that the current records of one source hold in one column.

    `filled` counts the records with an id. Of these, `own` name a record of the same source and `elsewhere` one of
    another source, by the rule of `core.id_sources`; `ambiguous` name records of several sources, and the rest names
    nobody. `id_sources` are the other sources in which ids are found, `unlisted` those that have ids which the rule
    does not look for there.
    """

    entity: str
    column: str
    referred: str
    source: str
    filled: int
    own: int
    elsewhere: int
    ambiguous: int
    id_sources: tuple[str, ...]
    unlisted: tuple[str, ...]

    @property
    def share_found(self) -> float:
        """Return the share of the filled ids that name one record, 0 to 1."""
        return (self.own + self.elsewhere) / self.filled

    @property
    def is_broken(self) -> bool:
        """Return whether too few are found for anybody to join by the column."""
        return self.share_found < ReferencesPolicy.least_share

    @property
    def advice(self) -> str:
        """Return what may help where the reference is broken; else nothing."""
        if not self.is_broken:
            return ""
        if self.ambiguous or self.unlisted:
            candidates = self.id_sources if self.ambiguous else self.unlisted
            return (
                f"say whose ids they are, in the definition of {self.source}: "
                f"`references: {{{self.referred}: {' or '.join(candidates)}}}`"
            )
        return f"no source has these {self.referred}: land them, or check the id that the mapping gives"

    def as_json(self) -> dict[str, Any]:
        """Return every field under the names that `sources check --json` uses."""
        return asdict(self) | {"share_found": round(self.share_found, 4), "warning": self.advice or None}


def count_sql(reference: Reference, rule: str = id_sources.NAME) -> str:
    """Return the SELECT of the fields of `ReferenceCount` from `source` on, a row a source with a filled column.

    It reads the tables of the two entities, of records with versions those that hold, and `rule`: the view
    `core.id_sources`, or a table of its rows.
    """
    referring, referred = qualified(f"core.{reference.entity}"), qualified(f"core.{reference.referred}")
    column, id_column = identifier(reference.column), identifier(reference.referred_column)
    current = " AND valid_to IS NULL" if "valid_from" in entities.BY_NAME[reference.entity].key else ""
    return f"""
WITH named AS (
    SELECT source, {column} AS id, count(*) AS records FROM {referring}
    WHERE {column} IS NOT NULL{current} GROUP BY ALL
),
holders AS (
    SELECT {id_column} AS id, list(DISTINCT source) AS sources FROM {referred} GROUP BY ALL
),
rule AS (
    SELECT source, list(id_source) AS sources FROM {qualified(rule)}
    WHERE entity = {literal(reference.referred)} GROUP BY ALL
),
looked_up AS (
    SELECT named.source, records, coalesce(holders.sources, []) AS held_by,
        list_intersect(held_by, coalesce(rule.sources, [])) AS found_in
    FROM named LEFT JOIN holders USING (id) LEFT JOIN rule ON rule.source = named.source
)
SELECT source, sum(records)::BIGINT AS filled,
    coalesce(sum(records) FILTER (found_in = [source]), 0)::BIGINT AS own,
    coalesce(sum(records) FILTER (len(found_in) = 1 AND found_in <> [source]), 0)::BIGINT AS elsewhere,
    coalesce(sum(records) FILTER (len(found_in) > 1), 0)::BIGINT AS ambiguous,
    list_filter(list_sort(list_distinct(flatten(list(found_in)))), lambda one: one <> source) AS id_sources,
    list_sort(list_distinct(flatten(list(held_by) FILTER (len(found_in) = 0)))) AS unlisted
FROM looked_up GROUP BY source ORDER BY source
"""


def count_references(
    con: duckdb.DuckDBPyConnection,
    references: Sequence[Reference] = REFERENCES,
    progress: Progress = no_progress,
) -> list[ReferenceCount]:
    """Return the counts of each column and source that holds ids, over a connection with every table in place.

    `progress` hears how many columns are counted.
    """
    counts: list[ReferenceCount] = []
    # the view opens the tables of every entity: once is enough
    con.execute(f"CREATE OR REPLACE TEMP TABLE {_RULE} AS SELECT * FROM {qualified(id_sources.NAME)}")
    for number, reference in enumerate(references, start=1):
        progress("references", number, len(references))
        answer = con.execute(count_sql(reference, _RULE))
        names = [column[0] for column in answer.description or []]
        counts += [_count(reference, dict(zip(names, row, strict=True))) for row in answer.fetchall()]
    return counts


def _count(reference: Reference, fields: dict[str, Any]) -> ReferenceCount:
    """Return one row of `count_sql`; lists of no source at all come as null."""
    lists = {name: tuple(fields[name] or ()) for name in ("id_sources", "unlisted")}
    return ReferenceCount(reference.entity, reference.column, reference.referred, **fields | lists)


def check_references(settings: Settings, progress: Progress = no_progress) -> list[ReferenceCount]:
    """Return the counts over the lake that the settings name; `progress` hears how many columns are counted."""
    con = analyst_sql.connect(settings)
    try:
        return count_references(con, progress=progress)
    finally:
        con.close()
