"""Parquet footers made to exhaust memory, read in a process of its own."""

from __future__ import annotations

import pytest

from tests.support.packed_files import peak_of_a_child
from tests.support.parquet_footers import footer, varint


@pytest.mark.parametrize(
    "body",
    [
        b"\x15\x02\x19\xfc" + varint(2_000_000_000),  # a list of two thousand million columns
        b"\x15\x02\x19\xfc" + varint(10_000_000) + bytes(10_000_000),  # ten million empty ones
        b"\x15\x02\x38" + varint(2_000_000_000),  # a text of 2 GB
        b"\x1c" * 1_000_000,  # a struct in a struct in a struct
        b"\x19\x1c" * 1_000_000,
        bytes(40_000_000),
    ],
)
def test_thrift_bombs_end_small(tmp_path, body):
    """What a footer says of the size of its lists and texts is not believed."""
    (tmp_path / "bomb").write_bytes(footer(body))
    code = (
        "import sys; from pathlib import Path; from lakehouse.errors import BadFile\n"
        "from lakehouse.sources.formats import parquet\n"
        "try: print(parquet.check(Path(sys.argv[1])).rows)\nexcept BadFile as error: print(error.code)"
    )
    printed, peak = peak_of_a_child(code, str(tmp_path / "bomb"))
    assert printed in {"bad_parquet", "too_many_columns"}
    assert peak < 128
