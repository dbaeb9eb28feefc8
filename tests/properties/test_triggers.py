"""Each reason once, whatever comes late, twice or in another order; what lost its reason is taken back, never gone."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lakehouse.engine import duck, user_agents
from lakehouse.models import registry
from lakehouse.models.given_rows import column_types, fill_table
from lakehouse.models.triggers import definition, standing
from lakehouse.settings import Settings
from lakehouse.sources import definition as sources
from lakehouse.tables import views
from lakehouse.tables.contracts import TRIGGERS

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHORT = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
)


@pytest.fixture(scope="module")
def con():
    with closing(duck.connect(Settings(), iceberg=False, threads=1)) as connection:
        yield connection


# ---------------------------------------------------------------- what becomes of reasons, by a rule of a few lines


def oracle(rows: dict, reasons: dict, now: datetime, within: timedelta, apart: timedelta) -> None:
    """Change rows, (customer, cause) → row, as one look at the reasons, (customer, cause) → due, does."""

    def near(who: str, cause: str, due: datetime, other: tuple[str, str], other_due: datetime) -> bool:
        return who == other[0] and (cause == other[1] or abs(due - other_due) < apart)

    for (who, cause), row in rows.items():
        if row["expires"] > now:
            holds = any(near(who, cause, row["due"], key, due) for key, due in reasons.items() if due <= now)
            row["cancelled"] = None if holds else row["cancelled"] or now
    for (who, cause), due in sorted(reasons.items(), key=lambda each: (each[1], each[0][1])):
        taken = any(near(who, cause, due, key, row["due"]) for key, row in rows.items())
        if due <= now < due + within and not taken:
            rows[who, cause] = {"due": due, "fired": now, "expires": due + within, "cancelled": None}


def played(con, looks, rule) -> list[dict]:
    """Return the rows after each look, of reasons that are given."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE kept AS {views.nothing_sql(TRIGGERS)}")
    states = []
    for now, reasons in looks:
        standing.begin(con, now)
        con.execute(
            "CREATE OR REPLACE TEMP TABLE given (customer_id VARCHAR, cause VARCHAR, due_at TIMESTAMPTZ)"
        )
        for (who, cause), due in reasons.items():
            con.execute("INSERT INTO given VALUES (?, ?, ?)", [who, cause, due])
        standing.collect(con, rule, "{}")
        standing.settle(con, "FROM kept", "SELECT '' AS gone, '' AS owner WHERE false")
        con.execute("CREATE OR REPLACE TEMP TABLE kept AS FROM rows_now")
        found = con.execute(
            "SELECT customer_id, cause, due_at, fired_at, expires_at, cancelled_at FROM kept"
        ).fetchall()
        state = {
            (who, cause): {"due": due, "fired": fired, "expires": expires, "cancelled": cancelled}
            for who, cause, due, fired, expires, cancelled in found
        }
        assert len(state) == len(found)
        states.append(state)
    return states


hours = st.integers(-12, 12).map(lambda n: START + n * HOUR)
reasons_now = st.dictionaries(st.tuples(st.sampled_from("aab"), st.sampled_from("pq")), hours, max_size=3)
steps = st.lists(st.tuples(st.integers(0, 9), reasons_now), min_size=1, max_size=6)


@settings(SHORT, max_examples=60)
@given(steps, st.sampled_from([2, 12, 24]), st.sampled_from([0, 5, 12]))
def test_rows_are_those_of_the_plain_rule(con, listed, within, apart):
    """Reasons come, go, come back and move; the clock goes on; no row ever goes."""
    rule = definition.Rule(
        name="r", title="t", doc="d", within=f"{within} hours", again_after=f"{apart} hours",
        sql="SELECT *, NULL AS about FROM given",
    )  # fmt: skip
    now, looks, expected, states = START, [], {}, []
    for hours_on, reasons in listed:
        now += hours_on * HOUR
        looks.append((now, reasons))
        oracle(expected, reasons, now, rule.within, rule.again_after)
        states.append({key: dict(row) for key, row in expected.items()})
    assert played(con, looks, rule) == states


# ---------------------------------------------------------------- carts, orders, openings; late, twice, reordered


class Message(NamedTuple):
    """What happened, hours before or after the start; how much later it arrived; how often it came."""

    kind: str
    at: int
    late: int
    copies: int


messages = st.lists(
    st.builds(
        Message,
        st.sampled_from(["cart", "cart", "order", "shop order", "open"]),
        st.integers(-48, 48),
        st.sampled_from([0, 0, 0, 1, 7, 30]),
        st.integers(1, 2),
    ),
    max_size=6,
)
SAYS = {
    "cart": {"type": "track", "event": "Product Added"},
    "order": {"type": "track", "event": "Order Completed"},
    "open": {"type": "screen", "name": "Home"},
}


def moment(message: Message) -> datetime:
    return START + message.at * HOUR + timedelta(minutes=message.at % 7)


def reason_of_cart(seen: list[Message]) -> dict[str, datetime]:
    """A cart after the last order: by its last day, an hour after its last message."""
    last_order = max((moment(each) for each in seen if "order" in each.kind), default=START - 99 * DAY)
    carts = [moment(each) for each in seen if each.kind == "cart" and moment(each) > last_order]
    return {max(carts).date().isoformat(): max(carts) + HOUR} if carts else {}


def reason_of_silence(seen: list[Message]) -> dict[str, datetime]:
    openings = [moment(each) for each in seen if each.kind == "open"]
    return {f"{max(openings):%Y-%m-%dT%H:%M:%SZ}": max(openings) + 14 * DAY} if openings else {}


class Asked:
    """A shipped rule over tables in memory, made once."""

    def __init__(self, con, name: str) -> None:
        rules = definition.load()
        self.rule, self.model = rules.defined[name], rules.models[name]
        self._con = con
        types = column_types(registry.load(), sources.load().values())
        con.execute("DROP SCHEMA IF EXISTS raw CASCADE; DROP SCHEMA IF EXISTS core CASCADE")
        con.execute("CREATE SCHEMA raw; CREATE SCHEMA core; SET VARIABLE time_zone = 'UTC'")
        for table in {*self.model.inputs, "core.orders"}:
            fill_table(con, table, types[table], [])
        con.execute("INSERT INTO core.identities (identifier_type, identifier_value, customer_id) "
                    "VALUES ('user_id', 'u', 'ann')")  # fmt: skip
        con.execute(views.EVENTS)
        user_agents.create_for(con, self.model.sql)

    def look(self, seen: list[Message], now: datetime) -> None:
        self._con.execute("DELETE FROM raw.events; DELETE FROM core.orders")
        for number, each in enumerate(seen):
            if each.kind == "shop order":
                values = [f"O{number}", moment(each)]
                insert = "INSERT INTO core.orders (source, order_id, customer_id, ordered_at) VALUES ('s', ?, 'ann', ?)"
                self._con.execute(insert, values)
                continue
            said = SAYS[each.kind] | {"user_id": "u", "message_id": f"m{number}", "timestamp": moment(each)}
            insert = f"INSERT INTO raw.events ({', '.join(said)}) VALUES ({', '.join('?' * len(said))})"
            for _ in range(each.copies):
                self._con.execute(insert, list(said.values()))
        self._con.execute("SET VARIABLE as_of = CAST(? AS DATE)", [now.date()])
        standing.begin(self._con, now)
        standing.collect(self._con, self.rule, "{}")

    def reasons(self) -> dict[str, datetime]:
        return dict(self._con.execute("SELECT cause, due_at FROM reasons").fetchall())


@pytest.fixture(scope="module", params=["abandoned_cart", "silent_app"])
def asked(request, con) -> Asked:
    return Asked(con, request.param)


REASONS = {"abandoned_cart": reason_of_cart, "silent_app": reason_of_silence}


@settings(SHORT, max_examples=25)
@given(messages, st.lists(st.integers(1, 60), min_size=1, max_size=5))
def test_carts_and_silence_are_the_plain_rule_over_what_has_come(con, asked, listed, pauses):
    """And in the end each that is due stands once, however late and often its messages came."""
    reason, beat = REASONS[asked.rule.name], HOUR if asked.rule.name == "abandoned_cart" else 6 * HOUR
    con.execute(f"CREATE OR REPLACE TEMP TABLE kept AS {views.nothing_sql(TRIGGERS)}")
    now, expected = START - 48 * HOUR, {}
    for pause in pauses:
        now += pause * beat
        seen = [each for each in listed if moment(each) + each.late * HOUR <= now]
        asked.look(seen, now)
        plain = reason(seen)
        recent = {cause: due for cause, due in plain.items() if due + asked.rule.within > now}
        assert {
            cause: due for cause, due in asked.reasons().items() if due + asked.rule.within > now
        } == recent
        standing.settle(con, "FROM kept", "SELECT '' AS gone, '' AS owner WHERE false")
        con.execute("CREATE OR REPLACE TEMP TABLE kept AS FROM rows_now")
        reasons = {("ann", cause): due for cause, due in plain.items()}
        oracle(expected, reasons, now, asked.rule.within, asked.rule.again_after)
        found = con.execute(
            "SELECT cause, fired_at, cancelled_at FROM kept WHERE expires_at > ?", [now]
        ).fetchall()
        alive = {key: row for key, row in expected.items() if row["expires"] > now}
        assert sorted(found, key=str) == sorted(
            ((cause, row["fired"], row["cancelled"]) for (_, cause), row in alive.items()), key=str
        )
