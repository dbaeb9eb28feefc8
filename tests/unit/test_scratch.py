"""Scratch folders, and what killed processes leave in them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lakehouse import scratch
from lakehouse.scratch import remove_leftovers, scratch_folder, scratch_path

_USER = """
import sys, time
from pathlib import Path
from lakehouse.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1]), "ingest") as folder:
    (folder / "rows.csv").write_text("ann@example.com")
    print(folder, flush=True)
    time.sleep(600)
"""


def start_user(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", _USER, str(folder)], stdout=subprocess.PIPE, text=True)


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path):
    """kill -9 in the middle: its raw rows are there until the next process begins; a living one's stay."""
    with start_user(tmp_path) as killed, start_user(tmp_path) as living:
        left, kept = (Path(each.stdout.readline().strip()) for each in (killed, living))
        try:
            assert remove_leftovers(tmp_path) == 0
            killed.kill()
            killed.wait()
            assert (left / "rows.csv").exists()
            with scratch_folder(tmp_path, "ingest"):
                assert not left.exists()
                assert (kept / "rows.csv").exists()
        finally:
            killed.kill()
            living.kill()


def test_a_folder_is_gone_at_the_end(tmp_path):
    """And what its user wrote there."""
    with scratch_folder(tmp_path, "ingest") as folder:
        (folder / "rows.csv").write_text("ann@example.com")
    assert not folder.exists()


def test_no_two_users_have_one_path(tmp_path):
    """DuckDB names what it spills alike in every connection."""
    paths = {scratch_path(tmp_path, "duckdb") for _ in range(3)}
    assert len(paths) == 3
    assert not any(path.exists() for path in paths)


def test_others_folders_are_left_alone_but_where_nobody_else_is(tmp_path):
    """/tmp is everybody's; a stack's own scratch folder is nobody else's, once its lock is taken."""
    (tmp_path / "somebody").mkdir()
    (tmp_path / "else.txt").touch()
    mine = scratch_path(tmp_path, "duckdb").parent
    assert remove_leftovers(tmp_path) == 0
    assert remove_leftovers(tmp_path, all_names=True) == 2
    assert list(tmp_path.iterdir()) == [mine]


def test_a_folder_that_was_removed_is_made_again(tmp_path):
    """Whoever cleans up /tmp does not stop the next call; a disk that takes no folder does not stop a reader."""
    path = scratch_path(tmp_path, "duckdb")
    (path.parent / ".lock").unlink()
    path.parent.rmdir()
    assert scratch_path(tmp_path, "duckdb").parent.is_dir()
    (tmp_path / "file").touch()
    scratch._folders.clear()
    assert scratch_path(tmp_path / "file", "duckdb").parent == tmp_path / "file"
