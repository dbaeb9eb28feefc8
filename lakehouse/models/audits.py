"""Looks at the rows of a model before they replace others: keys are there and unique, audits hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier

if TYPE_CHECKING:
    import duckdb

    from lakehouse.models.model import Model


def failures(con: duckdb.DuckDBPyConnection, rows: str, model: Model) -> list[str]:
    """Return what is wrong with the rows of a SELECT: counts, no values. Raises duckdb.Error for wrong SQL."""
    return [*_key_failures(con, rows, model), *_audit_failures(con, rows, model)]


def _key_failures(con: duckdb.DuckDBPyConnection, rows: str, model: Model) -> list[str]:
    if not model.unique_key:
        return []
    key = ", ".join(map(identifier, model.contract.key))
    names = ", ".join(model.contract.key)
    has_none = " OR ".join(f"{identifier(name)} IS NULL" for name in model.contract.key)
    found = con.execute(
        f"SELECT coalesce(sum(n) FILTER ({has_none}), 0), coalesce(sum(n - 1), 0) "
        f"FROM (SELECT {key}, count(*) AS n FROM ({rows}) GROUP BY {key})"
    ).fetchone()
    without, repeated = found if found is not None else (0, 0)
    counted = [
        (without, f"lack a part of the key ({names})"),
        (repeated, f"have the key ({names}) of another row"),
    ]
    return [f"{count} of its rows {what}" for count, what in counted if count]


def _audit_failures(con: duckdb.DuckDBPyConnection, rows: str, model: Model) -> list[str]:
    if not model.audits:
        return []
    counts = ", ".join(f"count(*) FILTER (NOT ({audit.condition}))" for audit in model.audits)
    found = con.execute(f"SELECT {counts} FROM ({rows})").fetchone() or ()
    return [
        f"audit {audit.name!r}: {count} of its rows contradict it"
        for audit, count in zip(model.audits, found, strict=True)
        if count
    ]
