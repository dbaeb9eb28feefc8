"""Who is who, scored against the truth: `python -m benchmarks identity --people FILE…` prints a JSON list.

A file is a labelled CSV with columns by name: record_id (or FEBRL's rec_id, which holds the truth), person, source,
name, given_name, surname, phone, email, address (or address_1, address_2), street_number, suburb, postcode, state,
birth_date (or date_of_birth). `person` is read by the scorer alone. The shipped defaults are used, nothing is trained.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from benchmarks import chinese_people
from benchmarks.processes import measured
from benchmarks.report import Result
from lakehouse.engine import sql_functions
from lakehouse.engine.escape import identifier, literal
from lakehouse.identity.clusters import cluster, contradict_across
from lakehouse.identity.matching.facts import facts_of
from lakehouse.identity.matching.matches import Matches, match_all
from lakehouse.identity.matching.policy import MatchPolicy
from lakehouse.identity.normalise.persons import PersonFacts

_CALLED = {"record_id": "record", "rec_id": "record", "date_of_birth": "birth_date"}
_FEBRL = {1: 0.998, 2: 0.996, 3: 0.996}
_REVIEW_BAR: dict[str, tuple[float, ...]] = {"half": (), "typical": (3.0,), "harsh": ()}
_BARS = {
    "half": (("f1", 0.99),),
    "typical": (("f1", 0.97), ("precision", 0.997)),
    "harsh": (("precision", 0.99),),
}


def identity(*, quick: bool) -> list[Result]:
    """Return the figures of FEBRL's sets and of the Chinese set at its three strengths of damage."""
    results = [result for number, bar in _FEBRL.items() for result in _febrl(number, bar)]
    with tempfile.TemporaryDirectory() as folder:
        for name, strength in chinese_people.STRENGTHS.items():
            path = Path(folder) / f"{name}.csv"
            chinese_people.write(path, 2_000 if quick else 10_000, strength)
            results += _chinese(name, figures(path))
    return results


def _febrl(number: int, bar: float) -> list[Result]:
    """Return F1 and seconds of one of FEBRL's sets, without the social security number (data: febrl/LICENSE)."""
    found = figures(Path(__file__).parent / "febrl" / f"dataset{number}.csv.gz")
    note = f"precision {found['precision']:.4f}, recall {found['recall']:.4f}"
    return [
        Result(f"FEBRL {number}, F1", found["f1"], "", bar, note=f"{found['f1']:.4f}, {note}"),
        Result(f"FEBRL {number}, time", found["seconds"], "s", 20, at_least=False),
    ]


def _chinese(name: str, found: dict[str, Any]) -> list[Result]:
    """Return the figures of the Chinese set at one strength of damage."""
    what = f"Chinese people, {name} damage"
    note = f"precision {found['precision']:.4f}, recall {found['recall']:.4f}, F1 {found['f1']:.4f}"
    results = [Result(f"{what}, {figure}", found[figure], "", bar, note=note) for figure, bar in _BARS[name]]
    mixed = found["people_in_clusters_of_three_people_or_more"]
    return [
        *results,
        Result(f"{what}, people in clusters of three or more", mixed, "", 5, at_least=False),
        Result(f"{what}, records to review", found["review"] * 100, "%", *_REVIEW_BAR[name], at_least=False),
    ]


def figures(path: Path) -> dict[str, Any]:
    """Return the figures of a file, measured in a process of its own: precision, recall, F1, seconds, memory."""
    call = "import sys, json; from benchmarks.identity import scored; print(json.dumps(scored(sys.argv[1])))"
    printed, seconds, peak = measured(call, str(path))
    return {"file": path.name, **json.loads(printed), "seconds": round(seconds, 2), "peak_mib": round(peak)}


def scored(path: str) -> dict[str, Any]:
    """Return precision, recall and F1 of pairs, and what is mixed and to be reviewed, of a labelled CSV."""
    con = duckdb.connect(config={"threads": "2"})
    con.execute("SET enable_progress_bar = false")
    sql_functions.create(con)
    persons = read_people(con, path)
    matches = match_all(con, "people")
    records = [row[0] for row in con.execute("SELECT record FROM people ORDER BY record").fetchall()]
    facts = facts_of(con, matches.features) if matches.model.vetoes else [None] * len(records)
    left, right, bits = edges(con, matches)
    sure = bits >= MatchPolicy.automatic_bits
    labels = cluster(len(records), left[sure], right[sure], bits[sure], facts).labels
    open_pairs = _open_pairs(left[~sure], right[~sure], bits[~sure], labels, facts)
    return pair_figures(labels.tolist(), persons) | {
        "records": len(records),
        "people": len(set(persons)),
        "review": len({record for pair in open_pairs for record in pair}) / len(records),
        "review_pairs": len(open_pairs),
        "review_true": sum(persons[a] == persons[b] for a, b in open_pairs) / max(1, len(open_pairs)),
        "names_tell_people_apart": matches.model.vetoes,
    }


def read_people(con: duckdb.DuckDBPyConnection, path: str) -> list[str]:
    """Make the table `people` of a CSV without its truth; return the true person of each record, in their order."""
    source = f"read_csv({literal(path)}, header = true, all_varchar = true)"
    written = [str(row[0]) for row in con.execute(f"DESCRIBE FROM {source}").fetchall()]
    column = {name.strip().lower(): f"trim({identifier(name)})" for name in written}
    record = next(sql for name, sql in column.items() if _CALLED.get(name) == "record")
    truth = column.pop("person", f"split_part({record}, '-', 2)")
    if "address_1" in column:
        lines = (f"nullif({column.pop(name)}, '')" for name in ("address_1", "address_2"))
        column["address"] = f"concat_ws(', ', {', '.join(lines)})"
    kept = ", ".join(f"{sql} AS {identifier(_CALLED.get(name, name))}" for name, sql in column.items())
    con.execute(f"CREATE TABLE people AS SELECT {kept} FROM {source}")
    return [row[0] for row in con.execute(f"SELECT {truth} FROM {source} ORDER BY {record}").fetchall()]


def edges(con: duckdb.DuckDBPyConnection, matches: Matches) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weighed pairs as numbers of records, in the order of `people`, with their bits."""
    numbers = "SELECT record, row_number() OVER (ORDER BY record) - 1 AS number FROM people"
    found = con.execute(
        f"WITH numbers AS ({numbers}) SELECT l.number AS l, r.number AS r, weight_bits FROM {matches.scores} "
        "JOIN numbers AS l ON l.record = left_record JOIN numbers AS r ON r.record = right_record"
    ).fetchnumpy()
    return found["l"], found["r"], found["weight_bits"]


def _open_pairs(
    left: np.ndarray, right: np.ndarray, bits: np.ndarray, labels: np.ndarray, facts: list[PersonFacts | None]
) -> list[tuple[int, int]]:
    """Return what a person is asked: of two clusters the heaviest pair, unless the clusters contradict."""
    members: dict[int, list[int]] = {}
    for record, label in enumerate(labels.tolist()):
        members.setdefault(label, []).append(record)
    asked: dict[tuple[int, int], tuple[int, int]] = {}
    for at in np.argsort(-bits, kind="stable").tolist():
        one, other = int(left[at]), int(right[at])
        between = (min(labels[one], labels[other]), max(labels[one], labels[other]))
        if between[0] != between[1]:
            asked.setdefault(between, (one, other))
    return [
        pair
        for (left_label, right_label), pair in asked.items()
        if not contradict_across(members[left_label], members[right_label], facts.__getitem__)
    ]


def pair_figures(labels: list[int], persons: list[str]) -> dict[str, float]:
    """Return precision, recall and F1 of the pairs in clusters, and how many clusters mix people."""
    together, true, both = Counter(labels), Counter(persons), Counter(zip(labels, persons, strict=True))
    found, wanted, right = (
        sum(n * (n - 1) // 2 for n in counts.values()) for counts in (together, true, both)
    )
    people_in = Counter(label for label, _ in both)
    precision, recall = right / max(1, found), right / max(1, wanted)
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * right / max(1, found + wanted),
        "mixed_clusters": sum(count > 1 for count in people_in.values()),
        "people_in_clusters_of_three_people_or_more": sum(n for n in people_in.values() if n > 2),
    }


def main(files: list[str]) -> int:
    """Print the figures of files as JSON."""
    if not files:
        print("name at least one labelled CSV: python -m benchmarks identity --people FILE…", file=sys.stderr)
        return 2
    print(json.dumps([figures(Path(file)) for file in files], indent=1))
    return 0
