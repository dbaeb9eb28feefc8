"""`python -m tests.simulation_publish --seeds 1000`: which seeds fail."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from tests.simulation_publish.play import play


def main() -> int:
    """Return 0 when no seed fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation_publish", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    failed = []
    for seed in range(options.first, options.first + options.seeds):
        try:
            play(seed)
        except Exception as error:  # noqa: BLE001 - whatever it is, the seed has failed
            failed.append(seed)
            sys.stderr.write(f"seed {seed}: {type(error).__name__}: {str(error)[:300]}\n")
    sys.stderr.write(f"{options.seeds - len(failed)} of {options.seeds} seeds hold; failed: {failed}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
    logging.disable(logging.CRITICAL)
    sys.exit(main())
