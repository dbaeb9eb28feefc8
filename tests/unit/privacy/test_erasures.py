"""Who counts as erased: what was said last of each erasure; with another key nobody can be told."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.engine.keyed_hash import subject_hash_sql
from lakehouse.errors import Terminal
from lakehouse.privacy import address_hash, erasures
from lakehouse.privacy.address_hash import AddressHasher
from lakehouse.settings import Settings

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = "a key of these tests, long enough to be one"
HASHER = AddressHasher(KEY.encode())
COLUMNS = (
    "subject_hash",
    "kind",
    "erasure_id",
    "erased",
    "erased_at",
    "_loaded_at",
    "_file_id",
    "_row",
    "reason",
)


@pytest.fixture(scope="module")
def con():
    with closing(duckdb.connect(config={"threads": "1"})) as connection:
        connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA raw")
        yield connection


def fill(con, *rows: dict) -> None:
    con.execute(
        f"CREATE OR REPLACE TABLE {erasures.ERASURES} (subject_hash VARCHAR, kind VARCHAR, erasure_id VARCHAR, "
        "erased BOOLEAN, erased_at TIMESTAMPTZ, _loaded_at TIMESTAMPTZ, _file_id VARCHAR, _row BIGINT, reason VARCHAR, "
        "key VARCHAR)"
    )
    for row in rows:
        names = ", ".join(row)
        con.execute(
            f"INSERT INTO {erasures.ERASURES} ({names}) VALUES ({', '.join('?' * len(row))})", [*row.values()]
        )


def said(
    number: int = 0, *, erased: bool = True, at: int = 0, loaded: int = 0, who: str = "h1", **more
) -> dict:
    """One row: what a file said of an erasure, in hours from noon."""
    return {
        "subject_hash": who, "kind": "address", "erasure_id": "e1", "erased": erased, "erased_at": NOON + at * HOUR,
        "_loaded_at": NOON + loaded * HOUR, "_file_id": "f", "_row": number, "reason": f"reason {number}", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "in_force"),
    [
        pytest.param([], [], id="nobody"),
        pytest.param([said()], [("h1", 0, "reason 0")], id="erased"),
        pytest.param([said(), said(1, erased=False, loaded=1)], [], id="ended"),
        pytest.param([said(1, erased=False), said(at=1, loaded=1)], [("h1", 1, "reason 0")], id="and erased again"),
        pytest.param([said(at=5, loaded=1)], [("h1", 1, "reason 0")], id="a clock that is ahead"),
        pytest.param(
            [said(at=-2), said(1, at=-9, loaded=1)], [("h1", -9, "reason 1")], id="the last word says when and why"
        ),
        pytest.param(
            [said(), said(1, loaded=1, reason=None)], [("h1", 0, None)], id="a last word without a reason has none"
        ),
        pytest.param([said(0), said(1, erased=False)], [], id="in one file the later row is the last word"),
        pytest.param(
            [said(), said(1, erased=False, loaded=1, erasure_id="e2")], [("h1", 0, "reason 0")],
            id="the end of another erasure ends none",
        ),
        pytest.param(
            [said(), said(1, erased=False, loaded=1, kind="user_id")], [("h1", 0, "reason 0")],
            id="nor does that of another kind of identifier",
        ),
        pytest.param(
            [said(), said(1, who="h2"), said(2, erased=False, loaded=1)], [("h2", 0, "reason 1")], id="each by itself"
        ),
    ],
)  # fmt: skip
def test_an_erasure_is_in_force_until_it_is_ended(con, rows, in_force) -> None:
    fill(con, *rows)
    found = con.execute(
        f"SELECT subject_hash, erased_at, reason FROM ({erasures.IN_FORCE}) ORDER BY ALL"
    ).fetchall()
    assert found == [(who, NOON + at * HOUR, reason) for who, at, reason in in_force]


sayings = st.lists(
    st.builds(
        said,
        st.integers(0, 3),
        erased=st.booleans(),
        at=st.integers(-3, 3),
        loaded=st.integers(0, 2),
        who=st.sampled_from(["h1", "h2"]),
        erasure_id=st.sampled_from(["e1", "e2"]),
        _file_id=st.sampled_from("fg"),
    ),
    unique_by=lambda row: (row["_loaded_at"], row["_file_id"], row["_row"]),
    max_size=8,
)


@tried(max_examples=50, deadline=None, database=None)
@given(sayings)
def test_the_last_word_counts_in_whatever_order_files_are_read(con, rows) -> None:
    """Of each erasure of each subject, by when it was loaded, then by file and row."""
    fill(con, *rows)
    last: dict[tuple, dict] = {}
    for row in sorted(rows, key=lambda row: (row["_loaded_at"], row["_file_id"], row["_row"])):
        last[row["subject_hash"], row["erasure_id"]] = row
    expected = sorted(
        (who, name, min(row["erased_at"], row["_loaded_at"]), row["reason"])
        for (who, name), row in last.items()
        if row["erased"]
    )
    query = f"SELECT subject_hash, erasure_id, erased_at, reason FROM ({erasures.IN_FORCE}) ORDER BY ALL"
    assert con.execute(query).fetchall() == expected


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The secrets that were read; each holds the key."""
    names: list[str] = []

    def secret(name: str) -> dict[str, str]:
        names.append(name)
        return {"key": KEY}

    monkeypatch.setattr(address_hash, "secret", secret)
    return names


def hashed(con) -> str | None:
    ((found,),) = con.execute(f"SELECT {subject_hash_sql(repr('email'), repr('ann@x.org'))}").fetchall()
    return found


def test_where_nobody_was_erased_no_key_is_needed(con, asked) -> None:
    """Nor the right to read it."""
    fill(con)
    erasures.let_hash(con, Settings())
    assert asked == []


def test_with_the_key_of_the_erasures_a_connection_knows_who_was_erased(con, asked) -> None:
    fill(con, said(key=HASHER.fingerprint), said(1, who="h2", key=HASHER.fingerprint))
    with closing(con.cursor()) as cursor:
        erasures.let_hash(cursor, Settings())
        assert hashed(cursor) == HASHER.hash("ann@x.org")
    assert asked == ["lakehouse/hash"]


@pytest.mark.parametrize("used", [["other"], [HASHER.fingerprint, "other"], [None]])
def test_with_another_key_nobody_would_be_known(con, asked, used) -> None:
    """So nothing goes on: of several keys, too, one does not tell all of them."""
    fill(con, *(said(number, key=key) for number, key in enumerate(used)))
    with closing(con.cursor()) as cursor:
        with pytest.raises(Terminal, match=r"lakehouse/hash holds another key.*put the earlier key back"):
            erasures.let_hash(cursor, Settings())
        assert hashed(cursor) is None
