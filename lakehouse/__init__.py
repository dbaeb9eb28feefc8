"""crm-lakehouse: the loop between a CRM and a clickstream, in your own object storage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

__all__ = ["connect"]


def connect(data: Path | str = ".lakehouse") -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection with every table in place as `raw.*`, `core.*`, `marts.*` and `ops.*`.

    With a catalog in the environment (LAKEHOUSE_CATALOG, as on AWS) it reads that one; else the stack on the folder
    `data`. Where that does not run, its object store and catalog are started, and stopped when the connection is
    gone. Each table is seen as it stood when the connection was made. Raises `Terminal` when there is neither a
    catalog nor data in the folder, and `Transient` when the catalog does not answer.
    """
    from lakehouse import settings  # noqa: PLC0415 - functions import this package and need none of it
    from lakehouse.command_line import command_line  # noqa: PLC0415
    from lakehouse.errors import LakehouseError, Transient  # noqa: PLC0415
    from lakehouse.stages import analyst_sql  # noqa: PLC0415

    folder = Path(data)
    holder = None
    if not settings.names_catalog():
        from lakehouse.local.store_holder import hold_store, release_with  # noqa: PLC0415

        holder = hold_store(folder)
    found = settings.named_or_running(folder)
    try:
        con = analyst_sql.connect(found)
    except LakehouseError:
        raise
    except OSError as error:
        where = found.catalog_uri or found.catalog
        up = command_line("up", Path(data))
        raise Transient(
            f"the catalog {where} does not answer; if it is a local stack, start it: `{up}`"
        ) from error
    if holder is not None:
        release_with(con, holder)
    return con
