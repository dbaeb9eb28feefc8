"""Which rows of triggers stand, are taken back, or are new, given the reasons that there are now.

A row stands while there is a reason for it that is due: of its own cause, or of another one nearer than `again_after`,
as when a late event moved the reason to the next day. One that does not stand is cancelled, and stands again should its
reason come back, as long as it is of use. After that it stays as it was. A reason becomes a row once it is due, while
it is of use, unless the customer has a row of this cause, or one nearer than `again_after`: whatever became of that,
somebody may have acted on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import identifier, literal
from lakehouse.models.triggers.definition import COLUMNS, Rule
from lakehouse.tables.contracts import TRIGGERS

if TYPE_CHECKING:
    import duckdb

ROWS: Final = "rows_now"
_NAMES: Final = [column.name for column in TRIGGERS.columns]
_TYPES: Final = {column.name: column.duck_type for column in TRIGGERS.columns}

# Customers that were merged into others, by the identifiers that they were first known by.
GONE: Final = """
SELECT first_customer_id AS gone, min(customer_id) AS owner FROM core.identities
WHERE first_customer_id IS NOT NULL AND customer_id IS NOT NULL
    AND first_customer_id NOT IN (SELECT customer_id FROM core.identities WHERE customer_id IS NOT NULL)
GROUP BY first_customer_id
"""

# Rows under the names that their customers have now. Of two rows that so become one the first is kept under it.
_NAMED: Final = f"""
CREATE OR REPLACE TEMP TABLE {ROWS} AS
WITH owned AS (
    SELECT k.*, coalesce(g.owner, k.customer_id) AS owner FROM known AS k LEFT JOIN gone AS g ON g.gone = k.customer_id
),
numbered AS (
    SELECT *, row_number() OVER (
        PARTITION BY trigger, owner, cause ORDER BY owner <> customer_id, fired_at, customer_id) AS n
    FROM owned
)
SELECT * EXCLUDE (owner, n) REPLACE (CASE WHEN n = 1 THEN owner ELSE customer_id END AS customer_id,
    coalesce(reason_id, md5(concat_ws(chr(31), trigger, customer_id, cause))) AS reason_id)
FROM numbered
"""

_NEAR: Final = (
    "({reason}.cause = {row}.cause OR abs(epoch_us({reason}.due_at) - epoch_us({row}.due_at)) < e.apart_us)"
)

_CANCEL: Final = f"""
CREATE OR REPLACE TEMP TABLE {ROWS} AS
SELECT r.* REPLACE (
    CASE WHEN e.trigger IS NULL OR r.expires_at <= getvariable('now') THEN r.cancelled_at
        WHEN EXISTS (
            SELECT 1 FROM reasons AS q WHERE q.trigger = r.trigger AND q.customer_id = r.customer_id
                AND q.due_at <= getvariable('now') AND {_NEAR.format(reason="q", row="r")}
        ) THEN NULL
        ELSE coalesce(r.cancelled_at, getvariable('now')) END AS cancelled_at)
FROM {ROWS} AS r
LEFT JOIN evaluated AS e ON e.trigger = r.trigger
"""

# One a customer at a time, the earliest: the next may be too near to it.
_FIRE: Final = f"""
INSERT INTO {ROWS} ({", ".join(_NAMES)})
SELECT q.trigger, q.customer_id, q.cause, q.about, q.due_at, getvariable('now'),
    q.due_at + to_microseconds(e.within_us), NULL, e.version, e.inputs,
    md5(concat_ws(chr(31), q.trigger, q.customer_id, q.cause))
FROM reasons AS q
JOIN evaluated AS e ON e.trigger = q.trigger
WHERE q.due_at <= getvariable('now') AND q.due_at + to_microseconds(e.within_us) > getvariable('now')
    AND NOT EXISTS (
        SELECT 1 FROM {ROWS} AS r WHERE r.trigger = q.trigger AND r.customer_id = q.customer_id
            AND {_NEAR.format(reason="q", row="r")}
    )
QUALIFY row_number() OVER (PARTITION BY q.trigger, q.customer_id ORDER BY q.due_at, q.cause) = 1
"""


def begin(con: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Make the tables that reasons are collected in; `now` is the moment that is asked about."""
    con.execute("SET VARIABLE now = CAST(? AS TIMESTAMPTZ)", [now])
    con.execute(
        "CREATE OR REPLACE TEMP TABLE reasons "
        "(trigger VARCHAR, customer_id VARCHAR, cause VARCHAR, due_at TIMESTAMPTZ, about VARCHAR)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE evaluated "
        "(trigger VARCHAR, within_us BIGINT, apart_us BIGINT, version VARCHAR, inputs VARCHAR)"
    )


def collect(con: duckdb.DuckDBPyConnection, rule: Rule, inputs: str) -> None:
    """Add the reasons that a rule gives now; duckdb.Error where its SQL or a row is wrong, and then none of them.

    What lacks a customer, a cause or a moment is no reason. Of one that comes twice the last moment counts. `inputs`
    says what it was asked of.
    """
    cells = ", ".join(f"CAST({identifier(name)} AS {_TYPES[name]}) AS {identifier(name)}" for name in COLUMNS)
    con.execute(
        f"INSERT INTO reasons SELECT {literal(rule.name)}, customer_id, cause, max(due_at), arg_max(about, due_at) "
        f"FROM (SELECT {cells} FROM ({rule.sql}\n)) "
        "WHERE customer_id IS NOT NULL AND cause IS NOT NULL AND isfinite(due_at) GROUP BY customer_id, cause"
    )
    values = [rule.name, _us(rule.within), _us(rule.again_after), rule.version, inputs]
    con.execute("INSERT INTO evaluated VALUES (?, ?, ?, ?, ?)", values)


def retire(con: duckdb.DuckDBPyConnection, trigger: str) -> None:
    """Note that a rule is there no more: it has no reasons."""
    con.execute("INSERT INTO evaluated VALUES (?, 0, 0, '', '')", [trigger])


def settle(con: duckdb.DuckDBPyConnection, known: str, gone: str) -> None:
    """Make the table `rows_now`: the rows of the SELECT `known` and of the reasons collected, and what became of each.

    `gone` is the SELECT of customers that were merged into others, as `GONE`.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE known AS SELECT {', '.join(_NAMES)} FROM ({known})")
    con.execute(f"CREATE OR REPLACE TEMP TABLE gone AS {gone}")
    con.execute(_NAMED)
    con.execute(_CANCEL)
    while con.execute(_FIRE).fetchall() != [(0,)]:
        pass


def next_due(con: duckdb.DuckDBPyConnection) -> Mapping[str, datetime]:
    """Return by trigger the first moment to come at which one of its reasons is due."""
    rows = con.execute(
        "SELECT trigger, min(due_at) FROM reasons WHERE due_at > getvariable('now') GROUP BY trigger"
    ).fetchall()
    return dict(rows)


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
