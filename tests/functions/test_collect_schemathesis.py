"""schemathesis reads docs/collect-openapi.yaml, and sends the front door what it allows and what it does not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.front_door import front_door

PAGE = Path(__file__).parents[2] / "docs/collect-openapi.yaml"
SCHEMATHESIS = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
EXAMPLES = 20  # of each operation, beside what its coverage phase sends of each part of the page
LEAST_CASES = 1_000


@pytest.fixture
def url(tmp_path, monkeypatch):
    """The address of the front door."""
    with front_door(monkeypatch, tmp_path) as address:
        yield address


def test_nothing_that_the_page_allows_or_forbids_is_a_server_error(url, tmp_path):
    """No 5xx, and no status that the page does not name."""
    options = {
        "--url": url,
        "--auth": "key-new:",
        "--mode": "all",
        "--phases": "coverage,fuzzing",
        "--checks": "not_a_server_error,status_code_conformance",
        "--max-examples": str(EXAMPLES),
        "--seed": "20261201",
        "--suppress-health-check": "all",  # a busy machine is slow
        "--warnings": "off",
    }
    command = [
        *SCHEMATHESIS,
        "run",
        str(PAGE),
        "--no-color",
        *(word for pair in options.items() for word in pair),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    generated = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert generated is not None, done.stdout[-2000:]
    assert generated[1] == generated[2]
    assert int(generated[1]) >= LEAST_CASES
