"""What resolve says of a value is what a link by that value finds."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lakehouse.engine import normal_forms
from lakehouse.engine.ids import BLANKS
from lakehouse.engine.normal_forms import form_sql, normal_form
from lakehouse.identity.resolve import resolve

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EMAILS = st.one_of(
    st.emails(),
    st.from_regex(r"[aA]{1,2}[._+-]{0,2}[bB]?@[a-b-]{1,3}[.](com|COM|local|test)", fullmatch=True),
    st.sampled_from(["ann@例子.中国", "ann＠b.com", "noreply@b.com", "ann", ""]),
)
PHONES = st.one_of(
    st.from_regex(r"([+]86|0086|86)?[ -]?1[0-9]{2}[ -]?0000[ -]?000[0-3]", fullmatch=True),
    st.from_regex(r"([+]1 ?)?[(]?415[)]?[ .-]?555[ .-]?267[0-3]( ext. 1)?", fullmatch=True),
    st.sampled_from(["020 7946 0958", "+44 20 7946 0958", "13800138000", "1.38E+10", "none", ""]),
)
BLANK = st.sampled_from(["", " ", "\u00a0", "\u200b", "\t"])
REGION = st.sampled_from([None, "", "CN", "us", " GB ", "XX"])


def spelled(kind: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, str, str | None]]:
    """Give (type, value as typed, region)."""
    return st.tuples(st.just(kind), st.builds("{}{}{}".format, BLANK, values, BLANK), REGION)


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("SET TimeZone = 'UTC'")
        normal_forms.create(con)
        yield con


@settings(max_examples=60, deadline=None, database=None)
@example([("user_id", "'@A.mm", "")])
@given(
    st.lists(
        st.one_of(spelled("email", EMAILS), spelled("phone", PHONES), spelled("user_id", EMAILS)), max_size=12
    )
)
def test_a_link_finds_whom_the_same_value_named_at_resolve(con, values):
    """Each value is carried by a person with an id of their own; a value that names nobody finds nobody."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE observed "
        "(record TEXT, source TEXT, slot TEXT, own BOOLEAN, every BOOLEAN, alias BOOLEAN, type TEXT, value TEXT, "
        "region TEXT, said_at TIMESTAMPTZ, loaded_at TIMESTAMPTZ, file_id TEXT, row BIGINT)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE links (record TEXT, type TEXT, value TEXT, region TEXT)")
    for number, (kind, value, region) in enumerate(values):
        person = f"p{number}"
        for own, (type_, said) in enumerate([(kind, value), ("crm_id", person)]):
            con.execute(
                "INSERT INTO observed VALUES (?, 's', ?, ?, false, false, ?, ?, ?, ?, ?, 'f', 1)",
                [person, type_, bool(own), type_, said, region, NOW, NOW],
            )
        con.execute("INSERT INTO links VALUES (?, ?, ?, ?)", [person, kind, value, region])
    resolve(con, observations="observed", previous=None, now=NOW, max_records=1_000)
    found = con.execute(
        f"SELECT l.record, l.type, l.value, l.region, p.customer_id, i.customer_id FROM links AS l "
        "JOIN identities_new AS p ON p.identifier_type = 'crm_id' AND p.identifier_value = l.record "
        "LEFT JOIN identities_new AS i ON i.identifier_type = l.type "
        f"AND i.identifier_value = {form_sql('l.type', 'l.value', 'l.region')}"
    ).fetchall()
    known = set(con.execute("SELECT identifier_type, identifier_value FROM identities_new").fetchall())
    assert len(found) == len(values)
    for _, kind, value, region, person, linked in found:
        bare = value.strip(BLANKS)
        if kind == "user_id":
            ((normal,),) = con.execute("SELECT id_form('user_id', ?)", [bare]).fetchall()
        else:
            normal = normal_form(kind, bare, region)
        assert linked == (person if (kind, normal) in known else None)
