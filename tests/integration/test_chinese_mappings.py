"""The samples of Chinese systems and of advertising, as their systems write them: landed, loaded, made one meaning."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse.books import balance
from lakehouse.engine.escape import literal
from lakehouse.ingest import quarantine
from lakehouse.ingest.batch import ingest
from lakehouse.models import run
from lakehouse.models.entities import MODELS
from lakehouse.sources import definition, mapped
from lakehouse.stages import ask
from lakehouse.stages.resolve import resolve
from lakehouse.tables import ledger
from lakehouse.tables.catalog import load, open_catalog, table_names
from tests.support import samples
from tests.support.sample_cells import phone
from tests.support.works import company

SAMPLES = sorted(samples.SAMPLES)


def expected(place: str) -> dict[str, Any]:
    """Return what the sidecar of a sample says."""
    path = (samples.FOLDER / place).with_suffix(".expected.yaml")
    return yaml.safe_load(path.read_text("utf-8"))


def source_of(place: str) -> definition.Source:
    source, _, name = place.partition("/")
    return definition.load()[source, Path(name).stem]


@pytest.fixture
def works(lake, monkeypatch, tmp_path):
    with company(monkeypatch, tmp_path) as works:
        yield works


def test_samples_become_one_meaning(works):
    """Books balance, bad rows have their codes, and each sample fills the entities that its sidecar names."""
    settings = works.settings
    files = {
        place: works.land(place.rpartition(".")[0], Path(place).name, (samples.FOLDER / place).read_bytes())
        for place in SAMPLES
    }
    outcome = ingest(settings, files.values())
    assert outcome.failed == set()

    catalog = open_catalog(settings)
    tables = {name: table for name in table_names(catalog) if (table := load(catalog, name))}
    assert balance.ingested(settings, tables).unbalanced == ()
    records = ledger.records(tables, settings.ops_bucket)
    for place, file in files.items():
        told = {
            row["row"]: row["code"] for row in quarantine.read(settings.ops_bucket, records[file.file_id][1])
        }
        assert told == expected(place)["quarantined"], place

    resolve(settings)
    assert run.run(settings).wrong == []
    con = ask.connect(settings)
    try:
        for place in SAMPLES:
            _check_core(con, place, expected(place))
    finally:
        con.close()


def _check_core(con: Any, place: str, wanted: dict[str, Any]) -> None:
    """Compare the entities that one sample alone makes with its sidecar, and find its spots in the tables."""
    source = source_of(place)
    found = Counter()
    con.execute("CREATE SCHEMA IF NOT EXISTS mapped")
    for entity in source.core:
        con.execute(f"CREATE OR REPLACE TEMP VIEW mapped_{entity} AS {mapped.entity_sql(entity, [source])}")
        sql = MODELS[entity].replace(f"mapped.{entity}", f"mapped_{entity}")
        found[entity] = con.execute(f"SELECT count(*) FROM ({sql})").fetchone()[0]
    assert found == wanted["core"], place
    for spot in wanted["spot"]:
        columns = spot["expect"]
        rows = con.execute(
            f"SELECT {', '.join(columns)} FROM core.{spot['entity']} WHERE {spot['where']}"
        ).fetchall()
        told = [tuple(None if value is None else str(value) for value in row) for row in rows]
        assert told == [tuple(None if v is None else str(v) for v in columns.values())], (place, spot)


@pytest.mark.parametrize("place", SAMPLES)
def test_a_sample_is_what_its_builder_writes(place):
    """So that whoever reads the one knows the other."""
    kept, built = (samples.FOLDER / place).read_bytes(), samples.SAMPLES[place]()
    if place.endswith(".xlsx"):  # two versions of zlib pack alike, not the same
        kept, built = (_parts(body) for body in (kept, built))
    assert kept == built


def _parts(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_people_are_known_across_systems(works):
    """A union id ties two apps of WeChat and a lead; an open id ties only within its app."""
    for place in ("wechat/users.jsonl", "wechat/leads.csv"):
        works.load(place.rpartition(".")[0], Path(place).name, (samples.FOLDER / place).read_bytes())
    resolve(works.settings)

    def who(kind: str, value: str) -> str:
        ((customer,),) = works.ask(
            "SELECT customer_id FROM core.identities WHERE identifier_type = "
            f"{literal(kind)} AND identifier_value = {literal(value)}"
        )
        return customer

    a, b = "wxsample0000000a", "wxsample0000000b"
    assert who("wechat_openid", f"{a}:osample-a-1") == who("wechat_openid", f"{b}:osample-b-1")
    assert who("wechat_openid", f"{a}:osample-a-1") == who("wechat_lead", "9000000001")
    assert who("wechat_openid", f"{a}:osample-a-1") == who("phone", f"+86{phone(121)}")
    assert who("wechat_openid", f"{a}:osample-same") != who("wechat_openid", f"{b}:osample-same")
