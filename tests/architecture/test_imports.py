"""Start-up is a feature: what a function imports, and how long a cold import takes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"pyarrow", "duckdb", "pyiceberg", "numpy", "scipy", "pandas"}
LIGHT_FUNCTIONS = ("collect", "gather", "land", "publish")
HEAVY_FUNCTIONS = (
    "ingest",
    "resolve",
    "aggregate",
    "export_segments",
    "books",
    "maintain",
    "sweep",
    "tick",
    "trigger",
)
ANY = float("inf")
BOTO3_S = 0.22  # what `import boto3` takes on the machine the limits were set for
LIMITS = dict.fromkeys(LIGHT_FUNCTIONS, 0.8) | dict.fromkeys(HEAVY_FUNCTIONS, 1.5)


def _cold(module: str, enough: float = 0.0) -> tuple[float, set[str]]:
    """Return the seconds of processor time that importing takes in a fresh process, and what it brought in.

    Processor time, not the clock: these tests share two cores with others. The best of three, or the first that is
    no longer than `enough`.
    """
    code = (
        "import json, sys, time; began = time.process_time(); __import__(sys.argv[1]); "
        "took = time.process_time() - began; "
        "print(json.dumps([took, sorted({name.split('.')[0] for name in sys.modules})]))"
    )
    runs = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code, module], capture_output=True, text=True, check=True
        )
        runs.append(json.loads(done.stdout))
        if runs[-1][0] <= enough:
            break
    return min(took for took, _ in runs), set(runs[0][1])


@pytest.fixture(scope="module")
def boto3_seconds() -> float:
    return _cold("boto3")[0]


@pytest.mark.parametrize("function", LIGHT_FUNCTIONS)
def test_light_functions_load_no_heavy_package(function: str) -> None:
    """`land` and `publish` fit a zip and start at once: nothing that reads or writes tables is imported."""
    assert _cold(f"functions.{function}.handler", ANY)[1] & HEAVY == set()


@pytest.mark.parametrize("function", [*LIGHT_FUNCTIONS, *HEAVY_FUNCTIONS])
def test_cold_import_stays_within_its_limit(function: str, boto3_seconds: float) -> None:
    """Light functions import in 0.8 s, heavy ones in 1.5 s; on a slower machine in proportion to boto3."""
    limit = LIMITS[function] * max(1.0, boto3_seconds / BOTO3_S)
    took, _ = _cold(f"functions.{function}.handler", limit)
    assert took <= limit, f"{took:.2f} s of {limit:.2f} s ({took / boto3_seconds:.1f} × boto3)"


def test_the_package_itself_costs_nothing() -> None:
    """`import lakehouse` brings in no dependency: every function pays for it."""
    assert not _cold("lakehouse", ANY)[1] & (HEAVY | {"boto3", "pydantic", "httpx", "rich", "typer"})


def test_finding_or_starting_a_stack_imports_nothing_heavy() -> None:
    """`status` waits for it; tables and engine are the business of what comes after."""
    code = "import sys, lakehouse.local.stack; print({'pyarrow', 'duckdb', 'pyiceberg'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "set()\n"
