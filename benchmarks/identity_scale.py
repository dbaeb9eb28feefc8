"""A million records matched in full, and a thousand new ones against them from what was stored: the same clusters."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import duckdb
import numpy as np

from benchmarks import chinese_people
from benchmarks.processes import measured
from benchmarks.report import Result
from lakehouse.engine import sql_functions
from lakehouse.engine.escape import literal
from lakehouse.identity.clusters import cluster
from lakehouse.identity.matching.facts import facts_of
from lakehouse.identity.matching.features import features
from lakehouse.identity.matching.matches import keys_of_new, match_all, match_new
from lakehouse.identity.matching.model import load_model
from lakehouse.identity.matching.policy import MatchPolicy

_NEW = 1_000
_CALL = "import sys; from benchmarks import identity_scale; print(identity_scale.{}(*sys.argv[1:]))"
_STORED = ("people", "keys", "edges", "labels")


def identity_scale(*, quick: bool) -> list[Result]:
    """Return seconds and memory of the full run and of the new records, and how many are clustered otherwise."""
    count = 50_000 if quick else 500_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        records = chinese_people.write(folder / "all.csv", count, 1.0)
        _split(folder, records - _NEW)
        _, full_s, full_mib = measured(_CALL.format("full"), str(folder / "known.csv"), str(folder / "known"))
        printed, new_s, new_mib = measured(_CALL.format("increment"), str(folder), str(folder / "known"))
        told = json.loads(printed)
        model = str(folder / "known" / "model.json")
        measured(_CALL.format("full"), str(folder / "all.csv"), str(folder / "rebuilt"), model)
        otherwise = _different(
            folder / "known" / "labels_after.parquet", folder / "rebuilt" / "labels.parquet"
        )
    note = f"{told['candidates']:,} candidates, {told['touched']:,} records clustered anew"
    return [
        Result(f"matching {records - _NEW:,} records", full_s, "s", 150, at_least=False),
        Result("the same, peak memory", full_mib, "MiB", 2_560, at_least=False),
        Result(f"{_NEW:,} new records into these", new_s, "s", 5, at_least=False, note=note),
        Result("the same, peak memory", new_mib, "MiB", 400, at_least=False),
        Result("records in another cluster than by a rebuild", otherwise, "", 0, at_least=False),
    ]


def _split(folder: Path, known: int) -> None:
    """Write the first records as known ones and the others as new."""
    lines = (folder / "all.csv").read_text("utf-8").splitlines(keepends=True)
    (folder / "known.csv").write_text("".join(lines[: known + 1]), "utf-8")
    (folder / "new.csv").write_text("".join([lines[0], *lines[known + 1 :]]), "utf-8")


def full(path: str, folder: str, model: str | None = None) -> int:
    """Match the records of a CSV, cluster them, and store what the next run needs; return how many there are."""
    con = _connect("1200MB")
    _people(con, [path])
    matches = match_all(con, "people", load_model(Path(model)) if model else None)
    Path(folder).mkdir()
    matches.model.save(Path(folder) / "model.json")
    _store(con, folder, "keys", f"SELECT record, key FROM {matches.keys} ORDER BY key, record")
    _store(con, folder, "people", "FROM people ORDER BY record")
    sure = f"weight_bits >= {MatchPolicy.automatic_bits}"
    _store(
        con,
        folder,
        "edges",
        f"SELECT left_record, right_record, weight_bits FROM {matches.scores} WHERE {sure}",
    )
    con.execute(f"DROP TABLE {matches.keys}; DROP TABLE {matches.scores}")
    _store(con, folder, "labels", _clusters(con, matches.features, str(Path(folder) / "edges.parquet")))
    row = con.execute("SELECT count(*) FROM people").fetchone()
    return int(row[0]) if row else 0


def increment(new_folder: str, folder: str) -> str:
    """Match new records against what is stored, cluster what they touch, and store the labels of all records."""
    con = _connect("200MB")
    for name in _STORED:
        con.execute(f"CREATE VIEW stored_{name} AS FROM {literal(str(Path(folder) / f'{name}.parquet'))}")
    _people(con, [str(Path(new_folder) / "new.csv")])
    con.execute("CREATE VIEW everybody AS SELECT * FROM stored_people UNION ALL SELECT * FROM people")
    con.execute("CREATE VIEW fresh AS SELECT record FROM people")
    model = load_model(Path(folder) / "model.json")
    keys = keys_of_new(con, "everybody", "fresh")
    people_of = "FROM everybody WHERE record IN (FROM {})".format
    matches = match_new(con, people_of, keys, "stored_keys", model)
    con.execute(
        f"CREATE TABLE new_edges AS SELECT left_record, right_record, weight_bits FROM {matches.scores} "
        f"WHERE weight_bits >= {MatchPolicy.automatic_bits}"
    )
    con.execute(_TOUCHED_SQL)
    con.execute("CREATE TABLE around AS FROM everybody WHERE record IN (FROM touched)")
    edges = Path(folder) / "touched_edges.parquet"
    con.execute(f"COPY touched_edges TO {literal(str(edges))}")
    con.execute(f"CREATE TABLE fresh_labels AS {_clusters(con, features(con, 'around'), str(edges))}")
    rest = "SELECT record, component, label FROM stored_labels WHERE record NOT IN (SELECT record FROM fresh_labels)"
    _store(con, folder, "labels_after", f"{rest} UNION ALL FROM fresh_labels")
    counts = con.execute(
        "SELECT (SELECT count(*) FROM match_pairs), (SELECT count(*) FROM touched)"
    ).fetchone()
    return json.dumps(dict(zip(("candidates", "touched"), counts or (0, 0), strict=True)))


# components that new edges reach, their records with the new ones, and all edges among these
_TOUCHED_SQL = """
CREATE TABLE reached AS SELECT DISTINCT component FROM stored_labels
    WHERE record IN (SELECT left_record FROM new_edges UNION SELECT right_record FROM new_edges);
CREATE TABLE touched AS SELECT record FROM stored_labels WHERE component IN (FROM reached) UNION FROM fresh;
CREATE TABLE touched_edges AS
    FROM stored_edges WHERE left_record IN (FROM touched) UNION ALL FROM new_edges;
"""


def _connect(memory: str) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": "2", "memory_limit": memory})
    con.execute("SET enable_progress_bar = false")
    con.execute("SET preserve_insertion_order = false")
    sql_functions.create(con)
    return con


def _people(con: duckdb.DuckDBPyConnection, paths: list[str]) -> None:
    files = ", ".join(map(literal, paths))
    con.execute(
        "CREATE TABLE people AS SELECT record_id AS record, * EXCLUDE (record_id, person) "
        f"FROM read_csv([{files}], header = true, all_varchar = true)"
    )


def _store(con: duckdb.DuckDBPyConnection, folder: str, name: str, query: str) -> None:
    con.execute(f"COPY ({query}) TO {literal(str(Path(folder) / f'{name}.parquet'))} (FORMAT parquet)")


def _clusters(con: duckdb.DuckDBPyConnection, described: str, edges: str) -> str:
    """Return the query of each record's component and cluster, both named by their smallest record."""
    numbers = f"SELECT record, row_number() OVER (ORDER BY record) - 1 AS number FROM {described}"
    con.execute(f"CREATE OR REPLACE TEMP TABLE numbers AS {numbers}")
    found = con.execute(
        f"SELECT l.number AS l, r.number AS r, weight_bits AS w FROM {literal(edges)} "
        "JOIN numbers AS l ON l.record = left_record JOIN numbers AS r ON r.record = right_record"
    ).fetchnumpy()
    facts = facts_of(con, described)
    labels = cluster(len(facts), found["l"], found["r"], found["w"], facts).labels
    components = cluster(len(facts), found["l"], found["r"], found["w"], lambda _: None).labels
    con.register("clustered", {"number": np.arange(len(facts)), "label": labels, "component": components})
    con.execute("CREATE OR REPLACE TEMP TABLE clusters AS FROM clustered")
    return (
        "SELECT n.record, c.record AS component, l.record AS label FROM numbers AS n JOIN clusters USING (number) "
        "JOIN numbers AS c ON c.number = component JOIN numbers AS l ON l.number = label"
    )


def _different(one: Path, other: Path) -> int:
    """Return how many records have another label in one file than in the other, or are in one of them only."""
    row = duckdb.execute(
        f"SELECT count(*) FROM {literal(str(one))} AS a FULL JOIN {literal(str(other))} AS b USING (record) "
        "WHERE a.label IS DISTINCT FROM b.label"
    ).fetchone()
    return int(row[0]) if row else -1
