"""Training without labels: chance from random pairs, what agrees within a person by expectation maximisation.

The truth about who is who is never asked. What the records cannot tell, since a column is empty or a level was not
seen, stays as it is in the model that one starts from.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from lakehouse.engine.escape import identifier, qualified
from lakehouse.identity.matching.comparisons import COMPARISONS, frequency_columns
from lakehouse.identity.matching.model import Chances, Frequencies, Model, default_model
from lakehouse.identity.matching.neighbours import names_tell
from lakehouse.identity.matching.policy import TrainingPolicy
from lakehouse.identity.matching.splink_sql import quiet, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

# what the records of one session have in common: of each comparison the others are estimated there
_SESSIONS: Final = (
    ("full_name",),
    ("birth",),
    ("phone",),
    ("postcode", "number"),
    ("region", "street", "number"),
)
_CONTACTS: Final = frozenset({"phone", "email"})
_LEAST: Final = 1e-6  # no level is impossible, and none certain


def adapt(con: duckdb.DuckDBPyConnection, features: str, model: Model | None = None) -> Model:
    """Return a model, by default the one that ships, with the frequencies and the number of the records of `features`.

    A small lake needs no more than this. Values that few records share are not named in it: their figure is their mean.
    """
    row = con.execute(f"SELECT count(*) FROM {qualified(features)}").fetchone() or (0,)
    filled = _filled(con, features)
    known = {column: _frequencies(con, features, column, count) for column, count in filled.items()}
    tell = names_tell(con, features)
    return replace(model or default_model(), records=int(row[0]), frequencies=known, names_tell=tell)


def train(con: duckdb.DuckDBPyConnection, features: str, model: Model | None = None) -> Model:
    """Return a model whose chances are estimated from the records of `features`, starting from another or the default.

    Deterministic for the same records and one thread; it costs some 15 seconds, whatever their number.
    """
    start = adapt(con, features, model)
    with quiet():
        by_chance = _chances_of_strangers(con, features, start)
        sessions = [
            session
            for columns in _SESSIONS
            if _pairs_of(con, features, columns) >= TrainingPolicy.fewest_pairs
            for session in _session(con, features, by_chance, columns)
        ]
    return replace(start, chances=_together(by_chance, sessions))


def _chances_of_strangers(con: duckdb.DuckDBPyConnection, features: str, start: Model) -> Model:
    """Return a model whose u are those of random pairs; of a level that none reaches that of the start."""
    from splink import DuckDBAPI, Linker  # noqa: PLC0415 - 0.3 s, only when used

    linker = Linker(DuckDBAPI(con).register(features), settings(start), log_level=None)
    linker.training.estimate_u_using_random_sampling(
        max_pairs=TrainingPolicy.random_pairs, seed=TrainingPolicy.seed
    )
    found = _estimates(linker.misc.save_model_to_json(None), start, "u")
    _tidy(linker)
    return replace(
        start, chances={name: Chances(each.m, found[name]) for name, each in start.chances.items()}
    )


def _session(
    con: duckdb.DuckDBPyConnection, features: str, model: Model, columns: tuple[str, ...]
) -> Iterator[dict[str, tuple[float, ...]]]:
    """Yield the m of each comparison that does not ask for the columns which a session's pairs share.

    Nothing where it fails: no pair of it can be one person's on some level. The other sessions tell of it.
    """
    from splink import DuckDBAPI, Linker, block_on  # noqa: PLC0415 - 0.3 s, only when used

    linker = Linker(DuckDBAPI(con).register(features), settings(model), log_level=None)
    with suppress(ValueError):
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(*columns), max_pairs=TrainingPolicy.pairs_of_a_session
        )
        found = _estimates(linker.misc.save_model_to_json(None), model, "m")
        yield {each.name: found[each.name] for each in COMPARISONS if each.columns.isdisjoint(columns)}
    _tidy(linker)


def _tidy(linker: Any) -> None:
    linker.table_management.delete_tables_created_by_splink_from_db()


def _estimates(learnt: dict[str, Any], before: Model, side: str) -> dict[str, tuple[float, ...]]:
    """Return one side's probabilities out of Splink's settings; of a level that was not seen those of before."""
    by_name = {said["output_column_name"]: said["comparison_levels"] for said in learnt["comparisons"]}
    found = {}
    for name, chances in before.chances.items():
        levels = [
            level.get(f"{side}_probability") for level in by_name[name] if not level.get("is_null_level")
        ]
        seen = zip(levels, getattr(chances, side), strict=True)
        found[name] = tuple(min(max(value or known, _LEAST), 1 - _LEAST) for value, known in seen)
    return found


def _together(model: Model, sessions: list[dict[str, tuple[float, ...]]]) -> dict[str, Chances]:
    """Return the chances with the mean m of the sessions that estimated a comparison, as far as any did."""
    found = {}
    for name, chances in model.chances.items():
        means = [
            fmean(values) for values in zip(*(each[name] for each in sessions if name in each), strict=True)
        ]
        found[name] = Chances(tuple(means) or chances.m, chances.u)
    return found


def _pairs_of(con: duckdb.DuckDBPyConnection, features: str, columns: tuple[str, ...]) -> int:
    """Return how many pairs of records agree in columns."""
    names = ", ".join(map(identifier, columns))
    filled = " AND ".join(f"{identifier(column)} IS NOT NULL" for column in columns)
    groups = f"SELECT count(*) AS n FROM {qualified(features)} WHERE {filled} GROUP BY {names}"
    row = con.execute(f"SELECT sum(n * (n - 1) / 2) FROM ({groups})").fetchone()
    return int(row[0] or 0) if row else 0


def _filled(con: duckdb.DuckDBPyConnection, features: str) -> dict[str, int]:
    """Return how many records say something in a column whose frequencies count, of each in which any does."""
    columns = frequency_columns()
    counts = ", ".join(f"count({identifier(column)})" for column in columns)
    row = con.execute(f"SELECT {counts} FROM {qualified(features)}").fetchone() or (0,) * len(columns)
    return {column: count for column, count in zip(columns, row, strict=True) if count}


def _frequencies(con: duckdb.DuckDBPyConnection, features: str, column: str, filled: int) -> Frequencies:
    """Return how often strangers share the values of a column, in which so many records are `filled`.

    Of the records that share a value, some are one person's own: only the others tell of chance. A rare value says
    that chance is small, not that there is none.
    """
    quoted, table = identifier(column), qualified(features)
    least, own = TrainingPolicy.fewest_strangers, TrainingPolicy.records_of_a_person
    if column in _CONTACTS:  # whoever has many records has them with one phone
        own = TrainingPolicy.records_of_a_contact
    counted = (
        f"SELECT {quoted} AS value, count(*) AS n, greatest(count(*) - {own}, {least})::DOUBLE AS strangers "
        f"FROM {table} WHERE {quoted} IS NOT NULL GROUP BY ALL"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE match_counted AS {counted} ORDER BY n DESC, value")
    named = f"n >= {TrainingPolicy.named_from} LIMIT {TrainingPolicy.frequent_values}"
    shares = con.execute(f"SELECT value, strangers FROM match_counted WHERE {named}").fetchall()
    rest = con.execute(
        f"SELECT sum(n * strangers) / sum(n) FROM (SELECT n, strangers FROM match_counted OFFSET {len(shares)})"
    ).fetchone()
    other = float(rest[0]) if rest and rest[0] else least
    con.execute("DROP TABLE match_counted")
    return Frequencies({value: strangers / filled for value, strangers in shares}, other / filled)
