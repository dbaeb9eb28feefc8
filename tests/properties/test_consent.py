"""For any statements, in any order of arrival, the SQL says yes exactly where a plain reading of them does."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lakehouse.privacy.address_hash import AddressHasher
from tests.support.consent_oracle import allowed
from tests.support.model_cases import Row, answer, let_hash, tied

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = (0, 4, 8, 16, 16.5, 20, 24, 30, 40, 48, 50, 64, 72, 24 * 365)  # 16 is midnight in Shanghai
MOMENTS = st.sampled_from(HOURS).map(lambda hours: START + timedelta(hours=hours))
NO_DATES = st.sampled_from([datetime(1970, 1, 1, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC)])
MAYBE = st.none() | MOMENTS | MOMENTS | NO_DATES
RECORDS = {"1": "ann", "2": "ann", "3": "bob"}  # 4 is nobody's
TYPES = dict.fromkeys("12", "user_id") | dict.fromkeys("34", "crm_id")
TIED = tied(**{f"{TYPES[record]}__{record}": customer for record, customer in RECORDS.items()})
ARRIVAL: dict[str, Any] = {
    "source": st.sampled_from(["crm", "crm", "web"]),  # `web` restates what stands, as tracked events do
    "record": st.sampled_from("1234"),
    "updated_at": MAYBE,
    "deleted": st.sampled_from([None, None, None, False, True]),
    "_loaded_at": MOMENTS,
    "_file_id": st.sampled_from("ab"),
}
ADDRESSES = st.sampled_from(["a", "b", "c"])
STATEMENT = ARRIVAL | {
    "channel": st.sampled_from(["email", "email", "sms"]),
    "granted": st.sampled_from([None, True, True, False]),
    "stated_at": MAYBE,
    "address": st.none() | st.none() | ADDRESSES,
    "time_zone": st.sampled_from(["UTC", "Asia/Shanghai"]),
    "form": st.sampled_from([None, None, "footer", "popup"]),
    "own_word": st.sampled_from([None, True, True]),
}
CARRIED = ARRIVAL | {
    "identifier_type": st.sampled_from(["email", "email", "phone"]),
    "identifier_value": st.none() | ADDRESSES,
    "slot": st.integers(0, 1),
    "said": st.sampled_from([True, True, False]),
}


def numbered(columns: dict[str, Any], most: int) -> st.SearchStrategy[list[Row]]:
    rows = st.lists(st.fixed_dictionaries(columns), max_size=most)
    return rows.map(
        lambda found: [{"source": "crm", **row, "_row": number} for number, row in enumerate(found)]
    )


def of_their_source(rows: list[Row]) -> list[Row]:
    """One source has one zone; events name no address."""
    return [
        {
            **row,
            "time_zone": rows[0]["time_zone"],
            "restated": row["source"] == "web",
            "address": None if row["source"] == "web" else row["address"],
        }
        for row in rows
    ]


statement_lists = numbered(STATEMENT, 12).map(of_their_source)
carried_addresses = numbered(CARRIED, 7)


def identified(row: Row) -> Row:
    """Return a statement with the identifier of its record: a user id, or one of a CRM's record."""
    record = row["record"]
    named = {"identifier_type": TYPES[record], "identifier_value": record}
    return {**row, **named, "purpose": "marketing"}


HASHER = AddressHasher(b"a key of thirty-two characters or more")
ERASED = st.dictionaries(st.sampled_from(["a", "b", "c", "record 1", "record 3"]), MOMENTS, max_size=2)


def erasures(erased: dict[str, datetime]) -> list[Row]:
    """Return the rows of `raw.consent_erasures`; one more was ended, and one came from a clock that is far ahead."""
    let_hash(HASHER)
    rows = []
    for number, (name, when) in enumerate(erased.items()):
        record = name.removeprefix("record ")
        hashed = HASHER.hash(name) if record == name else HASHER.hash_identifier(TYPES[record], record)
        row = {"erasure_id": f"e_{number}", "subject_hash": hashed, "erased": True, "_row": number}
        times = {"erased_at": when + timedelta(days=number * 9000), "_loaded_at": when, "_file_id": "e"}
        rows.append(row | times)
    wrong = {"erasure_id": "e_wrong", "subject_hash": HASHER.hash("a"), "erased_at": START, "_file_id": "e"}
    ended = [{**wrong, "erased": each, "_loaded_at": START, "_row": 10 - each} for each in (True, False)]
    return rows + ended


def answers(
    rows: list[Row], carried: list[Row], recalled: list[str], erased: dict[str, datetime] | None = None
) -> set[tuple[str, str, str]]:
    """Return whom the SQL allows to be contacted, where, by which channel."""
    told = answer(
        "core.consent_answers",
        mapped__consents=list(map(identified, rows)),
        mapped__carried_addresses=carried,
        core__identities=TIED,
        raw__consent_recalls=[
            {"kind": kind, "target": name, "recalled": True, "recalled_at": START, "_loaded_at": START}
            for name in recalled
            for kind in ("file", "form")
        ],
        raw__consent_erasures=erasures(erased) if erased else [],
    )
    return {(row["customer_id"], row["address"], row["channel"]) for row in told if row["allowed"]}


def statements(rows: list[Row]) -> list[Row]:
    """Return the rows of `core.consents`."""
    return answer("core.consents", mapped__consents=list(map(identified, rows)), core__identities=TIED)


def row(number: int, record: str, granted: bool, stated: float | None, loaded: float, **more: Any) -> Row:
    def hour(value: float | None) -> datetime | None:
        return None if value is None else START + timedelta(hours=value)

    base: Row = {"source": "crm", "record": record, "granted": granted, "channel": "email", "address": None}
    when = {"stated_at": hour(stated), "_loaded_at": hour(loaded), "updated_at": None, "deleted": None}
    base |= {"form": None, "own_word": None}
    base["restated"] = more.get("source") == "web"
    return {**base, **when, "time_zone": "UTC", "_file_id": "a", "_row": number, **more}


ONE_ADDRESS = [
    {"source": "crm", "record": record, "identifier_type": "email", "identifier_value": "a", "slot": 0, "said": True,
     "updated_at": None, "deleted": None, "_loaded_at": START, "_file_id": "a", "_row": number}
    for number, record in enumerate("13")
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    statement_lists, carried_addresses, st.lists(st.sampled_from(["a", "b", "footer", "popup"]), max_size=2)
)
@example([row(0, "1", True, 20, 24), row(1, "3", False, 4, 24)], ONE_ADDRESS, [])
@example(
    [row(0, "1", False, None, 24), row(1, "1", True, 30, 40), row(2, "1", False, None, 48)], ONE_ADDRESS, []
)
@example(
    [row(0, "1", False, 24, 30), row(1, "1", True, 40, 41)], ONE_ADDRESS[:1], []
)  # a no of that whole day
@example(
    [row(0, "1", True, 24 * 365, 4), row(1, "1", False, 8, 30)], ONE_ADDRESS[:1], []
)  # a yes from the future
@example(  # events repeat a yes; a no comes late, from between them
    [row(n, "1", n != 3, 8 + n, 20 if n == 3 else 10 + n, source="web") for n in range(5)],
    [{**ONE_ADDRESS[0], "source": "web"}],
    [],
)
@example(  # events of one instant say both
    [row(n, "1", n != 1, 8, 10, source="web") for n in range(3)], [{**ONE_ADDRESS[0], "source": "web"}], []
)
@example(  # the file of the first of the events is recalled, and a no lies between
    [row(n, "1", n != 1, 8 + n, 20, source="web", _file_id="ab"[n > 1]) for n in range(3)],
    [{**ONE_ADDRESS[0], "source": "web"}],
    ["a"],
)
@example(  # an event at midnight says no to that instant, not to its day
    [row(0, "1", False, 24, 30, source="web"), row(1, "1", True, 26, 30, source="web")],
    [{**ONE_ADDRESS[0], "source": "web"}],
    [],
)
@example(  # an event of a clock that is far ahead is no later than it came
    [
        row(0, "1", True, 9000, 20, source="web"),
        row(1, "1", False, 30, 31, source="web"),
        row(2, "1", True, 40, 41, source="web"),
    ],
    [{**ONE_ADDRESS[0], "source": "web"}],
    [],
)
@example(  # a recalled form is named in one export, and left out in the next
    [row(0, "1", True, 8, 10, form="popup"), row(1, "1", True, 8, 20, _file_id="b")],
    ONE_ADDRESS[:1],
    ["popup"],
)
@example(  # the same was said by another form, too
    [row(0, "1", True, 8, 10, form="popup"), row(1, "1", True, 8, 20, form="footer")],
    ONE_ADDRESS[:1],
    ["popup"],
)
@example(  # each evidence is recalled for its own reason
    [row(0, "1", True, 8, 10, form="popup"), row(1, "1", True, 8, 20, form="footer", _file_id="b")],
    ONE_ADDRESS[:1],
    ["popup", "b"],
)
@example(  # a record that refused has another address now; another one agreed before, and one afterwards
    [row(0, "1", False, 20, 24), row(1, "2", True, 4, 5), row(2, "3", True, 40, 41)],
    [
        {**ONE_ADDRESS[0], "_loaded_at": START},
        {**ONE_ADDRESS[0], "identifier_value": "b", "_loaded_at": START + timedelta(hours=30), "_row": 1},
        {**ONE_ADDRESS[0], "record": "2", "_row": 2},
        {**ONE_ADDRESS[0], "record": "3", "_row": 3},
    ],
    [],
)
@example(  # a refusal of a record that had left the address before
    [row(0, "1", False, 40, 41), row(1, "3", True, 4, 5)],
    [
        {**ONE_ADDRESS[0], "_loaded_at": START},
        {**ONE_ADDRESS[0], "identifier_value": "b", "_loaded_at": START + timedelta(hours=30), "_row": 1},
        {**ONE_ADDRESS[0], "record": "3", "_row": 2},
    ],
    [],
)
@example(  # one file tells of a refusal without a date, and later of another address
    [row(0, "1", False, None, 50, updated_at=START + timedelta(hours=20)), row(1, "3", True, 4, 5)],
    [
        {**ONE_ADDRESS[0], "updated_at": START, "_loaded_at": START + timedelta(hours=50)},
        {**ONE_ADDRESS[0], "identifier_value": "b", "updated_at": START + timedelta(hours=30),
         "_loaded_at": START + timedelta(hours=50), "_row": 1},
        {**ONE_ADDRESS[0], "record": "3", "_row": 2},
    ],
    [],
)  # fmt: skip
@example(  # a record of a clock that is years ahead has another address now
    [row(0, "1", True, 4, 5)],
    [
        {**ONE_ADDRESS[0], "updated_at": START + timedelta(hours=9000)},
        {**ONE_ADDRESS[0], "identifier_value": "b", "_loaded_at": START + timedelta(hours=30), "_row": 1},
    ],
    [],
)
@example(  # a refusal dated with what stands for no date
    [
        row(0, "1", True, 4, 5),
        {**row(1, "1", False, None, 30), "stated_at": datetime(1970, 1, 1, tzinfo=UTC)},
    ],
    ONE_ADDRESS[:1],
    [],
)
@example(  # a record of a clock that is years ahead is deleted
    [
        row(0, "1", True, 4, 5, updated_at=START + timedelta(hours=9000)),
        row(1, "1", None, None, 30, deleted=True),
    ],
    ONE_ADDRESS[:1],
    [],
)
@example(  # an id said yes, and is somebody else's by now: no address of it stayed
    [row(0, "1", True, 4, 5)],
    [
        {**ONE_ADDRESS[0], "_loaded_at": START},
        {**ONE_ADDRESS[0], "identifier_value": "b", "_loaded_at": START + timedelta(hours=30), "_row": 1},
    ],
    [],
)
@example(  # the same, and the other one says yes, too, without a date
    [row(0, "1", True, None, 5), row(1, "1", True, None, 40), row(2, "1", True, 4, 5, channel="sms")],
    [
        {**ONE_ADDRESS[0], "_loaded_at": START},
        {**ONE_ADDRESS[0], "identifier_value": "b", "_loaded_at": START + timedelta(hours=30), "_row": 1},
    ],
    [],
)
@example(  # a person who has another e-mail now, and the same phone
    [row(0, "1", True, 4, 5)],
    [
        {**ONE_ADDRESS[0], "_loaded_at": START},
        {
            **ONE_ADDRESS[0],
            "identifier_type": "phone",
            "identifier_value": "c",
            "_loaded_at": START,
            "_row": 1,
        },
        {**ONE_ADDRESS[0], "identifier_value": "b", "_loaded_at": START + timedelta(hours=30), "_row": 2},
    ],
    [],
)
@example(  # a yes that events restate, from before and after an id became somebody else's
    [row(n, "1", True, 8 + n, 10 + 20 * n, source="web") for n in range(2)],
    [
        {**ONE_ADDRESS[0], "source": "web", "_loaded_at": START},
        {
            **ONE_ADDRESS[0],
            "source": "web",
            "identifier_value": "b",
            "_loaded_at": START + timedelta(hours=8.5),
            "_row": 1,
        },
    ],
    [],
)
@example(  # one record says both at once, another one yes
    [row(0, "1", True, 20, 24), row(1, "1", False, 20, 24), row(2, "3", True, 30, 40)], ONE_ADDRESS, []
)
def test_the_sql_says_yes_where_a_plain_reading_does(rows, carried, recalled):
    """Several records, shared and moving addresses, same instants, days, futures, deletions, recalls, any arrival."""
    plain = allowed(list(map(identified, rows)), carried, RECORDS, recalled)
    assert answers(rows, carried, recalled) == plain
    shuffled = random.Random(len(rows)).sample(rows, len(rows))
    assert answers(shuffled, carried, recalled) == plain


@settings(max_examples=60, deadline=None)
@given(statement_lists, carried_addresses, ERASED)
@example([row(0, "1", True, 4, 5)], ONE_ADDRESS[:1], {"a": START + timedelta(hours=30)})
@example(  # a list that comes again, with a date after it
    [row(0, "1", True, 40, 41, address="a")], ONE_ADDRESS[:1], {"a": START + timedelta(hours=30)}
)
@example(  # their own word since, and before
    [row(n, "1", True, 40 * n, 41 * n + 1, address="a", own_word=True) for n in range(2)],
    ONE_ADDRESS[:1],
    {"a": START + timedelta(hours=30)},
)
@example(  # their own word of before, which came late, and one that names no address
    [row(0, "1", True, 4, 41, address="a", own_word=True), row(1, "1", True, 40, 41, own_word=True)],
    ONE_ADDRESS[:1],
    {"a": START + timedelta(hours=30)},
)
@example(  # a record that is known has another address now
    [row(0, "1", True, 40, 41)],
    [{**ONE_ADDRESS[0], "identifier_value": "b"}],
    {"record 1": START + timedelta(hours=30)},
)
@example(  # what an imported yes would lift
    [row(0, "1", False, 20, 21, address="a"), row(1, "3", True, 40, 41, address="a")],
    ONE_ADDRESS,
    {"a": START + timedelta(hours=30)},
)
@example(  # a record that is known takes its refusal back by a list, and another one agreed before
    [row(0, "1", False, 20, 21), row(1, "1", True, 40, 41), row(2, "3", True, 4, 5)],
    ONE_ADDRESS,
    {"record 1": START + timedelta(hours=30)},
)
@example(  # a clock that was years ahead when somebody was erased
    [row(0, "1", True, 40, 41, address="a", own_word=True)],
    ONE_ADDRESS[:1],
    {"c": START, "a": START + timedelta(hours=30)},
)
def test_of_who_was_erased_their_own_word_alone_counts(rows, carried, erased):
    """Whatever is imported again, in whatever order it and the erasure came."""
    assert answers(rows, carried, [], erased) == allowed(
        list(map(identified, rows)), carried, RECORDS, (), erased
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("12"), st.booleans(), st.integers(0, 12)), max_size=14), st.data())
def test_what_events_restate_is_a_statement_a_change(said, data):
    """Each is of a row that says so at that time; what was known once keeps its id, however late the others come."""
    events = [
        row(number, record, granted, hour, 20 + number, source="web")
        for number, (record, granted, hour) in enumerate(said)
    ]
    known = data.draw(st.integers(0, len(events)))
    found = statements(events)
    assert {each["consent_id"] for each in statements(events[:known])} <= {e["consent_id"] for e in found}
    assert len({each["consent_id"] for each in found}) == len(found)
    for each in found:
        source = events[each["row"]]
        assert (each["record"], each["granted"], each["stated_at"]) == (
            source["record"], source["granted"], source["stated_at"],
        )  # fmt: skip
    for record in "12":
        in_time = sorted((hour, not granted) for who, granted, hour in said if who == record)
        changes = [
            refused for n, (_, refused) in enumerate(in_time) if n == 0 or in_time[n - 1][1] != refused
        ]
        held = sorted((e["stated_at"], not e["granted"]) for e in found if e["record"] == record)
        assert [refused for _, refused in held] == changes
