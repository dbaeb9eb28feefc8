"""Files are written so that equal rows give equal bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from lakehouse.sample.purchases.files import columns, write_csv, write_gzip_lines


@pytest.mark.parametrize(
    ("quote_all", "content"),
    [(False, b'a,b\n1,"2,5"\n,\xe4\xb8\xad\n'), (True, b'"a","b"\n"1","2,5"\n"","\xe4\xb8\xad"\n')],
)
def test_csv_is_utf_8_with_line_feeds(tmp_path: Path, quote_all: bool, content: bytes) -> None:
    """No byte order mark; quotes where they are needed, or everywhere."""
    path = tmp_path / "file.csv"
    write_csv(path, columns("a,b"), [["1", "2,5"], ["", "中"]], quote_all=quote_all)
    assert path.read_bytes() == content


@pytest.mark.parametrize("count", [0, 1, 1_000, 2_001])
def test_packed_lines_end_with_a_line_feed_each(tmp_path: Path, count: int) -> None:
    """The header has neither a name nor a time, so that the same lines are the same bytes anywhere."""
    lines = [f"line {number}" for number in range(count)]
    first, second = tmp_path / "first.gz", tmp_path / "second.gz"
    write_gzip_lines(first, lines)
    write_gzip_lines(second, lines)
    assert first.read_bytes() == second.read_bytes()
    assert gzip.decompress(first.read_bytes()).decode() == "".join(f"{line}\n" for line in lines)
    assert first.read_bytes()[4:8] == bytes(4)
