"""What a CRM must be told is planned once for each news, and a run that died on the way is made up for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files

import pytest

from lakehouse import aws, objects
from lakehouse.errors import BadDefinition, Terminal
from lakehouse.outbound import acknowledged, fold, log, state_store
from lakehouse.outbound.definition import load_syncs
from lakehouse.outbound.records import Outcome, Result
from lakehouse.privacy.projection import project
from lakehouse.settings import current
from lakehouse.stages import export, tick
from tests.support import cloud as clouds
from tests.support.small_company import SmallCompany, forget
from tests.support.truths import Told, marketing

SYNC = "hubspot_segments"


def compute(company: SmallCompany, **revenue: int) -> None:
    """Compute the marts of these customers; whoever spent something is of high value."""
    as_of = date(2026, 3, 1)
    marts = [
        {"customer_id": name, "as_of": as_of, "purchase_days": 2, "orders": 2, "revenue": Decimal(spent),
         "recency_days": 5}
        for name, spent in revenue.items()
    ]  # fmt: skip
    company.fill("core.customers", *({"customer_id": name, "email": f"{name}@x.org"} for name in revenue))
    company.fill("marts.customer_360", *marts)
    company.fill(
        "marts.rfm",
        *({"customer_id": n, "as_of": as_of, "m": 5 if spent else 1} for n, spent in revenue.items()),
    )
    company.fill(
        "core.consent_answers",
        *(
            {
                "customer_id": n,
                "address": f"{n}@x.org",
                "purpose": "marketing",
                "channel": "email",
                "allowed": True,
            }
            for n in revenue
        ),
    )
    allow(company, *revenue)


def allow(company: SmallCompany, *names: str) -> None:
    now = datetime.now(UTC)
    project(company.settings, Told(marketing(*names), str(names), now), now)


def publish(company: SmallCompany, status: str = "sent", at: datetime | None = None) -> dict[str, str]:
    """Answer for the CRM: write the outcome of each announced chunk; return customer → action."""
    done = {}
    for message in company.hints("publish"):
        named = (message["sync"], message["run"], message["chunk"])
        log.claim(company.settings, *named, datetime.now(UTC), timedelta())
        chunk = log.chunk(company.settings, message["sync"], message["run"], message["chunk"])
        done |= {row.customer_id: row.action for row in chunk.rows}
        rows = [
            Result(row.row, row.customer_id, row.action, "removed" if row.action == "remove" else status)
            for row in chunk.rows
        ]
        moment = (at or datetime.now(UTC)).isoformat()
        log.write_outcome(
            company.settings, Outcome(message["sync"], message["run"], message["chunk"], 1, moment, rows)
        )
    return done


def runs() -> int:
    return len(list(log.runs(current(), SYNC)))


@pytest.fixture
def published(company) -> SmallCompany:
    """A CRM that was told that Ann and Bob are of high value; nobody has looked at what became of it."""
    compute(company, ann=10, bob=20)
    export.export(company.settings)
    assert publish(company) == {"ann": "upsert", "bob": "upsert"}
    return company


@pytest.fixture
def known(published) -> SmallCompany:
    """A CRM that knows that Ann and Bob are of high value."""
    export.export(published.settings)
    return published


def test_what_is_told_once_is_not_told_again(known):
    """Nothing is pending, and another look plans no run and announces nothing."""
    assert not export.pending(known.settings)
    export.export(known.settings)
    assert (runs(), known.hints("publish")) == (1, [])


def test_a_look_that_finds_nothing_new_does_not_even_ask_who_is_in_the_audience(known, monkeypatch):
    """It comes every few minutes."""
    asked = []
    monkeypatch.setattr(export, "audience", lambda *given: asked.append(given))
    export.export(known.settings)
    assert asked == []
    assert runs() == 1


def test_who_leaves_is_taken_off(known):
    """And who stays is left alone."""
    compute(known, ann=10, bob=0)
    assert export.pending(known.settings)
    export.export(known.settings)
    assert publish(known) == {"bob": "remove"}


@pytest.mark.parametrize("lost", ["marts.rfm", "marts.customer_360"])
def test_marts_that_are_not_computed_remove_nobody(known, lost):
    """A lake that is being rebuilt has no customers for a while; the CRM keeps them."""
    export.catalogs.open_catalog(known.settings).drop_table(lost)
    found = export.export(known.settings)
    assert found.inputs == {}
    assert (runs(), known.hints("publish")) == (1, [])
    assert not export.pending(known.settings)


def test_nothing_computed_yet_plans_nothing(company):
    """The first look of an empty lake."""
    export.export(company.settings)
    assert not export.pending(company.settings)
    assert (log.syncs(company.settings), company.hints("publish")) == ([], [])


def test_a_run_that_died_between_segments_and_plan_is_made_up_for(company, monkeypatch):
    """The segments stand still by then; asked alone, they would never say that the CRM does not know."""
    compute(company, ann=10)
    with monkeypatch.context() as patch:
        patch.setattr(export, "plan", lambda *_: pytest.fail("died"))
        with pytest.raises(pytest.fail.Exception):
            export.export(company.settings)
    assert not export.segments.pending(company.settings)
    assert export.pending(company.settings)
    export.export(company.settings)
    assert publish(company) == {"ann": "upsert"}
    settle(company)


def settle(company: SmallCompany) -> None:
    """What became of a run is compared once; then nothing is pending."""
    assert export.pending(company.settings)
    export.export(company.settings)
    assert company.hints("publish") == []
    assert not export.pending(company.settings)


class Later(datetime):
    """A clock that is some hours ahead."""

    hours = 0.0

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(hours=cls.hours)


@pytest.fixture
def later(monkeypatch):
    """Return a function that sets the stage's clock some hours ahead."""
    monkeypatch.setattr(export, "datetime", Later)
    yield lambda hours: setattr(Later, "hours", hours)
    Later.hours = 0.0


def test_chunks_without_an_outcome_are_announced_again(company, later):
    """Their message may be lost; not at every look, which would fill the queue."""
    compute(company, ann=10)
    export.export(company.settings)
    assert len(company.hints("publish")) == 1
    assert export.pending(company.settings)
    for _ in range(3):
        export.export(company.settings)
    assert company.hints("publish") == []
    later(0.3)
    export.export(company.settings)
    assert runs() == 1
    assert publish(company) == {"ann": "upsert"}
    settle(company)


def test_news_wait_for_no_open_chunk(company):
    """The run that does not know of them is closed; whoever it has not written is in the next one."""
    compute(company, ann=10)
    export.export(company.settings)
    company.hints("publish")  # the message is taken, and nothing comes of it
    compute(company, ann=10, eve=30)
    export.export(company.settings)
    assert runs() == 2
    assert publish(company) == {"ann": "upsert", "eve": "upsert"}
    settle(company)


def test_a_removal_waits_for_no_upsert_that_fails_for_good(known):
    """Reported: a property is missing in the CRM, and for days nobody is taken off."""
    compute(known, ann=10, bob=20, eve=30)
    export.export(known.settings)
    (failing,) = known.hints("publish")
    log.claim(known.settings, *failing.values(), datetime.now(UTC), timedelta())
    compute(known, ann=10, bob=0, eve=30)
    export.export(known.settings)
    assert publish(known) == {"bob": "remove", "eve": "upsert"}
    settle(known)
    assert fold.check(known.settings, SYNC)


def test_changed_consents_and_changed_definitions_are_news(known, monkeypatch):
    """Who was withheld goes out when the projection allows it; a changed sync is planned anew."""
    allow(known, "ann")
    assert export.pending(known.settings)
    export.export(known.settings)
    assert not export.pending(known.settings)
    syncs = load_syncs(None)
    changed = {name: sync.model_copy(update={"removed": "-"}) for name, sync in syncs.items()}
    monkeypatch.setattr(export.sync_orders, "load_syncs", lambda _: changed)
    assert export.pending(known.settings)


def test_a_row_that_failed_goes_again_when_its_time_has_come(company, later):
    """The sync says after how many hours; nothing else need have moved."""
    compute(company, ann=10)
    export.export(company.settings)
    publish(company, "failed")
    export.export(company.settings)
    assert not export.pending(company.settings)

    later(25)
    assert export.pending(company.settings)
    export.export(company.settings)
    assert publish(company) == {"ann": "upsert"}
    settle(company)


def define(monkeypatch, folder, name: str, text: str) -> None:
    """Put a definition to people's own, at a path below their folder."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(folder))
    forget()


def test_a_segment_that_is_no_sql_keeps_its_members_and_stops_nothing(known, monkeypatch, tmp_path):
    """A broken definition must not look like an empty segment; other segments go on to the CRM."""
    text = "name: high_value\ntitle: T\ndoc: D\nwhere: nonsense > 1\n"
    define(monkeypatch, tmp_path, "segments/high_value.yaml", text)
    everybody = "name: new_this_month\ntitle: T\ndoc: D\nwhere: orders > 0\n"
    define(monkeypatch, tmp_path, "segments/new_this_month.yaml", everybody)
    compute(known, ann=0, bob=20, cyd=0)
    with pytest.raises(BadDefinition, match=r"segment high_value: where: .*; it keeps its members$"):
        export.export(known.settings)
    assert publish(known) == {"ann": "upsert", "bob": "upsert", "cyd": "upsert"}
    held = known.ask("SELECT customer_id FROM ops.segment_members WHERE segment = 'high_value' ORDER BY 1")
    assert held == [("ann",), ("bob",)]


def test_a_typo_in_a_sync_takes_nobody_off(known, monkeypatch, tmp_path):
    """An unknown segment has no members: that sync waits until somebody mends it, and says which name is near."""
    shipped = (files("lakehouse.outbound") / "syncs" / f"{SYNC}.yaml").read_text("utf-8")
    define(monkeypatch, tmp_path, f"syncs/{SYNC}.yaml", shipped.replace("high_value", "high_valu"))
    compute(known, ann=0, bob=0)
    with pytest.raises(BadDefinition, match="there is no segment high_valu; did you mean high_value"):
        export.export(known.settings)
    assert (runs(), known.hints("publish")) == (1, [])


def test_a_sync_that_cannot_be_read_takes_nobody_off_and_stops_no_other(known, monkeypatch, tmp_path):
    """Not even where its file takes the place of one that ships."""
    shipped = (files("lakehouse.outbound") / "syncs" / f"{SYNC}.yaml").read_text("utf-8")
    define(monkeypatch, tmp_path, f"syncs/{SYNC}.yaml", "name: [hubspot")
    define(monkeypatch, tmp_path, "syncs/second.yaml", shipped.replace(f"name: {SYNC}", "name: second"))
    compute(known, ann=0, bob=20)
    with pytest.raises(
        BadDefinition, match=f"sync {SYNC}: .*not YAML.*; nothing is sent and nobody taken off"
    ):
        export.export(known.settings)
    assert runs() == 1
    assert publish(known) == {"bob": "upsert"}


@pytest.fixture
def bytes_read(known):
    """Return a function that says how many bytes of the ops bucket were read since, by key."""
    read: dict[str, int] = {}

    def note(params, context, **_):
        context["key"] = f"{params['Bucket']}/{params['Key']}"

    def count(parsed, context, **_):
        key = context.get("key", "")
        if key.startswith(f"{clouds.OPS}/") and "ContentLength" in parsed:
            read[key.partition("/")[2]] = read.get(key.partition("/")[2], 0) + parsed["ContentLength"]

    events = aws.s3().meta.events
    events.register("before-parameter-build.s3.GetObject", note)
    events.register("after-call.s3.GetObject", count)
    yield read
    events.unregister("before-parameter-build.s3.GetObject", note)
    events.unregister("after-call.s3.GetObject", count)


def large_state() -> bytes:
    """What a CRM of 20,000 contacts has acknowledged, up to the first run."""
    people = {
        f"p{n:05}@x.org": acknowledged.Acknowledged(
            f"c{n:05}", {"lakehouse_segments": f"high_value {n}"}, str(n)
        )
        for n in range(20_000)
    }
    return state_store.packed(acknowledged.State("00000001", people))


@pytest.mark.parametrize("look", [tick.tick, export.export])
def test_a_look_reads_a_note_and_not_what_the_crm_holds(known, bytes_read, look):
    """Every five minutes, in a small function: the fold of a CRM is not its business."""
    objects.put(clouds.OPS, f"outbound/{SYNC}/state.json.gz", large_state())
    export.export(known.settings)
    bytes_read.clear()
    look(known.settings)
    assert sum(bytes_read.values()) < 5_000, bytes_read
    assert not any(key.endswith("state.json.gz") for key in bytes_read)
    assert not export.pending(known.settings)


def poison(name: str, keep: float) -> str:
    """Cut the first object of that name off."""
    key = next(key for key in objects.list_keys(clouds.OPS, "") if key.endswith(name))
    body = objects.get(clouds.OPS, key)
    objects.put(clouds.OPS, key, body[: int(len(body) * keep)])
    return key


@pytest.mark.parametrize("keep", [0, 0.5])
def test_a_poisoned_note_is_written_anew(known, keep):
    """It costs a hint and a comparison."""
    poison("planned.json", keep)
    known.hints("export")
    assert "export_segments" in tick.tick(known.settings)
    assert len(known.hints("export")) == len(known.hints("aggregate")) == 1
    export.export(known.settings)
    assert (runs(), export.pending(known.settings), known.hints("publish")) == (1, False, [])


@pytest.mark.parametrize("keep", [0, 0.5])
@pytest.mark.parametrize("name", ["outcome.json", "rows.json", "run.json"])
def test_a_poisoned_object_of_the_log_costs_its_sync_a_hint(published, capfd, name, keep):
    """Every other stage gets its own; the sync is told by key, with what to do, and runs once that is done."""
    compute(published, ann=10, bob=0)  # news, so that the log is folded
    key = poison(name, keep)
    restored = f"s3://{clouds.OPS}/{key} is damaged .*: restore its previous version"
    assert "export_segments" in tick.tick(published.settings)
    assert (
        len(published.hints("export"))
        == len(published.hints("aggregate"))
        == len(published.hints("books"))
        == 1
    )
    with pytest.raises(Terminal, match=restored):
        export.export(published.settings)
    assert runs_or_none() in {1, None}


def runs_or_none() -> int | None:
    """Return how many runs there are, None where one cannot be read."""
    try:
        return runs()
    except Terminal:
        return None


def test_a_deleted_outcome_is_sent_again(published):
    """What the error says of a damaged one: what it may have written counts as written."""
    compute(published, ann=10, bob=0)
    aws.s3().delete_object(Bucket=clouds.OPS, Key=poison("outcome.json", 0.5))
    export.export(published.settings)
    assert publish(published) == {"ann": "upsert", "bob": "remove"}
