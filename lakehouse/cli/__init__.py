"""The `lakehouse` command. Every command answers --help, speaks JSON with --json and ends with 0 on success only.

The order of these imports is the order of the commands in `--help`.
"""

from lakehouse.cli import stack, files, tables, timeline, explain, sources, definitions  # noqa: F401, I001
from lakehouse.cli import models, metrics, triggers, segments  # noqa: F401
from lakehouse.cli import quarantine, identity, consent, pull, publish, why, books  # noqa: F401
from lakehouse.cli.app import app, main

__all__ = ["app", "main"]
