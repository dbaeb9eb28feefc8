"""Unpacking a bomb costs neither time nor memory."""

from __future__ import annotations

import gzip

import pytest
from backports import zstd

from tests.support.packed_files import peak_of_a_child, zipped


@pytest.mark.parametrize(
    ("pack", "times"),
    [(gzip.compress, 200), (zstd.compress, 200), (lambda body: zipped({"a": body, "b": body}), 1)],
    ids=["gzip", "zstd", "zip"],
)
def test_bombs_end_soon_and_small(tmp_path, pack, times):
    """12 GiB of zeros in 12 MiB are refused after the first 64 MiB, in less than 128 MiB of memory."""
    code = (
        "import sys; from pathlib import Path; from lakehouse.errors import BadFile;"
        "from lakehouse.landing.unpack import members\n"
        "body, scratch = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])\n"
        "try:\n    for m in members(iter([body] * int(sys.argv[3])), scratch):\n        for c in m.chunks: pass\n"
        "except BadFile as error: print(error.code)"
    )
    (tmp_path / "bomb").write_bytes(pack(bytes(64 << 20)))
    printed, peak = peak_of_a_child(code, str(tmp_path / "bomb"), str(tmp_path), str(times))
    assert printed == "bomb"
    assert peak < 128
