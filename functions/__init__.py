"""The functions: each parses its event, calls one use case and maps the result."""

from lakehouse import runtime_guard

runtime_guard.install(__name__)
