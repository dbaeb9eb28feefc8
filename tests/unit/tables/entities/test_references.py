"""Every column that names a record of another entity is declared; what else ends in `_id` has a reason."""

from __future__ import annotations

import pytest

from lakehouse.tables import entities
from lakehouse.tables.entities.references import NO_REFERENCES, REFERENCES, REFERRED

COLUMNS = [
    (name, column.name)
    for name, entity in entities.BY_NAME.items()
    for column in entity.columns
    if column.name.endswith("_id")
]
DECLARED = {(reference.entity, reference.column) for reference in REFERENCES}


def reasons(entity: str, column: str) -> list[str]:
    """Return why a column may stand there: own id, reference, or exception."""
    found = ["own id"] if column in entities.BY_NAME[entity].key and (entity, column) not in DECLARED else []
    found += ["reference"] if (entity, column) in DECLARED else []
    excepted = NO_REFERENCES.keys() & {f"{entity}.{column}", f"*.{column}"}
    return found + ["exception"] * len(excepted)


@pytest.mark.parametrize(("entity", "column"), COLUMNS)
def test_every_id_is_its_own_or_a_reference_or_an_exception(entity, column):
    """Exactly one of the three, so that a new column cannot be forgotten."""
    assert len(reasons(entity, column)) == 1


def test_every_reference_names_columns_that_exist():
    """On both sides, of one type, and no column twice."""
    assert len(DECLARED) == len(REFERENCES)
    for reference in REFERENCES:
        referring = {column.name: column.type for column in entities.BY_NAME[reference.entity].columns}
        referred = {column.name: column.type for column in entities.BY_NAME[reference.referred].columns}
        assert referring[reference.column] == referred[reference.referred_column] == "string"


def test_the_referred_column_is_the_record_of_a_source():
    """With `source` and, where versions are kept, `valid_from` it is the whole key: an id names one record."""
    for referred in REFERRED:
        key = [name for name in entities.BY_NAME[referred].key if name != "valid_from"]
        assert key[0] == "source"
        assert len(key) == 2


def test_no_exception_is_left_over():
    """Each stands for a column that is there, and says why."""
    for name, reason in NO_REFERENCES.items():
        entity, _, column = name.partition(".")
        assert [one for one in COLUMNS if one[1] == column and entity in ("*", one[0])]
        assert reason
