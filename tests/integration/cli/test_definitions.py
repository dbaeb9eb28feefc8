"""`lakehouse sources add` on a lake: files that waited are loaded, and nothing happens where nobody reads it."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from lakehouse.local import attachment
from lakehouse.local import session as sessions
from tests.support.source_commands import CSV, sources_command


@pytest.fixture
def run(tmp_path, monkeypatch, capsys, company):
    """Run `lakehouse sources …` with no stack anywhere; return its exit code, output and errors."""
    yield from sources_command(tmp_path, monkeypatch, capsys)


def test_add_to_a_stack(run, company, tmp_path, monkeypatch):
    """What waited is loaded; a folder that the stack does not read gets the file and nothing else."""
    (tmp_path / "d" / "store").mkdir(parents=True)
    (tmp_path / "d" / "definitions").mkdir()
    settings = company.settings.model_copy(update={"definitions": tmp_path / "d" / "definitions"})

    @contextmanager
    def session(*_, **__):
        yield settings

    monkeypatch.setattr(sessions, "session", session)
    monkeypatch.setattr(attachment, "attach", lambda _: None)
    company.load("desk/contacts", "contacts.csv", CSV)
    run("suggest", "contacts.csv", "--source", "desk", "-o", "desk.yaml")
    code, out, _ = run("add", "desk.yaml", "--data", "d", "--definitions", "elsewhere")
    assert code == 0
    assert (tmp_path / "elsewhere/sources/desk_contacts.yaml").exists()
    assert "that waited" not in out
    assert "1 file that nobody had defined" in run("add", "desk.yaml", "--data", "d", "--dry-run")[1]
    code, out, _ = run("add", "desk.yaml", "--data", "d")
    assert code == 0
    assert "1 file that waited: 30 rows loaded, 0 set aside" in out
    settings = company.settings.model_copy(update={"definitions": None})
    assert "restart it" in run("add", "desk.yaml", "--data", "d")[2]
