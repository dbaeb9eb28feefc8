"""DuckDB connections: bounded memory, UTC, the packaged extensions, and the way to object storage."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from lakehouse.engine import sql_functions
from lakehouse.engine.escape import literal
from lakehouse.engine.policy import PartitionedWritePolicy
from lakehouse.errors import Terminal
from lakehouse.scratch import scratch_path
from lakehouse.settings import Settings

_EXTENSIONS = ("httpfs", "avro", "iceberg")
# What DuckDB raises for SQL that can never run: a word, a column or a function that does not exist. It quotes the
# SQL, never a row, so the message may be shown to people.
WRONG_SQL = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)


# What is no fault of the SQL: storage that cannot be reached or read just now, somebody who stops the process.
NOT_OF_SQL = (duckdb.IOException, duckdb.InterruptException)
_LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)


def sql_error_line(error: duckdb.Error) -> int:
    """Return the line of the SQL that DuckDB names in an error, from 1; 0 where it names none."""
    found = _LINE.search(str(error))
    return int(found[1]) if found else 0


def sql_error_text(error: duckdb.Error) -> str:
    """Return what may be told of an error of SQL that a person wrote: DuckDB's words about the SQL, never a value.

    An error that depends on rows, such as of a cast, quotes them: of that the kind is told.
    """
    if isinstance(error, WRONG_SQL):
        first, *others = str(error).splitlines()
        near_names = (line for line in others if line.startswith("Candidate bindings:"))
        return " ".join([first, *near_names])
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"{type(error).__name__}: it needs more memory, or more scratch disk, than a function has"
    return f"{type(error).__name__} for a value of some row; use TRY_CAST, or leave such rows out"


# Checking a signature reads the whole file, 0.15 s for the three, at each LOAD. Once is enough for a process: later
# connections get the library that is loaded by then.
_checked: set[str] = set()


def extension_path(name: str) -> Path:
    """Return the file of a packaged DuckDB extension; `Terminal` when its package is missing."""
    package = f"duckdb_extension_{name}"
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        file = Path(folder) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
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

    It has the functions of `lakehouse.engine.sql_functions`, and a folder of its own to spill to: connections that
    share one overwrite each other's files.

    Nothing is downloaded: extensions come from packages, and fetching others is switched off. `iceberg=False`
    skips the extensions that only reading Iceberg tables needs. `threads` are those of one query, all of the settings
    by default; a caller that runs several queries in threads of its own passes 1, since more would only compete.
    """
    extensions = _EXTENSIONS if iceberg else ("httpfs",)
    spill = {"max_temp_directory_size": settings.spill_limit} if settings.spill_limit else {}
    con = duckdb.connect(
        database,
        config={
            **spill,
            "allow_unsigned_extensions": "true" if _checked.issuperset(extensions) else "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": settings.duck_memory,
            "threads": str(threads or settings.threads),
            "temp_directory": str(scratch_path(settings.scratch, "duckdb")),
            "preserve_insertion_order": "true",
        },
    )
    for extension in extensions:
        con.load_extension(str(extension_path(extension)))
    _checked.update(extensions)
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET ieee_floating_point_ops = false")  # what is divided by zero is null, as on Spark
    con.execute(f"SET partitioned_write_flush_threshold = {PartitionedWritePolicy.flush_rows}")
    con.execute(f"SET partitioned_write_max_open_files = {PartitionedWritePolicy.max_open_files}")
    con.execute("SET enable_progress_bar = false")
    sql_functions.create(con)
    if secret := s3_secret_sql(settings):
        con.execute(secret)
    return con


def s3_secret_sql(settings: Settings) -> str:
    """Return the statement that gives a connection the settings' keys and endpoint; empty where there are no keys."""
    if settings.access_key is None or settings.secret_key is None:
        return ""
    options = [
        "TYPE s3",
        f"KEY_ID {literal(settings.access_key)}",
        f"SECRET {literal(settings.secret_key.get_secret_value())}",
        f"REGION {literal(settings.region)}",
    ]
    if settings.session_token is not None:
        options.append(f"SESSION_TOKEN {literal(settings.session_token.get_secret_value())}")
    if settings.s3_endpoint:
        url = urlsplit(settings.s3_endpoint)
        options += [f"ENDPOINT {literal(url.netloc)}", "URL_STYLE 'path'"]
        options.append(f"USE_SSL {'true' if url.scheme == 'https' else 'false'}")
    return f"CREATE OR REPLACE SECRET lake ({', '.join(options)})"
