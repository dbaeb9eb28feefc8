"""Each shipped mapping of shops, ERPs and surroundings lands its sample, balances the books and fills `core.*`."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lakehouse.books import balance
from lakehouse.ingest import quarantine
from lakehouse.ingest.batch import ingest
from lakehouse.models import run
from lakehouse.sources import definition
from lakehouse.stages import ask
from lakehouse.stages.resolve import resolve
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import ledger
from lakehouse.tables.entities import BY_NAME
from tests.support import works

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.works import Works

SAMPLES = Path(__file__).parents[1] / "samples"
SOURCES = (
    "ads calendar crm devices erp loyalty mentions places rates shop shopify surveys weather woocommerce"
)
FILES = sorted(
    path
    for path in SAMPLES.glob("*/*")
    if path.parent.name in SOURCES.split() and not path.name.endswith(".yaml")
)
PLACES = {path: (path.parent.name, path.stem) for path in FILES}


def expected(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((path.parent / f"{path.stem}.expected.yaml").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def loaded(lake, monkeypatch, tmp_path, shelf) -> Iterator[Works]:
    """Every sample in one lake, resolved and computed; the first test does it."""
    with works.company(monkeypatch, tmp_path) as company, works.kept(monkeypatch, shelf) as fresh:
        if fresh:
            files = [company.land("/".join(PLACES[path]), path.name, path.read_bytes()) for path in FILES]
            outcome = ingest(company.settings, files)
            assert not outcome.failed
            assert len(outcome.records) == len(files)
            set_aside = {
                (record.key.rpartition("/")[0], bad["row"]): bad["code"]
                for record in outcome.records
                if record.quarantined
                for bad in quarantine.read(company.settings.ops_bucket, record)
            }
            wanted = {
                ("/".join(PLACES[path]), row): code
                for path in FILES
                for row, code in expected(path).get("quarantined", {}).items()
            }
            assert set_aside == wanted
            resolve(company.settings)
            assert run.run(company.settings).wrong == []
        yield company


def test_every_row_is_accounted_for(loaded):
    """Received is loaded and set aside, file by file."""
    catalog = catalogs.open_catalog(loaded.settings)
    tables = {name: catalog.load_table(name) for name in catalogs.table_names(catalog)}
    assert balance.ingested(loaded.settings, tables).unbalanced == ()
    found = ledger.records(tables, loaded.settings.ops_bucket)
    assert len(found) == len(FILES)


def test_core_holds_what_the_samples_say(loaded):
    """As many records as expected, over the samples of one source and entity together."""
    wanted: Counter[tuple[str, str]] = Counter()
    for path in FILES:
        for entity, count in expected(path)["core"].items():
            wanted[path.parent.name, entity] += count
    counts = " union all ".join(
        f"select '{source}', '{entity}', count(*) from core.{entity} where {of(source)}"
        for source, entity in wanted
    )
    assert {(source, entity): count for source, entity, count in loaded.ask(counts)} == dict(wanted)


def test_records_say_what_was_sent(loaded):
    """Spot checks, each of one record."""
    con = ask.connect(loaded.settings)
    wrong = []
    for path in FILES:
        source = of(path.parent.name)
        for spot in expected(path).get("spot", []):
            names = ", ".join(spot["expect"])
            query = f"select {names} from core.{spot['entity']} where {source} and {spot['where']}"
            rows = [tuple(map(plain, row)) for row in con.execute(query).fetchall()]
            if rows != [tuple(map(plain, spot["expect"].values()))]:
                wrong.append((path.parent.name, path.stem, spot, rows))
    con.close()
    assert wrong == []


def of(source: str) -> str:
    """Return the condition of a source's records; those of advertising are under the platform's name."""
    return "true" if source == "ads" else f"source = '{source}'"


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | float):
        return round(float(value), 8)
    return value


def test_people_are_found_across_shop_and_loyalty(loaded):
    """An order by number, a card by e-mail: one customer."""
    found = loaded.ask(
        "select (select customer_id from core.orders where order_id = 'O2001'), "
        "(select any_value(customer_id) from core.memberships where membership_id = 'M0001'), "
        "(select count(*) from core.orders where customer_id is null)"
    )
    [(by_number, by_card, unknown)] = found
    assert by_number == by_card is not None
    assert unknown == 0


def test_every_entity_has_a_shipped_mapping():
    """Those that a CRM fills are mapped by its definitions."""
    mapped = {entity for source in definition.load().values() for entity in source.core}
    theirs = {"leads", "deal_stages", "activities", "tickets", "campaigns", "campaign_members"}
    assert BY_NAME.keys() - mapped <= theirs
