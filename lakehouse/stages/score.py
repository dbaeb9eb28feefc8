"""The scores: computed from the tables as they stand, and written where they differ from what is there.

All scores of a run read one set of snapshots. A row whose score is as before keeps the time and the snapshots that it
was first computed from, so that a run which finds nothing different commits nothing but what it looked at.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lakehouse import telemetry
from lakehouse.engine import duck
from lakehouse.engine.escape import identifier
from lakehouse.models import registry
from lakehouse.scores import features, purchases
from lakehouse.scores import policy as policies
from lakehouse.sources import definition
from lakehouse.sources.read_contracts import read_contracts
from lakehouse.tables import appending, commit, content, data_files, score_tables, views
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contracts import BY_NAME

if TYPE_CHECKING:
    from datetime import date

    import duckdb
    import pyarrow as pa

    from lakehouse.scores.result import Scored
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog, Table
    from lakehouse.tables.commit import Committed
    from lakehouse.tables.contract import Contract
    from lakehouse.tables.data_files import Written

_NEEDED: Final = "core.order_values"  # without rows of it nobody has bought anything
_ITSELF: Final = ("version", "as_of", "time_zone")  # what is no table among what a score is computed from
_CURRENCY: Final = "core.home_currency"


class History:
    """What customers had done by a day, and what came of it; each answer is computed once."""

    def __init__(self, con: duckdb.DuckDBPyConnection, as_of: date) -> None:
        self._con, self._as_of = con, as_of
        self._answers: dict[tuple[str, int, int], pa.Table] = {}

    def now(self, sql: str = features.FEATURES) -> pa.Table:
        """Return the rows of a SELECT as of today."""
        return self.ago(sql, 0)

    def ago(self, sql: str, days: int, until: int = 0) -> pa.Table:
        """Return its rows as of some days ago, with what came of them up to another day."""
        key = (sql, days, until)
        if key not in self._answers:
            self._set("cutoff", days)
            self._set("until", until)
            self._answers[key] = self._con.execute(sql).to_arrow_table()
        return self._answers[key]

    def periods(self, horizon_days: int) -> tuple[pa.Table, pa.Table] | tuple[None, None]:
        """Return the panels of one and of two horizons ago; None for both where orders do not go back that far."""
        self._set("cutoff", 0)
        (first,) = self._con.execute(features.FIRST_DAY).fetchall()[0]
        if first is None or first > self._as_of - timedelta(days=2 * horizon_days):
            return None, None
        later = self.ago(features.PANEL, horizon_days)
        return later, self.ago(features.PANEL, 2 * horizon_days, horizon_days)

    def _set(self, name: str, days_ago: int) -> None:
        day = self._as_of - timedelta(days=days_ago)
        self._con.execute(f"SET VARIABLE {identifier(name)} = CAST(? AS DATE)", [day])


def _clv(history: History) -> Scored:
    from lakehouse.scores import clv  # noqa: PLC0415 - numpy and more, only when something is computed

    return clv.score(history.now(), history.ago(features.PANEL, policies.ClvPolicy.holdout_days))


def _churn(history: History) -> Scored:
    from lakehouse.scores import churn  # noqa: PLC0415

    return churn.score(history.now(), *history.periods(policies.ChurnPolicy.horizon_days))


def _vip(history: History) -> Scored:
    from lakehouse.scores import vip  # noqa: PLC0415

    return vip.score(history.now(), *history.periods(vip.HORIZON_DAYS))


def _next_products(history: History) -> Scored:
    from lakehouse.scores import next_product  # noqa: PLC0415

    days = policies.NextProductPolicy.holdout_days
    bought, before = history.now(purchases.BOUGHT), history.ago(purchases.BOUGHT, days)
    return next_product.score(bought, before, history.ago(purchases.SINCE, days))


@dataclass(frozen=True)
class Score:
    """One score: its table, what it reads, how it is computed, and how its rows become the table's columns."""

    contract: Contract
    inputs: tuple[str, ...]
    compute: Callable[[History], Scored]
    policies: tuple[object, ...]
    version: str
    columns: str = "SELECT * FROM scored"

    @property
    def fingerprint(self) -> str:
        """Return what changes when it would be computed otherwise: its version, its SQL, its numbers."""
        parts = (
            self.version,
            self.policies,
            self.columns,
            features.PANEL,
            purchases.BOUGHT,
            self.contract.columns,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def expected_inputs(self, tables: Mapping[str, Table | None], settings: Settings) -> dict[str, str]:
        """Return what the rows should have been computed from; empty while nobody has bought anything."""
        heads = {name: commit.head(tables.get(name)) for name in self.inputs}
        if not heads[_NEEDED]:
            return {}
        day = settings.as_of_day().isoformat()
        return heads | dict(zip(_ITSELF, (self.fingerprint, day, settings.time_zone), strict=True))


_LEARNED: Final = (policies.BoostingPolicy(), policies.PropensityPolicy())
SCORES: Final = (
    Score(
        score_tables.CLV,
        (*features.INPUTS, _CURRENCY),
        _clv,
        (policies.ClvPolicy(),),
        "clv-1",
        "SELECT *, (SELECT currency FROM core.home_currency) AS currency FROM scored",
    ),
    Score(
        score_tables.CHURN_RISK,
        features.INPUTS,
        _churn,
        (policies.ChurnPolicy(), policies.ClvPolicy(), *_LEARNED),
        "churn-1",
    ),
    Score(
        score_tables.NEXT_PRODUCTS,
        purchases.INPUTS,
        _next_products,
        (policies.NextProductPolicy(),),
        "next-1",
        purchases.COLUMNS,
    ),
    Score(score_tables.VIP_PROPENSITY, features.INPUTS, _vip, (policies.VipPolicy(), *_LEARNED), "vip-1"),
)


def pending(settings: Settings) -> list[str]:
    """Return the tables of the scores that would be computed now."""
    tables = _load(catalogs.open_catalog(settings))
    return [score.contract.name for score in SCORES if _is_stale(score, tables, settings)]


def run(settings: Settings) -> list[Committed]:
    """Compute the scores whose inputs, numbers or day changed; return the commits that changed rows.

    Raises CommitConflict when another run was first.
    """
    catalog = catalogs.open_catalog(settings)
    tables = _load(catalog)
    stale = [score for score in SCORES if _is_stale(score, tables, settings)]
    if not stale:
        return []
    with closing(duck.connect(settings)) as con:
        attached = _attach(con, catalog, settings)
        history = History(con, settings.as_of_day())
        committed = []
        for score in stale:
            expected = score.expected_inputs(attached, settings)
            if replaced := _compute(con, catalog, score, history, expected):
                committed.append(replaced)
    return committed


def _load(catalog: Catalog) -> dict[str, Table | None]:
    """Return the tables that scores read or fill, as far as they exist."""
    names = {name for score in SCORES for name in (score.contract.name, *score.inputs)}
    existing = catalogs.table_names(catalog, sorted({name.partition(".")[0] for name in names}))
    return {name: catalogs.load(catalog, name) for name in sorted(names.intersection(existing))}


def _is_stale(score: Score, tables: Mapping[str, Table | None], settings: Settings) -> bool:
    """Return whether a score is of other inputs than there are, and not so young that it may stay a while."""
    expected = score.expected_inputs(tables, settings)
    table = tables.get(score.contract.name)
    if not expected or table is None:
        return bool(expected)
    known = commit.inputs(table)
    if known == expected:
        return False
    if not known or any(known.get(name) != expected[name] for name in _ITSELF):
        return True
    age = datetime.now(UTC) - datetime.fromtimestamp(table.metadata.last_updated_ms / 1000, UTC)
    return (
        not timedelta(0) <= age < policies.ScoreRunPolicy.rest
    )  # one of the future was before the clock was set


def _attach(con: duckdb.DuckDBPyConnection, catalog: Catalog, settings: Settings) -> dict[str, Table | None]:
    """Make views of all inputs, pinned to their snapshots now, and the days with events; return the tables.

    A table that nothing was sent for is a view without rows, one that lacks newer columns has them as nulls.
    """
    names = sorted({name for score in SCORES for name in score.inputs})
    attached = views.attach(con, catalog, names, [BY_NAME[name] for name in names if name in BY_NAME])
    missing = [name for name in names if name not in attached]
    contracts_of = _contracts(settings) if missing else {}  # to read all definitions takes a second
    for name in missing:
        con.execute(f"CREATE OR REPLACE VIEW {name} AS {views.nothing_sql(contracts_of[name])}")
    con.execute("SET VARIABLE time_zone = ?", [settings.time_zone])
    con.execute(features.EVENT_DAYS)
    return dict(attached)


def _contracts(settings: Settings) -> dict[str, Contract]:
    """Return the contracts of all tables that ingest and models fill, by name."""
    sources = definition.load(settings.definitions).values()
    return registry.load(settings.definitions).contracts | read_contracts(sources)


def _compute(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, score: Score, history: History, expected: dict[str, str]
) -> Committed | None:
    """Compute one score and commit its rows with its run; None where the rows are as before."""
    table = catalogs.ensure(catalog, score.contract)
    base = table.current_snapshot()
    began = datetime.now(UTC)
    scored = score.compute(history)
    con.register("scored", scored.rows)
    about = {
        "model_version": f"{score.version} {scored.quality.method}",
        "inputs": json.dumps(expected, sort_keys=True),
        "as_of": expected["as_of"],
        "computed_at": began,
    }
    for name, value in about.items():
        con.execute(f"SET VARIABLE {identifier('score_' + name)} = ?", [value])
    run_id = hashlib.sha256(f"{score.contract.name} {about['inputs']}".encode()).hexdigest()[:32]
    written = data_files.write(con, table, _rows_sql(score, table), f"score-{uuid.uuid4()}")
    if commit.content(table) != content.digest(con, table, written):
        _note_run(con, catalog, score, scored, run_id)
    base_id = base.snapshot_id if base else None
    replaced = appending.replace_written(con, table, written, computed_from=expected, base=base_id)
    seconds = round((datetime.now(UTC) - began).total_seconds(), 2)
    status = "changed" if replaced.changed else "unchanged"
    telemetry.info(
        "score computed", model=score.contract.name, rows=written.rows, status=status, seconds=seconds
    )
    return replaced.committed if replaced.changed else None


def _rows_sql(score: Score, table: Table) -> str:
    """Return the SELECT of the table's rows: those of `scored`; what is as before keeps where it is from."""
    payload = score_tables.payload(score.contract)
    cells = ", ".join(
        f"CAST({identifier(each.name)} AS {each.duck_type}) AS {identifier(each.name)}" for each in payload
    )
    same = " AND ".join(
        f"f.{identifier(each.name)} IS NOT DISTINCT FROM o.{identifier(each.name)}" for each in payload
    )
    about = "getvariable('score_as_of') AS as_of, getvariable('score_model_version') AS model_version"
    return (
        f"WITH fresh AS (SELECT {cells} FROM (SELECT *, {about} FROM ({score.columns}))) "
        "SELECT f.*, coalesce(o.inputs, getvariable('score_inputs')) AS inputs, "
        "coalesce(o.computed_at, getvariable('score_computed_at')) AS computed_at "
        f"FROM fresh AS f LEFT JOIN ({views.scan_sql(table)}) AS o ON {same}"
    )


def _note_run(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, score: Score, scored: Scored, run_id: str
) -> None:
    """Append the run to its table, once: before its rows, so that none stand there without it."""
    table = catalogs.ensure(catalog, score_tables.SCORE_RUNS)
    written = _write_run(con, table, score, scored, run_id)
    try:
        appending.append_written(table, written, carries=[run_id])
    except commit.AlreadyCommittedError:
        telemetry.info("score run is noted already", model=score.contract.name)


def _write_run(
    con: duckdb.DuckDBPyConnection, table: Table, score: Score, scored: Scored, run_id: str
) -> Written:
    quality = scored.quality
    values: dict[str, Any] = {
        "run_id": run_id,
        "score": score.contract.name,
        "method": quality.method,
        "reason": quality.reason or None,
        "customers": quality.figures.get("customers", scored.rows.num_rows),
        "auc": quality.auc,
        "brier": quality.brier,
        "mae": quality.mae,
        "ndcg": quality.ndcg,
        "figures": json.dumps(quality.figures, sort_keys=True),
    }
    named = ", ".join(f"$new_{name} AS {identifier(name)}" for name in values)
    about = ("model_version", "inputs", "as_of", "computed_at")
    carried = ", ".join(f"getvariable('score_{name}') AS {identifier(name)}" for name in about)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE score_run AS SELECT {named}, {carried}",
        {f"new_{k}": v for k, v in values.items()},
    )
    return data_files.write(con, table, "SELECT * FROM score_run", f"score-run-{uuid.uuid4()}")
