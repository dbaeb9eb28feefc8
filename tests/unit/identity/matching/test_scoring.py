"""Weights: one person's records weigh more than six bits, strangers' less than none, and each says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.identity.matching.comparisons import COMPARISONS
from lakehouse.identity.matching.features import features
from lakehouse.identity.matching.keys import blocking_keys, candidates
from lakehouse.identity.matching.model import default_model
from lakehouse.identity.matching.scoring import score
from lakehouse.identity.matching.training import adapt


@pytest.fixture
def scored(con, people) -> dict[tuple[str, str], tuple[float, list[dict[str, object]]]]:
    """Score all candidates among the sample's records."""
    described = features(con, people())
    pairs = candidates(con, blocking_keys(con, described))
    scores = score(con, pairs, described, default_model(), least_bits=-100)
    rows = con.execute(f"SELECT left_record, right_record, weight_bits, explanation FROM {scores}").fetchall()
    return {(left, right): (bits, explanation) for left, right, bits, explanation in rows}


def test_who_is_one_weighs_six_bits_and_who_is_not_does_not(scored) -> None:
    """Typos, a form of address, one slip in a birth date: one person. The same name elsewhere: another."""
    assert {pair for pair, (bits, _) in scored.items() if bits >= 6} >= {
        ("a1", "a2"),
        ("a1", "a3"),
        ("d1", "d2"),
    }
    assert all(bits < 0 for pair, (bits, _) in scored.items() if "c1" in pair)


def test_each_weight_is_the_sum_of_its_parts(scored) -> None:
    """The explanation names the level of each comparison that counts; with the prior it adds up."""
    bits, explanation = scored["a1", "a2"]
    levels = {part["comparison"]: part["level"] for part in explanation}
    assert levels == {"chinese_name": "same sound", "phone": "equal", "chinese_address": "same room"}
    heaviest = [part["bits"] for part in explanation]
    assert heaviest == sorted(heaviest, reverse=True)
    prior = default_model().prior
    parts = sum(heaviest)
    assert 2 ** (bits - parts) == pytest.approx(prior / (1 - prior))


def test_a_rare_name_says_more_than_a_frequent_one(con, people) -> None:
    """By the frequencies of the records themselves; without them all equal names weigh the same."""
    rows = [(f"f{at}", "张伟", f"139123{at:05}", None, None, None) for at in range(60)]
    rows += [
        ("x1", "张伟", None, None, "北京市朝阳区建国路88号", None),
        ("x2", "张伟", None, None, "北京市朝阳区建国路88号", None),
    ]
    rows += [
        ("y1", "濮存昕", None, None, "北京市朝阳区建国路99号", None),
        ("y2", "濮存昕", None, None, "北京市朝阳区建国路99号", None),
    ]
    described = features(con, people(rows))
    con.execute(
        "CREATE TABLE pairs AS SELECT * FROM (VALUES ('x1', 'x2'), ('y1', 'y2')) AS t(left_record, right_record)"
    )

    def weights(model) -> list[float]:
        score(con, "pairs", described, model, least_bits=-100)
        return [
            row[0]
            for row in con.execute("SELECT weight_bits FROM match_scores ORDER BY left_record").fetchall()
        ]

    frequent, rare = weights(adapt(con, described))
    assert rare > frequent + 4
    frequent, rare = weights(default_model())
    assert rare == pytest.approx(frequent)


def test_a_weight_depends_on_the_pair_and_the_model_alone(con, people) -> None:
    """Scored among others or alone, in this order or that: the same bits, so what is stored need not be asked again."""
    described = features(con, people())
    model = replace(adapt(con, described), records=5_000)
    pairs = candidates(con, blocking_keys(con, described))
    score(con, pairs, described, model, least_bits=-100)
    together = dict(
        con.execute("SELECT left_record || right_record, weight_bits FROM match_scores").fetchall()
    )
    con.execute("CREATE TABLE two AS FROM people WHERE record IN ('a1', 'a2')")
    con.execute("CREATE TABLE one_pair AS SELECT 'a1' AS left_record, 'a2' AS right_record")
    score(con, "one_pair", features(con, "two"), model, least_bits=-100)
    assert con.execute("SELECT weight_bits FROM match_scores").fetchone()[0] == together["a1a2"]


def test_nothing_is_left_behind(con, people) -> None:
    """No table of Splink's or of ours stays but the scores; no pairs give no scores."""
    described = features(con, people())
    con.execute("CREATE TABLE none AS SELECT '' AS left_record, '' AS right_record WHERE false")
    score(con, "none", described, default_model())
    tables = {row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert tables == {"people", "none", "match_people", "match_scores"}
    assert con.execute("SELECT count(*) FROM match_scores").fetchone() == (0,)


def test_comparisons_that_ask_for_nothing_there_do_not_count(scored) -> None:
    """Chinese names are no Western ones, and who has no e-mail is not unlike anybody by it."""
    for bits, explanation in scored.values():
        asked = {part["comparison"] for part in explanation}
        assert asked <= {comparison.name for comparison in COMPARISONS}
        assert not {"chinese_name", "given_name"} <= asked
        assert bits < 100


def test_without_pairs_nobody_is_asked(con, people, monkeypatch) -> None:
    """With the columns and types of what is found otherwise."""
    described = features(con, people())
    pairs = candidates(con, blocking_keys(con, described))
    found = con.execute(f"DESCRIBE {score(con, pairs, described, default_model())}").fetchall()
    con.execute("CREATE TABLE nobody AS SELECT '' AS left_record, '' AS right_record LIMIT 0")
    monkeypatch.setattr("lakehouse.identity.matching.scoring.weighing", None)
    assert con.execute(f"DESCRIBE {score(con, 'nobody', described, default_model())}").fetchall() == found
