"""What becomes of reasons, one look at a time; any sequence of looks is in `tests/properties/test_triggers.py`."""

from __future__ import annotations

import hashlib
from contextlib import closing
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from lakehouse.models.triggers import standing
from lakehouse.models.triggers.definition import Rule
from lakehouse.tables import views
from lakehouse.tables.contracts import TRIGGERS

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOBODY = "SELECT '' AS gone, '' AS owner WHERE false"
GIVEN = "SELECT *, NULL AS about FROM given"


@pytest.fixture
def con():
    with closing(duckdb.connect(config={"threads": "1"})) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TEMP TABLE kept AS {views.nothing_sql(TRIGGERS)}")
        yield connection


def rule(name: str = "r", sql: str = GIVEN, again_after: str = "12 hours") -> Rule:
    return Rule.model_validate(
        {"name": name, "title": "t", "doc": "d", "within": "2 days", "again_after": again_after, "sql": sql}
    )


def give(con, *reasons: tuple) -> None:
    """Give these reasons: (customer, cause, hours from noon at which it is due)."""
    con.execute("CREATE OR REPLACE TEMP TABLE given (customer_id VARCHAR, cause VARCHAR, due_at TIMESTAMPTZ)")
    for who, cause, hours in reasons:
        con.execute(
            "INSERT INTO given VALUES (?, ?, ?)", [who, cause, None if hours is None else NOON + hours * HOUR]
        )


def settle(con, gone: str = NOBODY) -> None:
    standing.settle(con, "FROM kept", gone)
    con.execute("CREATE OR REPLACE TEMP TABLE kept AS FROM rows_now")


def look(con, *reasons: tuple, at: datetime = NOON, by: Rule | None = None) -> None:
    standing.begin(con, at)
    give(con, *reasons)
    standing.collect(con, by or rule(), "{}")
    settle(con)


def rows(con) -> list[tuple]:
    """Return who, for what, since when, and since when no more: hours from noon."""
    found = con.execute("SELECT customer_id, cause, fired_at, cancelled_at FROM kept ORDER BY ALL").fetchall()
    return [
        (who, cause, (fired - NOON) / HOUR, None if cancelled is None else (cancelled - NOON) / HOUR)
        for who, cause, fired, cancelled in found
    ]


@pytest.mark.parametrize(
    ("reasons", "fired"),
    [
        pytest.param([("ann", "a", -1)], ["a"], id="due an hour ago"),
        pytest.param([("ann", "a", 0)], ["a"], id="due now"),
        pytest.param([("ann", "a", 1)], [], id="not yet"),
        pytest.param([("ann", "a", -47)], ["a"], id="of use still"),
        pytest.param([("ann", "a", -48)], [], id="of no use any more"),
        pytest.param(
            [("ann", "a", -20), ("ann", "b", -9)], ["a"], id="two that are too near are one, the earlier"
        ),
        pytest.param([("ann", "a", -20), ("ann", "b", -8)], ["a", "b"], id="just far enough apart"),
        pytest.param(
            [("ann", "a", -26), ("ann", "b", -15), ("ann", "c", -4)], ["a", "c"], id="every other one"
        ),
    ],
)
def test_a_reason_becomes_a_row_while_it_is_due_and_of_use(con, reasons, fired) -> None:
    """Unless the customer has one that is nearer than `again_after`."""
    look(con, *reasons)
    assert rows(con) == [("ann", cause, 0, None) for cause in fired]


def test_a_row_says_what_it_was_made_of(con) -> None:
    """Until when it is of use, by which version of the rule, and of which snapshots."""
    standing.begin(con, NOON)
    made = rule(
        sql="SELECT 'ann' AS customer_id, 'a' AS cause, now_at AS due_at, 'A cart' AS about FROM moments"
    )
    con.execute("CREATE TEMP TABLE moments AS SELECT CAST(? AS TIMESTAMPTZ) AS now_at", [NOON - HOUR])
    standing.collect(con, made, '{"core.orders": "17"}')
    settle(con)
    (row,) = con.execute("SELECT * FROM kept").fetchall()
    assert dict(zip((column.name for column in TRIGGERS.columns), row, strict=True)) == {
        "trigger": "r", "customer_id": "ann", "cause": "a", "about": "A cart", "due_at": NOON - HOUR, "fired_at": NOON,
        "expires_at": NOON - HOUR + 2 * DAY, "cancelled_at": None, "rule_version": made.version,
        "inputs": '{"core.orders": "17"}', "reason_id": "b2c051b7f7a6b46eb16dd2e09a4f336c",
    }  # fmt: skip
    names = [row[0] for row in con.execute("DESCRIBE kept").fetchall()]
    assert names == [column.name for column in TRIGGERS.columns]


def test_a_row_is_cancelled_with_its_reason_and_comes_back_with_it(con) -> None:
    """As it was: when it was made does not change."""
    look(con, ("ann", "a", -1))
    look(con, at=NOON + HOUR)
    assert rows(con) == [("ann", "a", 0, 1)]
    look(con, at=NOON + 2 * HOUR)
    assert rows(con) == [("ann", "a", 0, 1)]
    look(con, ("ann", "a", -1), at=NOON + 3 * HOUR)
    assert rows(con) == [("ann", "a", 0, None)]


def test_a_reason_that_moved_keeps_its_row(con) -> None:
    """A late event may have moved it to the next day, and so under another name."""
    look(con, ("ann", "monday", -1))
    look(con, ("ann", "tuesday", 2), at=NOON + 3 * HOUR)
    assert rows(con) == [("ann", "monday", 0, None)]


def test_after_its_time_a_row_stays_as_it_was(con) -> None:
    """Whether it stood or was cancelled."""
    look(con, ("ann", "a", -1), ("bob", "b", -1))
    look(con, ("ann", "a", -1), at=NOON + HOUR)
    look(con, ("bob", "b", -1), at=NOON + 3 * DAY)
    assert rows(con) == [("ann", "a", 0, None), ("bob", "b", 0, 1)]


def test_rules_and_customers_do_not_count_for_each_other(con) -> None:
    """A rule that could not be asked leaves its rows alone; one that is gone takes them back."""
    standing.begin(con, NOON)
    give(con, ("ann", "a", -1), ("bob", "a", -2))
    for name in ("r", "s", "t"):
        standing.collect(con, rule(name), "{}")
    settle(con)
    standing.begin(con, NOON + HOUR)
    give(con, ("ann", "a", -1))
    standing.collect(con, rule("r"), "{}")
    standing.retire(con, "s")
    settle(con)
    found = con.execute(
        "SELECT trigger, customer_id FROM kept WHERE cancelled_at IS NULL ORDER BY ALL"
    ).fetchall()
    assert found == [("r", "ann"), ("t", "ann"), ("t", "bob")]
    assert con.execute("SELECT count(*) FROM kept").fetchall() == [(6,)]


def test_what_lacks_a_part_is_no_reason_and_of_one_that_comes_twice_the_last_counts(con) -> None:
    """Nor is a moment that never comes."""
    standing.begin(con, NOON)
    give(con, (None, "a", -1), ("ann", None, -1), ("ann", "b", None), ("ann", "c", -5), ("ann", "c", -3))
    con.execute("INSERT INTO given VALUES ('ann', 'd', 'infinity'), ('ann', 'e', '-infinity')")
    standing.collect(con, rule(), "{}")
    found = con.execute("SELECT customer_id, cause, due_at FROM reasons").fetchall()
    assert found == [("ann", "c", NOON - 3 * HOUR)]


@pytest.mark.parametrize(
    "sql",
    [
        "FROM nowhere",
        "SELECT 'ann' AS customer_id",
        "SELECT 'ann' AS customer_id, 'b' AS cause, 'soon' AS due_at, '' AS about",
    ],
)
def test_a_rule_that_fails_gives_nothing_and_takes_nothing_back(con, sql: str) -> None:
    """Its rows stand until it can be asked."""
    look(con, ("ann", "a", -1))
    standing.begin(con, NOON + HOUR)
    with pytest.raises(duckdb.Error):
        standing.collect(con, rule(sql=sql), "{}")
    settle(con)
    assert rows(con) == [("ann", "a", 0, None)]


def test_when_a_rule_is_due_next(con) -> None:
    """Of each the first moment to come."""
    standing.begin(con, NOON)
    give(con, ("ann", "a", 5), ("bob", "a", 3), ("ann", "b", -1), ("ann", "c", 0))
    standing.collect(con, rule("r"), "{}")
    standing.collect(con, rule("s", f"{GIVEN} WHERE due_at > '2026-03-10 16:00:00+00'"), "{}")
    standing.collect(con, rule("t", f"{GIVEN} WHERE customer_id = 'cleo'"), "{}")
    assert standing.next_due(con) == {"r": NOON + 3 * HOUR, "s": NOON + 5 * HOUR}


def identities(con, *rows: tuple[str | None, str | None]) -> None:
    con.execute("CREATE SCHEMA IF NOT EXISTS core")
    con.execute("CREATE OR REPLACE TABLE core.identities (first_customer_id VARCHAR, customer_id VARCHAR)")
    for row in rows:
        con.execute("INSERT INTO core.identities VALUES (?, ?)", list(row))


@pytest.mark.parametrize("gone", ["old", "abe"])
def test_rows_of_customers_that_were_merged_are_their_owners(con, gone) -> None:
    """Of two rows of one cause that become one customer's, the owner's own keeps the name, and neither goes."""
    look(con, ("ann", "a", -2), (gone, "a", -1), (gone, "b", -15))
    identities(con, ("ann", "ann"), (gone, "ann"), (None, "bob"), ("lost", None))
    assert con.execute(standing.GONE).fetchall() == [(gone, "ann")]
    standing.begin(con, NOON + HOUR)
    give(con, ("ann", "a", -2), ("ann", "b", -15))
    standing.collect(con, rule(), "{}")
    settle(con, standing.GONE)
    kept = [("ann", "a", 0, None), ("ann", "b", 0, None), (gone, "a", 0, 1)]
    assert rows(con) == sorted(kept, key=lambda row: row[:2])


def test_the_owner_s_own_row_keeps_the_name_though_the_other_one_fired_earlier(con) -> None:
    """Each customer has a cause once, whoever had it first."""
    look(con, ("abe", "a", -3), at=NOON - HOUR)
    look(con, ("abe", "a", -3), ("ann", "a", -2))
    identities(con, ("abe", "ann"), ("ann", "ann"))
    standing.begin(con, NOON + HOUR)
    give(con, ("ann", "a", -2))
    standing.collect(con, rule(), "{}")
    settle(con, standing.GONE)
    assert rows(con) == [("abe", "a", -1, 1), ("ann", "a", 0, None)]


def test_who_has_a_name_still_is_not_gone(con) -> None:
    """Identifiers may move from one customer to another, and both stay."""
    identities(con, ("ann", "bob"), ("ann", "ann"), ("old", "bob"), ("old", "ann"))
    assert con.execute(standing.GONE).fetchall() == [("old", "ann")]


def test_a_reason_keeps_its_id_when_its_customer_is_merged_into_another(con) -> None:
    """Whoever acted on it finds it again; so do rows of before there were ids."""
    look(con, ("old", "a", -1), ("bob", "b", -1))
    con.execute("UPDATE kept SET reason_id = NULL WHERE customer_id = 'bob'")
    [(before,)] = con.execute("SELECT reason_id FROM kept WHERE customer_id = 'old'").fetchall()
    identities(con, ("ann", "ann"), ("old", "ann"), ("cid", "cid"), ("bob", "cid"))
    standing.begin(con, NOON)
    settle(con, standing.GONE)
    found = dict(con.execute("SELECT customer_id, reason_id FROM kept").fetchall())
    assert found == {"ann": before, "cid": hashlib.md5(b"r\x1fbob\x1fb").hexdigest()}
