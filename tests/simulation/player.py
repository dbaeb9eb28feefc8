"""The process that plays simulations: `python -m tests.simulation.player`, told and answering by lines of JSON."""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.simulation import crashes, nights
from tests.simulation.guards import without as without_guard
from tests.simulation.run import run
from tests.simulation.stage import Scene

_MEMORY = Path("/dev/shm")  # thousands of small files: where there is a folder in memory, they go there


def main() -> int:
    """Play until the input ends."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        sys.stderr.write("set PYTHONHASHSEED=0, or sets of names come in another order each time\n")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="lakehouse-simulation-", dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        scene = Scene(folder)
        gc.freeze()  # what was imported is never garbage, and most of what would be looked through
        for line in sys.stdin:
            answer = _play(scene, **json.loads(line))
            sys.stdout.write(json.dumps({"played": answer}) + "\n")
            sys.stdout.flush()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _play(
    scene: Scene,
    seed: int | None = None,
    trace: bool = False,
    crash: list[Any] | None = None,
    night: dict[str, Any] | None = None,
    without: str | None = None,
) -> dict[str, Any]:
    """Play a seed; or, `crash` being [number, when], the tale of one write that is the process's last.

    Or, `night` being a `Night`'s fields, the day on which a commit meets it, or none where it is empty. `without` names
    a guard that is taken out of the code meanwhile.
    """
    with without_guard(without):
        if crash is not None:
            return asdict(crashes.tell(scene, (crash[0], crash[1]) if crash else None))
        if night is not None:
            return asdict(nights.tell(scene, nights.Night(**night) if night else None))
        assert seed is not None
        result = asdict(run(scene, seed))
    return result if trace or result["wrong"] else result | {"trace": []}


if __name__ == "__main__":
    sys.exit(main())
