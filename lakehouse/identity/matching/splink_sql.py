"""The SQL by which Splink weighs pairs. To write it takes longer than to run it, so it is written once.

Of the chances that ship it stands in `splink_sql.json`, which `python -c "from lakehouse.identity.matching import
splink_sql as s; s.ship()"` writes; Splink itself, 25 MiB and 0.3 s, is asked only of a model of other chances.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from lakehouse.engine.escape import identifier, qualified
from lakehouse.identity.matching.comparisons import COMPARISONS, frequency_columns, splink_comparison
from lakehouse.identity.matching.features import FEATURES
from lakehouse.identity.matching.model import default_model
from lakehouse.identity.matching.policy import MatchPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakehouse.identity.matching.model import Model

BLOCKED: Final = "match_blocked"  # the pairs to be weighed: match_key, join_key_l, join_key_r
_MAKES_TABLES: Final = ("CREATE ", "DROP ")
_SHIPPED: Final = Path(__file__).with_suffix(".json")
_FEATURES: Final = "match_people"  # that it is shipped for
_PRIOR, _LEAST = "{prior}", "{least}"  # in what is shipped, where these numbers stand
_ODD_RECORDS: Final = 271_828  # by which they are found: nothing else in it is this number
_ODD_BITS: Final = 314.159
_RANDOM: Final = re.compile(r"_[0-9a-f]{9}\b")  # that Splink adds to its names
_DUCKDB: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": "1",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


@dataclass(frozen=True, slots=True)
class Weighing:
    """Statements that make the table `predicted`, as Splink's `predict` does, and drop all others that they make.

    They read the features, `BLOCKED`, and of each of `frequency_columns` the table `frequency_table` of it.
    """

    statements: tuple[str, ...]
    predicted: str


def weighing(features: str, model: Model, least_bits: float) -> Weighing:
    """Return how Splink finds the pairs of `BLOCKED` that weigh `least_bits` or more, by their features and a model.

    What it writes depends on the probabilities of the model alone, not on rows: no table has to be there yet.
    """
    shipped = _shipped()
    if features == _FEATURES and shipped["for"] == _written_for(model):
        numbers = {_PRIOR: str(_prior_bits(model)), _LEAST: str(least_bits)}
        statements = [_with(numbers, statement) for statement in shipped["statements"]]
        return Weighing(tuple(statements), shipped["predicted"])
    return _written(features, json.dumps(settings(model), ensure_ascii=False), least_bits)


def ship() -> None:
    """Write the file of the chances that ship, into the package."""
    _SHIPPED.write_text(json.dumps(to_be_shipped(), ensure_ascii=False, indent=1) + "\n", "utf-8")


def to_be_shipped() -> dict[str, Any]:
    """Return what `splink_sql.json` is to hold: what Splink writes for the chances that ship, numbers left open."""
    model = replace(default_model(), records=_ODD_RECORDS)
    written = _written(_FEATURES, json.dumps(settings(model), ensure_ascii=False), _ODD_BITS)
    marks = {str(_prior_bits(model)): _PRIOR, str(_ODD_BITS): _LEAST}
    statements = [_with(marks, _RANDOM.sub("", statement)) for statement in written.statements]
    predicted = _RANDOM.sub("", written.predicted)
    return {"for": _written_for(model), "predicted": predicted, "statements": statements}


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Any]:
    shipped: dict[str, Any] = json.loads(_SHIPPED.read_text("utf-8"))
    return shipped


def _written_for(model: Model) -> str:
    """Return what names the SQL of a model but for its two numbers: Splink's version, comparisons, chances."""
    chances = settings(model) | {"probability_two_random_records_match": None}
    text = json.dumps([chances, FEATURES], ensure_ascii=False)
    return f"splink {version('splink')} {hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _prior_bits(model: Model) -> float:
    """Return the weight of two records of which nothing is known, as Splink writes it."""
    return math.log2(model.prior / (1 - model.prior))


def _with(texts: dict[str, str], statement: str) -> str:
    for old, new in texts.items():
        statement = statement.replace(old, new)
    return statement


@lru_cache(maxsize=MatchPolicy.remembered_models)
def _written(features: str, settings_json: str, least_bits: float) -> Weighing:
    """Let Splink weigh no pairs of empty tables, and note its statements."""
    from splink import DuckDBAPI, Linker  # noqa: PLC0415 - 0.3 s, only when used

    noted: list[str] = []

    class NotingAPI(DuckDBAPI):
        def _execute_sql_against_backend(self, final_sql: str) -> duckdb.DuckDBPyRelation:
            if final_sql.lstrip().startswith(_MAKES_TABLES):
                noted.append(final_sql)
            return super()._execute_sql_against_backend(final_sql)

    with closing(duckdb.connect(config=_DUCKDB)) as con, quiet():
        _make_empty_tables(con, features)
        api = NotingAPI(con)
        # settings are ours: to validate them takes half a second
        linker = Linker(
            api.register(features), json.loads(settings_json), log_level=None, validate_settings=False
        )
        for column in frequency_columns():
            linker.table_management.register_term_frequency_lookup(
                api.register(frequency_table(column)), column
            )
        linker.table_management.register_blocked_pairs_for_predict(api.register(BLOCKED))
        found = linker.inference.predict(threshold_match_weight=least_bits, warning_mode="never")
        return Weighing(tuple(noted), found.physical_name)


def _make_empty_tables(con: duckdb.DuckDBPyConnection, features: str) -> None:
    kinds = {name: "BOOLEAN" if name == "han" else "VARCHAR" for name in ("record", *FEATURES)}
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in kinds.items())
    con.execute(f"CREATE TABLE {qualified(features)} ({columns})")
    con.execute(f"CREATE TABLE {BLOCKED} (match_key VARCHAR, join_key_l VARCHAR, join_key_r VARCHAR)")
    for column in frequency_columns():
        share = identifier(f"tf_{column}")
        con.execute(f"CREATE TABLE {frequency_table(column)} ({identifier(column)} VARCHAR, {share} DOUBLE)")


def frequency_table(column: str) -> str:
    """Return the name of the table of how often the values of a column occur: the column, `tf_` and its name."""
    return f"match_tf_{column}"


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
