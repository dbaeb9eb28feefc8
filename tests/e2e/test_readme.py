"""The README's commands, in order, as a newcomer types them; and the queries of the runbook on what they leave."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import lakehouse
from lakehouse.engine import duck
from lakehouse.local.attachment import attach
from lakehouse.local.session import session
from lakehouse.tables import views

pytestmark = [pytest.mark.stack, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(sh|python|text)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
MAILS = ("winback_mail", "invitation_mail")
ENV = {name: value for name, value in os.environ.items() if not name.startswith(("LAKEHOUSE_", "AWS_"))}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that looks like this clone without data: `.lakehouse` and all else goes there."""
    folder = tmp_path_factory.mktemp("clone")
    for entry in ROOT.iterdir():
        if entry.name not in {".git", ".venv", ".lakehouse"}:
            (folder / entry.name).symlink_to(entry)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def _run(command: str, clone: Path) -> str:
    # The environment is there: `make` must neither look whether it is current nor make it again.
    typed = re.sub(r"^make ", "make -o .venv/.ready ", command)
    done = subprocess.run(
        typed, shell=True, cwd=clone, env=ENV, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@contextmanager
def _up(command: str, clone: Path) -> Iterator[None]:
    data = clone / command.rpartition(" ")[2]
    with (clone / "up.log").open("wb") as log:
        process = subprocess.Popen(command.split(), cwd=clone, env=ENV, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not ((info := attach(data)) and "http" in info.endpoints):
            assert process.poll() is None, (clone / "up.log").read_text()
            assert time.monotonic() < deadline, f"not up within 60 s: {command}"
            time.sleep(0.1)
        yield
        assert process.wait(30) == 0  # the README takes it down
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(30)


def _python(block: str, expected: str, clone: Path) -> None:
    """Run a Python block until it prints what was put a moment before, for 30 s at most."""
    deadline = time.monotonic() + 30
    while True:
        done = subprocess.run(
            [sys.executable, "-c", block],
            cwd=clone,
            env=ENV,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode == 0 and expected in done.stdout:
            return
        assert time.monotonic() < deadline, done.stdout + done.stderr
        time.sleep(0.5)


def _play(blocks: list[tuple[str, str]], clone: Path) -> str:
    """Run what is left of the README, what stands after `lakehouse up` while that runs; return what it printed."""
    printed = ""
    for number, (kind, block) in enumerate(blocks):
        if kind == "python":
            _python(block, "Signed Up", clone)
        for command in block.splitlines() if kind == "sh" else ():
            if " up " in f"{command} ":
                with _up(command, clone):
                    return printed + _play(blocks[number + 1 :], clone)
            printed += _run(command, clone)
    return printed


def test_the_readme_does_what_it_says(clone: Path) -> None:
    """Every command works in order, and prints the numbers that the README shows."""
    printed = _play(BLOCKS, clone)
    shown = {number for kind, block in BLOCKS if kind == "text" for number in re.findall(r"\d[\d,.]*", block)}
    assert len(shown) > 20
    assert {number for number in shown if number not in printed} == set()


def test_status_is_balanced_and_documented(clone: Path) -> None:
    """After the README the books balance, and docs/status.md names every field of `status --json`."""
    found = json.loads(_run(".venv/bin/lakehouse status --json", clone))
    assert found["ingest"]["balanced"]
    delivery = found["deliveries"]["hubspot_segments"]
    assert all(each["balanced"] for each in found["deliveries"].values())
    text = (ROOT / "docs/status.md").read_text("utf-8")
    fields = {*found["ingest"], *next(iter(found["tables"].values())), *delivery}
    fields = fields - {"withheld"} | {f"withheld.{reason}" for reason in delivery["withheld"]}
    assert {field for field in fields if f"`{field}`" not in text} == set()


def test_nobody_is_on_both_lists_and_a_control_group_on_none(clone: Path) -> None:
    """One cap holds over both syncs, whichever was first; and each row that is withheld says why."""
    asked = "select sync, outcome, reason, customer_id from ops.deliveries where sync like '%_mail'"
    rows = json.loads(_run(f'.venv/bin/lakehouse sql --json "{asked}"', clone))
    lists = [
        {row["customer_id"] for row in rows if row["sync"] == sync and row["outcome"] == "sent"}
        for sync in MAILS
    ]
    assert all(len(each) > 50 for each in lists)
    assert lists[0].isdisjoint(lists[1])
    reasons = {row["reason"] for row in rows if row["outcome"] == "withheld"}
    assert reasons == {"consent", "no_address", "cap", "control"}


def test_the_runbooks_queries_run(clone: Path) -> None:
    """Whoever follows the runbook at night types queries that DuckDB takes; and nothing is wrong after the README."""
    text = (ROOT / "docs/runbook.md").read_text("utf-8")
    queries = re.findall(r"^ *```sql\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    assert len(queries) >= 5
    with session(clone / ".lakehouse", "store") as settings:
        con = duck.connect(settings)
        try:
            views.open_tables(con, settings)
            for query in queries:
                rows = con.execute(query).fetchall()
                assert not rows or "<>" not in query, "files whose counts do not add up"
                assert not rows or "HAVING" not in query, "doubled rows"
        finally:
            con.close()


def test_other_engines_read_the_same_rows(clone: Path) -> None:
    """What docs/engines.md shows runs as it stands, and counts what `lakehouse sql` counts."""
    block, *_ = re.findall(
        r"^```python\n(.*?)^```",
        (ROOT / "docs/engines.md").read_text("utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    rows = json.loads(_run('.venv/bin/lakehouse sql --json "select count(*) as n from marts.rfm"', clone))
    con = lakehouse.connect(clone / ".lakehouse")  # for as long as it lives the catalog answers
    done = subprocess.run(
        [sys.executable, "-c", block],
        cwd=clone,
        env=ENV,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert int(done.stdout) == rows[0]["n"] > 20_000
    con.close()
