"""What is wrong with a table's model stands in its properties, and wakes nobody."""

from __future__ import annotations

from pyiceberg.exceptions import CommitFailedException

from lakehouse.tables import model_note
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append, head
from tests.support.lakes import a_contract, a_record


def test_a_note_stands_until_it_is_taken_back(lake):
    """It is no snapshot: the head stays. The same once more writes nothing."""
    catalog = open_catalog(lake)
    table = ensure(catalog, contract := a_contract())
    append(table, [], records=[a_record("a", 0)])
    before = head(table.refresh())
    assert model_note.noted(table) == ""
    for wrong in ("mine.sql: no", "mine.sql: never", ""):
        model_note.note(table, wrong)
        written = catalog.load_table(contract.name)
        assert model_note.noted(written) == wrong
        assert head(written) == before
        model_note.note(written, wrong)
        assert catalog.load_table(contract.name).metadata_location == written.metadata_location
        table = written


def test_a_note_undoes_no_commit_and_a_lost_race_is_no_failure(lake, monkeypatch):
    """Rows that came meanwhile stay; where the catalog refuses, the next run notes it."""
    catalog = open_catalog(lake)
    stale = ensure(catalog, contract := a_contract())
    table = catalog.load_table(contract.name)
    append(table, [], records=[a_record("a", 0)])
    model_note.note(stale, "mine.sql: no")
    written = catalog.load_table(contract.name)
    assert (head(written), model_note.noted(written)) == (head(table.refresh()), "mine.sql: no")

    def refuse(*_):
        raise CommitFailedException("somebody was first")

    monkeypatch.setattr(written.catalog, "commit_table", refuse)
    model_note.note(written, "")
    assert model_note.noted(catalog.load_table(contract.name)) == "mine.sql: no"
