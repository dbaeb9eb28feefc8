"""Weights of evidence for pairs of records, in bits, by Splink; and what they are made of."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from lakehouse.engine.escape import identifier, literal, qualified
from lakehouse.identity.matching.comparisons import (
    COMPARISONS,
    Comparison,
    frequency_columns,
    splink_comparison,
)
from lakehouse.identity.matching.features import FEATURES, step_sql
from lakehouse.identity.matching.policy import MatchPolicy
from lakehouse.identity.relation import scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from lakehouse.identity.matching.model import Frequencies, Model

_NO_SCORES: Final = (
    "CREATE OR REPLACE TEMP TABLE match_scores (left_record VARCHAR, right_record VARCHAR, weight_bits DOUBLE, "
    'explanation STRUCT(bits DOUBLE, comparison VARCHAR, "level" VARCHAR)[])'
)
_FREQUENCY_TABLE: Final = "match_tf_{}"


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
    from splink import DuckDBAPI, Linker  # noqa: PLC0415 - 0.3 s, only when used

    con.execute(
        "CREATE OR REPLACE TEMP TABLE match_blocked AS "
        f"SELECT '0' AS match_key, left_record AS join_key_l, right_record AS join_key_r FROM {qualified(pairs)}"
    )
    with quiet():
        api = DuckDBAPI(con)
        # settings are ours: to validate them takes half a second each time
        linker = Linker(api.register(features), settings(model), log_level=None, validate_settings=False)
        for column in frequency_columns():
            table = _frequency_table(con, features, column, model.frequencies.get(column))
            linker.table_management.register_term_frequency_lookup(api.register(table), column)
        linker.table_management.register_blocked_pairs_for_predict(api.register("match_blocked"))
        found = linker.inference.predict(threshold_match_weight=least_bits, warning_mode="never")
        names = {"predicted": found.physical_name, "features": qualified(features), "sides": _sides_sql()}
        con.execute(step_sql("scores", parts=_parts_sql(), **names))
        found.drop_table_from_database_and_remove_from_cache()
    con.execute("DROP TABLE match_blocked")
    for column in frequency_columns():
        con.execute(f"DROP TABLE {_FREQUENCY_TABLE.format(column)}")
    return "match_scores"


def settings(model: Model) -> dict[str, Any]:
    """Return a model as Splink's settings; pairs come from elsewhere, so its blocking rule finds none."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "probability_two_random_records_match": model.prior,
        "comparisons": [
            splink_comparison(each, list(model.chances[each.name].m), list(model.chances[each.name].u))
            for each in COMPARISONS
        ],
        "blocking_rules_to_generate_predictions": ["l.record = r.record"],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
    }


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Splink's hints about training to itself: what is not trained has a value by hand."""
    logger = logging.getLogger("splink")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _frequency_table(
    con: duckdb.DuckDBPyConnection, features: str, column: str, known: Frequencies | None
) -> str:
    """Make the table of how often the values of a column occur, by the model; empty where it counted none."""
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, only when used

    name, quoted, share = _FREQUENCY_TABLE.format(column), identifier(column), identifier(f"tf_{column}")
    shares = dict(known.shares) if known else {}
    con.register(
        "match_shares",
        pa.table({"value": pa.array(shares, pa.string()), "share": pa.array(shares.values(), pa.float64())}),
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {quoted}, coalesce(share, $other)::DOUBLE AS {share} "
        f"FROM (SELECT DISTINCT {quoted} FROM {qualified(features)} WHERE {quoted} IS NOT NULL AND $other > 0) "
        f"LEFT JOIN match_shares ON value = {quoted}",
        {"other": known.other if known else 0.0},
    )
    con.unregister("match_shares")
    return name


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
