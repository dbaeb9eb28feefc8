"""Why somebody was written to: each delivery, the plan and the values behind it, and the statement that allowed it.

Nothing is computed anew. The outbound log says what was planned, claimed, sent and answered; the run names the
snapshots that it was planned from, and as long as these are kept, their rows are those that were read then.
"""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from lakehouse.definitions import nearest
from lakehouse.errors import Terminal
from lakehouse.outbound import log, state_store
from lakehouse.outbound.definition import load_syncs
from lakehouse.outbound.spool import part_of
from lakehouse.segments import definition
from lakehouse.segments.refresh import INPUTS
from lakehouse.stages import analyst_sql
from lakehouse.stages.consent_questions import normal_name, rows_of
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, past, views
from lakehouse.tables.contracts import SEGMENT_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    import duckdb

    from lakehouse.outbound.records import Chunk, Outcome, Row, Run
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table

UNDER_WAY: Final = "under way"  # claimed or announced: nobody knows yet what becomes of it
# Outcomes after which the CRM may hold what was written.
WRITTEN: Final = frozenset({"sent", "removed", "unknown", UNDER_WAY})
_TABLES: Final = (
    "core.identities", "core.consents", "core.evidence", "core.customers", "ops.deliveries", "ops.audit_log",
)  # fmt: skip

# Whose answer it is: the customer, or who has the address now; and what they were called before they were merged.
_ASKING: Final = """
WITH RECURSIVE asking AS (
    SELECT $who AS customer_id FROM core.customers WHERE customer_id = $who
    UNION SELECT customer_id FROM ops.deliveries WHERE customer_id = $who
    UNION SELECT customer_id FROM core.identities WHERE identifier_value = $who
    UNION SELECT subject FROM asking, ops.audit_log WHERE action = 'merge' AND (detail->>'customer_id') = customer_id
)
SELECT customer_id FROM asking ORDER BY ALL
"""
# Customers that may have been written to in their place: who had the address before, and whom they were split from.
_BEFORE: Final = """
SELECT customer_id FROM core.consents WHERE address = $who AND customer_id IS NOT NULL
UNION SELECT i.customer_id FROM core.evidence AS e
    JOIN core.evidence AS own ON own.own AND (own.source, own.record) = (e.source, e.record)
    JOIN core.identities AS i ON (i.identifier_type, i.identifier_value) = (own.identifier_type, own.identifier_value)
    WHERE e.identifier_value = $who
UNION SELECT subject FROM ops.audit_log WHERE action = 'split' AND list_contains($asking, detail->>'customer_id')
ORDER BY ALL
"""
_OWNERS: Final = """
SELECT identifier_value, customer_id FROM core.identities
WHERE list_contains($addresses, identifier_value) AND identifier_type IN ('email', 'phone')
"""
_BOOKED: Final = """
SELECT sync, run, chunk, customer_id, action, outcome, reason, consent_id, crm_id, outcome_at,
    withheld_by, withheld_until
FROM ops.deliveries
WHERE list_contains($customers, customer_id) AND $sync IN ('', sync)
"""


@dataclass(frozen=True)
class Values:
    """A table that a run was planned from: what it said of the customer then.

    `standing` is kept, expired, gone (there is no such table now), or not noted; rows are there where it is kept.
    """

    table: str
    snapshot: str
    standing: str
    rows: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Delivery:
    """One row of a chunk, or one customer whom a plan left out (`chunk` is `plan`), and all that stands behind it.

    `outcome`, `withheld_by` and `withheld_until` are as in `ops.deliveries`, or it is under way. `id` is how the CRM
    knows the person, `address` the one that the channel writes to. `statement` is the row of `core.consents` that
    allowed it, as it is now: what has ended or was recalled since says so. `objects` are the keys in the ops bucket
    that say so.
    """

    sync: str
    run: str
    chunk: str
    customer_id: str
    action: str
    outcome: str
    reason: str = ""
    outcome_at: str = ""
    id: str = ""
    address: str = ""
    crm_id: str = ""
    destination: str = ""
    purpose: str = ""
    channel: str = ""
    properties: dict[str, str] | None = None
    planned_at: str = ""
    claims: tuple[str, ...] = ()
    values: tuple[Values, ...] = ()
    consent_id: str = ""
    withheld_by: str = ""
    withheld_until: str = ""
    statement: dict[str, Any] | None = None
    objects: tuple[str, ...] = ()

    @property
    def is_written(self) -> bool:
        """Return whether the CRM may hold what was written."""
        return self.outcome in WRITTEN


@dataclass(frozen=True)
class Why:
    """Everything that was sent for somebody, newest first. `customers`: what they are called, and were before.

    `columns` are those that the syncs and segments of today ask for, so that a reader finds what counted.
    """

    who: str
    customers: tuple[str, ...]
    deliveries: tuple[Delivery, ...]
    columns: tuple[str, ...] = ()


def why(settings: Settings, who: str, sync: str = "") -> Why:
    """Return what was sent for an address or a customer, and why; only of one sync, where it is named.

    It says nothing of anybody else: what was sent to an address that is another customer's now is left out, whoever
    had it when it was sent. Raises `Terminal` for what is neither, for a sync that never planned anything, and where
    nobody is known by it.
    """
    name = normal_name(who.strip())
    syncs = _syncs(settings, sync)
    with closing(analyst_sql.connect(settings, _TABLES)) as con:
        asking = _column(con.execute(_ASKING, {"who": name}))
        before = _column(con.execute(_BEFORE, {"who": name, "asking": asking}))
        candidates = {*asking, *before, *_held(settings, syncs, name)}
        if not candidates:
            raise Terminal(
                "nobody is known by what was asked for, and nothing was sent there: `lakehouse identity explain` "
                "finds customers by other ids"
            )
        rows = rows_of(con.execute(_BOOKED, {"customers": sorted(candidates), "sync": sync}))
        reading = _Reading(settings, con, frozenset(candidates))
        found = [*reading.booked(rows), *reading.not_yet_booked(syncs)]
        addresses = sorted({each.address for each in found if each.address})
        owners = dict(con.execute(_OWNERS, {"addresses": addresses}).fetchall())
    own = [each for each in found if concerns(each, name, frozenset(asking), owners)]
    newest_first = sorted(own, key=lambda each: (each.planned_at, each.chunk), reverse=True)
    return Why(name, tuple(asking), tuple(newest_first), tuple(sorted(_columns(settings))))


def concerns(found: Delivery, who: str, asking: Collection[str], owners: Mapping[str, str]) -> bool:
    """Return whether a delivery is about the person who asks, and not about somebody else.

    `owners` are the customers of addresses, as they are now. It is, where it went to the very address that was asked
    for; or to one of their own; or to one that is nobody's now, and they were meant.
    """
    if who in (found.id, found.address):
        return True
    owner = owners.get(found.address)
    return owner in asking if owner is not None else found.customer_id in asking


def _columns(settings: Settings) -> set[str]:
    """Return the columns that syncs write and conditions of segments name, and words that are none."""
    written = {name for each in load_syncs(settings.definitions).values() for name in each.columns}
    conditions = " ".join(segment.where for segment in definition.load(settings.definitions).defined)
    return written.union(re.findall(r"\w+", conditions.lower()))


def _column(answer: duckdb.DuckDBPyConnection) -> list[str]:
    return [value for (value,) in answer.fetchall()]


def _syncs(settings: Settings, sync: str) -> list[str]:
    logged = log.syncs(settings)
    if not sync:
        return logged
    if sync not in logged:
        raise Terminal(f"sync {sync} has never planned anything{nearest(sync, logged)}")
    return [sync]


def _held(settings: Settings, syncs: Iterable[str], address: str) -> list[str]:
    """Return the customers for whom the CRMs hold an address, whoever has it today."""
    found = []
    for sync in syncs:
        shards = state_store.read_shards(settings, sync)
        try:
            state = state_store.read_state(settings, sync, shards, part_of(address) % shards.count)
        except state_store.SnapshotLostError:  # it is folded again by the next plan
            continue
        if address in state.acknowledged:
            found.append(state.acknowledged[address].customer_id)
    return found


class _Reading:
    """Reads what stands behind deliveries: each run, chunk and table once."""

    def __init__(self, settings: Settings, con: duckdb.DuckDBPyConnection, customers: frozenset[str]) -> None:
        self._settings = settings
        self._con = con
        self._customers = customers
        self._catalog = catalogs.open_catalog(settings)
        self._runs: dict[tuple[str, str], Run | None] = {}
        self._tables: dict[str, Table | None] = {}

    def booked(self, rows: Iterable[dict[str, Any]]) -> Iterator[Delivery]:
        """Yield the deliveries of rows of `ops.deliveries`."""
        for row in rows:
            said: dict[str, Any] = {name: _text(value) for name, value in row.items()}
            yield self._delivery(Delivery(**said))

    def not_yet_booked(self, syncs: Iterable[str]) -> Iterator[Delivery]:
        """Yield the deliveries that the books do not have yet: those of chunks since, or under way."""
        for sync in syncs:
            last, chunks = self._last_booked(sync)
            recent = [*filter(None, [self._run(sync, last) if last else None])]
            for planned in (*recent, *log.runs(self._settings, sync, last)):
                for chunk in planned.chunk_ids():
                    if (planned.run, chunk) not in chunks:
                        yield from self._of_chunk(planned, chunk)

    def _last_booked(self, sync: str) -> tuple[str, set[tuple[str, str]]]:
        query = (
            "SELECT DISTINCT run, chunk FROM ops.deliveries WHERE sync = $1 "
            "AND run = (SELECT max(run) FROM ops.deliveries WHERE sync = $1)"
        )
        booked = {(run, chunk) for run, chunk in self._con.execute(query, [sync]).fetchall()}
        return max((run for run, _ in booked), default=""), booked

    def _of_chunk(self, planned: Run, name: str) -> Iterator[Delivery]:
        outcome = log.outcome(self._settings, planned.sync, planned.run, name)
        for row in log.chunk(self._settings, planned.sync, planned.run, name).rows:
            if row.customer_id in self._customers:
                yield self._delivery(_as_said(planned, name, row, outcome))

    def _delivery(self, found: Delivery) -> Delivery:
        """Add to what became of a row all that stands behind it."""
        planned = self._run(found.sync, found.run)
        if planned is None:  # cleared away since: the books alone know of it
            return found
        if found.chunk == "plan":
            folder = f"{log.ROOT}{found.sync}/{found.run}/"
            objects = (f"{folder}run.json", f"{folder}left_out.json")
            return replace(found, planned_at=planned.created_at, objects=objects)
        return self._of_row(found, planned, log.chunk(self._settings, found.sync, found.run, found.chunk))

    def _of_row(self, found: Delivery, planned: Run, chunk: Chunk) -> Delivery:
        """Add the row of a chunk, its claims, the values that it came from, and the statement that allowed it."""
        row = _row_of(found, chunk, log.outcome(self._settings, found.sync, found.run, found.chunk))
        claims = dict(self._claims(chunk))
        names = ("rows.json", *claims, *(["outcome.json"] if found.outcome_at else []))
        folder = f"{log.ROOT}{found.sync}/{found.run}/"
        is_explained = found.is_written and found.action == "upsert"
        return replace(
            found,
            id=row.id,
            address=row.address or row.id,
            destination=chunk.destination,
            purpose=chunk.purpose,
            channel=chunk.channel,
            properties=row.properties,
            planned_at=planned.created_at,
            claims=tuple(claims.values()),
            values=tuple(self._values(planned, found.customer_id)) if is_explained else (),
            statement=self._statement(found.consent_id) if found.consent_id else None,
            objects=(f"{folder}run.json", *(f"{folder}{found.chunk}/{name}" for name in names)),
        )

    def _run(self, sync: str, name: str) -> Run | None:
        if (sync, name) not in self._runs:
            self._runs[sync, name] = log.run(self._settings, sync, name)
        return self._runs[sync, name]

    def _claims(self, chunk: Chunk) -> Iterator[tuple[str, str]]:
        """Yield the object of each claim of a chunk, and when it was made."""
        attempt = 1
        while claim := log.read_claim(self._settings, chunk.sync, chunk.run, chunk.chunk, attempt):
            yield ("claim.json" if attempt == 1 else f"claim-{attempt}.json"), claim.claimed_at
            attempt += 1

    def _values(self, planned: Run, customer: str) -> Iterator[Values]:
        """Yield what the tables that a run was planned from said of a customer."""
        yield self._members(planned, customer)
        for name in INPUTS:
            head = planned.inputs.get(name, "")
            table = self._table(name)
            snapshot = past.snapshot_of(table, head) if table and head else None
            if table is None or snapshot is None:
                standing = "not noted" if not head else "gone" if table is None else "expired"
                yield Values(name, head, standing)
            else:
                yield Values(name, head, "kept", self._rows(table, snapshot.snapshot_id, customer))

    def _members(self, planned: Run, customer: str) -> Values:
        """Return the segments that the customer was in: those that were computed from what the run names."""
        name = SEGMENT_MEMBERS.name
        table = self._table(name)
        if table is None:
            return Values(name, "", "gone")
        for snapshot in reversed(table.metadata.snapshots):
            made_from = commit.inputs_of(snapshot)
            if made_from and all(
                planned.inputs.get(key) == made_from.get(key) for key in (*INPUTS, "version")
            ):
                rows = self._rows(table, snapshot.snapshot_id, customer)
                return Values(name, str(snapshot.snapshot_id), "kept", rows)
        return Values(name, "", "expired")

    def _table(self, name: str) -> Table | None:
        if name not in self._tables:
            self._tables[name] = catalogs.load(self._catalog, name)
        return self._tables[name]

    def _rows(self, table: Table, snapshot_id: int, customer: str) -> tuple[dict[str, Any], ...]:
        scan = views.scan_sql(table, snapshot_id)
        return tuple(rows_of(self._con.execute(f"{scan} WHERE customer_id = ?", [customer])))

    def _statement(self, consent_id: str) -> dict[str, Any] | None:
        found = rows_of(self._con.execute("FROM core.consents WHERE consent_id = ?", [consent_id]))
        return found[0] if found else None


def _as_said(planned: Run, chunk: str, row: Row, outcome: Outcome | None) -> Delivery:
    """Return what the log says of a row, before the books have it."""
    named = (planned.sync, planned.run, chunk, row.customer_id, row.action)
    if outcome is None:
        return Delivery(*named, UNDER_WAY)
    result = next(each for each in outcome.rows if each.row == row.row)
    return Delivery(
        *named,
        result.status,
        reason=result.code,
        outcome_at=outcome.finished_at,
        crm_id=result.crm_id,
        consent_id=result.consent_id,
        withheld_by=result.by,
        withheld_until=result.until,
    )


def _text(value: Any) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)


def _row_of(found: Delivery, chunk: Chunk, outcome: Outcome | None) -> Row:
    """Return the row that a delivery is of; a customer may have several, of several records or causes."""
    rows = [row for row in chunk.rows if (row.customer_id, row.action) == (found.customer_id, found.action)]
    answered = {result.row for result in outcome.rows if result.crm_id == found.crm_id} if outcome else set()
    if found.crm_id and (own := [row for row in rows if row.row in answered]):
        return own[0]
    return next((row for row in rows if row.crm_id == found.crm_id), rows[0])
