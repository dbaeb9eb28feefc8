"""`python -m tests.support.engines`: run every block of docs/engines.md with the engine that it is about."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

import lakehouse
from lakehouse.engine import duck
from lakehouse.local.stack import Stack
from lakehouse.models import registry
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.contracts import RFM
from tests.support.lakes import rest_settings, write

ROOT = Path(lakehouse.__file__).parents[1]
PAGE = ROOT / "docs/engines.md"
ROWS = 7
# Too large for everybody's environment: 533, 170 and 149 MB
ENGINES = (
    "chdb==4.4.0",
    "polars==2.1.0",
    "daft==0.7.26",
    "pyiceberg[pyarrow]>=0.12,<0.13",
    f"duckdb=={duckdb.__version__}",
    "pyspark==3.5.8",
    "sagemaker-feature-store-pyspark==2.2.2",
)
# Maven is no place of Python's packages; one of these holds Iceberg for Spark, with its names moved below others.
JAR = "lib/python*/site-packages/feature_store_pyspark/jars/sagemaker-feature-store-spark-sdk-3.5.jar"
SHADED = "smfs.shaded."


def blocks() -> dict[str, str]:
    """Return the program under each heading of the page."""
    text = PAGE.read_text("utf-8")
    return dict(
        re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    )


def runnable(block: str, environment: Path) -> str:
    """Return a block for a machine that downloads no extensions of DuckDB and jars of Spark: they are packages here."""
    jar = next(environment.glob(JAR), None)
    block = block.replace('"spark.jars.packages": packages', f'"spark.jars": {str(jar)!r}')
    block = block.replace(': "org.apache.iceberg.', f': "{SHADED}org.apache.iceberg.')
    loads = "; ".join(f"LOAD '{duck.extension_path(name)}'" for name in ("httpfs", "avro", "iceberg"))
    return block.replace("INSTALL httpfs; INSTALL iceberg; LOAD httpfs; LOAD iceberg", loads)


def run(block: str, environment: Path, folder: Path) -> str:
    """Run a block in a folder that has a stack's file; return what it printed last, or how it failed."""
    python = str(environment / "bin/python")
    done = subprocess.run(
        [python, "-c", runnable(block, environment)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return said[-1] if said else ""


def fill(stack_env: dict[str, str], info: object, folder: Path) -> None:
    """Give the lake the table that the blocks read, and the folder the file that says where the lake is."""
    settings = rest_settings(info)  # type: ignore[arg-type]
    contract = registry.load().contracts[RFM]
    table = ensure(open_catalog(settings), contract)
    columns = ", ".join(f"CAST(NULL AS {column.duck_type}) AS {column.name}" for column in contract.columns)
    append(table, write(settings, table, f"SELECT {columns} FROM range({ROWS})").files)
    (folder / ".lakehouse").mkdir()
    (folder / ".lakehouse/stack.json").write_text(json.dumps({"env": stack_env}), "utf-8")


def main() -> int:
    """Return 0 when each engine counts what there is."""
    environment = ROOT / ".bench/engines"
    python = str(environment / "bin/python")
    uv = str(Path(sys.executable).parent / "uv")
    if not Path(python).exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *ENGINES], check=True)
    wrong = 0
    with tempfile.TemporaryDirectory() as name, Stack(Path(name) / "stack") as stack:
        info = stack.start("store")
        folder = Path(name)
        fill(info.env, info, folder)
        for engine, block in blocks().items():
            counted = run(block, environment, folder)
            wrong += counted != str(ROWS)
            sys.stdout.write(f"{engine}: {counted} of {ROWS} rows\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
