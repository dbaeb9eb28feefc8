"""For any statements, in any order of arrival, the SQL says yes exactly where a plain reading of them does."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.consent_oracle import allowed
from tests.support.model_cases import Row, answer, tied

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = (0, 4, 8, 16, 16.5, 20, 24, 30, 40, 48, 50, 64, 72, 24 * 365)  # 16 is midnight in Shanghai
MOMENTS = st.sampled_from(HOURS).map(lambda hours: START + timedelta(hours=hours))
MAYBE = st.none() | MOMENTS
RECORDS = {"1": "ann", "2": "ann", "3": "bob"}  # 4 is nobody's
TIED = tied(**{f"crm_id__{record}": customer for record, customer in RECORDS.items()})
ARRIVAL: dict[str, Any] = {
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


def of_one_zone(rows: list[Row]) -> list[Row]:
    """One source has one zone."""
    return [{**row, "time_zone": rows[0]["time_zone"]} for row in rows]


statements = numbered(STATEMENT, 9).map(of_one_zone)
carried_addresses = numbered(CARRIED, 7)


def answers(rows: list[Row], carried: list[Row], recalled: list[str]) -> set[tuple[str, str, str]]:
    """Return whom the SQL allows to be contacted, where, by which channel."""
    shared = {"identifier_type": "crm_id", "purpose": "marketing"}
    told = answer(
        "core.consent_answers",
        mapped__consents=[{**row, **shared, "identifier_value": row["record"]} for row in rows],
        mapped__carried_addresses=carried,
        core__identities=TIED,
        raw__consent_recalls=[
            {"kind": "file", "target": file, "recalled": True, "recalled_at": START, "_loaded_at": START}
            for file in recalled
        ],
    )
    return {(row["customer_id"], row["address"], row["channel"]) for row in told if row["allowed"]}


def row(number: int, record: str, granted: bool, stated: float | None, loaded: float, **more: Any) -> Row:
    def hour(value: float | None) -> datetime | None:
        return None if value is None else START + timedelta(hours=value)

    base = {"source": "crm", "record": record, "granted": granted, "channel": "email", "address": None}
    when = {"stated_at": hour(stated), "_loaded_at": hour(loaded), "updated_at": None, "deleted": None}
    return {**base, **when, "time_zone": "UTC", "_file_id": "a", "_row": number, **more}


ONE_ADDRESS = [
    {"source": "crm", "record": record, "identifier_type": "email", "identifier_value": "a", "slot": 0, "said": True,
     "updated_at": None, "deleted": None, "_loaded_at": START, "_file_id": "a", "_row": number}
    for number, record in enumerate("13")
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(statements, carried_addresses, st.lists(st.sampled_from("ab"), max_size=1))
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
@example(  # one record says both at once, another one yes
    [row(0, "1", True, 20, 24), row(1, "1", False, 20, 24), row(2, "3", True, 30, 40)], ONE_ADDRESS, []
)
def test_the_sql_says_yes_where_a_plain_reading_does(rows, carried, recalled):
    """Several records, shared and moving addresses, same instants, days, futures, deletions, recalls, any arrival."""
    plain = allowed(rows, carried, RECORDS, recalled)
    assert answers(rows, carried, recalled) == plain
    shuffled = random.Random(len(rows)).sample(rows, len(rows))
    assert answers(shuffled, carried, recalled) == plain
