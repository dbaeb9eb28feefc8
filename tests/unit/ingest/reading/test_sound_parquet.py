"""A text of a Parquet that is no UTF-8 costs its row."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.errors import BadFile
from lakehouse.ingest.reading.piece import Layout, Piece
from lakehouse.ingest.reading.sound_parquet import sound_parquet
from tests.unit.ingest.reading.test_sound_rows import PEOPLE

TEXTS = st.sampled_from([b"Ada", b"caf\xe9", "样甲".encode(), b"\xff\xfe", None])


def parquet(names, *, row_group_size=None, **more):
    """Return a Parquet of people with these names, which may be no UTF-8: nobody asks when it is written."""
    count = len(names)
    texts = pa.array(names, pa.binary()).view(pa.string())
    ids = pa.array([f"C{number}" for number in range(1, count + 1)])
    table = pa.table({"contact_id": ids, "name": texts, "title": pa.array(["x"] * count), **more})
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=row_group_size, write_statistics=False)
    return out.getvalue()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(TEXTS, min_size=1, max_size=12))
def test_the_other_rows_load(read, names):
    """Each under its number and with its values."""
    rows = read(PEOPLE, parquet(names, row_group_size=4))
    assert sorted(rows) == list(range(1, len(names) + 1))
    for number, name in enumerate(names, 1):
        row = rows[number]
        if name in {b"caf\xe9", b"\xff\xfe"}:
            assert row["_code"] == "not_utf8"
            assert json.loads(row["_original"])["contact_id"] == f"C{number}"
        else:
            assert (row["_code"], row["contact_id"], row["name"]) == (
                None,
                f"C{number}",
                name and name.decode(),
            )


def test_a_text_within_a_list(read):
    """Nested ones are looked at, too."""
    tags = pa.ListArray.from_arrays([0, 1, 2, 2], pa.array([b"a", b"\xff"], pa.binary()).view(pa.string()))
    rows = read(PEOPLE, parquet([b"Ada", b"Bo", b"Cy"], tags=tags))
    assert {number: row["_code"] for number, row in rows.items()} == {1: None, 2: "not_utf8", 3: None}


def test_pieces_of_one_file(read):
    """Each has rows of its own, and its own bad ones."""
    names = [b"caf\xe9" if number % 700 == 0 else b"n%d" % number for number in range(1, 2_001)]
    body = parquet(names, row_group_size=300)
    rows = read(PEOPLE, body, max_bytes=len(body) // 3)
    assert {number for number, row in rows.items() if row["_code"]} == {700, 1400}
    assert all(row["name"] == f"n{number}" for number, row in rows.items() if not row["_code"])


def test_where_every_text_is_utf8_something_else_is_wrong(tmp_path):
    """That is the file's fault."""
    path = tmp_path / "0.piece"
    path.write_bytes(parquet([b"Ada"]))
    with pytest.raises(BadFile) as refused:
        sound_parquet(Piece(path, Layout("parquet"), 9, row_count=1), path)
    assert refused.value.code == "unreadable_file"
