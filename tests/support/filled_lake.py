"""A lake with files in it: landed as `lakehouse put` does, loaded, resolved, and every model computed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse.books import balance
from lakehouse.engine import normal_forms
from lakehouse.ingest.batch import ingest
from lakehouse.ingest.quarantine import bad_rows
from lakehouse.landing.put import put
from lakehouse.landing.raw_files import from_object
from lakehouse.models import runner
from lakehouse.stages import analyst_sql
from lakehouse.stages.consents import telling_erased
from lakehouse.stages.resolve import resolve
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import ledger
from tests.support import small_company

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from lakehouse.tables.commit import FileRecord

Place = tuple[str, ...]  # source and entity, and what else tells files of one place apart


@dataclass
class Filled:
    """What became of each file, what was set aside of it by row, and a connection to ask."""

    records: dict[Place, FileRecord]
    set_aside: dict[Place, dict[int | None, str]]
    unbalanced: tuple[str, ...]
    wrong: list[str]
    con: duckdb.DuckDBPyConnection

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.con.execute(query).fetchall()


@contextmanager
def company_in(folder: Path) -> Iterator[small_company.SmallCompany]:
    """Give a company with a lake in a folder of its own, and nobody's own definitions."""
    for name in ("warehouse", "scratch"):
        (folder / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LAKEHOUSE_DEFINITIONS", raising=False)
        patch.setenv("LAKEHOUSE_CATALOG", "sql")
        patch.setenv("LAKEHOUSE_CATALOG_URI", f"sqlite:///{folder}/catalog.sqlite")
        patch.setenv("LAKEHOUSE_WAREHOUSE", f"file://{folder}/warehouse")
        patch.setenv("LAKEHOUSE_SCRATCH", f"{folder}/scratch")
        small_company.forget()
        with small_company.company(patch, folder) as company:
            yield company
    small_company.forget()


@contextmanager
def filled_lake(folder: Path, *steps: Mapping[Place, Path]) -> Iterator[Filled]:
    """Give a lake in a folder of its own, with the files of each source and entity, and nobody's own definitions.

    Files of one step are loaded together; each step is loaded, and resolved, once the one before it is.
    """
    with company_in(folder) as company:
        found = _fill(company, steps)
        normal_forms.create(found.con)
        yield found
        found.con.close()
        catalogs.open_catalog(company.settings).close()


def _load(company: small_company.SmallCompany, paths: Mapping[Place, Path]) -> dict[Place, FileRecord]:
    settings = company.settings
    landed = {}
    for place, path in paths.items():
        key = put(settings, "/".join(place[:2]), path).key
        head = small_company.aws.s3().head_object(Bucket=settings.landing_bucket, Key=key)
        entry = {"key": key, "version_id": head["VersionId"], "size": head["ContentLength"]}
        landed[place] = from_object(settings.landing_bucket, entry)
    outcome = ingest(settings, landed.values())
    assert not outcome.failed
    by_id = {record.file_id: record for record in outcome.records}
    resolve(settings)
    return {place: by_id[file.file_id] for place, file in landed.items()}


def _fill(company: small_company.SmallCompany, steps: Sequence[Mapping[Place, Path]]) -> Filled:
    settings = company.settings
    records = {place: record for paths in steps for place, record in _load(company, paths).items()}
    by_id = {record.file_id for record in records.values()}
    ran = runner.run(settings, make_ready=telling_erased(settings))
    catalog = catalogs.open_catalog(settings)
    tables = {
        name: table for name in catalogs.table_names(catalog) if (table := catalogs.load(catalog, name))
    }
    assert ledger.records(tables, settings.ops_bucket).keys() == by_id
    return Filled(
        records=records,
        set_aside={
            place: {row["row"]: row["code"] for row in bad_rows.read(settings.ops_bucket, record)}
            for place, record in records.items()
            if record.quarantined
        },
        unbalanced=balance.ingested(settings, tables).unbalanced,
        wrong=ran.wrong,
        con=analyst_sql.connect(settings),
    )
