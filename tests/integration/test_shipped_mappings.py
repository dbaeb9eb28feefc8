"""Every mapping that ships, on a sample of what its system really writes: landed, loaded, mapped, and computed.

A sample is `tests/samples/<source>/<entity>.<whatever>`; what is true of it stands beside it, in
`<entity>.expected.yaml`. `tests/samples/README.md` says what may stand there. All samples go into one lake.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lakehouse.engine.escape import identifier, literal
from lakehouse.sources import definition
from lakehouse.sources.mappable_entities import EACH, ENTITIES, TOGETHER, WHERE, record_key
from lakehouse.sources.mapping_views import entity_sql
from lakehouse.tables import entities
from tests.support.filled_lake import Filled, filled_lake

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).parents[1] / "samples"
TRUTH = ".expected.yaml"
ELSEWHERE = {("web", "events"), ("hubspot", "webhooks")}  # they have tests of their own
FILES = {
    (path.parent.name, path.name.partition(".")[0]): path
    for path in sorted(SAMPLES.glob("*/*"))
    if not path.name.endswith(TRUTH)
}
SHIPPED = definition.load()
PLACES = sorted(FILES.keys() & SHIPPED.keys())
NAMES = ["/".join(place) for place in PLACES]
MAPPED = [(place, entity) for place in PLACES for entity in SHIPPED[place].core]


@cache
def truth(place: tuple[str, str]) -> dict[str, Any]:
    """Return what is true of a sample: nothing where nothing is said."""
    path = SAMPLES / place[0] / (place[1] + TRUTH)
    return yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}


COMPLETE = [place for place in PLACES if truth(place).get("complete")]
SPOTS = [
    pytest.param(place, spot, id=f"{'/'.join(place)}-{spot['entity']}-{number}")
    for place in PLACES
    for number, spot in enumerate(truth(place).get("spot", ()), start=1)
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with filled_lake(tmp_path_factory.mktemp("lake"), {place: FILES[place] for place in PLACES}) as lake:
        yield lake


def _spoken(place: tuple[str, str], entity: str) -> str:
    """Return the SQL of the rows of `core.<entity>` that are of records of which this sample speaks."""
    contract = entities.BY_NAME.get(entity)
    key = ", ".join(record_key(contract) if contract else ("source", "record"))
    records = f"SELECT {key} FROM ({entity_sql(entity, [SHIPPED[place]])})"
    return f"(SELECT * FROM core.{identifier(entity)} SEMI JOIN ({records}) USING ({key}))"


def test_every_mapping_has_a_sample() -> None:
    """Nobody knows of one without whether it fits what its system writes; and a sample without one tests nothing."""
    assert FILES.keys() == SHIPPED.keys() - ELSEWHERE


def test_the_books_balance_and_every_model_runs(filled: Filled) -> None:
    """Every row of every sample is loaded or set aside, and no mapping breaks a model."""
    assert filled.unbalanced == ()
    assert filled.wrong == []


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_what_is_set_aside_is_what_deserves_it(filled: Filled, place: tuple[str, str]) -> None:
    """Row by row, with its code; all others load."""
    expected = truth(place).get("quarantined", {})
    record = filled.records[place]
    assert filled.set_aside.get(place, {}) == expected
    assert record.received == record.loaded + record.duplicates + len(expected)
    assert record.loaded > 0


@pytest.mark.parametrize(
    ("place", "entity"), MAPPED, ids=[f"{'/'.join(place)}-{entity}" for place, entity in MAPPED]
)
def test_entities_have_the_rows_that_the_sample_speaks_of(
    filled: Filled, place: tuple[str, str], entity: str
) -> None:
    """As many as the truth says; some where it says nothing."""
    expected = truth(place).get("core", {})
    assert expected.keys() <= SHIPPED[place].core.keys(), "the truth speaks of what is not mapped"
    ((found,),) = filled.ask(f"SELECT count(*) FROM {_spoken(place, entity)}")
    assert found == expected[entity] if entity in expected else found > 0


@pytest.mark.parametrize(("place", "spot"), SPOTS)
def test_spots(filled: Filled, place: tuple[str, str], spot: dict[str, Any]) -> None:
    """A row that was looked up by hand says what it should."""
    columns = ", ".join(map(identifier, spot["expect"]))
    rows = filled.ask(f"SELECT {columns} FROM {_spoken(place, spot['entity'])} WHERE {spot['where']}")
    assert len(rows) == 1
    found = dict(zip(spot["expect"], rows[0], strict=True))
    assert found == {name: _meant(filled, value, found[name]) for name, value in spot["expect"].items()}


def _meant(filled: Filled, value: Any, found: Any) -> Any:
    """Return an expected value in the type of the one found; `{zoho_id: 7}` is the customer with that identifier."""
    if isinstance(value, dict):
        ((kind, of),) = value.items()
        ((customer,),) = filled.ask(
            "SELECT customer_id FROM core.identities "
            f"WHERE identifier_type = {literal(kind)} AND identifier_value = {literal(str(of))}"
        )
        return customer
    if value is None or found is None:
        return value
    if isinstance(found, datetime):
        return datetime.fromisoformat(str(value))
    if isinstance(found, bool):
        return {"true": True, "false": False}.get(str(value).lower(), value)
    if isinstance(found, int | float | Decimal):
        return type(found)(str(value))
    return date.fromisoformat(str(value)) if isinstance(found, date) else str(value)


def _cells(place: tuple[str, str]) -> list[tuple[str, str]]:
    """Return (entity, column) of what a mapping gives that is not always null."""
    none = {WHERE, EACH, TOGETHER, "source", "sequence", "deleted"}
    return sorted(
        {
            (entity, name)
            for entity in SHIPPED[place].core
            for mapping in SHIPPED[place].mappings(entity)
            for name, sql in mapping.items()
            if name not in none and name in ENTITIES[entity] and sql.upper() != "NULL"
        }
    )


@pytest.mark.parametrize("place", COMPLETE, ids=["/".join(place) for place in COMPLETE])
def test_a_complete_sample_has_something_for_each_column_that_is_mapped(
    filled: Filled, place: tuple[str, str]
) -> None:
    """What is null in every row may as well be mapped wrongly."""
    silent = []
    for entity, name in _cells(place):
        rows = f"SELECT count({identifier(name)}) FROM ({entity_sql(entity, [SHIPPED[place]])})"
        silent += [f"{entity}.{name}"] if filled.ask(rows) == [(0,)] else []
    assert silent == []
