"""Opens the Iceberg catalog that the settings name and makes tables from contracts, whoever else does so too."""

from __future__ import annotations

import re
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import CommitFailedException, NamespaceAlreadyExistsError, NoSuchTableError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.sorting import SortField, SortOrder
from pyiceberg.transforms import DayTransform, IdentityTransform, MonthTransform, YearTransform
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)

from lakehouse.errors import CommitConflict, Terminal

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.tables.contract import Contract

__all__ = ["NAMESPACES", "Catalog", "Table", "ensure", "load", "open_catalog", "table_names"]
NAMESPACES = ("raw", "core", "marts", "ops")
_TYPES: dict[str, IcebergType] = {
    "string": StringType(),
    "int": IntegerType(),
    "long": LongType(),
    "double": DoubleType(),
    "boolean": BooleanType(),
    "date": DateType(),
    "timestamptz": TimestamptzType(),
}
_TRANSFORMS = {
    "identity": IdentityTransform,
    "day": DayTransform,
    "month": MonthTransform,
    "year": YearTransform,
}
# Eight writers on one table failed with the default of 4 retries; with these they did not. Readers name the
# metadata file that was newest when they connected, so some old ones stay; each costs every commit 0.2 ms.
_PROPERTIES = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "commit.retry.num-retries": "20",
    "commit.retry.min-wait-ms": "100",
    "commit.retry.max-wait-ms": "2000",
    "commit.retry.total-timeout-ms": "120000",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "100",
}
# SeaweedFS looks whether a table exists and then writes it: two creations at once both succeed, and what was
# committed to the first one in between is lost. A laptop's functions are threads of one process.
_MAKING = Lock()
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

    for _ in _SQLITE_TABLES:  # whoever opens a new file at the same moment makes these, and our CREATE fails
        try:
            return load_catalog("lake", **properties)
        except OperationalError:
            continue
    return load_catalog("lake", **properties)


def _s3_properties(settings: Settings) -> dict[str, str]:
    properties = {"s3.region": settings.region, "client.region": settings.region}
    if settings.s3_endpoint:
        properties["s3.endpoint"] = settings.s3_endpoint
    if settings.access_key and settings.secret_key:
        secret = settings.secret_key.get_secret_value()
        for prefix in ("s3", "client"):
            properties[f"{prefix}.access-key-id"] = settings.access_key
            properties[f"{prefix}.secret-access-key"] = secret
            if settings.session_token:
                properties[f"{prefix}.session-token"] = settings.session_token.get_secret_value()
    return properties


def ensure(catalog: Catalog, contract: Contract) -> Table:
    """Return the contract's table, made first if need be; any number of callers may race.

    Columns that are new at the contract's end are added to it. Raises `Terminal` when the table has other
    columns than the contract at the same field ids.
    """
    table = load(catalog, contract.name)
    if table is None:
        with _MAKING:
            table = load(catalog, contract.name) or _make(catalog, contract)
    if not _agree(table, contract):
        table = _grow(catalog, table, contract)
    return table


def _make(catalog: Catalog, contract: Contract) -> Table:
    try:
        catalog.create_namespace(contract.namespace)
    except NamespaceAlreadyExistsError:
        pass
    except Exception:  # each catalog has its own words for a lost race; SQLite's are a broken constraint
        if not catalog.namespace_exists(contract.namespace):
            raise
    try:
        catalog.create_table(
            contract.name,
            _schema(contract),
            partition_spec=_spec(contract),
            sort_order=_sort_order(contract),
            properties=_PROPERTIES | _metrics(contract) | contract.properties,
        )
    except Exception:
        if (raced := load(catalog, contract.name)) is None:
            raise
        return raced
    return catalog.load_table(contract.name)  # of two creations at once SeaweedFS lets the second stand


def load(catalog: Catalog, name: str) -> Table | None:
    """Return a table, or None where the catalog has none of that name."""
    try:
        return catalog.load_table(name)
    except NoSuchTableError:
        return None


def table_names(catalog: Catalog) -> list[str]:
    """Return the names of all tables in our namespaces, sorted."""
    names: list[str] = []
    existing = {".".join(namespace) for namespace in catalog.list_namespaces()}
    for namespace in NAMESPACES:
        if namespace in existing:
            names += [".".join(identifier) for identifier in catalog.list_tables(namespace)]
    return sorted(names)


def _schema(contract: Contract) -> Schema:
    ids = contract.field_ids()
    return Schema(
        *(
            NestedField(ids[column.name], column.name, _type(column.type), doc=column.doc)
            for column in contract.columns
        )
    )


def _type(name: str) -> IcebergType:
    if match := re.fullmatch(r"decimal\((\d+),(\d+)\)", name):
        return DecimalType(int(match[1]), int(match[2]))
    return _TYPES[name]


def _spec(contract: Contract) -> PartitionSpec:
    ids = contract.field_ids()
    return PartitionSpec(
        *(
            PartitionField(ids[part.column], 1000 + number, _TRANSFORMS[part.transform](), part.name)
            for number, part in enumerate(contract.partition)
        )
    )


def _sort_order(contract: Contract) -> SortOrder:
    ids = contract.field_ids()
    return SortOrder(*(SortField(ids[name], transform=IdentityTransform()) for name in contract.sort))


def _metrics(contract: Contract) -> dict[str, str]:
    """Keep personal data out of manifests: bounds stand there in clear long after a row is erased."""
    return {
        f"write.metadata.metrics.column.{column.name}": "none" for column in contract.columns if column.pii
    }


def _agree(table: Table, contract: Contract) -> bool:
    """Return whether the table has all of the contract's columns; `Terminal` when it has others."""
    have = {field.name: (field.field_id, str(field.field_type)) for field in table.schema().fields}
    ids = contract.field_ids()
    wanted = {column.name: (ids[column.name], str(_type(column.type))) for column in contract.columns}
    for name, found in have.items():
        if wanted.get(name) != found:
            raise Terminal(
                f"table {contract.name}: column {name} is {found} in the catalog and {wanted.get(name)} in the "
                "contract; contracts grow at the end and never drop a column or change a type"
            )
    return len(have) == len(wanted)


def _grow(catalog: Catalog, table: Table, contract: Contract) -> Table:
    have = {field.name for field in table.schema().fields}
    try:
        with table.transaction() as transaction:
            with transaction.update_schema() as update:
                for column in contract.columns:
                    if column.name not in have:
                        update.add_column(column.name, _type(column.type), column.doc)
            transaction.set_properties(_metrics(contract))
    except CommitFailedException as error:
        raced = load(catalog, contract.name)
        if raced is None or not _agree(raced, contract):
            raise CommitConflict(f"{contract.name}: the table is changing; try again") from error
        return raced
    _agree(table, contract)
    return table
