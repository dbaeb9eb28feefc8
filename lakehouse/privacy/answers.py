"""The grants of `core.consent_answers`, as the consent projection is written from them: all, or what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakehouse.engine import duck
from lakehouse.privacy.policy import ProjectionPolicy
from lakehouse.privacy.projection import Difference
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, views
from lakehouse.tables.people import CONSENT_ANSWERS

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table

_KEY = "customer_id, address, purpose, channel"
# 0: nobody is allowed at this address any more. 1: what is granted. 2: what went on to other customers, or was theirs.
_DIFFERENCES_SQL = f"""
WITH granted AS (SELECT {_KEY}, consent_id FROM ({{now}}) WHERE allowed),
before AS ({{bases}}),
known AS ({{known}}),
changed AS (
    SELECT customer_id, address, purpose, channel, g.consent_id, coalesce(k.counted, false) AS counted
    FROM granted AS g FULL JOIN known AS k USING ({_KEY})
    WHERE g.consent_id IS NULL OR k.bases IS DISTINCT FROM {{count}} OR k.least_id <> g.consent_id
        OR k.most_id <> g.consent_id
),
removed AS (SELECT DISTINCT address, purpose, channel FROM changed WHERE consent_id IS NULL),
moved AS (
    SELECT DISTINCT address, purpose, channel, true AS stays
    FROM granted SEMI JOIN removed USING (address, purpose, channel)
),
phases AS (
    SELECT c.*, CASE WHEN consent_id IS NOT NULL THEN 1 WHEN m.stays IS NULL THEN 0 ELSE 2 END AS phase
    FROM changed AS c LEFT JOIN moved AS m USING (address, purpose, channel)
)
SELECT phase, {_KEY}, consent_id, counted FROM phases ORDER BY phase
"""
_ONE_BASE = (
    f"SELECT {_KEY}, 1 AS bases, consent_id AS least_id, consent_id AS most_id, true AS counted FROM before"
)
_SEVERAL_BASES = f"""
SELECT {_KEY}, count(*) AS bases, min(consent_id) AS least_id, max(consent_id) AS most_id, bool_or(base = 0) AS counted
FROM before
GROUP BY {_KEY}
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """One snapshot of `core.consent_answers`: see `lakehouse.privacy.projection.Truth`."""

    settings: Settings
    table: Table

    @classmethod
    def current(cls, settings: Settings) -> Answers | None:
        """Return the answers as they are now; None while there are none."""
        table = catalogs.load(catalogs.open_catalog(settings), CONSENT_ANSWERS.name)
        return None if table is None or table.current_snapshot() is None else cls(settings, table)

    @property
    def version(self) -> str:
        """Return the snapshot that brought these rows."""
        return commit.head(self.table)

    @property
    def as_of(self) -> datetime:
        """Return when these answers were known to hold: the time of the table's newest commit."""
        snapshot = self.table.current_snapshot()
        assert snapshot is not None  # noqa: S101 - see `current`
        return datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC)

    def grants(self) -> Iterator[Difference]:
        """Yield all grants."""
        sql = f"SELECT 1, {_KEY}, consent_id, false FROM ({views.scan_sql(self.table)}) WHERE allowed"
        return self._read(sql)

    def differences(self, bases: Sequence[str]) -> Iterator[Difference] | None:
        """Yield the differences to earlier snapshots, by phase; None where one of them has expired."""
        snapshots = {commit.head_of(each): each.snapshot_id for each in self.table.metadata.snapshots}
        if not snapshots.keys() >= set(bases):
            return None
        selects = [
            f"SELECT {_KEY}, consent_id, {number} AS base "
            f"FROM ({views.scan_sql(self.table, snapshots[base])}) WHERE allowed"
            for number, base in enumerate(bases)
        ]
        now, before = views.scan_sql(self.table), " UNION ALL ".join(selects)
        known = _ONE_BASE if len(bases) == 1 else _SEVERAL_BASES
        return self._read(_DIFFERENCES_SQL.format(now=now, bases=before, known=known, count=len(bases)))

    def _read(self, sql: str) -> Iterator[Difference]:
        with closing(duck.connect(self.settings)) as con:
            rows = con.execute(sql)
            while batch := rows.fetchmany(ProjectionPolicy.fetch_rows):
                yield from (Difference(*row) for row in batch)
