"""A function's /tmp holds what it may put there: what DuckDB spills, and files on their way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from lakehouse.engine import duck
from lakehouse.ingest.policy import LoadingPolicy
from lakehouse.ingest.reading.policy import PiecePolicy
from lakehouse.local.stack import load_wiring
from lakehouse.local.wiring import sam
from lakehouse.policy import GIB, MIB
from lakehouse.settings import Settings
from tests.contract.test_permissions import reached

ROOT = Path(__file__).parents[2]
LAMBDA_DEFAULT_MB = 512
# As docs/limits.md says: a zip, workbook or Parquet file of this size, and a workbook of this size in a zip.
SPOOLED_BYTES = 1 * GIB
SET_ASIDE_BYTES = GIB // 2  # the bad rows of one file, on their way to its quarantine object
LEFT_BEHIND_BYTES = 1 * GIB  # of a call that was killed: the next one finds the same /tmp


@pytest.fixture(scope="module")
def infra() -> dict[str, Any]:
    return sam.parse((ROOT / "infra" / "template.yaml").read_text("utf-8"))


def spill_bytes(infra: dict[str, Any]) -> int:
    """What the template lets DuckDB spill; DuckDB's GB are decimal."""
    return int(re.fullmatch(r"(\d+)GB", infra["Parameters"]["SpillLimit"]["Default"])[1]) * 10**9


def needed(function: str, infra: dict[str, Any]) -> int:
    """The bytes that a function may need on scratch disk at once."""
    spill = spill_bytes(infra) if "load_extension" in reached(function) else 0
    if function != "ingest":
        return spill
    pieces = LoadingPolicy.pieces_ahead + Settings().threads + 1  # waiting, being read, being written
    return spill + pieces * PiecePolicy.unbalanced_quotes_bytes + 2 * SPOOLED_BYTES + SET_ASIDE_BYTES


def test_every_function_s_disk_holds_what_it_may_put_there(infra):
    """And what a call leaves behind that was killed."""
    for resource in infra["Resources"].values():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        name = (properties.get("Handler") or properties["ImageConfig"]["Command"][0]).split(".")[1]
        size = properties.get("EphemeralStorage", {}).get("Size", LAMBDA_DEFAULT_MB) * MIB
        need = needed(name, infra)
        assert size >= need + (LEFT_BEHIND_BYTES if need else 0), name
        assert size == LAMBDA_DEFAULT_MB * MIB or need, f"{name} pays for a disk that it does not use"


def test_duckdb_keeps_to_what_it_may_spill(lake, infra):
    """On AWS; a laptop's disk is the person's own affair."""
    limited = lake.model_copy(update={"spill_limit": infra["Parameters"]["SpillLimit"]["Default"]})
    con = duck.connect(limited, iceberg=False)
    try:
        assert con.execute("SELECT current_setting('max_temp_directory_size')").fetchone() == ("5.5 GiB",)
    finally:
        con.close()


def test_a_laptop_has_no_limit_of_its_own(tmp_path):
    """Its parameters leave the template's out."""
    assert load_wiring(tmp_path).functions["ingest"].variables["LAKEHOUSE_SPILL_LIMIT"] == ""
