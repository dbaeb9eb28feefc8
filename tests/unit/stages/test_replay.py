"""How a replay is counted: each file and each row once, whoever loads it."""

from __future__ import annotations

from lakehouse.ingest.batch import Outcome
from lakehouse.ingest.quarantine.open_rows import QuarantinedFile
from lakehouse.ingest.quarantine.replay_plan import ReplayStep
from lakehouse.stages.replay import (
    Tally,
    find_overtaken,
    tally_outcome,
    tally_selected,
    tally_skipped,
    unsettled_files,
)
from lakehouse.tables.commit import FileRecord


def a_record(file_id, quarantined=1, replay=0, loaded=0, duplicates=0):
    received = loaded + duplicates + quarantined
    return FileRecord(
        file_id, "landing", "a/b/c", "v", 1, received, loaded, duplicates, quarantined, "then", replay
    )


def a_file(file_id, quarantined=1, replay=0, table="raw.a_b"):
    return QuarantinedFile(table, a_record(file_id, quarantined, replay))


def test_tallies_add_up():
    """Field by field; what is fixed is loaded, or was there already."""
    tally = Tally(files=1, loaded=2, to_try=1) + Tally(files=2, loaded=3, duplicates=4)
    assert tally == Tally(files=3, loaded=5, duplicates=4, to_try=1)
    assert (tally.fixed, tally.as_json()["fixed"], tally.as_json()["files"]) == (9, 9, 3)


def test_files_and_their_rows_are_counted():
    """Those in quarantine, before anything is tried."""
    assert tally_selected([a_file("f", 3), a_file("g", 4)]) == Tally(files=2, rows=7)


def test_what_is_left_as_it_is_is_counted_by_reason():
    """The others are tried."""
    reasons = ("gone", None, "undefined", "gone", "disagrees")
    steps = [ReplayStep(a_file(str(number)), skip_reason=reason) for number, reason in enumerate(reasons)]
    assert tally_skipped(steps) == Tally(gone=2, undefined=1, disagrees=1)


def test_what_became_of_the_rows_is_counted():
    """And files that are to be tried again."""
    records = [a_record("f", 1, loaded=2, duplicates=3), a_record("g", 0, loaded=4)]
    assert tally_outcome(Outcome(records, failed={"h"})) == Tally(
        loaded=6, duplicates=3, still_bad=1, failed=1
    )


def test_which_files_are_neither_loaded_nor_failed():
    """Nothing of them was better, or another replay was first."""
    steps = [ReplayStep(a_file(file_id)) for file_id in "fgh"]
    outcome = Outcome([a_record("f")], failed={"g"})
    assert [file.file_id for file in unsettled_files(steps, outcome)] == ["h"]


def test_what_another_replay_loaded_first_is_gone_on_with():
    """With what it left; a file that nobody loaded is bad still, one that is good by now is done with."""
    last = {
        "untouched": ("raw.a_b", a_record("untouched", 2)),
        "replayed": ("raw.a_b", a_record("replayed", 1, replay=1)),
        "good": ("raw.a_b", a_record("good", 0, replay=1)),
        "defined": ("raw.a_b", a_record("defined", 5)),
    }
    unsettled = [a_file("untouched", 2), a_file("replayed", 3), a_file("good"), a_file("defined", table="")]
    overtaken, others = find_overtaken(unsettled, last)
    assert overtaken == [QuarantinedFile(*last["replayed"]), QuarantinedFile(*last["defined"])]
    assert others == Tally(still_bad=2)
