"""Files that list all records, the whole way: landed, guarded, set aside, replayed, and what `core.*` says by then."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from lakehouse import settings
from lakehouse.ingest import batch
from lakehouse.ingest.batch import ingest
from lakehouse.ingest.quarantine import open_rows
from lakehouse.ingest.quarantine.open_rows import QuarantineFilter
from lakehouse.models import runner
from lakehouse.sources import definition
from lakehouse.stages.books import keep_books
from lakehouse.stages.replay import replay_quarantine
from lakehouse.stages.status import status
from tests.support import small_company
from tests.support.change_feeds import (
    FEED_YAML,
    FULL_YAML,
    Change,
    Export,
    Version,
    at,
    current,
    export_csv,
    exported,
    feed_csv,
    history,
    standing,
)
from tests.support.raw_files import records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lakehouse.ingest.batch import Outcome
    from lakehouse.landing.raw_files import RawFile
    from lakehouse.tables.catalog import Table

ALL = QuarantineFilter()
RED = ("red", None)
FOUR: dict[str, Any] = dict.fromkeys("abcd", RED)


class Lists:
    """A company whose sources send lists of all there is, and changes; each file counts as loaded at its minute."""

    def __init__(self, company: small_company.SmallCompany, folder: Path) -> None:
        self.company, self.folder = company, folder

    def define(self, full: str = FULL_YAML) -> None:
        (self.folder / "sources").mkdir(parents=True, exist_ok=True)
        (self.folder / "sources" / "feed.yaml").write_text(FEED_YAML, "utf-8")
        (self.folder / "sources" / "full.yaml").write_text(full, "utf-8")
        definition.load.cache_clear()

    def land(self, export: Export) -> RawFile:
        return self.company.land("full/products", f"{export.minute:04}.csv", export_csv(export))

    def load(self, export: Export, file: RawFile | None = None) -> Outcome:
        outcome = ingest(settings.current(), [file or self.land(export)], lambda: at(export.minute))
        assert not outcome.failed
        return outcome

    def told(self, source: str = "full") -> list[Version]:
        assert runner.run(settings.current()).wrong == []
        rows = self.company.ask(
            "select product_id, name, valid_from, valid_to from core.products "
            f"where source = '{source}' order by 1, 3"
        )
        return [Version(*row) for row in rows]

    def codes(self) -> list[tuple[str, int]]:
        """Return what `lakehouse quarantine list` shows."""
        return [(group.code, group.rows) for group in open_rows.group_rows(settings.current(), ALL)]


@pytest.fixture
def lists(lake, monkeypatch, tmp_path) -> Iterator[Lists]:
    with small_company.company(monkeypatch, tmp_path) as company:
        monkeypatch.setenv("LAKEHOUSE_DEFINITIONS", str(tmp_path / "definitions"))
        made = Lists(company, tmp_path / "definitions")
        made.define()
        small_company.forget()
        yield made
        found = status(settings.current())["ingest"]
        assert found["balanced"], found
        definition.load.cache_clear()


def test_a_file_that_would_delete_too_much_waits_for_a_person(lists):
    """It is one quarantine row, told as such; nothing is deleted until somebody replays it, and then it is."""
    first, short = Export(10, FOUR), Export(20, {"a": RED})
    lists.load(first)
    held = lists.load(short)
    assert [one[1:] for one in records(held).items()] == [((1, 0, 0, 1),)]
    assert lists.codes() == [("would_delete", 1)]
    assert standing(lists.told()) == dict.fromkeys("abcd", "red")
    assert status(settings.current())["ingest"]["quarantined"] == 1

    tally = replay_quarantine(settings.current(), QuarantineFilter(code="would_delete"))
    assert (tally.loaded, tally.still_bad, tally.failed) == (1, 0, 0)
    assert lists.codes() == []
    assert lists.told() == exported([first, short])

    following = Export(30, {"a": RED, "b": RED})
    assert [one[1] for one in records(lists.load(following)).values()] == [2]
    assert lists.told() == exported([first, short, following])


def test_a_held_file_that_is_replayed_late_stands_where_it_came(lists):
    """The next export may have come meanwhile: what that lists is there, whatever an older file lacks."""
    made = [Export(10, FOUR), Export(20, {"a": RED}), Export(30, FOUR)]
    for export in made:
        lists.load(export)
    assert lists.told() == exported([made[0], made[2]])
    assert replay_quarantine(settings.current(), ALL).loaded == 1
    assert lists.told() == exported(made)
    assert standing(lists.told()) == dict.fromkeys("abcd", "red")
    # the guard compares with the newest file, not with the one that was loaded last
    assert [one[3] for one in records(lists.load(Export(40, {"a": RED}))).values()] == [1]


def test_a_file_with_bad_rows_deletes_nobody_until_they_are_read(lists):
    """The record that seems to be missing may stand in the row that could not be read."""
    first, doubtful = Export(10, FOUR), Export(20, {"a": RED, "b": RED, "c": RED}, unread=1)
    lists.load(first)
    assert [one[1:] for one in records(lists.load(doubtful)).values()] == [(3, 0, 1)]
    assert standing(lists.told()) == dict.fromkeys("abcd", "red")
    for keep in (False, True):  # from the summaries, then from the ledger
        if keep:
            keep_books(settings.current())
        lists.load(Export(20 + keep + 1, FOUR))
        assert standing(lists.told()) == dict.fromkeys("abcd", "red")

    lists.define(FULL_YAML.replace('allowed: ["1"], ', ""))
    small_company.forget()
    assert replay_quarantine(settings.current(), ALL).loaded == 1
    versions = lists.told()
    assert Version("d", "red", at(10), at(20)) in versions
    assert standing(versions) == dict.fromkeys("abcd", "red")


def test_rows_that_could_not_be_read_may_be_those_that_are_missing(lists):
    """A file of which half is bad is not held for what it may have: its bad rows are told instead."""
    lists.load(Export(10, FOUR))
    assert [one[1:] for one in records(lists.load(Export(20, {"a": RED}, unread=2))).values()] == [(1, 0, 2)]
    assert lists.codes() == [("not_allowed", 2)]
    # what stood before still counts: a whole file with what the bad one listed would delete the rest
    assert [one[3] for one in records(lists.load(Export(30, {"a": RED}))).values()] == [1]
    assert ("would_delete", 1) in lists.codes()


def test_a_file_that_lists_nobody(lists):
    """Only its header: it deletes everybody, which is held, and is so once somebody says that it may."""
    lists.load(Export(5, {}))  # nobody was there before the very first one
    assert lists.codes() == []
    lists.load(Export(10, FOUR))
    lists.load(Export(20, {}))
    assert lists.codes() == [("would_delete", 1)]
    assert standing(lists.told()) == dict.fromkeys("abcd", "red")
    assert replay_quarantine(settings.current(), ALL).still_bad == 0
    assert lists.codes() == []
    assert standing(lists.told()) == {}
    lists.load(Export(30, {"a": RED}))
    assert standing(lists.told()) == {"a": "red"}


def test_a_file_that_could_not_be_read_is_asked_when_it_can(lists):
    """Mending a definition is no word about deleting; the next replay is."""
    lists.load(Export(10, FOUR))
    lists.define(FULL_YAML.replace("from: size,", "from: weight, required: true,"))
    small_company.forget()
    lists.load(Export(20, {"a": RED}))
    assert lists.codes() == [("missing_column", 1)]
    lists.define()
    small_company.forget()
    assert replay_quarantine(settings.current(), ALL).still_bad == 1
    assert lists.codes() == [("would_delete", 1)]
    assert standing(lists.told()) == dict.fromkeys("abcd", "red")
    assert replay_quarantine(settings.current(), ALL).loaded == 1
    assert standing(lists.told()) == {"a": "red"}


def test_a_first_file_that_is_all_bad_is_no_file_to_compare_with(lists):
    """The table is there and has no row."""
    lists.load(Export(10, {}, unread=2))
    assert [one[1] for one in records(lists.load(Export(20, FOUR))).values()] == [4]
    assert standing(lists.told()) == dict.fromkeys("abcd", "red")


def test_a_file_that_is_delivered_twice_is_one_export(lists):
    """In one call, and in another."""
    made = [Export(10, FOUR), Export(20, {"a": RED, "b": RED, "c": RED})]
    lists.load(made[0])
    file = lists.land(made[1])
    outcome = ingest(settings.current(), [file, file], lambda: at(20))
    assert len(outcome.records) == 1
    assert lists.load(made[1], file).known == 1
    assert lists.told() == exported(made)


def test_whoever_was_overtaken_is_compared_anew(lists, monkeypatch):
    """Another export is committed after the guard looked: the file is asked again what it would delete of that."""
    few = dict.fromkeys("ab", RED)
    lists.load(Export(10, few))
    other = lists.land(Export(20, dict.fromkeys("abcdefgh", RED)))
    real, done = batch.append, []

    def append(table: Table, *arguments: Any, **named: Any) -> Any:
        if not done:
            done.append(True)
            assert not ingest(settings.current(), [other], lambda: at(20)).failed
        return real(table, *arguments, **named)

    monkeypatch.setattr(batch, "append", append)
    minutes = iter((19, 21))
    outcome = ingest(settings.current(), [lists.land(Export(19, few))], lambda: at(next(minutes)))
    assert [one[3] for one in records(outcome).values()] == [1]
    assert standing(lists.told()) == dict.fromkeys("abcdefgh", "red")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_histories_the_whole_way(lists, seed):
    """A feed in any order and full exports that change, lose and have bad rows, through ingest, replay and models."""
    draw = random.Random(seed)
    changes = [
        Change(draw.choice("abc"), draw.randint(0, 6), n, draw.choice([None, "red", "blue", "green"]))
        for n in range(12)
    ]
    changes.sort(key=lambda change: change.minute)
    changes = [change._replace(position=n) for n, change in enumerate(changes)]
    sent = draw.sample([*changes, *draw.sample(changes, 4)], 16)
    files = [lists.company.land("feed/products", f"{n}.csv", feed_csv(sent[n::3])) for n in range(3)]
    assert not ingest(settings.current(), [files[0], files[2]]).failed
    assert not ingest(settings.current(), [*files[1:], files[0]]).failed

    there: dict[str, tuple[str, int | None]] = {}
    made, held = [], []
    for n in range(1, 6):
        for sku in "abcdef":
            step = draw.choice(["stay", "change", "change", "go"])
            if step == "go":
                there.pop(sku, None)
            elif step == "change":
                there[sku] = (draw.choice(["red", "blue"]), 10 * n - 1)
        export = Export(10 * n, dict(there), unread=draw.choice([0, 0, 1]))
        [record] = lists.load(export).records
        waits = record.quarantined == 1 and record.received == 1 and (there or export.unread != 1)
        (held if waits else made).append(export)
        assert lists.told() == exported(made)
    replay_quarantine(settings.current(), QuarantineFilter(code="would_delete"))
    keep_books(settings.current())
    every = sorted([*made, *held], key=lambda export: export.minute)
    assert lists.told() == exported(every)
    assert lists.told("feed") == history(changes)
    assert standing(lists.told("feed")) == current(changes)
