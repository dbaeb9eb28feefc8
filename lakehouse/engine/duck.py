"""DuckDB connections: bounded memory, UTC, the packaged extensions, and the way to object storage."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from lakehouse.engine import sql_functions
from lakehouse.engine.escape import literal
from lakehouse.errors import Terminal
from lakehouse.settings import Settings

_EXTENSIONS = ("httpfs", "avro", "iceberg")
# What DuckDB raises for SQL that can never run: a word, a column or a function that is not there. It quotes the
# SQL, never a row, so people may be told.
WRONG_SQL = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)


# Checking a signature reads the whole file, 0.15 s for the three, at each LOAD. Once is enough for a process: later
# connections get the library that is loaded by then.
_checked: set[str] = set()


def extension_path(name: str) -> Path:
    """Return the file of a packaged DuckDB extension; `Terminal` when its package is missing."""
    package = f"duckdb_extension_{name}"
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or []) if spec else []
    for place in places:
        file = Path(place) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        if file.exists():
            return file
    raise Terminal(
        f"DuckDB extension {name!r} for version {duckdb.__version__} is not installed: "
        f"install duckdb-extension-{name}=={duckdb.__version__}"
    )


def connect(
    settings: Settings, *, database: str = ":memory:", iceberg: bool = True, threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a connection with this function's limits, able to read and write object storage.

    It has the functions of `lakehouse.engine.sql_functions`.

    Nothing is downloaded: extensions come from packages, and fetching others is switched off. `iceberg=False`
    skips the extensions that only reading Iceberg tables needs. `threads` is of one query (default: all there are): who
    runs several queries at once in threads of its own gives 1, since DuckDB's own would only be in each other's way.
    """
    names = _EXTENSIONS if iceberg else ("httpfs",)
    con = duckdb.connect(
        database,
        config={
            "allow_unsigned_extensions": "true" if _checked.issuperset(names) else "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": settings.duck_memory,
            "threads": str(threads or settings.threads),
            "temp_directory": str(settings.scratch / "duckdb"),
            "preserve_insertion_order": "true",
        },
    )
    for name in names:
        con.load_extension(str(extension_path(name)))
    _checked.update(names)
    con.execute("SET TimeZone = 'UTC'")
    # A partitioned COPY keeps every row until this many have come: the default held a whole batch in memory.
    con.execute("SET partitioned_write_flush_threshold = 30000")
    con.execute("SET partitioned_write_max_open_files = 20")
    con.execute("SET enable_progress_bar = false")
    sql_functions.create(con)
    _s3_secret(con, settings)
    return con


def _s3_secret(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    if settings.access_key is None or settings.secret_key is None:
        return
    parts = [
        "TYPE s3",
        f"KEY_ID {literal(settings.access_key)}",
        f"SECRET {literal(settings.secret_key.get_secret_value())}",
        f"REGION {literal(settings.region)}",
    ]
    if settings.session_token is not None:
        parts.append(f"SESSION_TOKEN {literal(settings.session_token.get_secret_value())}")
    if settings.s3_endpoint:
        url = urlsplit(settings.s3_endpoint)
        parts += [f"ENDPOINT {literal(url.netloc)}", "URL_STYLE 'path'"]
        parts.append(f"USE_SSL {'true' if url.scheme == 'https' else 'false'}")
    con.execute(f"CREATE OR REPLACE SECRET lake ({', '.join(parts)})")
