"""Models run when what they were computed from has changed, and only then; a run that loses a race leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse import settings
from lakehouse.errors import CommitConflict
from lakehouse.models import computing, lineage, registry, runner
from lakehouse.stages.resolve import resolve
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, model_note
from tests.support import small_company
from tests.support.model_cases import own_model
from tests.support.small_company import SmallCompany

PEOPLE = ("core.contacts", "core.consents", "core.consent_answers", "core.customers")
MODELS = registry.load()


def fed_by(*tables: str) -> set[str]:
    """Return tables, and all that is written and made of them, directly or by others."""
    made = {each for table in tables for each in lineage.downstream(MODELS, table)}
    return {*tables} | {each for each in made if not MODELS.by_table[each].view}


BUYERS = fed_by("core.orders")
SEEN = fed_by("core.responses", "marts.sessions")  # of people, who are known: nobody was seen yet
VALUED = {"core.orders", "core.order_values", "marts.daily_activity", "marts.customer_360", "marts.rfm"}
LOOKING_BACK = fed_by(*(model.table for model in MODELS.in_order if model.as_of))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def shop(company, monkeypatch, shelf) -> SmallCompany:
    """A shop with two orders, resolved and computed as of the end of January 2026."""
    look_from(monkeypatch, "2026-01-31")
    with small_company.kept(monkeypatch, shelf) as fresh:
        if fresh:
            company.orders("1.csv", "O1,C1,2026-01-05,10.00", "O2,C2,2026-01-06,5.00")
            company.contacts("1.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01")
            resolve(company.settings)
            assert ran(company) == fed_by(*PEOPLE, "core.orders") | SEEN  # nobody sent anything else
    return company


def look_from(monkeypatch, day: str) -> None:
    monkeypatch.setenv("LAKEHOUSE_AS_OF", day)
    settings.current.cache_clear()


def ran(company: SmallCompany) -> set[str]:
    """Run what is due; return the tables whose models were computed: no others than `pending` foretold."""
    foretold = runner.pending(company.settings)
    run = runner.run(company.settings)
    done = {each.table for each in run.committed} | set(run.unchanged)
    assert done <= set(foretold)
    assert bool(done) is bool(foretold)
    return done


def table(company: SmallCompany, name: str):
    return catalogs.open_catalog(company.settings).load_table(name)


def test_nothing_moved_nothing_runs(shop):
    """A second look writes no snapshot and no file."""
    before = shop.snapshots(), shop.data_files()
    assert ran(shop) == set()
    assert (shop.snapshots(), shop.data_files()) == before


def test_no_table_is_made_for_what_nobody_sends(shop):
    """Definitions ship for many systems; a lake holds what came from the company's own."""
    raw = {name for name in shop.snapshots() if name.startswith("raw.")}
    assert raw == {"raw.shop_orders", "raw.hubspot_contacts"}


def test_an_input_that_moves_moves_those_who_read_it_and_no_others(shop):
    """New orders touch the models of orders, and what those feed; contacts, consents and deals stand."""
    shop.orders("2.csv", "O3,C1,2026-01-20,7.00")
    assert VALUED <= ran(shop) <= BUYERS
    assert shop.ask("select sum(amount) from core.orders") == [(22,)]
    assert ran(shop) == set()


def test_rows_that_stay_wake_nobody(shop):
    """A later order of a known customer is no news of who is who: identities are not written anew."""
    heads = {name: commit.head(table(shop, name)) for name in shop.snapshots()}
    shop.orders("2.csv", "O3,C1,2026-01-20,7.00")
    files = shop.data_files()
    assert resolve(shop.settings)
    assert not resolve(shop.settings)  # its inputs are noted all the same
    assert shop.data_files() == files
    run = runner.run(shop.settings)
    moved = {name for name, head in heads.items() if commit.head(table(shop, name)) != head}
    assert moved == {each.table for each in run.committed} | {"raw.shop_orders"}
    assert moved.isdisjoint({"core.identities", *PEOPLE})
    assert "core.home_rates" in run.unchanged
    assert runner.pending(shop.settings) == []
    assert shop.data_files() - shop.live_files() <= files


def test_models_whose_rows_stay_are_not_written(shop):
    """A new customer is news to whoever reads identities: most compute, and find what they had."""
    before = {name: (commit.head(table(shop, name)), shop.snapshots()[name]) for name in PEOPLE}
    shop.orders("2.csv", "O3,C9,2026-01-20,7.00")
    resolve(shop.settings)
    run = runner.run(shop.settings)
    assert {"core.consents", "core.contacts"} <= set(run.unchanged)
    for name in set(run.unchanged) & set(before):
        head, snapshots = before[name]
        assert commit.head(table(shop, name)) == head
        assert shop.snapshots()[name] == snapshots + 1  # it says what the same rows were computed from
    assert runner.pending(shop.settings) == []


def test_a_new_day_moves_what_looks_back_from_it(shop, monkeypatch):
    """Models with `as_of` in their header, and what reads them."""
    look_from(monkeypatch, "2026-02-01")
    assert {"marts.customer_360", "marts.rfm"} <= ran(shop) <= LOOKING_BACK
    assert {row[0].isoformat() for row in shop.ask("select as_of from marts.rfm")} == {"2026-02-01"}


def test_changed_sql_is_computed_anew(shop, monkeypatch, tmp_path):
    """A correction of a model reaches its rows without anybody's touching the data."""
    override_orders(tmp_path, monkeypatch, ("r.currency", "'EUR' AS currency"))
    assert VALUED <= ran(shop) <= BUYERS
    assert shop.ask("select distinct currency from core.orders") == [("EUR",)]


def override_orders(folder: Path, monkeypatch, swap: tuple[str, str]) -> None:
    """Have a model of core.orders of one's own: the shipped one with a text swapped for another."""
    path = folder / "definitions" / "models" / "core" / "orders.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(registry.load().by_table["core.orders"].sql.replace(*swap), "utf-8")
    use(folder, monkeypatch)


def use(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(folder / "definitions"))
    settings.current.cache_clear()


def test_rewriting_files_moves_nothing(shop):
    """A snapshot that says it holds the same rows as one before is the same input."""
    raw = table(shop, "raw.shop_orders")
    rewritten = {commit.HEAD: commit.head(raw)}
    raw.append(raw.scan().to_arrow().slice(0, 0), snapshot_properties=rewritten)
    assert table(shop, "raw.shop_orders").current_snapshot() != raw.metadata.snapshots[0]
    assert ran(shop) == set()


def test_nothing_is_computed_from_nothing(company):
    """Before anything was received there are no customers to be said to have left."""
    assert ran(company) == set()
    assert {name: count for name, count in company.snapshots().items() if count} == {}


def race(monkeypatch, name: str, meanwhile) -> None:
    """Let something happen after a model was computed and before it is committed."""
    write, happened = computing.data_files.write, []

    def written(con, table, query, attempt, **options):
        files = write(con, table, query, attempt, **options)
        if ".".join(table.name()) == name and not happened:
            happened.append(name)
            meanwhile()
        return files

    monkeypatch.setattr(computing.data_files, "write", written)


def test_whoever_computed_from_what_was_replaced_meanwhile_loses_without_a_trace(shop, monkeypatch):
    """The other run's rows stand, and no snapshot nor file of the slower one stays."""
    shop.orders("2.csv", "O3,C1,2026-01-20,7.00")
    race(monkeypatch, "core.orders", lambda: runner.run(shop.settings))
    with pytest.raises(CommitConflict):
        runner.run(shop.settings)
    assert shop.ask("select count(*) from core.orders") == [(3,)]
    assert len(table(shop, "core.orders").metadata.snapshots) == 2
    assert {path for path in shop.data_files() - shop.live_files() if "/core/orders/" in path} == set()
    assert ran(shop) == set()


def test_an_input_that_moves_under_the_computation_is_the_next_look_s(shop, monkeypatch):
    """What the commit says it was computed from is what it was computed from, of all models of the look."""
    shop.orders("2.csv", "O3,C1,2026-01-20,7.00")
    show, happened = computing.InputViews.show, []

    def moved(self, *arguments):
        if not happened:
            happened.append("moved")
            shop.orders("3.csv", "O4,C1,2026-01-21,1.00")
        show(self, *arguments)

    monkeypatch.setattr(computing.InputViews, "show", moved)
    assert {each.table for each in runner.run(shop.settings).committed} >= {"core.orders", "marts.rfm"}
    assert shop.ask("select count(*) from core.orders") == [(3,)]
    assert VALUED <= ran(shop) <= BUYERS
    assert shop.ask("select count(*) from core.orders") == [(4,)]


def test_a_table_that_another_run_filled_meanwhile_is_not_replaced(shop, monkeypatch):
    """Its rows may be of newer inputs than those that this run began with: it begins again."""
    shop.orders("2.csv", "O3,C1,2026-01-20,7.00")
    look_from(monkeypatch, "2026-02-01")
    show, happened = computing.InputViews.show, []

    def overtaken(self, *arguments):
        if not happened:
            happened.append("overtaken")
            runner.run(shop.settings, only=["marts.customer_360"])
        show(self, *arguments)

    monkeypatch.setattr(computing.InputViews, "show", overtaken)
    with pytest.raises(CommitConflict, match=r"marts\.customer_360 was written by another run"):
        runner.run(shop.settings)
    assert {"marts.customer_360", "marts.rfm"} <= ran(shop)
    assert ran(shop) == set()
    assert shop.ask("select count(*) from core.order_values") == [(3,)]


def test_a_model_with_wrong_sql_keeps_its_rows_and_stops_only_those_that_read_it(shop, monkeypatch, tmp_path):
    """It is named by file and reason; everything else goes on."""
    override_orders(tmp_path, monkeypatch, ("r.currency", "r.nonsense AS currency"))
    shop.contacts("2.csv", "2,Bob,bob@x.org,C2,No,2026-01-03")
    resolve(shop.settings)
    outcome = runner.run(shop.settings)
    assert len(outcome.wrong) == 1
    assert outcome.wrong[0].startswith("core/orders.sql: Binder Error")
    assert "nonsense" in outcome.wrong[0]
    assert set(PEOPLE) <= {done.table for done in outcome.committed} <= fed_by(*PEOPLE) - BUYERS
    assert shop.ask("select count(*) from core.orders") == [(2,)]


def test_a_file_that_is_no_model_stops_only_those_that_read_its_table(shop, monkeypatch, tmp_path):
    """Nor does it bring back the shipped one that it stands for; `status` can say so by its table."""
    override_orders(tmp_path, monkeypatch, ("SELECT", "SELCT"))
    shop.contacts("2.csv", "2,Bob,bob@x.org,C2,No,2026-01-03")
    shop.orders("2.csv", "O3,C1,2026-01-20,7.00")
    resolve(shop.settings)
    outcome = runner.run(shop.settings)
    [reason] = outcome.wrong
    assert reason.startswith("core/orders.sql: SQL: not SQL near")
    assert set(PEOPLE) <= {done.table for done in outcome.committed} <= fed_by(*PEOPLE) - BUYERS
    assert shop.ask("select count(*) from core.orders") == [(2,)]
    assert model_note.noted(table(shop, "core.orders")) == reason
    assert runner.pending(shop.settings) == []


def test_a_wrong_file_is_noted_in_its_table_though_nothing_reads_that(shop, monkeypatch, tmp_path):
    """`status` says of each table that its rows are old."""
    own_model(tmp_path / "definitions", "marts.daily_activity", "SELCT 1")
    use(tmp_path, monkeypatch)
    [reason] = runner.run(shop.settings).wrong
    assert model_note.noted(table(shop, "marts.daily_activity")) == reason


def test_a_model_waits_for_all_that_its_sql_reads(shop, monkeypatch, tmp_path):
    """Nobody has to say so beside the SQL, and nobody can forget it."""
    swap = ("orders > 0", "orders > (SELECT min(amount) FROM core.orders) - 99")
    own_model(tmp_path / "definitions", "marts.rfm", swap=swap)
    use(tmp_path, monkeypatch)
    shop.orders("2.csv", "O3,C1,2026-01-20,7.00")
    assert runner.run(shop.settings).wrong == []
    assert commit.inputs(table(shop, "marts.rfm")).keys() >= {"marts.customer_360", "core.orders"}


def test_what_nobody_sends_makes_no_table(shop):
    """Many sources are defined, and a company has few of them."""
    names = set(catalogs.table_names(catalogs.open_catalog(shop.settings)))
    assert {name for name in names if name.startswith("raw.")} == {"raw.shop_orders", "raw.hubspot_contacts"}
    assert not names & {"core.tickets", "core.products"}
