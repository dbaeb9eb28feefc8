"""What Splink wrote once weighs as Splink does itself, whatever the model; and it is written once for a model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from splink import DuckDBAPI, Linker

from lakehouse.identity.matching import splink_sql
from lakehouse.identity.matching.comparisons import frequency_columns
from lakehouse.identity.matching.features import features
from lakehouse.identity.matching.keys import blocking_keys, candidates
from lakehouse.identity.matching.model import Chances, default_model
from lakehouse.identity.matching.scoring import score
from lakehouse.identity.matching.training import adapt


def weighed_by_splink(con, described, model, least_bits) -> dict[tuple[str, str], float]:
    """Return the weights of `match_blocked`, of which the frequency tables are there, by Splink itself."""
    api = DuckDBAPI(con)
    with splink_sql.quiet():
        linker = Linker(api.register(described), splink_sql.settings(model), log_level=None)
        for column in frequency_columns():
            table = api.register(splink_sql.frequency_table(column))
            linker.table_management.register_term_frequency_lookup(table, column)
        linker.table_management.register_blocked_pairs_for_predict(api.register(splink_sql.BLOCKED))
        found = linker.inference.predict(threshold_match_weight=least_bits, warning_mode="never")
    rows = con.execute(f"SELECT record_l, record_r, match_weight FROM {found.physical_name}").fetchall()
    return {(left, right): weight for left, right, weight in rows}


def turned(model):
    """Return a model of other probabilities: of each comparison the levels the other way round."""
    chances = {name: Chances(each.u[::-1], each.m[::-1]) for name, each in model.chances.items()}
    return replace(model, chances=chances)


@pytest.mark.parametrize("least_bits", [-100.0, 0.0, 6.0])
@pytest.mark.parametrize(
    "change", [lambda model: model, lambda model: replace(model, records=90_000), turned]
)
def test_pairs_weigh_what_splink_makes_of_them(con, people, monkeypatch, change, least_bits) -> None:
    """To the last bit: of the default model, of one of more records, of one of other probabilities."""
    described = features(con, people())
    model = change(adapt(con, described))
    pairs = candidates(con, blocking_keys(con, described))
    execute = con.execute
    kept: dict[tuple[str, str], float] = {}

    class Watched:
        """The connection, asked what Splink itself says before the tables that it reads are dropped."""

        def execute(self, query, *arguments):
            if query == f"DROP TABLE {splink_sql.BLOCKED}":
                kept.update(weighed_by_splink(con, described, model, least_bits))
            return execute(query, *arguments)

        def __getattr__(self, name):
            return getattr(con, name)

    score(Watched(), pairs, described, model, least_bits=least_bits)
    rows = con.execute("SELECT left_record, right_record, weight_bits FROM match_scores").fetchall()
    assert {(left, right): weight for left, right, weight in rows} == kept
    assert kept or least_bits > 0


def test_splink_writes_once_for_a_model_of_other_chances(con, people, monkeypatch) -> None:
    """Of another model it writes again."""
    described = features(con, people())
    splink_sql._written.cache_clear()
    first = splink_sql.weighing(described, turned(default_model()), 0.0)
    monkeypatch.setattr("splink.Linker", None)
    assert splink_sql.weighing(described, replace(turned(default_model()), names_tell=0.9), 0.0) is first
    with pytest.raises(TypeError):  # what is None cannot be called
        splink_sql.weighing(described, replace(turned(default_model()), records=90_000), 0.0)


def test_what_ships_is_what_splink_writes_now() -> None:
    """But for the order of the columns of frequencies, which is Python's of a set. Else `splink_sql.ship` writes it."""

    def lines(told):
        named = [f"{name}: {told[name]}" for name in ("for", "predicted")]
        return named + [sorted(line.strip(" ,") for line in text.splitlines()) for text in told["statements"]]

    shipped = json.loads(Path(splink_sql.__file__).with_suffix(".json").read_text("utf-8"))
    assert lines(shipped) == lines(splink_sql.to_be_shipped())


def test_of_the_chances_that_ship_splink_is_not_asked(con, people, monkeypatch) -> None:
    """However many records there are, and whatever is heavy enough. Of another version of it, it is."""
    described = features(con, people())
    monkeypatch.setattr(splink_sql, "_written", None)
    model = replace(default_model(), records=90_000)
    texts = [" ".join(splink_sql.weighing(described, model, bits).statements) for bits in (0.0, 6.5)]
    assert [text.rstrip().count(">= 6.5") for text in texts] == [0, 1]
    assert not any("{" in text for text in texts)
    monkeypatch.setattr(splink_sql, "version", lambda _: "4.0.0")
    with pytest.raises(TypeError):  # what is None cannot be called
        splink_sql.weighing(described, model, 0.0)
