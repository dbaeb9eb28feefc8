"""In which order files that wait together came: of two versions of a record without a clock the later one wins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from lakehouse.landing.policy import ArrivalPolicy
from lakehouse.landing.raw_files import RawFile

_PUT_KEY = re.compile(r"([^/]+/[^/]+/)[0-9a-f]{16}(?:-(?P<again>\d{8}T\d{12}))?/(?=[^/]+$)")
_UNKNOWN = datetime.min.replace(tzinfo=UTC)


def in_order(files: Iterable[RawFile]) -> list[RawFile]:
    """Return the files in the order in which they came.

    Files that come in one go are sent several at a time, and arrive as it happens: whoever sends January's and
    February's export together means the order of their names. Versions of one name are in the order in which they
    came, always. Where nobody said when a file came, it is before the others.
    """
    ordered: list[RawFile] = []
    for group in _groups(sorted(files, key=lambda file: file.arrival)):
        ordered += sorted(group, key=lambda file: (_name(file), file.arrival, _put_again(file), file.key))
    return ordered


def _groups(files: Iterable[RawFile]) -> Iterator[list[RawFile]]:
    """Yield the files that came in one go: between two of them there was no longer pause."""
    group: list[RawFile] = []
    last = _UNKNOWN
    for file in files:
        came = _moment(file)
        if group and came - last > timedelta(seconds=ArrivalPolicy.pause_seconds):
            yield group
            group = []
        group.append(file)
        last = came
    if group:
        yield group


def _moment(file: RawFile) -> datetime:
    """Return when a file came; its `arrival` may go on with what the store counts by."""
    time, _, _ = file.arrival.partition(" ")
    try:
        return datetime.fromisoformat(time).replace(tzinfo=UTC)
    except ValueError:
        return _UNKNOWN


def _put_again(file: RawFile) -> str:
    """Return when `put` landed content that had been there before; empty for other files, which came before it."""
    match = _PUT_KEY.match(file.key)
    return (match and match["again"]) or ""


def _name(file: RawFile) -> str:
    """Return a file's key; of one that `put` landed without the hash of its content."""
    return _PUT_KEY.sub(r"\1", file.key)
