"""All records at once, or few new ones against what is stored: the same pairs and weights."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.identity.matching.matches import keys_of_new, match_all, match_new
from lakehouse.identity.matching.model import default_model

SCORES = "SELECT left_record, right_record, weight_bits FROM match_scores ORDER BY ALL"


def test_the_default_model_is_adapted(con, people) -> None:
    """Who names none gets the default one with the frequencies of the records."""
    matches = match_all(con, people())
    assert matches.model == replace(default_model(), records=8, frequencies=matches.model.frequencies)
    assert {(row[0], row[1]) for row in con.execute(SCORES).fetchall()} >= {
        ("a1", "a2"),
        ("a1", "a3"),
        ("d1", "d2"),
    }


@pytest.mark.parametrize("new", [["a2"], ["a1", "c1"], ["d2", "a3", "b1"], ["e1"]])
def test_new_records_are_weighed_as_in_a_rebuild(con, people, new: list[str]) -> None:
    """Each new record against the others by stored keys gives what a run over all gives for its pairs."""
    matches = match_all(con, people())
    every = [row for row in con.execute(SCORES).fetchall() if {row[0], row[1]} & set(new)]
    con.execute(f"CREATE TABLE stored AS FROM {matches.keys}")
    con.execute("CREATE TABLE fresh AS SELECT unnest(?) AS record", [new])
    asked: list[str] = []

    def people_of(records: str) -> str:
        asked.extend(row[0] for row in con.execute(f"FROM {records}").fetchall())
        return f"FROM people SEMI JOIN {records} USING (record)"

    found = match_new(con, people_of, keys_of_new(con, "people", "fresh"), "stored", matches.model)
    assert set(asked) == {name for pair in con.execute("FROM match_pairs").fetchall() for name in pair}
    assert con.execute(SCORES).fetchall() == every
    assert con.execute(f"SELECT DISTINCT record FROM {found.keys} ORDER BY ALL").fetchall() == [
        (record,) for record in sorted(new) if record != "e1"
    ]
