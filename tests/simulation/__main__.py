"""`python -m tests.simulation --seeds 1000`: which seeds fail, and how to see one of them again."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tests.simulation.guards import GUARDS
from tests.simulation.lead import play_all, player
from tests.simulation.nights import every_night

if TYPE_CHECKING:
    from collections.abc import Iterator


def main(arguments: list[str]) -> int:
    """Return 0 when nothing failed, else 1."""
    options = _options(arguments)
    if options.seed is not None:
        return _replay(options.seed, options.without, verbose=options.verbose)
    seeds = range(options.first, options.first + options.seeds)
    results = play_all(({"seed": seed, "without": options.without} for seed in seeds), options.jobs)
    failed = _told(results, len(seeds), stop=options.stop)
    out = f" --without {options.without!r}" if options.without else ""
    for number in failed:
        _say(f"  python -m tests.simulation --seed {number} -v{out}")
    crashed = _crashes(options.jobs) if options.crashes else 0
    benighted = _nights(options.jobs, options.without) if options.nights else 0
    return 1 if failed or crashed or benighted else 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("-v", dest="verbose", action="store_true", help="with --seed: tell every step")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("-x", dest="stop", action="store_true", help="stop at the first that fails")
    parser.add_argument("--crashes", action="store_true", help="crash every write, too")
    parser.add_argument("--nights", action="store_true", help="let a night befall every commit, too")
    parser.add_argument(
        "--without", choices=GUARDS, metavar="GUARD", help=f"take out one of: {', '.join(GUARDS)}"
    )
    return parser.parse_args(arguments)


def _replay(seed: int, without: str | None, *, verbose: bool) -> int:
    with player() as mine:
        result = mine.play(seed=seed, trace=True, without=without)
    if verbose:
        _say("\n".join(result["trace"]))
    _say(f"seed {seed}: {result['points']} steps, schedule {result['digest'][:16]}")
    for what in result["wrong"]:
        _say(f"  {what}")
    return 1 if result["wrong"] else 0


def _told(results: Iterator[dict[str, Any]], count: int, *, stop: bool) -> list[int]:
    failed, steps, crashes = [], 0, 0
    for done, result in enumerate(results, start=1):
        steps += result["points"]
        crashes += result["crashes"]
        if result["wrong"]:
            failed.append(result["seed"])
            _say(f"seed {result['seed']} failed:")
            for what in result["wrong"]:
                _say(f"  {what}")
            if stop:
                return failed
        if done % 100 == 0:
            _say(f"{done} of {count}")
    _say(f"{count} seeds, {steps:,} steps, {crashes:,} crashes of processes, {len(failed)} failed")
    return sorted(failed)


def _crashes(jobs: int) -> int:
    """Crash before and after every write; return how many of these ended otherwise than the clean run."""
    with player() as mine:
        clean = mine.play(crash=[])
    every = [[number, when] for number in range(1, clean["writes"] + 1) for when in ("before", "after")]
    failed = len(clean["wrong"])
    for tale in play_all(({"crash": crash} for crash in every), jobs):
        if tale["wrong"] or tale["tables"] != clean["tables"]:
            failed += 1
            _say(
                f"crash {tale['crash']}: {'; '.join(tale['wrong']) or 'the tables differ from the clean run'}"
            )
    _say(f"{clean['writes']} writes, each with a crash before and after it, {failed} failed")
    return failed


def _nights(jobs: int, without: str | None) -> int:
    """Let each night befall each commit of a day; return on how many of these days something was wrong."""
    with player() as mine:
        clean = mine.play(night={}, without=without)
    every = every_night(clean["commits"])
    failed = len(clean["wrong"])
    plays = ({"night": asdict(night), "without": without} for night in every)
    for day in play_all(plays, jobs):
        if day["wrong"]:
            failed += 1
            _say(f"{day['night']}: {'; '.join(day['wrong'])}")
    _say(f"{len(every)} nights, {failed} failed")
    return failed


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
