"""Decimals of more than 38 digits are read as what the file says."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.errors import BadFile
from lakehouse.sources.formats import parquet, wide_decimals

NUMBERS = [Decimal("10.50"), Decimal("-0.02"), None, Decimal("12345678901234567890123456789012345678.91")]


@pytest.mark.parametrize("precision", [39, 50, 76])
def test_they_become_text(tmp_path, precision):
    """Wherever they stand; what stands beside them is as it was, also in a second row group."""
    kind = pa.decimal256(precision, 2)
    numbers = NUMBERS if precision > 39 else NUMBERS[:3]
    table = pa.table(
        {
            "amount": pa.array(numbers, kind),
            "list": pa.array([[number] for number in numbers], pa.list_(kind)),
            "struct": pa.array([{"a": number} for number in numbers], pa.struct([("a", kind)])),
            "day": pa.array(range(len(numbers)), pa.date32()),
        }
    )
    pq.write_table(table, tmp_path / "old", row_group_size=2)
    assert parquet.check(tmp_path / "old").has_wide_decimals
    new = wide_decimals.as_text(tmp_path / "old", tmp_path / "new")
    texts = [None if number is None else str(number) for number in numbers]
    found = pq.read_table(new)
    assert found["amount"].to_pylist() == texts
    assert found["list"].to_pylist() == [[text] for text in texts]
    assert found["struct"].to_pylist() == [{"a": text} for text in texts]
    assert found["day"].equals(table["day"])
    assert not (tmp_path / "old").exists()
    assert not parquet.check(new).has_wide_decimals


def test_a_file_that_cannot_be_read_is_a_bad_file(tmp_path):
    """As any other."""
    pq.write_table(pa.table({"a": pa.array([Decimal(1)], pa.decimal256(50, 0))}), tmp_path / "old")
    content = bytearray((tmp_path / "old").read_bytes())
    content[4:20] = b"\xff" * 16
    (tmp_path / "old").write_bytes(content)
    with pytest.raises(BadFile, match="bad_parquet"):
        wide_decimals.as_text(tmp_path / "old", tmp_path / "new")
