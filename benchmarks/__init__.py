"""Repeatable measurements, each as a ratio to its limit or to a peer in the same run."""

import os

os.environ.setdefault(
    "POWERTOOLS_LOG_LEVEL", "CRITICAL"
)  # before anything logs: what is printed is the table
