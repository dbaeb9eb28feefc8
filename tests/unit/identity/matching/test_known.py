"""With a memory only news is compared, and what is found is what a run over all finds with the same model."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.identity.matching import known as module
from lakehouse.identity.matching.known import Known, Matched, fingerprint_sql, match, match_news
from tests.unit.identity.matching.conftest import COLUMNS, PEOPLE

PAIRS = "SELECT left_record, right_record, round(weight_bits, 6) FROM {} ORDER BY ALL"


def say(con, rows) -> str:
    """Make what records say, each with its fingerprint; return its name."""
    con.execute(f"CREATE OR REPLACE TABLE said_of ({', '.join(f'{name} VARCHAR' for name in COLUMNS)})")
    values = [
        list(column) for column in zip(*rows, strict=True)
    ]  # row by row it takes longer than to match them
    con.execute(f"INSERT INTO said_of SELECT {', '.join(['unnest(?::VARCHAR[])'] * len(COLUMNS))}", values)
    con.execute(
        f"CREATE OR REPLACE TABLE everybody AS SELECT *, {fingerprint_sql(*COLUMNS[1:])} AS said FROM said_of"
    )
    return "everybody"


def remember(con, matched: Matched) -> Known:
    """Keep what was found, as the tables of a lake do."""
    if matched.replaces:
        con.execute(f"CREATE OR REPLACE TABLE kept_keys AS FROM {matched.keys}")
    else:
        con.execute(f"INSERT INTO kept_keys FROM {matched.keys}")
    con.execute(f"CREATE OR REPLACE TABLE kept_pairs AS FROM {matched.pairs}")
    return Known("kept_keys", "kept_pairs", matched.model)


def pairs(con, matched: Matched) -> list[tuple]:
    return con.execute(PAIRS.format(matched.pairs)).fetchall()


def weighed(con) -> int:
    """Return how many pairs were candidates of the last run."""
    return con.execute("SELECT count(*) FROM match_pairs").fetchone()[0]


def test_what_was_looked_at_is_not_looked_at_again(con, monkeypatch):
    """Nobody says anything new: no record is read, and the pairs are what they were."""
    known = remember(con, first := match(con, say(con, PEOPLE), None))
    before = pairs(con, first)
    assert first.replaces
    assert before
    monkeypatch.setattr(module, "match_new", None)
    monkeypatch.setattr(module, "match_all", None)
    again = match(con, say(con, PEOPLE), known)
    assert pairs(con, again) == before
    assert con.execute(f"SELECT count(*) FROM {again.keys}").fetchone() == (0,)


def test_a_record_that_says_something_else_loses_what_it_had(con):
    """The pairs that its old name and phone made are gone, those of its new ones are there."""
    known = remember(con, match(con, say(con, PEOPLE), None))
    moved = [
        (*row[:1], "李娜", None, "li@example.com", *row[4:5], "1982-11-30") if row[0] == "a2" else row
        for row in PEOPLE
    ]
    found = match(con, say(con, moved), known)
    assert not found.replaces
    assert {pair[:2] for pair in pairs(con, found) if "a2" in pair[:2]} == {("a2", "b1")}


def test_far_more_records_are_weighed_by_a_model_of_their_own(con):
    """Chance is another then: the model that the first records made says little of so many."""
    known = remember(con, match(con, say(con, PEOPLE), None))
    again = [*PEOPLE, *((f"n{at}", *row[1:]) for at, row in enumerate(PEOPLE))]
    assert match(con, say(con, again), known).model == known.model
    few = replace(known, model=replace(known.model, records=7))
    found = match(con, say(con, again), few)
    assert found.replaces
    assert found.model.records == 16


def test_many_news_at_once_are_weighed_in_one_go(con):
    """With the model that is there: it is frozen."""
    known = remember(con, match(con, say(con, PEOPLE[:5]), None))
    found = match(con, say(con, PEOPLE), known)
    assert found.replaces
    assert found.model == known.model


def test_a_fingerprint_tells_null_from_nothing_apart_only_where_it_matters(con):
    """Two columns do not run into one another; empty text and null say the same: nothing."""
    sql = fingerprint_sql("a", "b")
    values = "(VALUES ('x', 'yz'), ('xy', 'z'), ('x', NULL), ('x', '')) AS t(a, b)"
    first, second, third, fourth = (row[0] for row in con.execute(f"SELECT {sql} FROM {values}").fetchall())
    assert len({first, second, third}) == 3
    assert third == fourth


person = st.sampled_from(PEOPLE)
step = st.lists(st.tuples(st.sampled_from("pqrstuv"), person), max_size=4)


@settings(
    max_examples=8, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(step, min_size=2, max_size=4), st.booleans())
def test_any_sequence_of_news_gives_what_one_run_gives(con, steps, forgets):
    """Records come, change, and go; what is remembered of them changes nothing."""
    said = {row[0]: row for row in PEOPLE}
    known = remember(con, match(con, say(con, said.values()), None))
    found = None
    for news in steps:
        if forgets:
            said.pop(next(iter(said)), None)
        said |= {record: (record, *row[1:]) for record, row in news}
        found = match(con, say(con, said.values()), known)
        known = remember(con, found)
    step_by_step = pairs(con, found)
    assert step_by_step == pairs(con, match_whole(con, known))


@settings(
    max_examples=8, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(step, min_size=2, max_size=4))
def test_those_with_news_alone_give_what_all_give(con, steps):
    """Others are asked of only where they share a key; a record that says what it said before has its pairs again."""
    said = {row[0]: row for row in PEOPLE} | {f"w{n}": (f"w{n}", *PEOPLE[0][1:]) for n in range(30)}
    known = remember(con, match(con, say(con, said.values()), None))
    asked: list[str] = []

    def others_of(records: str) -> str:
        asked.extend(row[0] for row in con.execute(f"FROM {records}").fetchall())
        return f"FROM everybody SEMI JOIN {records} USING (record)"

    for news in steps:
        said |= {record: (record, *row[1:]) for record, row in news}
        say(con, said.values())
        con.execute(
            "CREATE OR REPLACE TABLE with_news AS FROM everybody WHERE list_contains(?, record)",
            [[record for record, _ in news]],
        )
        asked.clear()
        found = match_news(con, "with_news", others_of, known)
        assert found is not None
        assert not set(asked) & {record for record, _ in news}
        told = pairs(con, found)  # of a view of what is kept
        known = remember(con, found)
        assert told == pairs(con, match_whole(con, known))


def test_many_news_are_weighed_with_all(con):
    """As `match` weighs them: the caller has to bring everybody."""
    known = remember(con, match(con, say(con, PEOPLE[:5]), None))
    say(con, PEOPLE)
    assert match_news(con, "everybody", lambda _: "FROM everybody LIMIT 0", known) is None
    few = replace(known, model=replace(known.model, records=1))
    con.execute("CREATE TABLE nobody AS FROM everybody LIMIT 0")
    assert match_news(con, "nobody", lambda _: "FROM everybody LIMIT 0", few) is None


def match_whole(con, known: Known) -> Matched:
    """Match all that is said in one go with a model."""
    con.execute("CREATE OR REPLACE TABLE nothing AS FROM kept_keys LIMIT 0")
    return match(con, "everybody", Known("nothing", "kept_pairs", known.model))
