"""From records to weighed pairs in one go: of all records, or of new ones against what is stored of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.engine.escape import qualified
from lakehouse.identity.matching.features import features
from lakehouse.identity.matching.keys import blocking_keys, candidates
from lakehouse.identity.matching.scoring import score
from lakehouse.identity.matching.training import adapt

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from lakehouse.identity.matching.model import Model


@dataclass(frozen=True, slots=True)
class Matches:
    """Names of temp tables: features of records, their keys (to be stored), scores of pairs; and the model used."""

    features: str
    keys: str
    scores: str
    model: Model


def match_all(con: duckdb.DuckDBPyConnection, people: str, model: Model | None = None) -> Matches:
    """Weigh all pairs among `people` that share a key; without a model by the default one, adapted to them."""
    described = features(con, people)
    keys = blocking_keys(con, described)
    pairs = candidates(con, keys)
    used = model or adapt(con, described)
    return Matches(described, keys, score(con, pairs, described, used), used)


def keys_of_new(con: duckdb.DuckDBPyConnection, people: str, new_records: str) -> str:
    """Return the name of a temp table (record, key): the keys of `new_records` (record), of which `people` tells."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE match_new AS FROM {qualified(people)} "
        f"WHERE record IN (SELECT record FROM {qualified(new_records)})"
    )
    keys = blocking_keys(con, features(con, "match_new"))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE match_new_keys AS FROM {qualified(keys)}; DROP TABLE match_new"
    )
    return "match_new_keys"


def match_new(
    con: duckdb.DuckDBPyConnection,
    people_of: Callable[[str], str],
    new_keys: str,
    stored_keys: str,
    model: Model,
) -> Matches:
    """Weigh the pairs of new records with each other and with those whose `stored_keys` (record, key) they share.

    `new_keys` are of `keys_of_new`. `people_of` makes of the name of a relation (record) the SELECT of what these
    records say: only candidates are asked for. Pairs and weights are those that `match_all` would give with the same
    model.
    """
    pairs = candidates(con, new_keys, stored_keys)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE match_asked AS "
        f"SELECT left_record AS record FROM {pairs} UNION SELECT right_record FROM {pairs}"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE match_near AS {people_of('match_asked')}")
    described = features(con, "match_near")
    scores = score(con, pairs, described, model)
    con.execute("DROP TABLE match_asked; DROP TABLE match_near")
    return Matches(described, new_keys, scores, model)
