"""Members are who fits now; who entered and who left is noted once, whatever happens in between."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from lakehouse.errors import CommitConflict
from lakehouse.segments import audience, refresh
from lakehouse.stages.status import status
from tests.support.small_company import SmallCompany, forget

REGULAR = "name: regulars\ntitle: R\ndoc: D\nwhere: purchase_days >= 3\n"
RICH = "name: rich\ntitle: R\ndoc: D\nwhere: m = 5 AND recency_days < 10\n"


@pytest.fixture
def own(company, monkeypatch, tmp_path):
    """A company with two segments of its own, beside the shipped ones; gives the folder of definitions."""
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "definitions"))
    monkeypatch.setenv("LAKEHOUSE_AS_OF", "2026-03-01")
    forget()
    define(tmp_path / "definitions", regulars=REGULAR, rich=RICH)
    return tmp_path / "definitions"


def define(folder, **texts: str) -> None:
    (folder / "segments").mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / "segments" / f"{name}.yaml").write_text(text, "utf-8")


def customers(company: SmallCompany, day: int = 1, **purchase_days: int) -> None:
    """Compute the marts of these customers; whoever bought on five days or more is rich."""
    as_of = date(2026, 3, day)
    marts = [
        {"customer_id": name, "as_of": as_of, "purchase_days": days, "orders": days, "revenue": Decimal(days),
         "recency_days": 5, "mean_gap_days": 30.0, "first_order_on": date(2025, 1, 1)}
        for name, days in purchase_days.items()
    ]  # fmt: skip
    company.fill("marts.customer_360", *marts)
    company.fill(
        "marts.rfm", *({"customer_id": n, "as_of": as_of, "m": min(d, 5)} for n, d in purchase_days.items())
    )


def members(company: SmallCompany, segment: str = "regulars") -> list[str]:
    query = f"select customer_id from ops.segment_members where segment = '{segment}' order by 1"
    return [row[0] for row in company.ask(query)]


def changes(company: SmallCompany) -> list[tuple[str, str]]:
    query = "select change, customer_id from ops.segment_changes where segment = 'regulars' order by found_at, 1, 2"
    return company.ask(query)


def net(company: SmallCompany) -> set[str]:
    """Who is in, by the log of changes alone."""
    inside: set[str] = set()
    for change, customer in changes(company):
        assert (customer in inside) == (change == "left"), f"{customer} {change} twice"
        inside ^= {customer}
    return inside


def test_members_are_who_fits_now(company, own):
    """Conditions see both marts; sizes name every segment, also an empty one."""
    customers(company, ann=6, bob=3, eve=1)
    found = refresh.refresh(company.settings)
    assert found.changed
    assert (members(company), members(company, "rich")) == (["ann", "bob"], ["ann"])
    assert {name: found.sizes[name] for name in ("regulars", "rich", "new_this_month")} == {
        "regulars": 2, "rich": 1, "new_this_month": 0,
    }  # fmt: skip


def test_changes_are_who_entered_and_who_left(company, own):
    """Whoever stays is no change and keeps the day on which he entered."""
    customers(company, ann=3, bob=3)
    refresh.refresh(company.settings)
    customers(company, day=9, ann=4, eve=3, bob=2)
    refresh.refresh(company.settings)
    assert changes(company) == [("entered", "ann"), ("entered", "bob"), ("entered", "eve"), ("left", "bob")]
    rows = company.ask(
        "select customer_id, as_of, entered_on from ops.segment_members where segment = 'regulars' order by 1"
    )
    assert rows == [
        ("ann", date(2026, 3, 9), date(2026, 3, 1)),
        ("eve", date(2026, 3, 9), date(2026, 3, 9)),
    ]
    assert net(company) == {"ann", "eve"}


def test_nothing_moved_nothing_is_written(company, own):
    """A look that finds the same inputs and definitions makes no snapshot and no file."""
    customers(company, ann=3)
    refresh.refresh(company.settings)
    before = company.snapshots(), company.data_files()
    assert not refresh.pending(company.settings)
    again = refresh.refresh(company.settings)
    assert not again.changed
    assert again.sizes["regulars"] == 1
    assert (company.snapshots(), company.data_files()) == before


def test_a_changed_definition_is_looked_at_again(company, own):
    """Also one that is taken back: then everybody returns, and the log says so."""
    customers(company, ann=3, bob=5)
    for days in (3, 4, 3):
        define(own, regulars=REGULAR.replace(">= 3", f">= {days}"))
        assert refresh.pending(company.settings)
        refresh.refresh(company.settings)
        assert members(company) == [name for name, had in (("ann", 3), ("bob", 5)) if had >= days]
    assert changes(company) == [("entered", "ann"), ("entered", "bob"), ("left", "ann"), ("entered", "ann")]


def test_a_segment_that_is_no_more_is_left_by_all(company, own):
    """Who was in it is known from the log."""
    customers(company, ann=3)
    refresh.refresh(company.settings)
    (own / "segments" / "regulars.yaml").unlink()
    refresh.refresh(company.settings)
    assert members(company) == []
    assert changes(company) == [("entered", "ann"), ("left", "ann")]


class Died(BaseException):
    """The function was killed."""


def die_before(name: str, company: SmallCompany) -> None:
    """Look, and be killed before a step."""

    def dead(*_, **__):
        raise Died

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refresh, name, dead)
        with pytest.raises(Died):
            refresh.refresh(company.settings)


def test_a_crash_between_changes_and_members_notes_nothing_twice(company, own):
    """The next look finds the changes noted, and only brings the members up to date."""
    customers(company, ann=3, bob=3)
    die_before("_replace", company)
    assert (members(company), net(company)) == ([], {"ann", "bob"})
    assert refresh.pending(company.settings)
    refresh.refresh(company.settings)
    assert members(company) == ["ann", "bob"]
    assert changes(company) == [("entered", "ann"), ("entered", "bob")]


def test_a_crash_and_then_other_customers_leave_the_log_true(company, own):
    """What was noted before the crash and no longer holds is taken back in the log, nothing else is repeated."""
    customers(company, ann=3, bob=3)
    die_before("_replace", company)
    customers(company, ann=3, bob=1, eve=3)
    refresh.refresh(company.settings)
    assert members(company) == ["ann", "eve"]
    assert net(company) == {"ann", "eve"}
    assert changes(company).count(("entered", "ann")) == 1


def test_of_two_looks_at_once_one_counts(company, own, monkeypatch):
    """The slower one notes nothing and leaves no file; its message will look again."""
    customers(company, ann=3)
    note, happened = refresh._note_changes, []

    def meanwhile(con, table):
        if not happened:
            happened.append("other")
            refresh.refresh(company.settings)
        note(con, table)

    monkeypatch.setattr(refresh, "_note_changes", meanwhile)
    with pytest.raises(CommitConflict):
        refresh.refresh(company.settings)
    assert changes(company) == [("entered", "ann")]
    assert members(company) == ["ann"]
    stray = company.data_files() - company.live_files()
    assert [path for path in stray if "segment_changes" in path] == []


@pytest.mark.parametrize(
    "where", ["revenue >", "no_such_column = 1", "no_such_function(revenue) = 1", "CAST('x' AS INT) = 1"]
)
def test_a_condition_that_is_no_sql_keeps_who_is_in(company, own, where):
    """It is named each time, the others go on, and nobody of it leaves or enters until it is mended."""
    customers(company, ann=5, bob=3)
    refresh.refresh(company.settings)
    define(own, rich=RICH.replace("m = 5 AND recency_days < 10", where))
    customers(company, day=2, ann=2, bob=2, eve=5)
    assert refresh.pending(company.settings)
    for changed in (True, False):
        found = refresh.refresh(company.settings)
        assert found.changed is changed
        assert list(found.wrong) == ["rich"]
        assert "where: " in found.wrong["rich"]
        assert not refresh.pending(company.settings)
    assert members(company) == ["eve"]
    assert members(company, "rich") == ["ann"]
    define(own, rich=RICH)
    assert refresh.pending(company.settings)
    assert refresh.refresh(company.settings).wrong == {}
    assert members(company, "rich") == ["eve"]


def test_a_file_that_cannot_be_read_keeps_who_is_in(company, own):
    """So does one that takes the place of a shipped segment; the members of one that is deleted go."""
    customers(company, ann=5, bob=3)
    refresh.refresh(company.settings)
    assert members(company, "rich") == ["ann"]
    (own / "segments" / "rich.yaml").write_text("name: [rich")
    customers(company, day=2, ann=2, bob=2, eve=5)
    found = refresh.refresh(company.settings)
    assert list(found.wrong) == ["rich"]
    assert found.wrong["rich"].startswith("rich.yaml: the whole file: not YAML")
    assert members(company) == ["eve"]
    assert members(company, "rich") == ["ann"]
    [told] = status(company.settings)["definitions"]
    assert (told["kind"], told["name"]) == ("segment", "rich")
    (own / "segments" / "rich.yaml").unlink()
    assert refresh.refresh(company.settings).wrong == {}
    assert members(company, "rich") == []
    assert status(company.settings)["definitions"] == []


def test_marts_that_were_never_computed_make_nobody_leave(company, own):
    """A rebuilt lake has members and no marts for a while."""
    customers(company, ann=3)
    refresh.refresh(company.settings)
    catalog = refresh.catalogs.open_catalog(company.settings)
    catalog.drop_table("marts.rfm")
    assert not refresh.pending(company.settings)
    found = refresh.refresh(company.settings)
    assert (found.changed, found.inputs) == (False, {})
    assert members(company) == ["ann"]
    with pytest.raises(CommitConflict, match=r"marts\.rfm"):
        list(audience.audience(company.settings, ["regulars"], "marketing", "email"))


def test_the_audience_is_everybody_in_a_segment_once_with_what_is_known(company, own):
    """One row a customer, whatever segments he is in; nobody without a golden record."""
    customers(company, ann=6, bob=3)
    company.fill("core.customers", {"customer_id": "ann", "email": "ann@x.org"}, {"customer_id": "bob"})
    refresh.refresh(company.settings)
    rows = list(audience.audience(company.settings, ["regulars", "rich"], "marketing", "email"))
    assert [(row["customer_id"], row["segments"], row["email"], row["consented"]) for row in rows] == [
        ("ann", ["regulars", "rich"], "ann@x.org", False),
        ("bob", ["regulars"], None, False),
    ]
    assert rows[0]["revenue"] == 6
    assert list(audience.audience(company.settings, ["no_such_segment"], "marketing", "email")) == []


def test_who_is_willing_is_asked_for_the_purpose_and_channel_of_the_sync(company, own):
    """A grant for e-mail allows no text message, nor one for service any marketing."""
    customers(company, ann=3, bob=3, eve=3, joe=3)
    company.fill("core.customers", *({"customer_id": name} for name in ("ann", "bob", "eve", "joe")))
    company.fill(
        "core.consent_answers",
        statement("ann", "marketing", "email"),
        statement("bob", "marketing", "sms"),
        statement("eve", "service", "sms"),
        statement("joe", "marketing", "sms", granted=False),
    )
    refresh.refresh(company.settings)
    assert willing(company, "marketing", "email") == {"ann"}
    assert willing(company, "marketing", "sms") == {"bob"}
    assert willing(company, "service", "sms") == {"eve"}
    assert willing(company, "service", "email") == set()


def test_of_two_addresses_the_one_that_is_allowed_is_written_to(company, own):
    """The best known one where it is, else another of the customer's; nobody else's, and not a phone for an e-mail."""
    customers(company, ann=3, bob=3, eve=3, joe=3)
    best = (
        {"customer_id": name, "email": f"{name}@new.org", "phone": "+1"}
        for name in ("ann", "bob", "eve", "joe")
    )
    company.fill("core.customers", *best)
    company.fill(
        "core.consent_answers",
        statement("ann", "marketing", "email"),
        {**statement("bob", "marketing", "email"), "address": "bob@new.org"},
        statement("bob", "marketing", "email"),
        {**statement("eve", "marketing", "email", granted=False), "address": "eve@new.org"},
    )
    refresh.refresh(company.settings)
    rows = audience.audience(company.settings, ["regulars"], "marketing", "email")
    assert {row["customer_id"]: (row["email"], row["phone"], row["consented"]) for row in rows} == {
        "ann": ("ann@x.org", "+1", True),
        "bob": ("bob@new.org", "+1", True),
        "eve": ("eve@new.org", "+1", False),
        "joe": ("joe@new.org", "+1", False),
    }


def test_who_would_be_allowed_and_was_erased_is_told_apart(company, own):
    """Of this purpose and channel, and not where another address is allowed."""
    customers(company, ann=3, bob=3, eve=3, joe=3)
    company.fill("core.customers", *({"customer_id": name} for name in ("ann", "bob", "eve", "joe")))
    gone = {
        name: statement(name, "marketing", "email", granted=False) | {"erased": True}
        for name in ("ann", "bob")
    }
    company.fill(
        "core.consent_answers",
        *gone.values(),
        {**statement("bob", "marketing", "email"), "address": "bob@new.org"},
        statement("eve", "marketing", "email", granted=False),
        {**statement("joe", "marketing", "sms", granted=False), "erased": True},
    )
    refresh.refresh(company.settings)
    rows = audience.audience(company.settings, ["regulars"], "marketing", "email")
    assert {row["customer_id"] for row in rows if row["erased"]} == {"ann"}


def statement(customer: str, purpose: str, channel: str, *, granted: bool = True) -> dict[str, object]:
    what = {"purpose": purpose, "channel": channel, "allowed": granted}
    return {"customer_id": customer, "address": f"{customer}@x.org", **what}


def willing(company: SmallCompany, purpose: str, channel: str) -> set[str]:
    rows = list(audience.audience(company.settings, ["regulars"], purpose, channel))
    assert len(rows) == 4
    return {row["customer_id"] for row in rows if row["consented"]}


def test_segments_may_be_made_of_others(company, own):
    """Who is in one of `include` is in, who is in one of `exclude` is not, in whatever order the files stand."""
    define(
        own,
        all_but_rich="name: all_but_rich\ntitle: T\ndoc: D\nwhere: 'false'\ninclude: [regulars]\nexclude: [rich]\n",
    )
    customers(company, ann=6, bob=3, eve=1)
    refresh.refresh(company.settings)
    assert members(company, "all_but_rich") == ["bob"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("where: purchase_dayz >= 1", "where: there is no column purchase_dayz; did you mean purchase_days"),
        ("where: purchase_days >= 1\ninclude: [regulars]", "it names itself: regulars → regulars"),
        ("where: purchase_days >= 1\nexclude: [ritch]", "there is no segment ritch; did you mean rich"),
        ("where: purchase_days > 99\nguard_rails: {never_empty: true}", "nobody would be in it"),
        ("where: purchase_days >= 1\nguard_rails: {most_members: 2}", "3 would be in it, more than 2"),
        ("where: purchase_days >= 6\nguard_rails: {most_change: 0.2}", "1 of 2 would come or go"),
        ("where: regexp_matches(customer_id, '(')", "where: "),
        ("where: error('stop') IS NULL", "where: "),
    ],
)
def test_a_segment_that_is_wrong_keeps_its_members_and_stops_no_other(company, own, text, says):
    """Whatever is wrong with it; it is told by name."""
    customers(company, ann=6, bob=3)
    refresh.refresh(company.settings)
    define(own, regulars=f"name: regulars\ntitle: R\ndoc: D\n{text}\n")
    customers(company, 2, ann=6, bob=3, eve=1) if "2}" in text else customers(company, 2, ann=6, bob=3, ida=7)
    found = refresh.refresh(company.settings)
    assert members(company) == ["ann", "bob"]
    assert "ann" in members(company, "rich")
    assert says in {**found.wrong}["regulars"]


def test_a_condition_that_never_ends_is_ended(company, own, monkeypatch):
    """It keeps its members, and the others are computed."""
    customers(company, ann=6, bob=3)
    refresh.refresh(company.settings)
    many = ", ".join(f"marts.rfm AS t{number}" for number in range(30))  # 3 ** 30 rows
    endless = f"(SELECT count(*) FROM {many} WHERE t1.m + t29.m > 1) < 0"
    define(own, regulars=f"name: regulars\ntitle: R\ndoc: D\nwhere: {endless}\n")
    monkeypatch.setattr(refresh.SegmentPolicy, "longest_seconds", 0.2)
    customers(company, 2, ann=6, bob=3, ida=7)
    found = refresh.refresh(company.settings)
    assert set(found.wrong) == {"regulars"}
    assert members(company) == ["ann", "bob"]
    assert members(company, "rich") == ["ann", "ida"]
