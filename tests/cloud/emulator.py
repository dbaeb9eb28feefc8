"""The emulator of AWS in a process of its own, with the differences mended and every question of rights recorded.

Runs in the emulator's environment, not in the project's: `python emulator.py <file>`. The file gets a line of JSON
for each right that a function's role was asked for: `{"function", "action", "resource", "allowed"}`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from threading import Lock
from typing import Any

from differences import EMULATOR


def record(calls: Path) -> None:
    """Write down what every role is asked for; the emulator's root key, which deploys and looks, is left out."""
    from ministack.core import iam_evaluator

    enforce = iam_evaluator.enforce
    turn = Lock()

    def enforce_and_record(
        key: str, action: str, service: str, region: str, resource_arn: str = "*", **rest: Any
    ) -> Any:
        denied = enforce(key, action, service, region, resource_arn=resource_arn, **rest)
        caller = str((iam_evaluator.resolve_caller_identity(key) or {}).get("userArn", ""))
        if ":assumed-role/" in caller:
            function = caller.rsplit("/", 1)[1]
            call = {"function": function, "action": action, "resource": resource_arn, "allowed": not denied}
            with turn, calls.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(call) + "\n")
        return denied

    iam_evaluator.enforce = enforce_and_record


def main(calls: str) -> None:
    """Serve until the process is ended."""
    record(Path(calls))
    for difference in EMULATOR:
        difference.apply()
    from ministack.app import main as serve

    sys.argv = ["ministack"]
    serve()


if __name__ == "__main__":
    main(sys.argv[1])
