"""What a replay loads next, decided from a record and what its quarantine object holds."""

from __future__ import annotations

import pytest

from lakehouse.ingest.quarantine.bad_rows import Digest
from lakehouse.ingest.quarantine.open_rows import QuarantinedFile
from lakehouse.ingest.quarantine.replay_plan import (
    QuarantineContent,
    Replay,
    agrees,
    next_generation,
    summarize,
)
from lakehouse.tables.commit import FileRecord


def digest_of(*rows):
    digest = Digest()
    for row in rows:
        digest.add(row)
    return str(digest)


def content_of(*rows):
    return summarize({"row": row, "code": "bad"} for row in rows)


def a_record(received, loaded, quarantined, set_aside=""):
    return FileRecord("f", "landing", "a/b/c", "v", 1, received, loaded, 0, quarantined, "then", 0, set_aside)


@pytest.mark.parametrize(
    ("lines", "content"),
    [
        ([], QuarantineContent(frozenset(), False, False, digest_of())),
        (
            [{"row": 3, "code": "bad"}, {"row": 1}],
            QuarantineContent(frozenset({1, 3}), False, False, digest_of(1, 3)),
        ),
        (
            [{"row": None, "code": "would_delete"}],
            QuarantineContent(frozenset(), True, True, digest_of(None)),
        ),
        ([{"row": None}, {"row": 1}], QuarantineContent(frozenset({1}), True, False, digest_of(None, 1))),
    ],
)
def test_what_an_object_holds(lines, content):
    """Rows, or the whole file, and whether that was held for what it would delete."""
    assert summarize(lines) == content


@pytest.mark.parametrize(
    ("record", "content", "expected"),
    [
        (a_record(9, 7, 2), content_of(1, 2), True),  # an old commit, without a digest
        (a_record(9, 7, 2, digest_of(1, 2)), content_of(2, 1), True),
        (a_record(9, 7, 2, digest_of(1, 3)), content_of(1, 2), False),  # as many rows, but others
        (a_record(9, 6, 3), content_of(1, 2), False),
        (a_record(9, 8, 1), content_of(), False),  # erased
        (a_record(1, 0, 1), content_of(None), True),
        (a_record(9, 8, 1), content_of(None), False),  # rows of the file are loaded
        (a_record(1, 0, 1), content_of(None, 1), False),
        (a_record(1, 0, 2), content_of(None), False),
    ],
)
def test_whether_quarantine_is_what_the_commit_counted(record, content, expected):
    """Else nobody knows which of these rows are loaded."""
    assert agrees(record, content) is expected


def test_a_file_without_a_table_is_loaded_for_the_first_time():
    """Whatever an attempt that died left of it; nothing is read."""
    replay = next_generation("no-bucket", QuarantinedFile("", a_record(1, 0, 1)))
    assert (replay, replay.since) == (Replay(0, None), "then")
