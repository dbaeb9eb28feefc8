"""docs/engines.md: what can be run without installing more runs; `python -m tests.support.engines` runs the rest."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from lakehouse.tables import views
from tests.support import engines

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def folder(store, tmp_path_factory):
    place = tmp_path_factory.mktemp("engines")
    engines.fill(store.env, store, place)
    engines.fill_for_measuring(store)
    return place


def test_every_engine_has_a_program():
    """A heading without one would not be run."""
    assert list(engines.blocks()) == [
        "pyiceberg, and what reads Arrow",
        "A DuckDB of your own",
        "ClickHouse",
        "polars",
        "Daft",
        "Spark",
    ]


@pytest.mark.parametrize("engine", ["pyiceberg, and what reads Arrow", "A DuckDB of your own"])
def test_the_engines_at_hand_do_what_the_table_says(folder, engine):
    """As the page has them, but for the download of DuckDB's extensions; they count right, too."""
    measured = engines.measure(engine, engines.blocks()[engine], Path(sys.prefix), folder)
    assert measured.counted == str(engines.ROWS)
    assert measured.row in engines.PAGE.read_text("utf-8").splitlines()


def test_every_engine_is_measured():
    """Each program has a way to ask for one day, which the program really contains."""
    blocks = engines.blocks()
    assert blocks.keys() == engines.PROGRAMS.keys()
    for heading, engine in engines.PROGRAMS.items():
        assert engine.whole in blocks[heading]


def test_the_view_of_the_page_is_ours():
    """Whose events they are is one statement, in the page as in `lakehouse.connect()`, but for a function of ours."""
    text = engines.PAGE.read_text("utf-8")
    [shown] = re.findall(r"^CREATE SCHEMA core; (CREATE VIEW.*?);$", text, re.DOTALL | re.MULTILINE)
    ours = views.EVENTS.strip().replace("CREATE OR REPLACE", "CREATE")
    ours = re.sub(r"e\.\* REPLACE \(.*\)$", "e.*", ours, flags=re.MULTILINE)
    assert shown.replace("lake.", "").split() == ours.split()
