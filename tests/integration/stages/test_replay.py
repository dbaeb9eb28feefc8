"""What is in quarantine is tried again with the definitions of now: exactly the fixed rows load, and load once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from threading import Barrier

import pytest

from lakehouse import aws, objects
from lakehouse.errors import Terminal
from lakehouse.ingest import batch
from lakehouse.ingest.batch import ingest
from lakehouse.ingest.quarantine import bad_rows, replay_plan
from lakehouse.ingest.quarantine.open_rows import QuarantineFilter, select_files
from lakehouse.stages.books import keep_books
from lakehouse.stages.replay import open_bad_rows
from tests.support.lakes import in_threads
from tests.support.replays import a_shop


@pytest.fixture
def shop(company, monkeypatch, tmp_path):
    with a_shop(company, monkeypatch, tmp_path / "definitions") as made:
        yield made


@pytest.fixture
def mixed(shop):
    """Two exports: of six orders, two are in EUR and one in CHF."""
    landed = [
        shop.land("1.csv", "O1 USD", "O2 EUR", "O3 CHF"),
        shop.land("2.csv", "O4 EUR", "O5 USD", "O6 USD"),
    ]
    assert not ingest(shop.company.settings, landed).failed
    shop.files = landed
    return shop


def test_exactly_the_fixed_rows_load(mixed):
    """Each generation tries what the one before left in quarantine, and no row is counted twice."""
    assert mixed.counts() == (6, 3, 0, 3)
    mixed.takes("USD", "EUR")
    tally = mixed.replay()
    assert (tally.files, tally.rows, tally.fixed, tally.still_bad) == (2, 3, 2, 1)
    assert mixed.orders() == ["O1", "O2", "O4", "O5", "O6"]
    assert mixed.counts() == (6, 5, 0, 1)
    mixed.takes()
    tally = mixed.replay()
    assert (tally.files, tally.fixed, tally.still_bad) == (1, 1, 0)
    assert mixed.orders() == ["O1", "O2", "O3", "O4", "O5", "O6"]
    assert mixed.counts() == (6, 6, 0, 0)


def test_rows_keep_their_number(mixed):
    """A row that is loaded later has its file and its number in it, like the others."""
    mixed.takes()
    mixed.replay()
    first = mixed.files[0].file_id
    rows = mixed.company.ask(
        f"select _row, order_id from raw.shop_orders where _file_id = '{first}' order by 1"
    )
    assert rows == [(1, "O1"), (2, "O2"), (3, "O3")]


def test_replaying_twice_adds_nothing(mixed):
    """Whether everything was fixed or something is bad still."""
    for currencies in (("USD", "EUR"), ()):
        mixed.takes(*currencies)
        mixed.replay()
        before = mixed.orders(), mixed.counts()
        tally = mixed.replay()
        assert tally.fixed == 0
        assert (mixed.orders(), mixed.counts()) == before


def test_nothing_mended_nothing_fixed(mixed):
    """All rows stay bad, and are counted as such."""
    tally = mixed.replay()
    assert (tally.rows, tally.fixed, tally.still_bad) == (3, 0, 3)
    assert mixed.counts() == (6, 3, 0, 3)


def test_a_dry_run_loads_nothing(mixed):
    """It says how many files it would try."""
    mixed.takes()
    before = mixed.company.snapshots()
    tally = mixed.replay(dry_run=True)
    assert (tally.to_try, tally.rows, tally.fixed) == (2, 3, 0)
    assert mixed.company.snapshots() == before


def test_only_what_was_chosen(mixed):
    """By file (its id may be shortened), code, source and time; of a chosen file all open rows are tried."""
    mixed.takes()
    first = mixed.files[0]
    later = datetime.now(UTC) + timedelta(hours=1)
    for criteria in (
        QuarantineFilter(source="web"),
        QuarantineFilter(source="shop/customers"),
        QuarantineFilter(code="bad_number"),
        QuarantineFilter(since=later),
    ):
        assert mixed.replay(criteria).files == 0
    with pytest.raises(Terminal, match="no source shop/contacts; did you mean "):
        mixed.replay(QuarantineFilter(source="shop/contacts"))
    with pytest.raises(Terminal, match="no file that was ingested has this id"):
        mixed.replay(QuarantineFilter(file_ids=("0" * 64,)))
    assert mixed.replay(QuarantineFilter(file_ids=(first.file_id[:12],))).loaded == 2
    assert mixed.replay(QuarantineFilter(file_ids=(first.file_id,))).files == 0
    past = datetime.now(UTC) - timedelta(hours=1)
    assert mixed.replay(QuarantineFilter("shop/orders", "not_allowed", past)).loaded == 1
    assert mixed.counts() == (6, 6, 0, 0)


def test_a_file_that_is_gone_is_counted_and_nothing_is_lost(mixed):
    """Its rows stay in the books as they were; the other file's load."""
    mixed.takes()
    gone = mixed.files[0]
    aws.s3().delete_object(Bucket=gone.bucket, Key=gone.key, VersionId=gone.version)
    tally = mixed.replay()
    assert (tally.gone, tally.loaded, tally.still_bad) == (1, 1, 0)
    assert mixed.counts() == (6, 4, 0, 2)
    _, rows = open_bad_rows(mixed.company.settings, gone.file_id)
    assert [row["row"] for row in rows] == [2, 3]


def test_a_file_overwritten_since_is_not_read_in_place_of_the_old_one(mixed):
    """The version that was quarantined is the one that is tried again."""
    mixed.takes()
    mixed.land("2.csv", "X1 USD", "X2 USD", "X3 USD")
    assert mixed.replay().loaded == 3
    assert mixed.orders() == ["O1", "O2", "O3", "O4", "O5", "O6"]


def test_a_file_that_was_bad_is_loaded_with_all_its_rows(shop):
    """It counted as one row, and now counts as many."""
    body = "number,customer_id,ordered_at,amount\nO1,C1,2026-01-05,1.00\nO2,C1,never,1.00\n"
    file = shop.company.land("shop/orders", "1.csv", body)
    ingest(shop.company.settings, [file])
    assert shop.counts() == (1, 0, 0, 1)
    path = shop.folder / "shop_orders.yaml"
    text = path.read_text("utf-8").replace("from: order_id", "from: number")
    path.write_text(text, "utf-8")
    replay_plan.definition.load.cache_clear()
    tally = shop.replay()
    assert (tally.loaded, tally.still_bad) == (1, 1)
    assert shop.counts() == (2, 1, 0, 1)
    assert shop.orders() == ["O1"]


def test_several_replays_at_once_load_once(mixed):
    """The guard knows generations by number; who comes second plans again and finds nothing to load."""
    mixed.takes()

    def work(number: int, barrier: Barrier) -> int:
        barrier.wait(30)
        return mixed.replay().fixed

    assert sum(in_threads(4, work)) == 3
    assert mixed.orders() == ["O1", "O2", "O3", "O4", "O5", "O6"]
    assert mixed.counts() == (6, 6, 0, 0)


def test_the_loser_of_a_race_replays_what_the_winner_left_in_quarantine(mixed, monkeypatch):
    """Between plan and load another replay fixes a part: the rest is planned anew, under the next number."""
    mixed.takes("USD", "EUR")
    plan, others = replay_plan.plan, [1]

    def plan_and_let_others_load(settings, files, dismissed):
        steps = list(plan(settings, files, dismissed))
        if others:
            others.clear()
            mixed.replay()
            mixed.takes()
        return steps

    monkeypatch.setattr(replay_plan, "plan", plan_and_let_others_load)
    tally = mixed.replay()
    assert (tally.fixed, tally.still_bad) == (1, 0)
    assert mixed.orders() == ["O1", "O2", "O3", "O4", "O5", "O6"]
    assert mixed.counts() == (6, 6, 0, 0)


def test_a_replay_that_crashes_before_its_commit_costs_nothing(mixed, monkeypatch):
    """Its quarantine object is there already; who comes next writes it again."""
    mixed.takes("USD", "EUR")

    def die(*_arguments, **_named):
        raise SystemExit

    with monkeypatch.context() as crashing:
        crashing.setattr(batch, "append", die)
        with pytest.raises(SystemExit):
            mixed.replay()
    assert mixed.counts() == (6, 3, 0, 3)
    mixed.takes()
    assert mixed.replay().fixed == 3
    assert mixed.counts() == (6, 6, 0, 0)


def test_quarantine_that_is_not_what_the_commit_counted_is_left_alone(mixed):
    """Somebody changed the object: its rows may be loaded already."""
    record = next(
        one.record
        for one in select_files(mixed.company.settings, QuarantineFilter())
        if one.record.quarantined == 2
    )
    key = bad_rows.object_key(record.file_id, record.replay, record.set_aside)
    objects.put(mixed.company.settings.ops_bucket, key, b'{"row": 1}\n{"row": 2}\n')
    mixed.takes()
    tally = mixed.replay()
    assert (tally.disagrees, tally.loaded) == (1, 1)
    assert mixed.orders() == ["O1", "O4", "O5", "O6"]
    assert mixed.counts() == (6, 4, 0, 2)


def test_what_another_attempt_set_aside_is_not_in_the_way(mixed):
    """Two attempts with different definitions, and the loser wrote last: what counts is what the commit names."""
    wrong = [bad_rows.BadRow(row, "not_allowed", "x") for row in (1, 2)]
    for file in mixed.files:
        bad_rows.write(mixed.company.settings.ops_bucket, file, wrong, "2026-01-01T00:00:00+00:00")
    mixed.takes()
    assert (mixed.replay().disagrees, mixed.counts()) == (0, (6, 6, 0, 0))


def test_messages_that_came_again_meanwhile_are_duplicates(shop):
    """What was bad and is good now is not loaded beside the same message in another file."""
    text = (files("lakehouse.sources") / "definitions/web_events.yaml").read_text("utf-8")
    strict = text.replace(
        "\nchecks:\n", "\nchecks:\n  - {code: no_pages, when: \"type = 'page'\", reason: no pages}\n"
    )
    assert strict != text
    (shop.folder / "web_events.yaml").write_text(strict, "utf-8")
    replay_plan.definition.load.cache_clear()
    event = '{"type":"page","messageId":"m%d","anonymousId":"a","timestamp":"2026-01-01T00:00:00Z"}\n'
    shop.company.load("web/events", "1.ndjson", event % 1 + event % 2)
    (shop.folder / "web_events.yaml").write_text(text, "utf-8")
    replay_plan.definition.load.cache_clear()
    shop.company.load("web/events", "2.ndjson", event % 1)
    tally = shop.replay()
    assert (tally.loaded, tally.duplicates, tally.still_bad) == (1, 1, 0)
    assert shop.company.ask("select message_id from raw.events order by 1") == [("m1",), ("m2",)]
    assert shop.counts() == (3, 2, 1, 0)


# ------------------------------------------------------------------ files of no source


@pytest.mark.parametrize("copied", [False, True])
def test_a_file_of_no_source_loads_once_it_has_one(shop, copied):
    """Whether the books have copied the refusal or not; then it is counted once, and tried no more."""
    file = shop.land("1.csv", "O1 USD", "O2 EUR", source="erp")
    ingest(shop.company.settings, [file])
    if copied:
        keep_books(shop.company.settings)
    assert shop.counts() == (1, 0, 0, 1)
    assert shop.replay().undefined == 1
    shop.takes("USD", source="erp")
    tally = shop.replay()
    assert (tally.loaded, tally.still_bad) == (1, 1)
    assert shop.orders("raw.erp_orders") == ["O1"]
    assert shop.counts() == (2, 1, 0, 1)
    shop.takes(source="erp")
    assert shop.replay().loaded == 1
    assert ingest(shop.company.settings, [file]).known == 1
    assert shop.counts() == (2, 2, 0, 0)
    for _ in range(2):
        keep_books(shop.company.settings)
        assert shop.counts() == (2, 2, 0, 0)
    query = "select table_name, replay, received, loaded, quarantined from ops.ingest_ledger order by replay"
    assert shop.company.ask(query) == [("raw.erp_orders", 0, 2, 1, 1), ("raw.erp_orders", 1, 1, 1, 0)]
    assert shop.company.ask('select "row", code, replay from ops.quarantine') == [(2, "not_allowed", 0)]


def test_announced_again_it_loads_as_well_and_replay_finds_it_done(shop):
    """Ingest and replay meet the same guard: whoever is first loads the file."""
    file = shop.land("1.csv", "O1 USD", "O2 USD", source="erp")
    ingest(shop.company.settings, [file])
    keep_books(shop.company.settings)
    shop.takes("USD", source="erp")
    assert len(ingest(shop.company.settings, [file]).records) == 1
    assert shop.replay().files == 0
    assert shop.orders("raw.erp_orders") == ["O1", "O2"]
    assert shop.counts() == (2, 2, 0, 0)
    keep_books(shop.company.settings)
    assert shop.company.ask("select table_name, received from ops.ingest_ledger") == [("raw.erp_orders", 2)]
    assert shop.company.ask("select count(*) from ops.quarantine") == [(0,)]


def test_ingest_and_replay_of_such_a_file_at_once_load_once(shop):
    """Several of each, at the same moment."""
    file = shop.land("1.csv", "O1 USD", "O2 USD", source="erp")
    ingest(shop.company.settings, [file])
    shop.takes("USD", source="erp")

    def work(number: int, barrier: Barrier) -> None:
        barrier.wait(30)
        if number % 2:
            shop.replay()
        else:
            ingest(shop.company.settings, [file])

    in_threads(4, work)
    assert shop.orders("raw.erp_orders") == ["O1", "O2"]
    assert shop.counts() == (2, 2, 0, 0)
