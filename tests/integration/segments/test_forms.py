"""Who is in a segment may be said without SQL, as a SELECT, with parameters, and at times of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from lakehouse.segments import refresh
from lakehouse.segments.history import trace_at
from lakehouse.segments.read_only import open_lake
from lakehouse.stages import segment_questions
from lakehouse.stages.segment_listing import listed
from tests.support.small_company import SmallCompany, forget

HEAD = "name: {name}\ntitle: T\ndoc: D\n"
TEA = """who:
  all:
    - {count: purchases, that: {field: product, is: green tea}, in_last: $days, at_least: 2}
    - not: {field: revenue, more_than: 100}
parameters:
  days: {type: integer, default: 90}
"""
BOUGHT = """select: SELECT customer_id FROM core.order_products WHERE ordered_on > $as_of - $days
parameters: {days: {type: integer, default: 90}}
"""


@pytest.fixture
def own(company, monkeypatch, tmp_path):
    """A company and its folder of definitions, at a time of its own."""
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "definitions"))
    monkeypatch.setenv("LAKEHOUSE_TIME_ZONE", "Asia/Shanghai")
    set_time(monkeypatch, "2026-03-02T12:30")
    define(tmp_path / "definitions")
    return tmp_path / "definitions"


def set_time(monkeypatch, moment: str) -> None:
    monkeypatch.setenv("LAKEHOUSE_AS_OF", moment)
    forget()


def define(folder, **texts: str) -> None:
    (folder / "segments").mkdir(parents=True, exist_ok=True)
    for shipped in ("high_value", "new_this_month", "sleeping_regulars"):
        texts.setdefault(shipped, "where: 'false'\n")
    for name, text in texts.items():
        (folder / "segments" / f"{name}.yaml").write_text(HEAD.format(name=name) + text, "utf-8")


def customers(company: SmallCompany, **revenue: int) -> None:
    as_of = date(2026, 3, 2)
    company.fill(
        "marts.customer_360",
        *({"customer_id": n, "as_of": as_of, "revenue": Decimal(r)} for n, r in revenue.items()),
    )
    company.fill("marts.rfm", *({"customer_id": n, "as_of": as_of, "m": 1} for n in revenue))


def purchases(company: SmallCompany, *rows: tuple[str | None, str, str, int]) -> None:
    """Fill what is bought: customer, order, product, days ago."""
    company.fill("core.order_products", *(
        {"customer_id": who, "source": "shop", "order_id": order, "product": product, "product_id": product,
         "product_source": "shop", "ordered_on": date.fromordinal(date(2026, 3, 2).toordinal() - ago)}
        for who, order, product, ago in rows
    ))  # fmt: skip


def members(company: SmallCompany) -> dict[str, list[str]]:
    rows = company.ask(
        "select segment, list(customer_id order by customer_id) from ops.segment_members group by 1"
    )
    return dict(rows)


def test_each_form_selects_over_the_lake(company, own):
    """Orders are counted once whatever lines they have; tables that nobody filled have no rows; nobody is in twice."""
    define(own, tea=TEA, bought=BOUGHT,
     silent="who: {all: [{count: events, is: 0}, {count: visits, at_most: 0, in_last: 9}]}\n",
           open="where: customer_id NOT IN (SELECT coalesce(customer_id, '') FROM core.deals)\n")  # fmt: skip
    customers(company, ann=10, bob=10, eve=500, joe=1)
    purchases(
        company, ("ann", "1", "Green Tea", 3), ("ann", "2", "ＧＲＥＥＮ ＴＥＡ", 89), ("bob", "3", "green tea", 1),
        ("bob", "3", "Green tea", 1), ("bob", "4", "green tea", 90), ("eve", "5", "green tea", 1),
        ("eve", "6", "green tea", 2), (None, "7", "green tea", 1), ("nobody", "8", "green tea", 1),
    )  # fmt: skip
    assert refresh.refresh(company.settings).wrong == {}
    everybody = ["ann", "bob", "eve", "joe"]
    assert members(company) == {
        "tea": ["ann"],
        "bought": ["ann", "bob", "eve"],
        "silent": everybody,
        "open": everybody,
    }
    purchases(company, ("joe", "9", "green tea", 1), ("joe", "10", "green tea", 1))
    assert refresh.pending(company.settings)  # what a segment asks besides has changed
    refresh.refresh(company.settings)
    assert members(company)["tea"] == members(company)["bought"] == ["joe"]
    assert not refresh.pending(company.settings)


def test_what_is_asked_can_be_looked_at(company, own):
    """Each condition with its value, numbers that were counted among them; a parameter otherwise, for one look."""
    define(own, tea=TEA)
    customers(company, ann=10, bob=500)
    purchases(
        company, ("ann", "1", "green tea", 3), ("ann", "2", "green tea", 100), ("bob", "3", "green tea", 1)
    )
    why = segment_questions.explain(company.settings, "tea", "ann")
    assert [(line.text, line.holds, [*line.values.values()]) for line in why.lines] == [
        ("all of", False, []),
        ("purchases that product is green tea in last 90 days: at least 2", False, [1]),
        ("not", True, []),
        ("revenue more than 100", False, [Decimal(10)]),
    ]
    assert segment_questions.preview(company.settings, "tea").size == 0
    found = segment_questions.preview(company.settings, "tea", {"days": "101"})
    assert (found.size, found.parameters, found.sample[0]["values"]) == (
        1,
        {"days": 101},
        {"revenue": Decimal(10)},
    )
    refresh.refresh(company.settings)
    assert members(company) == {}
    [moved] = segment_questions.diff(company.settings, "tea", None, 5)
    assert (moved.entering.count, moved.leaving.count) == (0, 0)


def test_who_moves_has_reasons_in_words(company, own):
    """As of a condition in SQL; also from a table that a segment asks besides."""
    define(own, tea=TEA)
    customers(company, ann=10)
    purchases(company, ("ann", "1", "green tea", 3))
    refresh.refresh(company.settings)
    purchases(company, ("ann", "1", "green tea", 3), ("ann", "2", "green tea", 2))
    [moved] = segment_questions.diff(company.settings, "tea", None, 5)
    assert moved.entering.reasons == {
        "not: purchases that product is green tea in last 90 days: at least 2": 1
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select: SELECT customer_id, revenue FROM marts.customer_360\n",
         "select: it must give one column, customer_id"),
        ("select: SELECT customer_id FROM marts.no_such\n", "select: Catalog Error: Table with name no_such"),
        ("select: SELECT customer_id FROM core.orders WHERE no_such = 1\n", "select: Binder Error"),
        ("who: {field: churn_risk.probability, at_least: 0.5}\n",
         "who.field: marts.churn_risk has no column probability; did you mean churn_probability"),
        ("who: {field: lifecycle.stage, is: new}\n",
         "who.field: there is no table lifecycle, or nothing has filled it"),
        ("who: {field: revenu, at_least: 0.5}\n", "who.field: there is no field revenu; did you mean revenue"),
    ],
)  # fmt: skip
def test_one_that_is_wrong_keeps_its_members(company, own, text, says):
    """Whichever way it is said, and the others are computed."""
    define(own, mine="where: revenue > 1\n", other="where: revenue > 1\n")
    customers(company, ann=10)
    refresh.refresh(company.settings)
    define(own, mine=text)
    customers(company, bob=10)
    found = refresh.refresh(company.settings)
    assert list(found.wrong) == ["mine"]
    assert says in found.wrong["mine"]
    assert members(company) == {"mine": ["ann"], "other": ["bob"]}


def test_a_segment_of_its_own_times_changes_at_these_alone(company, own, monkeypatch):
    """What is missed is computed once afterwards; others go on; and history asks what was asked then."""
    define(
        own, hourly="where: revenue > 1\nschedule: {cron: '0 13-15 * * *'}\n", other="where: revenue > 1\n"
    )
    customers(company, ann=10)
    refresh.refresh(company.settings)
    assert members(company) == {"other": ["ann"]}  # its first time is to come
    [shown] = [each for each in listed(company.settings) if each["name"] == "hourly"]
    assert (shown["at"], shown["next_at"]) == (None, "2026-03-02T05:00:00+00:00")
    set_time(monkeypatch, "2026-03-02T15:10")  # two times were missed
    assert refresh.pending(company.settings)
    first = refresh.refresh(company.settings)
    assert members(company) == {"hourly": ["ann"], "other": ["ann"]}
    assert not refresh.pending(company.settings)
    before = datetime.now(UTC)
    customers(company, bob=10)
    refresh.refresh(company.settings)
    assert members(company) == {"hourly": ["ann"], "other": ["bob"]}
    set_time(monkeypatch, "2026-03-02T14:00")  # the clock was set back
    assert not refresh.pending(company.settings)
    set_time(monkeypatch, "2026-03-03T13:00")
    assert refresh.inputs(company.settings) != first.inputs
    refresh.refresh(company.settings)
    assert members(company) == {"hourly": ["bob"], "other": ["bob"]}
    with open_lake(company.settings) as lake:
        found, notes = trace_at(lake, company.settings, "hourly", "ann", before)
        assert (found.fulfils, notes) == (True, ())
    changes = (
        "select change, customer_id from ops.segment_changes where segment = 'hourly' order by found_at, 1"
    )
    assert company.ask(changes) == [("entered", "ann"), ("entered", "bob"), ("left", "ann")]


def test_a_trigger_computes_a_segment_when_its_rule_has_news(company, own):
    """Not when another rule has."""
    define(
        own,
        mine="who: {count: triggers, that: {field: trigger, is: win_back}, at_least: 1}\ntrigger: win_back\n",
    )
    customers(company, ann=10, bob=1)

    def fire(*rows: tuple[str, str, int], taken_back: int | None = None) -> None:
        at = datetime(2026, 3, 1, minute=taken_back, tzinfo=UTC) if taken_back else None
        company.fill("marts.triggers", *(
            {"trigger": rule, "customer_id": who, "cause": who, "due_at": datetime(2026, 3, 1, tzinfo=UTC),
             "fired_at": datetime(2026, 3, 1, 0, minute, tzinfo=UTC), "cancelled_at": at} for rule, who, minute in rows
        ))  # fmt: skip

    fire(("win_back", "bob", 1))
    refresh.refresh(company.settings)
    assert members(company) == {}
    fire(("win_back", "bob", 1), ("birthday", "bob", 5))
    assert not refresh.pending(company.settings)
    fire(("win_back", "bob", 1), ("birthday", "bob", 5), ("win_back", "ann", 6))
    assert refresh.pending(company.settings)
    refresh.refresh(company.settings)
    assert members(company) == {"mine": ["ann", "bob"]}
    assert not refresh.pending(company.settings)
    fire(("win_back", "bob", 1), ("birthday", "bob", 5), ("win_back", "ann", 6), taken_back=7)
    assert refresh.pending(company.settings)


def fired(company: SmallCompany, minute: int, *names: str) -> None:
    company.fill("marts.triggers", *(
        {"trigger": "win_back", "customer_id": who, "cause": who, "due_at": datetime(2026, 3, 1, tzinfo=UTC),
         "fired_at": datetime(2026, 3, 1, 0, minute, tzinfo=UTC)} for who in names
    ))  # fmt: skip


def test_news_of_triggers_alone_compute_their_segments_alone(company, own):
    """Whatever else has changed meanwhile, and however often: that is found by the next look at everything."""
    define(
        own,
        mine="who: {count: triggers, that: {field: trigger, is: win_back}, at_least: 1}\ntrigger: win_back\n",
        rich="where: revenue > 5\n",
        gone="where: revenue > 5\n",
    )
    customers(company, ann=10, bob=1)
    assert not refresh.refresh(company.settings, triggered_only=True).changed  # nobody has looked before
    fired(company, 1, "bob")
    refresh.refresh(company.settings)
    assert members(company) == {"rich": ["ann"], "gone": ["ann"]}
    before = datetime.now(UTC)
    customers(company, ann=1, bob=10)
    (own / "segments" / "gone.yaml").unlink()
    assert not refresh.refresh(company.settings, triggered_only=True).changed
    fired(company, 2, "ann", "bob")
    found = refresh.refresh(company.settings, triggered_only=True)
    assert (found.changed, found.sizes["mine"], found.sizes["rich"]) == (True, 2, 1)
    assert members(company) == {"mine": ["ann", "bob"], "rich": ["ann"], "gone": ["ann"]}
    assert not refresh.refresh(company.settings, triggered_only=True).changed
    between = datetime.now(UTC)
    assert refresh.pending(company.settings)
    refresh.refresh(company.settings)
    assert members(company) == {"mine": ["ann", "bob"], "rich": ["bob"]}
    assert not refresh.pending(company.settings)
    with open_lake(company.settings) as lake:
        for at, mine, rich in (
            (before, False, True),
            (between, True, True),
            (datetime.now(UTC), True, False),
        ):
            traces = {name: trace_at(lake, company.settings, name, "ann", at)[0] for name in ("mine", "rich")}
            fulfils = {name: found is not None and found.fulfils for name, found in traces.items()}
            assert fulfils == {"mine": mine, "rich": rich}
