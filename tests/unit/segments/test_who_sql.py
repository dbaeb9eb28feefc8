"""What is said without SQL selects whom a plain reading of it selects, and whom SQL written by hand does."""

from __future__ import annotations

import math
import unicodedata
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.segments.definition import Segment
from lakehouse.segments.known import known_of
from lakehouse.segments.question import WrongQuestionError, question_of
from lakehouse.segments.refresh import members_sql

TODAY = date(2026, 3, 31)
ZONE = ZoneInfo("Asia/Shanghai")
TEXTS = st.sampled_from(["Oslo", "oslo ", "ＯＳＬＯ", "Bergen", "北京", "o", "", "  "])
NUMBERS = st.sampled_from([Decimal("-1.5"), Decimal(0), Decimal(2), Decimal("2.50"), Decimal(100)])
DAYS = st.sampled_from([TODAY + timedelta(n) for n in (-91, -90, -89, -31, -30, -8, -7, -6, -1, 0, 1, 6, 7)])
MOMENTS = st.builds(
    lambda day, hour: datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC),
    DAYS,
    st.sampled_from([0, 15, 16, 23]),
)
CUSTOMER = st.fixed_dictionaries({
    "city": st.none() | TEXTS, "revenue": st.none() | NUMBERS, "last_order_on": st.none() | DAYS,
    "last_event_at": st.none() | MOMENTS, "email_marketing": st.none() | st.booleans(),
    "gap": st.none() | st.sampled_from([1.5, 30.0, float("nan")]),
    "orders": st.lists(st.fixed_dictionaries({
        "ordered_on": st.none() | DAYS, "product": st.none() | TEXTS, "value": st.none() | NUMBERS,
    }), max_size=3),
    "chances": st.lists(st.none() | NUMBERS, max_size=2),
})  # fmt: skip
CUSTOMERS = st.lists(CUSTOMER, min_size=1, max_size=6)
LENGTHS = st.sampled_from([1, 7, "7 days", "1 week", "90 days", "1 month", "quarter"])
DAY_WORDS = st.one_of(DAYS, st.sampled_from([
    "today", "yesterday", "7 days ago", "in 7 days", "1 month ago", "start of month", "2026-03-24", "start of week",
]))  # fmt: skip
SOME_TEXT = st.sampled_from(["oslo", "Oslo", "ｏｓｌｏ", "北京", "o"])
PLAIN = {"is": "is_not", "in": "not_in"}


def both(operators: st.SearchStrategy[dict]) -> st.SearchStrategy[dict]:
    """Tests, and their opposites where there are such."""
    return operators.flatmap(
        lambda tests: st.sampled_from(
            [tests, *({PLAIN[name]: value} for name, value in tests.items() if name in PLAIN)]
        )
    )


KNOWN = st.fixed_dictionaries({"known": st.booleans()})
TEXT_TESTS = both(KNOWN | st.fixed_dictionaries({"is": SOME_TEXT}) | st.builds(
    lambda name, value: {name: value}, st.sampled_from(["contains", "starts_with", "ends_with"]), SOME_TEXT,
) | st.fixed_dictionaries({"in": st.lists(SOME_TEXT, min_size=1, max_size=3)}))  # fmt: skip
NUMBER_NAMES = st.sampled_from(["is", "more_than", "at_least", "less_than", "at_most"])
NUMBER_TESTS = both(
    KNOWN
    | st.builds(lambda name, value: {name: value}, NUMBER_NAMES, st.sampled_from([0, 2, 2.5, -1.5, 100]))
    | st.just({"between": [0, 2.5]})
    | st.just({"at_least": 0, "less_than": 100})
    | st.just({"in": [2, 100]})
)
DAY_TESTS = both(
    KNOWN
    | st.builds(
        lambda name, value: {name: value},
        st.sampled_from(["before", "after", "on", "on_or_before", "on_or_after", "is"]), DAY_WORDS,
    )
    | st.builds(lambda name, value: {name: value}, st.sampled_from(["in_last", "in_next"]), LENGTHS)
    | st.just({"between": ["7 days ago", "today"]})
)  # fmt: skip
YES_TESTS = both(KNOWN | st.fixed_dictionaries({"is": st.booleans()}))
FIELDS = {
    "city": TEXT_TESTS, "revenue": NUMBER_TESTS, "gap": NUMBER_TESTS, "last_order_on": DAY_TESTS,
    "last_event_at": DAY_TESTS, "email_marketing": YES_TESTS, "churn_risk.chance": NUMBER_TESTS,
}  # fmt: skip
FIELD = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda name: FIELDS[name].map(lambda tests: {"field": name, **tests})
)
ROW = (
    TEXT_TESTS.map(lambda tests: {"field": "product", **tests})
    | NUMBER_TESTS.map(lambda tests: {"field": "value", **tests})
    | DAY_TESTS.map(lambda tests: {"field": "ordered_on", **tests})
)
HOW_MANY = st.builds(
    lambda name, value: {name: value},
    st.sampled_from(["is", "is_not", "more_than", "at_least", "less_than", "at_most"]), st.integers(0, 2),
) | st.just({"between": [0, 1]})  # fmt: skip
COUNT = st.builds(
    lambda how_many, window, that: {
        "count": "marts.bought",
        "by": "ordered_on",
        **how_many,
        **window,
        **that,
    },
    HOW_MANY,
    st.just({}) | st.builds(lambda length: {"in_last": length}, LENGTHS) | st.just({"before": "today"}),
    st.just({}) | ROW.map(lambda row: {"that": row}) | ROW.map(lambda row: {"that": {"not": row}}),
)
WHO = st.recursive(
    FIELD | COUNT,
    lambda below: st.builds(
        lambda form, parts: {form: parts},
        st.sampled_from(["all", "any"]), st.lists(below, min_size=1, max_size=3),
    ) | below.map(lambda part: {"not": part}),
    max_leaves=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("SET TimeZone = 'UTC'; SET threads = 1; CREATE SCHEMA marts; CREATE SCHEMA core")
        made.execute("SET VARIABLE time_zone = 'Asia/Shanghai'")
        made.execute(
            "CREATE TABLE marts.customer_360 (customer_id VARCHAR, as_of DATE, recency_days INT, city VARCHAR, "
            "revenue DECIMAL(18,2), last_order_on DATE, last_event_at TIMESTAMPTZ, email_marketing BOOLEAN, gap DOUBLE)"
        )
        made.execute(
            "CREATE TABLE marts.rfm AS SELECT customer_id, as_of, recency_days, 1 AS m FROM marts.customer_360"
        )
        made.execute(
            "CREATE TABLE marts.bought (customer_id VARCHAR, ordered_on DATE, product VARCHAR, value DECIMAL(18,2))"
        )
        made.execute("CREATE TABLE marts.churn_risk (customer_id VARCHAR, chance DECIMAL(18,2))")
        yield made


def put(con: duckdb.DuckDBPyConnection, customers: list[dict]) -> None:
    """Make the tables of these customers; of one row of what is bought nobody knows whose it is."""
    fields = ("city", "revenue", "last_order_on", "last_event_at", "email_marketing", "gap")
    named = [(str(number), one) for number, one in enumerate(customers)]
    bought = [(name, *(order[each] for each in ("ordered_on", "product", "value")))
              for name, one in named for order in one["orders"]]  # fmt: skip
    rows = {
        "customer_360": [(name, TODAY, 1, *(one[each] for each in fields)) for name, one in named],
        "bought": [*bought, (None, TODAY, "Oslo", Decimal(2))],
        "churn_risk": [(name, chance) for name, one in named for chance in one["chances"]],
    }
    for table, values in rows.items():
        con.execute(f"DELETE FROM marts.{table}")
        if values:
            places = ", ".join("(" + ", ".join("?" * len(values[0])) + ")" for _ in values)
            con.execute(
                f"INSERT INTO marts.{table} VALUES {places}", [cell for row in values for cell in row]
            )


def selected(con: duckdb.DuckDBPyConnection, **said: object) -> set[str]:
    segment = Segment.model_validate({"name": "s", "title": "S", "doc": "D", **said})
    question = question_of(segment, known_of(con))
    rows = con.execute(f"SELECT customer_id FROM ({members_sql(segment, question)})").fetchall()
    assert len(rows) == len({*rows})
    return {customer for (customer,) in rows}


# The oracle: what each word means, in plain Python.


def folded(text: str) -> str:
    wide = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
    return unicodedata.normalize("NFC", text.translate(wide)).lower().strip()


def day_of(value: object) -> date | None:
    return value.astimezone(ZONE).date() if isinstance(value, datetime) else value


def months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def moved(length: object, sign: int) -> date:
    number, unit = (length, "day") if isinstance(length, int) else (
        (int(length.split()[0]), length.split()[1]) if " " in length else (1, length)
    )  # fmt: skip
    unit = unit.rstrip("s")
    if unit in {"day", "week"}:
        return TODAY + timedelta(sign * number * (7 if unit == "week" else 1))
    return months_on(TODAY, sign * number * {"month": 1, "quarter": 3}[unit])


def named_day(value: object) -> date:
    if isinstance(value, date):
        return value
    known = {
        "today": TODAY, "yesterday": TODAY - timedelta(1), "7 days ago": date(2026, 3, 24),
        "in 7 days": date(2026, 4, 7), "1 month ago": date(2026, 2, 28), "start of month": date(2026, 3, 1),
        "start of week": date(2026, 3, 30),
    }  # fmt: skip
    return known[value] if value in known else date.fromisoformat(value)


def is_missing(value: object) -> bool:
    is_nan = isinstance(value, float) and math.isnan(value)
    return value is None or is_nan or (isinstance(value, str) and not folded(value))


def equals(value: object, wanted: object) -> bool:
    if isinstance(value, str):
        return folded(value) == folded(wanted)
    if isinstance(value, date):
        return day_of(value) == named_day(wanted)
    return value == (Decimal(str(wanted)) if isinstance(wanted, float) else wanted)


def passes(value: object, operator: str, wanted: object) -> bool:  # noqa: PLR0911 - a word each
    if operator in {"is_not", "not_in"}:
        return not passes(value, {"is_not": "is", "not_in": "in"}[operator], wanted)
    if operator == "known":
        return wanted != is_missing(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return False
    if operator in {"is", "in"}:
        return any(equals(value, each) for each in (wanted if operator == "in" else [wanted]))
    if operator in {"contains", "starts_with", "ends_with"}:
        text, part = folded(value), folded(wanted)
        return {"contains": part in text, "starts_with": text.startswith(part), "ends_with": text.endswith(part)}[
            operator
        ]  # fmt: skip
    if operator in {"in_last", "in_next"}:
        day = day_of(value)
        return moved(wanted, -1) < day <= TODAY if operator == "in_last" else TODAY <= day < moved(wanted, 1)
    if operator == "between":
        if isinstance(value, date):
            return named_day(wanted[0]) <= day_of(value) <= named_day(wanted[1])
        return wanted[0] <= value <= wanted[1]
    signs = {"more_than": ">", "at_least": ">=", "less_than": "<", "at_most": "<=", "before": "<", "after": ">",
             "on": "==", "on_or_before": "<=", "on_or_after": ">="}  # fmt: skip
    left, right = (
        (day_of(value), named_day(wanted)) if isinstance(value, date) else (value, Decimal(str(wanted)))
    )
    return {"<": left < right, ">": left > right, "==": left == right, "<=": left <= right, ">=": left >= right}[
        signs[operator]
    ]  # fmt: skip


def said_of(who: dict) -> dict[str, object]:
    return {name: value for name, value in who.items() if name not in {"field", "count", "that", "by"}}


def fits(who: dict, row: dict) -> bool:
    if "all" in who or "any" in who:
        parts = [fits(each, row) for each in who.get("all", who.get("any"))]
        return all(parts) if "all" in who else any(parts)
    if "not" in who:
        return not fits(who["not"], row)
    if "count" in who:
        return counted(who, row)
    tests = said_of(who)
    if (
        who["field"] == "churn_risk.chance"
    ):  # of several rows one must fulfil what is said, or none, where it says not
        negative = {"is_not": "is", "not_in": "in"}
        held = {
            name: value
            for name, value in tests.items()
            if name not in negative and (name, value) != ("known", False)
        }
        some = any(all(passes(value, *test) for test in held.items()) for value in row["chances"])
        none = [
            not any(passes(value, negative.get(name, "known"),
             wanted if name in negative else True) for value in row["chances"])
            for name, wanted in tests.items() if name not in held
        ]  # fmt: skip
        return (some or not held) and all(none)
    return all(passes(row[who["field"]], *test) for test in tests.items())


def counted(who: dict, row: dict) -> bool:
    windows = {name: value for name, value in said_of(who).items() if name in {"in_last", "before"}}
    rows = [
        order
        for order in row["orders"]
        if all(passes(order["ordered_on"], *test) for test in windows.items())
        and (windows or order["ordered_on"] is None or order["ordered_on"] <= TODAY)
        and ("that" not in who or fits(who["that"], order))
    ]
    return all(
        passes(len(rows), *test) for test in said_of(who).items() if test[0] not in {"in_last", "before"}
    )


@settings(max_examples=80, deadline=None)
@given(customers=CUSTOMERS, who=WHO)
def test_those_are_in_whom_a_plain_reading_selects(con, customers, who):
    """Whatever is missing; nobody twice, and who is in `not` of something is who is not in it."""
    put(con, customers)
    expected = {str(number) for number, one in enumerate(customers) if fits(who, one)}
    assert selected(con, who=who) == expected
    everybody = {str(number) for number in range(len(customers))}
    assert selected(con, who={"not": who}) == everybody - expected


@pytest.mark.parametrize(
    ("who", "where"),
    [
        ({"field": "revenue", "at_least": 2}, "revenue >= 2"),
        ({"field": "revenue", "is_not": 2}, "revenue IS DISTINCT FROM 2"),
        ({"field": "city", "in": ["Oslo", "Bergen"]}, "lower(trim(city)) IN ('oslo', 'bergen')"),
        ({"field": "city", "not_in": ["Bergen"]}, "city IS NULL OR lower(trim(city)) NOT IN ('bergen')"),
        ({"field": "city", "known": False}, "trim(coalesce(city, '')) = ''"),
        ({"field": "last_order_on", "in_last": "90 days"}, "last_order_on > as_of - 90 AND last_order_on <= as_of"),
        ({"field": "last_order_on", "before": "90 days ago"}, "last_order_on < as_of - 90"),
        ({"any": [{"field": "revenue", "more_than": 2}, {"not": {"field": "email_marketing", "is": True}}]},
         "revenue > 2 OR email_marketing IS NOT TRUE"),
        ({"count": "marts.bought", "by": "ordered_on", "in_last": "90 days", "at_least": 2,
          "that": {"field": "product", "is": "Bergen"}},
         ("customer_id IN (SELECT customer_id FROM marts.bought WHERE lower(trim(product)) = 'bergen' AND ordered_on "
          "BETWEEN DATE '2026-01-01' AND DATE '2026-03-31' GROUP BY 1 HAVING count(*) >= 2)")),
        ({"count": "marts.bought", "by": "ordered_on", "is": 0},
         ("customer_id NOT IN (SELECT customer_id FROM marts.bought "
          "WHERE customer_id IS NOT NULL AND coalesce(ordered_on <= as_of, true))")),
    ],
)  # fmt: skip
@settings(max_examples=8, deadline=None)
@given(customers=CUSTOMERS)
def test_sql_written_by_hand_selects_the_same(con, customers, who, where):
    """As somebody would write it who knows how nulls compare."""
    narrow = [{**one, "city": one["city"] and one["city"].replace("ＯＳＬＯ", "Oslo")} for one in customers]
    put(con, narrow)
    assert selected(con, who=who) == selected(con, where=where)


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ({"field": "cty", "is": "Oslo"}, "who.field: there is no field cty; did you mean city"),
        ({"all": [{"field": "revenue", "at_least": 1}, {"field": "churn_risk.chanse", "at_least": 1}]},
         "who.all.1.field: marts.churn_risk has no column chanse; did you mean chance"),
        ({"field": "churn_rsk.chance", "at_least": 1}, "who.field: there is no table churn_rsk"),
        ({"field": "revenue", "is": "much"}, "who.is: `is` takes a number here, and 'much' is none"),
        ({"field": "revenue", "in_last": 3}, "who.in_last: `in_last` asks a day, and this is a number"),
        ({"field": "last_order_on", "at_least": 3}, "`at_least` asks a number, and this is a day: say before, after"),
        ({"field": "last_order_on", "before": "soon"}, "who.before: 'soon' is no day: say a day as 2026-03-01"),
        ({"field": "city", "is": 15}, "this is a text, and 15 a number: put it between quotes, with all its zeros"),
        ({"field": "city", "is": False}, "YAML reads it as false, and this is a text: put the word between quotes"),
        ({"field": "email_marketing", "is": "yes"}, "this is yes or no, and 'yes' is neither: say true or false"),
        ({"field": "revenue", "contains": "1"}, "`contains` asks a text, and this is a number"),
        ({"count": "ordrs", "at_least": 1},
         "who.count: nobody counts ordrs; did you mean orders, or is it a table, such as core.tickets?"),
        ({"count": "marts.bought", "at_least": 1, "that": {"field": "produkt", "is": "x"}},
         "who.that.field: marts.bought has no column produkt; did you mean product"),
        ({"count": "marts.bought", "at_least": 1, "in_last": "7 days"},
         "say by which column of marts.bought the days go"),
        ({"count": "marts.bought", "at_least": 1, "by": "ordred_on"}, "who.by: marts.bought has no column ordred_on"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_told_with_the_nearest(con, who, says):
    """And in which condition it stands."""
    put(con, [])
    put(con, [{"city": "Oslo", "revenue": None, "last_order_on": None, "last_event_at": None, "email_marketing": None,
               "gap": None, "orders": [], "chances": []}])  # fmt: skip
    segment = Segment.model_validate({"name": "s", "title": "S", "doc": "D", "who": who})
    with pytest.raises(WrongQuestionError) as told:
        question_of(segment, known_of(con))
    assert says in str(told.value)
