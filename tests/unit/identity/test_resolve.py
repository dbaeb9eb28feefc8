"""Observations in, customers out: the promises of `resolve`, each on a handful of rows."""

from __future__ import annotations

import time
import tracemalloc
from datetime import timedelta

import pytest

from lakehouse.identity import Resolution, resolve
from tests.support.observations import ANN, ANN_SALES, BOB, DAY, NOW, Seen, customers, observe, rules, settle


def test_one_person_in_two_crms_is_one_customer(con):
    """Two records that spell one e-mail differently are one customer; the counts say what was seen."""
    resolution = settle(con, *ANN, *ANN_SALES, *BOB)
    who = customers(con)
    assert who["101"] == who["003A"] == who["ann@example.com"] == who["+8613800001110"] != who["102"]
    assert resolution == Resolution(
        observations=7,
        identifiers=6,
        customers=2,
        invalid={},
        placeholders=0,
        ignored_common=0,
        new=2,
        merged=0,
        split=0,
    )


def test_an_open_id_is_a_persons_within_one_app(con):
    """So it comes with the app's id before it; a union id ties what apps of one account know, a lead too."""
    settle(
        con,
        Seen("wxa:same", "wechat_openid", "wxa:same", source="wechat:users"),
        Seen("wxb:same", "wechat_openid", "wxb:same", source="wechat:users"),
        Seen("wxa:o1", "wechat_openid", "wxa:o1", source="wechat:users"),
        Seen("wxa:o1", "wechat_unionid", "u1", source="wechat:users"),
        Seen("wxb:o9", "wechat_openid", "wxb:o9", source="wechat:users"),
        Seen("wxb:o9", "wechat_unionid", "u1", source="wechat:users"),
        Seen("77", "wechat_openid", "wxa:o1", source="wechat:leads"),
        Seen("77", "phone", "19999000001", source="wechat:leads", region="CN"),
        Seen("wxb:O9", "wechat_openid", "wxb:O9", source="wechat:users"),
    )
    who = customers(con)
    assert who["wxa:o1"] == who["wxb:o9"] == who["u1"] == who["+8619999000001"]
    assert len({who["wxa:same"], who["wxb:same"], who["wxa:o1"], who["wxb:O9"]}) == 4
    assert rules(con)["u1"] == "wechat_openid"
    assert rules(con)["wxb:o9"] == "wechat_unionid"


def test_a_phone_that_a_spreadsheet_has_rounded_ties_nobody(con):
    """Whoever has such a one is not whoever has the number that it reads as."""
    resolution = settle(
        con,
        Seen("1", "phone", "1.38E+10", region="CN"),
        Seen("2", "phone", "1.38E+10", region="CN"),
        Seen("3", "phone", "13812345000", region="CN"),
    )
    assert resolution.invalid == {"phone": 2}
    assert list(customers(con)) == ["+8613812345000"]


def test_columns_are_the_contract(con):
    """`identities_new` and `identity_changes` have the columns and types that the tables' writer expects."""
    settle(con, *ANN)
    described = [row[:2] for row in con.execute("DESCRIBE identities_new").fetchall()]
    assert described == [
        ("identifier_type", "VARCHAR"),
        ("identifier_value", "VARCHAR"),
        ("customer_id", "VARCHAR"),
        ("rule", "VARCHAR"),
        ("first_seen_at", "TIMESTAMP WITH TIME ZONE"),
        ("last_seen_at", "TIMESTAMP WITH TIME ZONE"),
        ("sources", "INTEGER"),
        ("records", "INTEGER"),
        ("first_customer_id", "VARCHAR"),
    ]
    assert [row[:2] for row in con.execute("DESCRIBE identity_changes").fetchall()] == [
        ("change", "VARCHAR"),
        ("customer_id", "VARCHAR"),
        ("into_customer_id", "VARCHAR"),
        ("at", "TIMESTAMP WITH TIME ZONE"),
    ]
    left = con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary ORDER BY ALL").fetchall()
    assert left == [("evidence_new",), ("identities_new",), ("identity_changes",)]


def test_nothing_observed_is_nobody(con):
    """An empty relation gives no customers and no error."""
    assert settle(con).customers == 0
    assert customers(con) == {}


def test_seen_from_first_to_last_and_by_how_many(con):
    """An identifier keeps its first and last moment, its sources and its records, each counted once."""
    settle(con, *ANN, *ANN, *ANN_SALES)
    row = con.execute(
        "SELECT first_seen_at, last_seen_at, sources, records FROM identities_new "
        "WHERE identifier_type = 'email'"
    ).fetchone()
    assert row == (DAY, DAY + timedelta(days=3), 2, 2)


def test_first_seen_outlives_the_observation(con):
    """When the early observation is gone, the identity still knows when it was first and last seen."""
    settle(con, *ANN, *ANN_SALES)
    settle(con, *ANN_SALES)
    row = con.execute(
        "SELECT first_seen_at, last_seen_at FROM identities_new WHERE identifier_type = 'email'"
    ).fetchone()
    assert row == (DAY, DAY + timedelta(days=3))


def test_a_moment_nobody_knows_is_now(con):
    """Without any seen_at the identity is seen now, and stays so."""
    observe(con, *ANN)
    con.execute("UPDATE observations SET said_at = NULL, loaded_at = NULL")
    resolve(con, observations="observations", previous=None, now=NOW)
    con.execute("CREATE TABLE before AS FROM identities_new")
    resolve(con, observations="observations", previous="before", now=NOW + timedelta(days=1))
    assert con.execute("SELECT DISTINCT first_seen_at, last_seen_at FROM identities_new").fetchall() == [
        (NOW, NOW)
    ]


def test_rule_names_the_strongest_companion(con):
    """The rule is the strongest type that shares a record with the identifier; alone it is 'self'."""
    settle(
        con,
        *ANN,
        Seen("w", "anonymous_id", "anon-1", source="web"),
        Seen("w", "user_id", "u1", source="web"),
        Seen("w2", "anonymous_id", "anon-2", source="web"),
        Seen("l", "loyalty_card", "L9", source="shop"),
        Seen("l", "till", "T1", source="shop"),
    )
    assert rules(con) == {
        "101": "email",
        "ann@example.com": "phone",
        "+8613800001110": "email",
        "anon-1": "user_id",
        "u1": "anonymous_id",
        "anon-2": "self",
        "L9": "till",
        "T1": "loyalty_card",
    }


def test_two_identifiers_of_one_type_tie_each_other(con):
    """Two e-mails in one record are one person's, by e-mail."""
    settle(con, Seen("1", "email", "a@example.com"), Seen("1", "email", "b@example.com"))
    assert rules(con) == {"a@example.com": "email", "b@example.com": "email"}


def test_invalid_values_are_counted_and_left_out(con):
    """A malformed e-mail and a phone that a spreadsheet rounded tie nobody; blanks are nothing at all."""
    resolution = settle(
        con,
        *ANN,
        Seen("2", "hubspot_id", "102"),
        Seen("2", "email", "ann@@example"),
        Seen("3", "email", "ann@@example"),
        Seen("2", "phone", "1.38E+10"),
        Seen("2", "email", "  "),
        Seen("2", "phone", None),
    )
    assert resolution.invalid == {"email": 2, "phone": 1}
    assert resolution.observations == 7
    assert sorted(customers(con)) == ["+8613800001110", "101", "102", "ann@example.com"]


def test_region_says_how_a_phone_was_written(con):
    """The same digits in two countries are two phones."""
    settle(
        con, Seen("1", "phone", "020 7946 0958", region="gb"), Seen("2", "phone", "(415) 555-2671", region="")
    )
    assert set(customers(con)) == {"+442079460958", "+14155552671"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(("email", "test@example.com"), ("email", "N/A@example.com"), ("email", "NoReply@shop.example.com")),
        *(("phone", "138 1234 5678"), ("phone", "+86 188 8888 8888"), ("phone", "13800138000")),
        *(("user_id", "null"), ("user_id", "0"), ("anonymous_id", "00000000-0000-0000-0000-000000000000")),
        *(("wechat_openid", "undefined"), ("hubspot_id", "#N/A"), ("user_id", "匿名")),
    ],
)
def test_placeholders_tie_nobody(con, kind, value):
    """What people and programs write for want of a value never ties two customers."""
    resolution = settle(con, *ANN, *BOB, Seen("1", kind, value), Seen("2", kind, value))
    assert (resolution.customers, resolution.placeholders, resolution.identifiers) == (2, 1, 5)


def test_ids_may_be_numbers(con):
    """A relation that forgot to write ids as text is read all the same."""
    observe(con, Seen("1", "hubspot_id", "101"))
    con.execute("ALTER TABLE observations ALTER value TYPE BIGINT")
    resolve(con, observations="observations", previous=None, now=NOW)
    assert set(customers(con)) == {"101"}


def test_an_id_that_looks_like_a_phone_placeholder_is_an_id(con):
    """Only phones are judged by their digits: a CRM may well count to 12345678."""
    assert settle(con, Seen("1", "hubspot_id", "12345678"), Seen("1", "user_id", "88888888")).identifiers == 2


def _mailbox(records: int, kind: str = "email", value: str = "info@example.com") -> list[Seen]:
    return [
        seen
        for n in range(records)
        for seen in (Seen(f"c{n}", "hubspot_id", f"{n + 500}"), Seen(f"c{n}", kind, value))
    ]


def test_a_shared_mailbox_ties_nobody_and_belongs_to_nobody(con):
    """Ten contacts with one address are a person's duplicates, eleven are colleagues."""
    assert settle(con, *_mailbox(10)).customers == 1
    crowd = settle(con, *_mailbox(11))
    assert (crowd.customers, crowd.ignored_common) == (11, 1)
    assert "info@example.com" not in customers(con)


def test_the_limit_is_within_one_source(con):
    """Ten records in each of two CRMs are not too many of either."""
    twice = [seen._replace(source="salesforce") for seen in _mailbox(10)]
    assert settle(con, *_mailbox(10), *twice).customers == 1


def test_one_spelling_more_does_not_pass_the_limit(con):
    """Spellings of one address count together, and a contact that repeats it counts once."""
    shouted = [seen._replace(value=(seen.value or "").upper()) for seen in _mailbox(10)]
    assert settle(con, *_mailbox(10), *shouted).customers == 1


@pytest.mark.parametrize("kind", ["user_id", "salesforce_id", "wechat_unionid", "loyalty_card"])
def test_an_id_that_many_people_carry_ties_nobody(con, kind):
    """As a phone does: five hundred contacts with one loyalty number are no person. Its own record keeps it."""
    owner = (
        Seen("u-1", kind, "u-1", source="shop"),
        Seen("u-1", "email", "owner@example.com", source="shop"),
    )
    crowd = settle(con, *_mailbox(12, kind, "u-1"), *owner)
    assert (crowd.customers, crowd.ignored_common) == (13, 1)
    assert customers(con)["u-1"] == customers(con)["owner@example.com"]
    assert settle(con, *_mailbox(10, kind, "u-1"), *owner).customers == 1


def test_people_are_counted_and_not_their_records(con):
    """Eleven contacts of one account are one person, who may have a phone."""
    account = [Seen(f"c{n}", "user_id", "u-1") for n in range(11)]
    contacts = _mailbox(11, "phone", "13800001110")
    assert settle(con, *contacts).ignored_common == 1
    own = [s._replace(type="user_id", value="u-1") if s.type == "hubspot_id" else s for s in contacts]
    assert settle(con, *own, *account).customers == 1


def test_a_shared_device_ties_nobody(con):
    """A user's twelve devices are the user's; a device of twelve users is a kiosk."""
    devices = [
        s for n in range(12) for s in (Seen(f"w{n}", "user_id", "u1"), Seen(f"w{n}", "anonymous_id", f"a{n}"))
    ]
    assert settle(con, *devices).customers == 1
    kiosk = [
        s for n in range(12) for s in (Seen(f"w{n}", "user_id", f"u{n}"), Seen(f"w{n}", "anonymous_id", "a"))
    ]
    crowd = settle(con, *kiosk)
    assert (crowd.customers, crowd.ignored_common) == (12, 1)
    visits = [s._replace(value="u1" if s.type == "user_id" else s.value) for s in kiosk]
    assert settle(con, *visits).ignored_common == 0  # one user, however often


def test_a_user_id_that_comes_with_everybody_s_address_is_nobody_s(con):
    """A program writes it for whoever it is; a user who had ten addresses is one."""
    calls = [
        seen
        for n in range(11)
        for seen in (Seen(f"w{n}", "user_id", "batch-job"), Seen(f"w{n}", "email", f"p{n}@example.com"))
    ]
    crowd = settle(con, *calls)
    assert (crowd.customers, crowd.ignored_common) == (11, 1)
    assert settle(con, *calls[:20]).customers == 1


def test_a_user_id_on_everybody_s_device_is_nobody_s(con):
    """Each device has its own user, too, and those stay apart; of two who share a device one person is made."""
    visits = [
        seen
        for n in range(12)
        for seen in (
            Seen(f"a{n}", "anonymous_id", f"d{n}"), Seen(f"a{n}", "user_id", "nobody-signed-in"),
            Seen(f"b{n}", "anonymous_id", f"d{n}"), Seen(f"b{n}", "user_id", f"u{n}"),
        )
    ]  # fmt: skip
    crowd = settle(con, *visits)
    assert (crowd.customers, crowd.ignored_common) == (12, 1)
    assert settle(con, *visits[:8]).customers == 1


def word(con, one: str, other: str, verdict: str, day: int = 0) -> None:
    """Say of two records, by the HubSpot ids that name them, that they are one person, or two."""
    con.execute(
        "CREATE TABLE IF NOT EXISTS words (one_type TEXT, one_value TEXT, other_type TEXT, other_value TEXT, "
        "verdict TEXT, said_at TIMESTAMPTZ, _loaded_at TIMESTAMPTZ, _file_id TEXT, _row BIGINT)"
    )
    said_at = NOW + timedelta(days=day)
    con.execute(
        "INSERT INTO words VALUES ('hubspot_id', ?, 'hubspot_id', ?, ?, ?, ?, 'f', 1)",
        [one, other, verdict, said_at, said_at],
    )


def test_a_person_s_word_outranks_all_evidence(con):
    """Two who share an address are two, and two who share nothing are one; the newest word counts."""
    shared = Seen("2", "email", "ann@example.com", 1)
    seen = [*ANN, *BOB, shared, Seen("3", "hubspot_id", "103")]
    observe(con, *seen)
    word(con, "101", "102", "two")
    word(con, "103", "102", "one")
    word(con, "999", "102", "one")  # of a record that is not there
    resolve(con, observations="observations", previous=None, now=NOW, words="words")
    who = customers(con)
    assert who["102"] == who["103"] != who["101"] == who["ann@example.com"]
    word(con, "102", "101", "open", day=1)
    resolve(con, observations="observations", previous=None, now=NOW, words="words")
    assert len(set(customers(con).values())) == 1
    word(con, "102", "103", "two", day=1)
    resolve(con, observations="observations", previous=None, now=NOW, words="words")
    assert customers(con)["103"] != customers(con)["102"]


def test_names_that_contradict_are_never_one(con):
    """Whatever ties them, but for what names both records, and a person's word."""
    seen = [
        *ANN,
        *BOB,
        Seen("2", "email", "ann@example.com", 1),
        Seen("5", "hubspot_id", "101", source="other"),
    ]
    observe(con, *seen)
    con.execute(
        "CREATE TABLE people AS FROM (VALUES ('hubspot', '1', 'Ann Lee'), ('hubspot', '2', 'Bob Ray'), "
        "('other', '5', 'Zoe Fox')) AS t(source, record, name)"
    )
    resolve(con, observations="observations", people="people", previous=None, now=NOW)
    assert customers(con)["101"] == customers(con)["ann@example.com"] != customers(con)["102"]
    word(con, "101", "102", "one")
    resolve(con, observations="observations", people="people", previous=None, now=NOW, words="words")
    assert len(set(customers(con).values())) == 1


def all_of_one_address(con, count: int) -> tuple[Resolution, float, int]:
    """Resolve so many records of one system with one e-mail; return what came of it, processor seconds, peak bytes."""
    con.execute(
        "CREATE OR REPLACE TABLE observations AS SELECT 'c' || i AS record, 'crm:contacts' AS source, type AS slot, "
        "type = 'crm_id' AS own, own AS every, false AS alias, type, NULL::VARCHAR AS region, 'f' AS file_id, "
        "i AS row, CASE WHEN own THEN 'r' || i ELSE 'info@acme.example' END AS value, $day AS said_at, "
        "$day AS loaded_at "
        "FROM range($count) AS r(i), (VALUES ('crm_id'), ('email')) AS t(type)",
        {"day": DAY, "count": count},
    )
    tracemalloc.start()
    began = time.process_time()
    resolution = resolve(con, observations="observations", previous=None, now=NOW)
    seconds, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return resolution, seconds, peak


def test_an_address_that_everybody_has_ties_nobody_and_costs_no_more_than_others(con):
    """A form's default: no pair is made of those who share it, and ten times as many cost about ten times as much."""
    all_of_one_address(con, 100)  # what is only imported once
    _, few_seconds, few_bytes = all_of_one_address(con, 3_000)
    resolution, seconds, peak = all_of_one_address(con, 30_000)
    assert (resolution.customers, resolution.ignored_common) == (30_000, 1)
    assert con.execute("SELECT DISTINCT standing FROM evidence_new WHERE NOT own").fetchall() == [("shared",)]
    assert seconds < 15 * few_seconds
    assert peak < 12 * few_bytes
