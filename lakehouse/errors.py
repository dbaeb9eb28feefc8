"""One tree of errors. What is `Transient` may be tried again; what is `Terminal` never helps."""

from __future__ import annotations


class LakehouseError(Exception):
    """Something went wrong, told so that a person can act: what, where, what now."""


class Transient(LakehouseError):  # noqa: N818 - the name says what to do
    """Try again: a lost race, a time-out, a rate limit. The message returns to its queue."""


class Terminal(LakehouseError):  # noqa: N818 - the name says what to do
    """Trying again never helps: bad input, a wrong setting, a refused signature."""


class BadFile(Terminal):
    """A whole file cannot be read; it becomes one quarantine row and none of its rows load.

    `original`: what of the file says so, such as its header. It may hold personal data, and is no part of the message.
    """

    def __init__(self, code: str, reason: str, original: str | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.original = original


class BadDefinition(Terminal):
    """A YAML or SQL definition (source, model, segment, sync) is wrong; the message names file and field."""


class CommitConflict(Transient):
    """Another writer committed first and what was planned no longer holds; plan again."""
