"""Reading the template once spares the next process a second."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lakehouse.local.wiring.template import default_path, load

LOCAL = {"BucketPrefix": "local", "IngestWindow": "1", "StageWindow": "2"}


def test_a_cached_template_wires_the_same_and_spares_the_translator(tmp_path: Path) -> None:
    """The second start of a stack does not pay a second for importing AWS's translator."""
    cache = tmp_path / "cache"
    first = load(default_path(), LOCAL, cache)
    script = (
        "import sys; from pathlib import Path; from lakehouse.local.wiring.template import load, default_path; "
        f"w = load(default_path(), {LOCAL!r}, Path({str(cache)!r})); "
        "print(len(w.queues), 'samtranslator' in sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert printed.split() == [str(len(first.queues)), "False"]
    assert load(default_path(), LOCAL, cache) == first
