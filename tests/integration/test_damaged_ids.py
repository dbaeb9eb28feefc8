"""Damaged and empty ids tie nobody and overwrite nobody: files as programs and spreadsheets spoil them, in one lake."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.filled_lake import Filled, filled_lake

if TYPE_CHECKING:
    from collections.abc import Iterator

HUBSPOT = "Record ID,First Name,Email,Shop Customer ID,Create Date,Last Modified Date\n"
DAY = "2026-01-05 08:30"
# What PostHog, Segment and Mixpanel refuse, each on the devices of two people.
ILLEGAL = (
    "not_authenticated",
    "distinct_id",
    "id",
    "email",
    "None",
    "NaN",
    "user_id",
    "logged_out",
    "{{user_id}}",
    "guest",
)


def _events() -> bytes:
    events = [
        {"messageId": "f1", "userId": 4711},
        {"messageId": "f2", "userId": 4711.0},
        {"messageId": "f3", "userId": "4711"},
        {"messageId": "b1", "userId": "s29b ", "anonymousId": "device 29"},
        {"messageId": "undefined", "userId": "u1"},
        {"messageId": "r1", "userId": "1.23457E+11"},
    ]
    for number, word in enumerate(ILLEGAL):
        for person in "ab":
            device = f"device {number}{person}"
            events += [
                {"messageId": f"{number}{person}1", "userId": word, "anonymousId": device},
                {
                    "messageId": f"{number}{person}2",
                    "userId": f"person {number}{person}",
                    "anonymousId": device,
                },
            ]
    common = {"type": "page", "timestamp": "2026-01-05T09:00:00Z"}
    return "".join(json.dumps(common | event) + "\n" for event in events).encode()


def _leads() -> bytes:
    """Ids as floats, since one of them is empty: as pandas writes them."""
    rows = [
        {"lead_id": 71.0, "converted_contact_id": 4.0, "name": "Ada", "created_at": DAY},
        {"lead_id": 72.0, "converted_contact_id": None, "name": "Bo", "created_at": DAY},
        {"lead_id": 2.0**60, "converted_contact_id": None, "name": "Cy", "created_at": DAY},
    ]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


FILES: dict[tuple[str, str], tuple[str, bytes | str]] = {
    ("web", "events"): ("e.ndjson", _events()),
    ("shop", "orders"): (
        "o.csv",
        ("order_id,customer_id,ordered_at,quantity,amount,currency\n"
        "4001.0,4711.0,2026-01-05 08:30:00,1,10.5,EUR\n4002.0,,2026-01-05 08:30:00,1,10.5,EUR\n"
        "4.50123E+11,s1,2026-01-05 08:30:00,1,10.50,EUR\n4.50123E+11,s2,2026-01-05 09:30:00,1,99.00,EUR\n"
        "o29,s29b\u00a0,2026-01-05 08:30:00,1,5.00,EUR\nn1,(not set),2026-01-05 08:30:00,1,5.00,EUR\n"
        "n2,NULL,2026-01-05 08:30:00,1,5.00,EUR\nn3,#N/A,2026-01-05 08:30:00,1,5.00,EUR\n"
        "#NAME?,s3,2026-01-05 08:30:00,1,5.00,EUR\n0,s3,2026-01-05 08:30:00,1,5.00,EUR\n"),
    ),
    ("shop", "order_items"): (
        "i.csv",
        "order_id,line_id,product_id,quantity\n4001.0,0,77.0,1\n4001,1,undefined,2\n\\N,1,77,1\n",
    ),
    ("hubspot", "contacts"): (
        "c.csv",
        HUBSPOT + f"1.23457E+11,Ada,ada@case.net,,{DAY},{DAY}\n1.23457E+11,Bo,bo@case.net,,{DAY},{DAY}\n"
        f"50001,Pam,pam@case.net,1.00004E+11,{DAY},{DAY}\n50002,Quin,quin@case.net,{{{{user_id}}}},{DAY},{DAY}\n"
        f"50003,Rae,rae@case.net,{{{{user_id}}}},{DAY},{DAY}\n50004.0,Sue,sue@case.net,4711.0,{DAY},{DAY}\n",
    ),
    ("crm", "contacts"): (
        "k.csv",
        ("contact_id,name,email,phone,customer_id\nK1,Ada Quill,NULL,N/A,\\N\nK2,Bo Reed,\\N,-,\\N\n"
        "K3,Cy Wren,none,000,null\nK4,Di Lark,n/a,undefined,null\nK5,Ed Finch,#N/A,None,0\nK6,Fay Hart,-,+,0\n"
        "\\N,Gil Moss,gil@case.net,,\n#REF!,Hal Roe,hal@case.net,,\n \ufeffK7\u200b,Ida Poe,ida@case.net,,\n"),
    ),
    ("crm", "leads"): ("l.parquet", _leads()),
    ("surveys", "answers"): (
        "s.csv",
        ("answer_id,survey_id,question,answer,answered_at,customer_id,email\n"
        "a1,s1,q,5,2026-01-05 08:30:00,(not set),one@case.net\na2,s1,q,5,2026-01-05 08:30:00,(not set),two@case.net\n"),
    ),
    ("salesforce", "contacts"): (
        "sf.csv",
        ("Id,FirstName,LastName,Email,AccountId,CreatedDate,LastModifiedDate\n"
        "0035e00000AbCdEAAV,Sue,Pike,,000000000000000AAA,2026-01-01T00:00:00,2026-02-01T00:00:00\n"
        "0035e00000AbCdE,Sue,Pike,pike@case.net,0015e00000AbCdE,2026-01-01T00:00:00,2026-02-02T00:00:00\n"
        "0035e00000abcde,Tom,Poe,tom@case.net,,2026-01-01T00:00:00,2026-02-01T00:00:00\n"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("damaged")
    paths = {}
    for place, (name, content) in FILES.items():
        paths[place] = folder / name
        paths[place].write_bytes(content if isinstance(content, bytes) else content.encode())
    with filled_lake(folder, paths) as lake:
        yield lake


def customers(filled: Filled, kind: str, *values: str) -> set[str | None]:
    """Return whose these identifiers are."""
    found = dict(
        filled.ask(
            f"SELECT identifier_value, customer_id FROM core.identities WHERE identifier_type = '{kind}'"
        )
    )
    return {found.get(value) for value in values}


def test_the_books_balance(filled: Filled) -> None:
    """Whatever is set aside is counted, and no model breaks."""
    assert filled.unbalanced == ()
    assert filled.wrong == []


def test_what_is_set_aside_says_why(filled: Filled) -> None:
    """A rounded number, wherever it stands; a placeholder where there must be an id. Everything else loads."""
    assert filled.set_aside == {
        ("web", "events"): {5: "missing_value", 6: "bad_id"},
        ("shop", "orders"): {3: "bad_id", 4: "bad_id", 9: "missing_value", 10: "missing_value"},
        ("shop", "order_items"): {3: "missing_value"},
        ("hubspot", "contacts"): {1: "bad_id", 2: "bad_id", 3: "bad_id"},
        ("crm", "contacts"): {7: "missing_value", 8: "missing_value"},
        ("crm", "leads"): {3: "bad_id"},
    }


def test_an_id_written_as_a_fraction_is_the_id(filled: Filled) -> None:
    """In CSV, in JSON and in Parquet: the order, its line, the events and the contact are one customer's."""
    ((customer,),) = filled.ask("SELECT customer_id FROM core.orders WHERE order_id = '4001'")
    assert customers(filled, "user_id", "4711") == customers(filled, "hubspot_id", "50004") == {customer}
    assert filled.ask(f"SELECT count(*) FROM core.events WHERE customer_id = '{customer}'") == [(3,)]
    assert filled.ask("SELECT order_id, line_id, product_id FROM core.order_items ORDER BY ALL") == [
        ("4001", "0", "77"),
        ("4001", "1", None),
    ]
    assert filled.ask("SELECT lead_id, converted_contact_id FROM core.leads ORDER BY ALL") == [
        ("71", "4"),
        ("72", None),
    ]


def test_blanks_around_an_id_are_none_of_it(filled: Filled) -> None:
    """The event and the order of `s29b` are one customer's, and the event counts."""
    ((customer,),) = filled.ask("SELECT customer_id FROM core.orders WHERE order_id = 'o29'")
    assert customer is not None
    assert filled.ask("SELECT customer_id FROM core.events WHERE message_id = 'b1'") == [(customer,)]
    assert filled.ask("SELECT count(*) FROM core.contacts WHERE contact_id = 'K7'") == [(1,)]


def test_a_placeholder_is_nobody_s_and_the_row_loads(filled: Filled) -> None:
    """An order of `(not set)` is an order of nobody; what came stands in the raw table."""
    assert filled.ask("SELECT order_id FROM core.orders WHERE customer_id IS NULL ORDER BY 1") == [
        ("4002",), ("n1",), ("n2",), ("n3",),
    ]  # fmt: skip
    assert filled.ask("SELECT customer_id FROM raw.shop_orders WHERE order_id = 'n1'") == [("(not set)",)]
    contacts = filled.ask(
        "SELECT contact_id, customer_id, email FROM core.contacts WHERE source = 'crm' ORDER BY 1"
    )
    assert [contact for contact, *_ in contacts] == [f"K{number}" for number in range(1, 8)]
    assert len({customer for _, customer, _ in contacts}) == 7
    assert {email for _, _, email in contacts[:6]} == {None}


def test_nobody_is_tied_by_what_programs_write_for_no_user(filled: Filled) -> None:
    """Two devices' people stay two, and each event is its device's person's."""
    for number in range(len(ILLEGAL)):
        assert len(customers(filled, "user_id", f"person {number}a", f"person {number}b")) == 2
    known = {value for (value,) in filled.ask("SELECT identifier_value FROM core.identities")}
    assert known.isdisjoint(ILLEGAL)
    assert filled.ask("SELECT count(*) FROM core.events WHERE customer_id IS NULL") == [(0,)]


def test_nobody_is_tied_through_a_record_that_a_placeholder_names(filled: Filled) -> None:
    """Two answers of `(not set)`, with two addresses."""
    assert len(customers(filled, "email", "one@case.net", "two@case.net") - {None}) == 2
    assert len(customers(filled, "email", "quin@case.net", "rae@case.net") - {None}) == 2


def test_salesforce_s_two_spellings_of_a_record_are_one(filled: Filled) -> None:
    """15 characters and 18; in another case it is another record, and its empty account is none."""
    rows = filled.ask(
        "SELECT contact_id, count(*), max(account_id), count(DISTINCT customer_id) FROM core.contacts "
        "WHERE source = 'salesforce' GROUP BY 1 ORDER BY 1"
    )
    assert rows == [("0035e00000AbCdEAAV", 2, "0015e00000AbCdEAAV", 1), ("0035e00000abcdeAAA", 1, None, 1)]
