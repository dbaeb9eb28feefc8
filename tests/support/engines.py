"""`python -m tests.support.engines`: run every block of docs/engines.md with the engine that it is about.

It prints the table of that page: which version counted right, whether it applies what others deleted, and whether it
leaves out files by their time. Exit code 1 where an engine is wrong, or the page has another row.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import boto3
import duckdb

import lakehouse
from lakehouse.engine import duck
from lakehouse.engine.escape import literal
from lakehouse.local.stack import Stack
from lakehouse.models import registry
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.contract import Contract, columns
from lakehouse.tables.contracts import RFM
from tests.support.lakes import rest_settings, write

if TYPE_CHECKING:
    from lakehouse.local.attachment import StackInfo
    from lakehouse.settings import Settings

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
    "pyspark==3.5.9",
    "sagemaker-feature-store-pyspark==2.2.2",
)
# Maven is no place of Python's packages; one of these holds Iceberg for Spark, with its names moved below others.
JAR = "lib/python*/site-packages/feature_store_pyspark/jars/sagemaker-feature-store-spark-sdk-3.5.jar"
SHADED = "smfs.shaded."
_DAY, _NEXT = "2026-01-05", "2026-01-06"
_BETWEEN = f"timestamp >= '{_DAY} 00:00:00' AND timestamp < '{_NEXT} 00:00:00'"
_BY_DATE = f"timestamp::date = '{_DAY}'"
DELETED = Contract(
    "raw.engine_deletes", "Rows, some deleted", "one row a number", columns(("n", "long", "N"))
)
DAYS = Contract(
    "raw.engine_days",
    "Rows of two days, of which one has no file any more",
    "one row a number",
    columns(("n", "long", "N"), ("timestamp", "timestamptz", "Time")),
)


class Engine(NamedTuple):
    """How an engine is named in the table, which package tells its version, how its program asks for one day."""

    title: str
    package: str
    whole: str
    of_one_day: str


_ISO = f"timestamp >= '{_DAY}T00:00:00+00:00' and timestamp < '{_NEXT}T00:00:00+00:00'"
_MOMENTS = 'datetime.fromisoformat("{}T00:00:00+00:00")'
_COLUMN = f'({{0}}.col("timestamp") >= {_MOMENTS.format(_DAY)}) & ({{0}}.col("timestamp") < {_MOMENTS.format(_NEXT)})'
PROGRAMS = {
    "pyiceberg, and what reads Arrow": Engine("pyiceberg", "pyiceberg", ".scan()", f'.scan("{_ISO}")'),
    "A DuckDB of your own": Engine("DuckDB `ATTACH`", "duckdb", '.rfm"', f'.rfm WHERE {_BETWEEN}"'),
    "ClickHouse": Engine("ClickHouse (`chdb`)", "chdb", '.rfm`"', f'.rfm` WHERE {_BETWEEN}"'),
    "polars": Engine("polars", "polars", "rows.select(", f"rows.filter({_COLUMN.format('polars')}).select("),
    "Daft": Engine("Daft", "daft", ".count_rows()", f".where({_COLUMN.format('daft')}).count_rows()"),
    "Spark": Engine("Spark", "pyspark", ".count())", f'.where("{_BETWEEN}").count())'),
}


@dataclass(frozen=True)
class Measured:
    """What an engine did; `deletes` and `prunes` in the words of the page."""

    title: str
    version: str
    counted: str
    deletes: str
    prunes: str

    @property
    def row(self) -> str:
        """Return the beginning of the engine's row in the page's table."""
        return f"| {self.title} | {self.version} | {self.deletes} | {self.prunes} |"


def blocks() -> dict[str, str]:
    """Return the program under each heading of the page; a piece of one is marked `py`, and is none."""
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
        timeout=300,
        check=False,
    )
    said = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return said[-1] if said else ""


def fill(stack_env: dict[str, str], info: StackInfo, folder: Path) -> None:
    """Give the lake the table that the blocks read, and the folder the file that says where the lake is."""
    settings = rest_settings(info)
    contract = registry.load().contracts[RFM]
    nulls = ", ".join(f"CAST(NULL AS {column.duck_type}) AS {column.name}" for column in contract.columns)
    _append(settings, contract, f"SELECT {nulls} FROM range({ROWS})")
    (folder / ".lakehouse").mkdir()
    (folder / ".lakehouse/stack.json").write_text(json.dumps({"env": stack_env}), "utf-8")


def fill_for_measuring(info: StackInfo) -> None:
    """Make a table of which another engine deletes two rows, and one whose second day has lost its file.

    Who opens that file fails: so a count of the first day says that the engine has left it out.
    """
    settings = rest_settings(info)
    _append(settings, DELETED, f"SELECT range AS n FROM range({ROWS})")
    _delete_by_duckdb(settings, "n < 2")
    _append(
        settings, DAYS, f"SELECT range AS n, TIMESTAMPTZ '{_DAY} 12:00:00+00' AS timestamp FROM range({ROWS})"
    )
    lost = _append(
        settings, DAYS, f"SELECT range AS n, TIMESTAMPTZ '{_NEXT} 12:00:00+00' AS timestamp FROM range(2)"
    )
    store = boto3.client(
        "s3",
        endpoint_url=info.env["AWS_ENDPOINT_URL_S3"],
        region_name=settings.region,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key.get_secret_value() if settings.secret_key else None,
    )
    for path in lost:
        place = urlsplit(path)
        store.delete_object(Bucket=place.netloc, Key=place.path.lstrip("/"))


def _append(settings: Settings, contract: Contract, query: str) -> list[str]:
    table = ensure(open_catalog(settings), contract)
    written = write(settings, table, query)
    append(table, written.files)
    return [file.file_path for file in written.files]


def _delete_by_duckdb(settings: Settings, condition: str) -> None:
    """Delete rows as the page attaches a DuckDB: it writes delete files."""
    uri = settings.catalog_uri
    secret = settings.secret_key.get_secret_value() if settings.secret_key else ""
    with closing(duck.connect(settings)) as con:
        con.execute(
            f"CREATE SECRET rest (TYPE iceberg, CLIENT_ID {literal(settings.access_key or '')}, "
            f"CLIENT_SECRET {literal(secret)}, OAUTH2_SERVER_URI {literal(f'{uri}/v1/oauth/tokens')})"
        )
        warehouse = urlsplit(settings.warehouse).netloc
        con.execute(
            f"ATTACH {literal(warehouse)} AS other (TYPE iceberg, ENDPOINT {literal(uri)}, SECRET rest)"
        )
        con.execute(f"DELETE FROM other.{DELETED.name} WHERE {condition}")


def measure(heading: str, block: str, environment: Path, folder: Path) -> Measured:
    """Run an engine's program on the table of the page, and on the two for measuring."""
    engine = PROGRAMS[heading]
    ask = f"from importlib.metadata import version; print(version({engine.package!r}))"
    version = run(ask, environment, folder)
    if engine.package == "chdb":
        version = run(
            "import chdb; print(chdb.query('SELECT version()').bytes().decode())", environment, folder
        )
    counted = run(block, environment, folder)
    left = run(block.replace(RFM, DELETED.name), environment, folder)
    deletes = {str(ROWS - 2): "applied", str(ROWS): "not applied"}.get(left, f"refused: {left[:80]}")
    of_day = "from datetime import datetime\n" + block.replace(engine.whole, engine.of_one_day)
    found = run(of_day.replace(RFM, DAYS.name), environment, folder)
    prunes = "yes" if found == str(ROWS) else f"no: {found[:80]}"
    if engine.package == "duckdb" and prunes == "yes":
        by_date = run(of_day.replace(_BETWEEN, _BY_DATE).replace(RFM, DAYS.name), environment, folder)
        prunes = "yes" if by_date == str(ROWS) else "by the bare column alone"
    return Measured(engine.title, version.strip('" '), counted, deletes, prunes)


def main(arguments: list[str]) -> int:
    """Return 0 when each engine counts what there is, and the page says what it does."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.engines", description=__doc__)
    parser.add_argument("--environment", type=Path, default=ROOT / ".bench/engines", help="where engines go")
    parser.add_argument("--engine", choices=PROGRAMS, help="the heading of one alone")
    options = parser.parse_args(arguments)
    environment = options.environment
    python = str(environment / "bin/python")
    uv = str(Path(sys.executable).parent / "uv")
    if not Path(python).exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *ENGINES], check=True)
    wrong, page = 0, PAGE.read_text("utf-8")
    with tempfile.TemporaryDirectory() as name, Stack(Path(name) / "stack") as stack:
        info = stack.start("store")
        folder = Path(name)
        fill(info.env, info, folder)
        fill_for_measuring(info)
        sys.stdout.write(
            "| engine | version | deletes of others | prunes by time |\n| --- | --- | --- | --- |\n"
        )
        for heading, block in blocks().items():
            if options.engine not in (None, heading):
                continue
            measured = measure(heading, block, environment, folder)
            sys.stdout.write(f"{measured.row}\n")
            sys.stdout.flush()
            if measured.counted != str(ROWS):
                sys.stderr.write(f"{heading}: {measured.counted} of {ROWS} rows\n")
                wrong += 1
            elif measured.row not in page:
                sys.stderr.write(f"{heading}: docs/engines.md has another row\n")
                wrong += 1
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
