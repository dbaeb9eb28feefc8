"""The files are the same for the same seed, and written in bounded memory."""

from __future__ import annotations

import gzip
import hashlib
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lakehouse.errors import Terminal
from lakehouse.sample.company import text_columns, write
from lakehouse.sample.company.world import chunk as chunk_module
from lakehouse.sample.company.world.chunk import CHUNKS_A_TEAM, PEOPLE
from lakehouse.sample.company.writers.export import Export

OF_NOBODY = {
    "shop/products",
    "shop/prices",
    "shop/stock",
    "weather/daily",
    "rates/daily",
    "calendar/days",
    "places/stores",
    "crm/campaigns",
}


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company of the same seed as the others that needs a second team, so two workers have work."""
    folder = tmp_path_factory.mktemp("larger") / "out"
    write(folder, customers=PEOPLE * CHUNKS_A_TEAM + 300, seed=7, crms=("crm",), shops=("shop",))
    return folder


def test_two_workers_write_the_bytes_of_one(larger: Path, tmp_path: Path) -> None:
    """The same seed and size give the same bytes, however many processes write them."""
    write(
        tmp_path / "out",
        customers=PEOPLE * CHUNKS_A_TEAM + 300,
        seed=7,
        crms=("crm",),
        shops=("shop",),
        workers=2,
    )
    digests = _digests(larger)
    assert digests == _digests(tmp_path / "out")
    assert "shop/orders/orders-00001.csv" in digests


def test_a_customer_is_the_same_in_a_larger_company(company: Any, larger: Path) -> None:
    """Every file of the first five thousand begins the file of a company four times as large."""
    for entity in company.truth["rows"].keys() - {"ads/spend"}:
        for path in (company.folder / entity).iterdir():
            small, large = path.read_bytes(), (larger / entity / path.name).read_bytes()
            if path.suffix == ".gz":
                small, large = gzip.decompress(small), gzip.decompress(large)
            assert large.startswith(small), entity
            assert len(large) > 2 * len(small) or entity in OF_NOBODY | {"crm/users", "salesforce/users"}


def test_a_company_cut_within_a_chunk_has_its_customers_alone(company: Any, tmp_path: Path) -> None:
    """A company of 300 has what the first 300 of a larger one have: nothing more, nothing less."""
    write(tmp_path / "out", customers=300, seed=7, crms=("crm",), shops=("shop",))
    lines = (tmp_path / "out/shop/orders/orders-00000.csv").read_text("utf-8").splitlines()[1:]
    among = company.value(
        """SELECT count(*) FROM shop_orders JOIN truth_person_of_account USING (customer_id) WHERE person_id < 300"""
    )
    assert len(lines) == among > 500
    lines_of_larger = (company.folder / "shop/orders/orders-00000.csv").read_text("utf-8").splitlines()
    assert set(lines) <= set(lines_of_larger)


def test_another_seed_is_another_company(tmp_path: Path) -> None:
    """Nothing that is drawn stays the same under another seed."""
    for seed in (1, 2):
        write(tmp_path / str(seed), customers=300, seed=seed)
    one, other = (_digests(tmp_path / str(seed)) for seed in (1, 2))
    assert one.keys() == other.keys()
    same = {name for name in one if one[name] == other[name]}
    assert same == {
        "GENERATED.md",
        "calendar/days/days-00000.csv",
        "places/stores/stores-00000.csv",
        "shop/products/products-00000.csv",
    }


def test_memory_does_not_grow_with_the_company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk is gone before the next but one is made, and nothing of any stays in Arrow's memory."""
    made: list[weakref.ref[Any]] = []
    alive: list[int] = []

    def noted(*arguments: Any) -> Any:
        alive.append(sum(reference() is not None for reference in made))
        world = chunk_module.make_chunk(*arguments)
        made.append(weakref.ref(world))
        return world

    monkeypatch.setattr(sys.modules[write.__module__], "make_chunk", noted)
    before = pa.total_allocated_bytes()
    write(tmp_path / "out", customers=2 * PEOPLE + 1_000)
    assert alive == [0, 1, 1]
    assert pa.total_allocated_bytes() - before < 2**20


def test_another_system_is_one_more_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function from a chunk of the world to an export is all that a further system's files need."""

    def exports(world: Any) -> Iterator[Export]:
        row = world.array("contacts", "row")
        columns = {
            "Record ID": world.column("contacts", "contact_id"),
            "Phone Number": text_columns.joined("+86", world.column("persons", "phone", row)),
            "Create Date": text_columns.utc_iso(world.array("contacts", "created_at")),
        }
        yield Export("pipedrive/persons", pa.table(columns), world.array("contacts", "person"))

    module = sys.modules[write.__module__]
    monkeypatch.setattr(module, "OF_CUSTOMERS", (*module.OF_CUSTOMERS, exports))
    truth = write(tmp_path / "out", customers=40)
    lines = (tmp_path / "out/pipedrive/persons/persons-00000.csv").read_text("utf-8").splitlines()
    assert lines[0] == '"Record ID","Phone Number","Create Date"'
    assert len(lines) - 1 == truth.rows["pipedrive/persons"] > 20


@pytest.mark.parametrize(
    ("systems", "message"),
    [
        ({"crms": ("siebel",)}, "no such CRM: siebel; there are hubspot"),
        ({"shops": ()}, "a company needs a shop"),
    ],
)
def test_systems_that_are_not_known_are_refused(systems: Any, message: str, tmp_path: Path) -> None:
    """The error says which there are; nothing is written."""
    with pytest.raises(Terminal, match=message):
        write(tmp_path / "out", customers=10, **systems)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("customers", "workers"), [(0, 1), (10_000_001, 1), (10, 0)])
def test_a_size_that_cannot_be_is_refused(customers: int, workers: int, tmp_path: Path) -> None:
    """Beyond ten million people ids could meet, and nobody is no worker; nothing is written."""
    with pytest.raises(Terminal, match="choose"):
        write(tmp_path / "out", customers=customers, workers=workers)
    assert not (tmp_path / "out").exists()


def test_everything_says_that_it_is_generated(company: Any) -> None:
    """GENERATED.md, truth.json and every row that has a column for its source say so; mail domains are reserved."""
    assert "generated" in (company.folder / "GENERATED.md").read_text("utf-8")
    assert company.truth["generated"] is True
    for table, column in (
        *(("shop_orders", "source"), ("shop_customers", "source"), ("crm_contacts", "lead_source")),
        *(
            ("crm_leads", "source"),
            ("crm_deals", "source"),
            ("crm_tickets", "source"),
            ("douyin_leads", "备注"),
        ),
        *(("weather_daily", "source"), ("ads_spend", "source"), ("shop_products", "source")),
    ):
        assert company.rows(f"SELECT DISTINCT {column} FROM {table}") == [("generated sample",)]
    domains = company.rows(
        """SELECT DISTINCT regexp_extract(email, '@.*?([a-z]+\\.[a-z]+)$', 1) FROM
           (SELECT email FROM crm_contacts UNION SELECT email FROM shop_customers UNION SELECT email FROM crm_users)
           WHERE email IS NOT NULL"""
    )
    assert {name for (name,) in domains} == {"example.com", "example.net", "example.org"}
    assert company.rows("SELECT DISTINCT json ->> '$.context.library.name' FROM web_events") == [
        ("crm-lakehouse-sample",)
    ]
