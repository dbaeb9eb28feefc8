"""The functions behind hints: whatever the hint, each brings its tables up to date, once, and says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functions.aggregate.handler import handler as aggregate
from functions.books.handler import handler as books
from functions.export_segments.handler import handler as export_segments
from functions.maintain.handler import handler as maintain
from functions.resolve.handler import handler as resolve
from functions.sweep.handler import handler as sweep
from functions.tick.handler import handler as tick
from lakehouse import aws
from lakehouse.errors import CommitConflict, Terminal
from lakehouse.models import lineage, registry
from lakehouse.stages import maintain as stages_maintain
from lakehouse.stages.policy import DebouncePolicy
from lakehouse.tables.maintenance import expire
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from tests.support import small_company
from tests.support.small_company import SmallCompany

NONE = {"batchItemFailures": []}
HINTED = {
    "resolve": (resolve, ("raw_committed", "tick")),
    "aggregate": (aggregate, ("core_committed", "tick")),
    "export_segments": (export_segments, ("marts_committed", "tick")),
}
QUEUES = {"resolve": "resolve", "aggregate": "aggregate", "export_segments": "export"}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def shop(company, monkeypatch, shelf) -> SmallCompany:
    """Two customers have bought, and nothing was computed of it."""
    with small_company.kept(monkeypatch, shelf) as fresh:
        if fresh:
            company.orders("1.csv", "O1,C1,2026-01-05,10.00", "O2,C2,2026-01-06,5.00")
            company.contacts("1.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01")
            company.announced()
    return company


# what is made of orders and contacts beside what this module speaks of
BUSINESS = {
    each
    for table in ("core.orders", "core.contacts", "core.identities")
    for each in lineage.downstream(registry.load(), table)
}


@pytest.mark.parametrize("case", [0, 1])
def test_hints_lead_from_raw_files_to_segments(shop, event, case):
    """By the commit that was announced, or by tick: one call each, in order, and each announces the next."""
    for name, announced in (
        ("resolve", ["core.identities"]),
        ("aggregate", ["core.contacts", "core.customers", "core.home_currency", "core.home_rates",
                       "core.order_values", "core.orders", "core.refunds", "core.sales",
                       "marts.churn_risk", "marts.clv", "marts.customer_360", "marts.daily_activity",
                       "marts.next_products", "marts.rfm", "marts.vip_propensity"]),
        ("export_segments", []),
    ):  # fmt: skip
        handler, cases = HINTED[name]
        assert handler(event(name, cases[case]), None) == NONE
        found = shop.announced()
        assert set(announced) <= set(found)
        beside = set(found) - set(announced)
        assert beside <= (BUSINESS if name == "aggregate" else set())
        assert shop.hints(QUEUES[name]) == []
    assert shop.ask("select count(*) from marts.customer_360") == [(2,)]
    assert shop.snapshots()["ops.segment_members"] == 1
    before = shop.snapshots()
    for handler, cases in HINTED.values():
        for known in cases:
            assert handler(event(handler.__module__.split(".")[1], known), None) == NONE
    assert shop.snapshots() == before


@pytest.mark.parametrize("name", HINTED)
def test_while_files_wait_every_stage_waits(shop, event, name):
    """It does nothing, and leaves itself a hint; what people said waits, too, while nobody is known."""
    aws.sqs().send_message(QueueUrl=shop.queues["ingest"], MessageBody="{}")
    before = shop.snapshots()
    handler, cases = HINTED[name]
    assert handler(event(name, cases[0]), None) == NONE
    assert shop.snapshots() == before
    (later,) = shop.hints(QUEUES[name])
    assert later["tick"] is True


def test_news_of_triggers_wait_for_no_other_stage(shop, event, monkeypatch):
    """Files wait, and marts are to be computed: who is to be called because of a trigger is called all the same."""
    for name in ("resolve", "aggregate", "export_segments"):
        HINTED[name][0](event(name, "tick"), None)
    before = shop.snapshots()
    alone = event("export_segments", "triggers_committed")
    assert export_segments(alone, None) == NONE
    assert shop.snapshots() == before, "no segment asks for a trigger"
    looked = []
    monkeypatch.setattr("functions.export_segments.handler.export_triggered", looked.append)
    aws.sqs().send_message(QueueUrl=shop.queues["ingest"], MessageBody="{}")
    assert export_segments(alone, None) == NONE
    assert looked == [shop.settings]
    assert shop.hints("export") == []

    def fails(*_: object) -> None:
        raise Terminal("a sync cannot be planned")

    monkeypatch.setattr("functions.export_segments.handler.export_triggered", fails)
    among_others = {"Records": event("export_segments", "tick")["Records"] + alone["Records"]}
    with pytest.raises(Terminal):
        export_segments(among_others, None)
    (later,) = shop.hints("export")
    assert later["tick"] is True


@pytest.mark.parametrize(("name", "before"), [("aggregate", []), ("export_segments", ["resolve"])])
def test_a_stage_waits_for_those_before_it(shop, event, name, before):
    """Aggregate for resolve, segments for both."""
    for done in before:
        HINTED[done][0](event(done, "tick"), None)
    handler, cases = HINTED[name]
    assert handler(event(name, cases[0]), None) == NONE
    assert len(shop.hints(QUEUES[name])) == 1
    assert "ops.segment_members" not in shop.snapshots()


def test_a_lost_race_is_run_again_and_is_no_failure(shop, event, monkeypatch):
    """The hint waits in the queue; nothing is on its way to the dead letters."""

    def lost(*_: object) -> None:
        raise CommitConflict("another run was first")

    monkeypatch.setattr("lakehouse.stages.resolve.resolve", lost)
    assert resolve(event("resolve", "tick"), None) == NONE
    assert len(shop.hints("resolve")) == 1


def test_a_hint_that_has_waited_long_enough_runs(shop, event):
    """A queue that never empties must not stop the loop."""
    aws.sqs().send_message(QueueUrl=shop.queues["ingest"], MessageBody="{}")
    waited = {"tick": True, "waiting_since": "2020-01-01T00:00:00+00:00"}
    assert resolve(event("resolve", "tick", waited), None) == NONE
    assert shop.snapshots()["core.identities"] == 1
    assert shop.hints("resolve") == []
    assert DebouncePolicy.patience.total_seconds() == 300


def test_books_copies_what_the_hint_names_and_all_at_a_tick(shop, event):
    """Once. A look at every table for each commit would cost the more, the more tables there are."""
    in_ledger = "select table_name, sum(loaded) from ops.ingest_ledger group by 1 order by 1"
    for _ in range(2):
        assert books(event("books", "raw_committed"), None) == NONE
        assert shop.ask(in_ledger) == [("raw.shop_orders", 2)]
    for _ in range(2):
        assert books(event("books", "tick"), None) == NONE
        assert shop.ask(in_ledger) == [("raw.hubspot_contacts", 1), ("raw.shop_orders", 2)]


def test_maintain_expires_what_is_old_and_listed(shop, event, monkeypatch):
    """By table what was found and done; the rows stay."""
    for number in range(3):
        shop.orders(f"more{number}.csv", f"M{number},C1,2026-01-05,1.00")
    books(event("books", "tick"), None)
    done = maintain(event("maintain", "schedule"), None)["tables"]["raw.shop_orders"]
    assert done["expired"] == {"snapshots": 0, "files": 0}
    policy = MaintenancePolicy(
        min_snapshots_to_keep=1, max_snapshot_age=MaintenancePolicy().max_snapshot_age * 0
    )
    monkeypatch.setitem(stages_maintain.maintain.__kwdefaults__, "policy", policy)
    done = maintain(event("maintain", "schedule"), None)["tables"]
    assert done["raw.shop_orders"]["expired"]["snapshots"] == 3
    assert done["raw.shop_orders"]["expired"]["files"] > 0
    assert shop.ask("select count(*) from raw.shop_orders") == [(5,)]
    assert json.dumps(done)


def test_a_table_that_cannot_be_maintained_does_not_stop_the_others(shop, event, monkeypatch):
    """It is told in the log and in the answer, and tried again tomorrow."""
    real = expire.expire_planned

    def broken(catalog, table, *arguments, **more):
        if table.name()[-1] == "shop_orders":
            raise OSError("the store is away")
        return real(catalog, table, *arguments, **more)

    monkeypatch.setattr(expire, "expire_planned", broken)
    done = maintain(event("maintain", "schedule"), None)["tables"]
    assert done["raw.shop_orders"] == {"failed": "OSError"}
    assert "failed" not in done["raw.hubspot_contacts"]


def test_sweep_and_tick_alone_bring_everything_to_the_end(company, event):
    """Every event of S3 and every announcement lost: two schedules and the queues they fill suffice."""
    company.land(
        "web/events",
        "1.ndjson",
        '{"type":"page","messageId":"m","anonymousId":"a","timestamp":"2026-01-01"}\n',
    )
    company.land("shop/orders", "1.csv", "order_id,customer_id,ordered_at,amount\nO1,C1,2026-01-05,10.00\n")
    assert sweep(event("sweep", "schedule"), None) == {"files": 2}
    from functions.ingest.handler import handler as ingest

    handlers = {
        "ingest": ingest,
        "resolve": resolve,
        "aggregate": aggregate,
        "export": export_segments,
        "books": books,
    }
    for _ in range(5):
        for queue, handler in handlers.items():
            bodies = company.hints(queue)
            if bodies:
                records = [{"messageId": str(n), "body": json.dumps(body)} for n, body in enumerate(bodies)]
                assert handler({"Records": records}, None) == NONE
        company.announced()
        due = tick(event("tick", "schedule"), None)["stages"]
    assert due == []
    assert sweep(event("sweep", "schedule"), None) == {"files": 0}
    assert company.ask("select count(*) from marts.customer_360") == [(2,)]
    assert company.ask("select count(*) from ops.ingest_ledger") == [(2,)]
    assert company.snapshots()["ops.segment_members"] == 1
