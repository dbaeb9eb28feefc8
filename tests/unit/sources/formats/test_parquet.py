"""A Parquet file that lies is refused before anybody reads its rows, within bounded time and memory."""

from __future__ import annotations

import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.errors import BadFile
from lakehouse.sources.formats import parquet
from lakehouse.sources.formats.policy import ParquetPolicy
from tests.support.parquet_footers import footer, varint


@pytest.fixture
def sound(tmp_path):
    """A file of two row groups, with dictionaries and statistics."""
    path = tmp_path / "sound.parquet"
    table = pa.table({"name": [f"n{n % 9}" for n in range(50)], "x": [None, 0.5] * 25})
    pq.write_table(table, path, row_group_size=40)
    return path


def refused(path, body=None):
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(BadFile) as bad:
        parquet.check(path)
    return bad.value.code


def test_a_sound_file_tells_its_rows(sound, tmp_path):
    """Also one without any, and one whose columns are nested."""
    assert parquet.check(sound).rows == 50
    for table in (pa.table({"a": pa.array([], "int64")}), pa.table({"a": [{"b": [1, 2]}, {"b": []}]})):
        pq.write_table(table, tmp_path / "other")
        assert parquet.check(tmp_path / "other").rows == table.num_rows


def test_a_file_that_breaks_off_anywhere_is_refused(sound, tmp_path):
    """At every byte."""
    whole = sound.read_bytes()
    for end in range(len(whole)):
        assert refused(tmp_path / "cut", whole[:end]) == "bad_parquet"
    for front in (whole[1:], b"PARX" + whole[4:], whole + b"\0", whole[:4] + whole[14:]):
        assert refused(tmp_path / "cut", front) == "bad_parquet"


def test_a_forged_length_of_the_footer(sound, tmp_path):
    """Beyond the file, negative when signed, nothing at all, a footer that begins elsewhere."""
    whole = sound.read_bytes()
    (length,) = struct.unpack("<I", whole[-8:-4])
    for forged in (0, 1, 7, length - 1, length + 1, len(whole), 1 << 30, (1 << 31) + 5, (1 << 32) - 1):
        assert refused(tmp_path / "f", whole[:-8] + struct.pack("<I", forged) + b"PAR1") == "bad_parquet"


def test_one_wrong_byte_in_the_footer_never_crashes(sound, tmp_path):
    """Every byte in two ways: BadFile, or a number of rows that the row groups agree with."""
    whole = sound.read_bytes()
    (length,) = struct.unpack("<I", whole[-8:-4])
    for offset in range(len(whole) - 8 - length, len(whole) - 8):
        for flip in (0xFF, 0x01):
            wrong = bytearray(whole)
            wrong[offset] ^= flip
            (tmp_path / "f").write_bytes(wrong)
            try:
                assert parquet.check(tmp_path / "f").rows >= 0
            except BadFile as error:
                assert error.code in {"bad_parquet", "too_many_columns"}  # noqa: PT017


def test_columns_without_end(tmp_path):
    """5,000 are read, 100,000 are not."""
    one = pa.array([1], "int8")
    for count, code in ((5_000, ""), (5_001, "too_many_columns")):
        pq.write_table(pa.table({f"c{n}": one for n in range(count)}), tmp_path / "wide")
        if code:
            assert refused(tmp_path / "wide") == code
        else:
            assert parquet.check(tmp_path / "wide").rows == 1
    schema = b"\x15\x02\x19\xfc" + varint(100_001) + b"\x48\x01c\x00" * 100_001
    assert refused(tmp_path / "wide", footer(schema)) == "too_many_columns"
    assert refused(tmp_path / "wide", footer(schema + bytes(20 << 20))) == "too_many_columns"


def test_limits_of_footers_rows_and_bytes(sound, monkeypatch):
    """Each by itself."""
    for name, value, code in (
        ("max_footer_bytes", 100, "bad_parquet"),
        ("free_rows", 10, "bomb"),
        ("free_bytes", 10, "bomb"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(ParquetPolicy, name, value)
            patch.setattr(ParquetPolicy, "max_rows_a_byte", 0)
            patch.setattr(ParquetPolicy, "max_ratio", 0)
            assert refused(sound) == code


def test_constant_columns_are_no_bomb_until_they_are(tmp_path):
    """A million rows of one value take next to nothing; two thousand million would, too."""
    table = pa.table({"a": pa.array([7], "int64").take(pa.array([0] * 1_000_000))})
    pq.write_table(table, tmp_path / "same")
    assert parquet.check(tmp_path / "same").rows == 1_000_000
    table = pa.table({"a": pa.array([7], "int64").take(pa.array([0] * 1_000_001))})
    pq.write_table(table, tmp_path / "same")
    assert refused(tmp_path / "same") == "bomb"
