"""Do contradicting names mean two people? In most data they do; in some, names are overwritten, and they do not.

Who lives at one door and was born on one day is one person, or a twin, whatever is written for the name. So of the
pairs at one door whose names contradict and who have birth dates both, the share of different dates tells, without
labels, whether the veto of names may hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapidfuzz.distance import OSA

from lakehouse.engine.escape import qualified
from lakehouse.identity.matching.features import step_sql
from lakehouse.identity.matching.policy import MatchPolicy, TrainingPolicy
from lakehouse.identity.normalise.names import person_name
from lakehouse.identity.normalise.names_alike import names_alike

if TYPE_CHECKING:
    import duckdb


def names_tell(con: duckdb.DuckDBPyConnection, features: str) -> float | None:
    """Return the share of different birth dates among neighbours whose names contradict; None if there are too few."""
    pairs = con.execute(
        step_sql("neighbours", features=qualified(features)),
        {"largest_block": MatchPolicy.largest_block, "pairs": TrainingPolicy.neighbours},
    ).fetchall()
    differs = [
        OSA.distance(born_left, born_right, score_cutoff=1) > 1
        for left, right, born_left, born_right in pairs
        if not names_alike(person_name(left), person_name(right))
    ]
    return sum(differs) / len(differs) if len(differs) >= TrainingPolicy.fewest_neighbours else None
