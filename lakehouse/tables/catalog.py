"""Opens the Iceberg catalog that the settings name, and makes tables from contracts beside others who do so too."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchNamespaceError, NoSuchTableError
from pyiceberg.manifest import DataFile, ManifestEntry
from pyiceberg.table import Table

from lakehouse.tables.migrations import shape
from lakehouse.tables.migrations.apply import migrate
from lakehouse.tables.migrations.writer import for_writer

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.tables.contract import Contract

__all__ = [
    "NAMESPACES",
    "RAW",
    "Catalog",
    "DataFile",
    "ManifestEntry",
    "Table",
    "ensure",
    "load",
    "open_catalog",
    "table_names",
]
RAW = "raw"
NAMESPACES = (RAW, "core", "marts", "ops")
# SeaweedFS checks whether a table exists and then writes it: two creations at once both succeed, and what was
# committed to the first one in between is lost. A laptop's functions are threads of one process.
_CREATING = Lock()
_SQLITE_TABLES = ("iceberg_tables", "iceberg_namespace_properties")


@lru_cache(maxsize=4)
def open_catalog(settings: Settings) -> Catalog:
    """Open the catalog: an SQLite file, a REST service, or Glue, by configuration alone."""
    properties = {"warehouse": settings.warehouse, **_s3_properties(settings)}
    if settings.catalog == "glue":
        properties |= {"type": "glue", "glue.region": settings.region}
    elif settings.catalog == "rest":
        properties |= {
            "type": "rest",
            "uri": settings.catalog_uri,
            "rest.sigv4-enabled": "true",
            "rest.signing-name": "s3tables",
            "rest.signing-region": settings.region,
        }
    else:
        return _open_sqlite(properties | {"type": "sql", "uri": settings.catalog_uri})
    return load_catalog("lake", **properties)


def _open_sqlite(properties: dict[str, str]) -> Catalog:
    from sqlalchemy.exc import OperationalError  # noqa: PLC0415 - no other catalog needs it

    # Whoever opens a new file at the same moment makes these tables, and our CREATE fails: once for each at most.
    for _ in _SQLITE_TABLES:
        try:
            return load_catalog("lake", **properties)
        except OperationalError:
            continue
    return load_catalog("lake", **properties)


def _s3_properties(settings: Settings) -> dict[str, str]:
    properties = {"s3.region": settings.region, "client.region": settings.region}
    if settings.s3_endpoint:
        properties["s3.endpoint"] = settings.s3_endpoint
    for name, value in _credentials(settings).items():
        properties[f"s3.{name}"] = value
        properties[f"client.{name}"] = value
    return properties


def _credentials(settings: Settings) -> dict[str, str]:
    """Return the keys of the settings as pyiceberg names them; none where the environment's role is used."""
    if not settings.access_key or not settings.secret_key:
        return {}
    credentials = {
        "access-key-id": settings.access_key,
        "secret-access-key": settings.secret_key.get_secret_value(),
    }
    if settings.session_token:
        credentials["session-token"] = settings.session_token.get_secret_value()
    return credentials


def ensure(catalog: Catalog, contract: Contract) -> Table:
    """Return the contract's table for writing, made first where it does not exist; any number of callers may race.

    Where the table lacks something of the contract it is changed: see `migrations`. A table that is newer than the
    contract stays as it is, and is returned as a writer of this contract sees it. Raises `Terminal` when the table
    has other columns than the contract at the same field ids.
    """
    table = load(catalog, contract.name)
    if table is None:
        with _CREATING:
            table = load(catalog, contract.name) or _create(catalog, contract)
    return for_writer(migrate(catalog, table, contract), contract)


def _create(catalog: Catalog, contract: Contract) -> Table:
    _create_namespace(catalog, contract.namespace)
    try:
        catalog.create_table(
            contract.name,
            shape.schema(contract),
            partition_spec=shape.spec(contract),
            sort_order=shape.sort_order(contract),
            properties={"format-version": "2", **shape.properties(contract)},
        )
    except Exception:
        created_by_others = load(catalog, contract.name)
        if created_by_others is None:
            raise
        return created_by_others
    return catalog.load_table(contract.name)  # of two creations at once SeaweedFS keeps the second


def _create_namespace(catalog: Catalog, namespace: str) -> None:
    try:
        catalog.create_namespace(namespace)
    except NamespaceAlreadyExistsError:
        pass
    except Exception:  # each catalog reports a lost race in its own way; SQLite by a broken constraint
        if not catalog.namespace_exists(namespace):
            raise


def load(catalog: Catalog, name: str) -> Table | None:
    """Return a table, or None where the catalog has none of that name."""
    try:
        return catalog.load_table(name)
    except NoSuchTableError:
        return None


def table_names(catalog: Catalog, namespaces: Iterable[str] = NAMESPACES) -> list[str]:
    """Return the names of all tables in these namespaces, sorted; a namespace that does not exist has none.

    Nothing is asked of other namespaces, nor which there are: a function may see no more than it reads.
    """
    names: list[str] = []
    for namespace in namespaces:
        try:
            names += [".".join(identifier) for identifier in catalog.list_tables(namespace)]
        except NoSuchNamespaceError:
            continue
    return sorted(names)
