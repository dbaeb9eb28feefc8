"""Weights of evidence for pairs of records, in bits, by Splink; and what they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.identity.matching.comparisons import (
    COMPARISONS,
    Comparison,
    frequency_columns,
)
from lakehouse.identity.matching.features import FEATURES, step_sql
from lakehouse.identity.matching.policy import MatchPolicy
from lakehouse.identity.matching.splink_sql import BLOCKED, frequency_table, weighing
from lakehouse.identity.relation import scalar

if TYPE_CHECKING:
    import duckdb

    from lakehouse.identity.matching.model import Frequencies, Model

_NO_SCORES: Final = (
    "CREATE OR REPLACE TEMP TABLE match_scores (left_record VARCHAR, right_record VARCHAR, weight_bits DOUBLE, "
    'explanation STRUCT(bits DOUBLE, comparison VARCHAR, "level" VARCHAR)[])'
)


def score(
    con: duckdb.DuckDBPyConnection,
    pairs: str,
    features: str,
    model: Model,
    *,
    least_bits: float = MatchPolicy.review_bits,
) -> str:
    """Return the name of a temp table of those `pairs` (left_record, right_record) that weigh `least_bits` or more.

    Its columns: left_record, right_record, weight_bits DOUBLE, explanation: a list of structs (bits, comparison,
    level), one for each comparison that counts, the heaviest first. `features` holds both records of each pair. A
    weight depends on the two records and the model alone. Without pairs Splink, which takes seconds, is not asked.
    """
    if not scalar(con, f"SELECT count(*) FROM {qualified(pairs)}"):
        con.execute(_NO_SCORES)
        return "match_scores"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {BLOCKED} AS "
        f"SELECT '0' AS match_key, left_record AS join_key_l, right_record AS join_key_r FROM {qualified(pairs)}"
    )
    for column in frequency_columns():
        _make_frequency_table(con, features, column, model.frequencies.get(column))
    by_splink = weighing(features, model, least_bits)
    for statement in by_splink.statements:
        con.execute(statement)
    names = {"predicted": by_splink.predicted, "features": qualified(features), "sides": _sides_sql()}
    con.execute(step_sql("scores", parts=_parts_sql(), **names))
    con.execute(f"DROP TABLE {by_splink.predicted}")
    con.execute(f"DROP TABLE {BLOCKED}")
    for column in frequency_columns():
        con.execute(f"DROP TABLE {frequency_table(column)}")
    return "match_scores"


def _make_frequency_table(
    con: duckdb.DuckDBPyConnection, features: str, column: str, known: Frequencies | None
) -> None:
    """Make the table of how often the values of a column occur, by the model; empty where it counted none."""
    quoted, share = identifier(column), identifier(f"tf_{column}")
    values = f"SELECT DISTINCT {quoted} FROM {qualified(features)} WHERE {quoted} IS NOT NULL AND $other > 0"
    make = f"CREATE OR REPLACE TEMP TABLE {frequency_table(column)} AS SELECT {quoted}"
    other = {"other": known.other if known else 0.0}
    if known is None or not known.shares:
        con.execute(f"{make}, $other::DOUBLE AS {share} FROM ({values})", other)
        return
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, only when used

    con.register(
        "match_shares",
        pa.table(
            {
                "value": pa.array(list(known.shares), pa.string()),
                "share": pa.array(list(known.shares.values()), pa.float64()),
            }
        ),
    )
    con.execute(
        f"{make}, coalesce(share, $other)::DOUBLE AS {share} "
        f"FROM ({values}) LEFT JOIN match_shares ON value = {quoted}",
        other,
    )
    con.unregister("match_shares")


def _sides_sql() -> str:
    return ", ".join(f"{side}.{column} AS {column}_{side}" for column in FEATURES for side in ("l", "r"))


def _parts_sql() -> str:
    """Return the SQL of a list of structs: what each comparison of a pair adds."""
    return ", ".join(
        f"{{'bits': {_bits_sql(c)}, 'comparison': {literal(c.name)}, 'level': {_level_sql(c)}}}"
        for c in COMPARISONS
    )


def _level_sql(comparison: Comparison) -> str:
    levels = " ".join(f"WHEN {level.sql} THEN {literal(level.label)}" for level in comparison.levels)
    return f"CASE WHEN {comparison.missing} THEN NULL {levels} ELSE 'differs' END"


def _bits_sql(comparison: Comparison) -> str:
    adjusted = any(level.frequency for level in comparison.levels)
    return f"mw_{comparison.name}" + (f" + mw_tf_adj_{comparison.name}" if adjusted else "")
