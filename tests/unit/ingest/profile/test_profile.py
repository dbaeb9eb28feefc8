"""What a file holds, whatever it is written and packed in."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb
import pytest
from backports import zstd

from lakehouse.errors import BadFile
from lakehouse.ingest.profile.policy import ProfilePolicy
from lakehouse.ingest.profile.profile import ReadingHints, profile
from tests.support.packed_files import zipped
from tests.support.workbooks import book
from tests.support.workbooks import rows as sheet_rows

HEADER = ("id", "姓名", "mail", "day", "n", "note")
ROWS = [
    (
        f"c{n}",
        ("张伟", "李娜", "王小明", "陈建国")[n % 4],
        f"u{n}@example.com",
        f"2026/1/{n % 28 + 1}",
        str(n % 5),
        "x, y" if n % 3 else "",
    )
    for n in range(200)
]


def table(delimiter=",", quote='"', end="\n"):
    """Return the rows as delimited text."""
    lines = [HEADER, *ROWS]
    cells = [[f"{quote}{cell}{quote}" if delimiter in cell else cell for cell in line] for line in lines]
    return end.join(delimiter.join(line) for line in cells) + end


def records():
    """Return the rows as JSON objects."""
    return [json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False) for row in ROWS]


def as_parquet(folder):
    """Return the rows as Parquet."""
    source, path = folder / "rows.csv", folder / "rows.parquet"
    source.write_text(table(), "utf-8")
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{source}', all_varchar=true)) TO '{path}'")
    return path.read_bytes()


FORMATS = {
    "csv": lambda _: table().encode(),
    "tab": lambda _: table("\t").encode(),
    "semicolon": lambda _: table(";").encode(),
    "bar": lambda _: table("|", end="\r\n").encode(),
    "utf16": lambda _: table().encode("utf-16"),
    "gb18030": lambda _: table().encode("gb18030"),
    "gzip": lambda _: gzip.compress(table().encode()),
    "zstd": lambda _: zstd.compress(table().encode()),
    "zip": lambda _: zipped({"a.csv": table().encode()}),
    "ndjson": lambda _: ("\n\n".join(records()) + "\n").encode(),
    "array": lambda _: f"[{','.join(records())}]".encode(),
    "parquet": as_parquet,
    "xlsx": lambda _: book(sheet_rows(HEADER, *ROWS)),
}


@pytest.fixture
def look(lake, tmp_path):
    """Return a function that gives the profile of bytes."""

    def look(content, hints=None, **more):
        path = tmp_path / "file.bin"
        path.write_bytes(content)
        return profile(lake, path, hints, **more)

    return look


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_has_the_same_profile(look, tmp_path, form):
    """The same rows say the same, in whatever they arrive."""
    found, expected = look(FORMATS[form](tmp_path)), look(FORMATS["csv"](tmp_path))
    assert found.columns == expected.columns
    assert (found.rows, found.sampled, found.unreadable) == (200, 200, {})


def test_what_a_profile_says(look):
    """Counts are those of the rows."""
    found = look(table().encode())
    by_name = {column.header: column for column in found.columns}
    assert [column.header for column in found.columns] == list(HEADER)
    assert [column.position for column in found.columns] == [1, 2, 3, 4, 5, 6]
    assert [name for name, column in by_name.items() if column.key] == ["id", "mail"]
    assert [column.distinct for column in found.columns] == [200, 4, 200, 28, 5, 1]
    assert by_name["note"].filled == 133
    assert by_name["id"].lengths == (2, 4)
    assert by_name["day"].found.type == "date"
    assert (by_name["day"].loads, by_name["n"].loads) == (1.0, 1.0)
    assert {column.header: [one.kind for one in column.found.personal] for column in found.columns} == {
        "id": [], "姓名": ["name"], "mail": ["email"], "day": [], "n": [], "note": [],
    }  # fmt: skip
    assert (found.kind, found.delimiter, found.headless) == ("delimited", ",", False)


def test_what_ingest_would_not_load(look):
    """Money with its sign is a decimal that somebody has to convert first."""
    column = look(("price\n" + "¥1299.00\n" * 3 + "5\n").encode()).columns[0]
    assert (column.found.type, column.found.parses, column.loads) == ("decimal(18,2)", 1.0, 0.25)


def test_rows_that_cannot_be_read_are_counted(look, monkeypatch):
    """By code, as quarantine would call them; the others are profiled."""
    found = look(b'a,b\n1,2\n\n3\n4,5,6\n"x"y,2\n\xff,1\n7,8\n')
    assert found.unreadable == {"bad_quoting": 1, "not_a_record": 1, "not_utf8": 1, "too_many_fields": 1}
    assert found.rows == 2
    found = look(b'{"a": 1}\n{"a"\n[1]\n\n7\n{"b": null}\n')
    assert (found.rows, found.unreadable) == (2, {"invalid_json": 1, "not_an_object": 2})
    assert [(column.header, column.filled) for column in found.columns] == [("a", 1), ("b", 0)]
    found = look(b"a\n1\n" + b"x" * (5 << 20) + b"\n2\n")
    assert (found.rows, found.unreadable) == (2, {"line_too_long": 1})


def test_json_of_any_keys(look):
    """Keys that differ in case, hold signs of paths, or nest; a key that is somebody's address is masked."""
    line = {
        "a": "x",
        "A": "y",
        "a/b": 1,
        "c~d": True,
        'q"': [1],
        "": 5,
        "o": {"k": 1},
        "ann@example.com": 1,
        "0": 2,
    }
    found = look(json.dumps(line).encode() + b"\n")
    names = [column.header for column in found.columns]
    assert names == ["a", "A", "a/b", "c~d", 'q"', "", "o", "xxx@xxxxxxx.xxx", "0"]
    assert [column.filled for column in found.columns] == [1] * 9
    assert [column.found.type for column in found.columns[3:7]] == ["boolean", "json", "int", "json"]


def test_the_members_of_a_zip_share_columns(look):
    """By name; a column that one of them lacks is no key."""
    found = look(zipped({"1.csv": b"Id,x\n1,a\n2,b\n", "2.csv": b"id,y\n3,a\n4,\n"}))
    assert [(column.header, column.filled, column.key) for column in found.columns] == [
        ("Id", 4, True), ("x", 2, False), ("y", 1, False),
    ]  # fmt: skip


def test_many_pieces_are_one_file(look, monkeypatch):
    """Cut wherever, by however many threads: the same counts, and a sample within bounds, always the same."""
    lines = "".join(f"k{n},{n % 7},{'' if n % 10 else 'v'}\n" for n in range(30_000))
    content = f"key,few,some\n{lines}".encode()
    whole = look(content, sample_rows=1_000)
    monkeypatch.setattr(ProfilePolicy, "piece_bytes", 1 << 14)
    monkeypatch.setattr(ProfilePolicy, "read_bytes", 1 << 12)
    reported = []
    cut = look(content, sample_rows=1_000, progress=lambda *heard: reported.append(heard))
    assert look(content, sample_rows=1_000) == cut
    assert reported[-1] == ("reading", len(content), len(content))
    assert [done for _, done, _ in reported] == sorted({done for _, done, _ in reported})
    assert (cut.rows, whole.rows) == (30_000, 30_000)
    assert 400 < cut.sampled <= 1_000
    for one, other in zip(cut.columns, whole.columns, strict=True):
        assert (one.filled, one.lengths, one.key, one.found.type) == (
            other.filled,
            other.lengths,
            other.key,
            other.found.type,
        )
    assert [column.key for column in cut.columns] == [True, False, False]
    assert [column.distinct for column in cut.columns] == [30_000, 7, 1]
    assert not cut.columns[0].found.personal


def test_a_value_far_away_is_no_longer_unique(look, monkeypatch):
    """Exact over pieces: the first and the last row share a value."""
    monkeypatch.setattr(ProfilePolicy, "piece_bytes", 1 << 14)
    monkeypatch.setattr(ProfilePolicy, "read_bytes", 1 << 12)
    lines = [f"k{n}" for n in range(9_000)] + ["k0"]
    assert not look(("key\n" + "\n".join(lines) + "\n").encode()).columns[0].key
    assert look(("key\n" + "\n".join(lines[:-1]) + "\n").encode()).columns[0].key


def test_large_values_and_wide_files_stay_within_bounds(look, monkeypatch):
    """Samples keep the beginning of a long value, and fewer rows of wide ones; long JSON is JSON still."""
    monkeypatch.setattr(ProfilePolicy, "sample_bytes", 1 << 16)
    value = json.dumps({"a": "x" * 3_000})
    rows = [json.dumps({"o": json.loads(value), "l": [0] * 2_000, "t": "y" * 5_000})] * 50
    found = look(("\n".join(rows)).encode())
    assert found.sampled < 50
    assert [column.found.type for column in found.columns] == ["json", "json", "string"]
    assert found.columns[2].lengths == (5_000, 5_000)
    monkeypatch.setattr(ProfilePolicy, "columns_per_query", 7)
    wide = look(
        (",".join(f"c{n}" for n in range(30)) + "\n" + ",".join(map(str, range(30))) + "\n1\n").encode()
    )
    assert [column.lengths for column in wide.columns] == [(1, 1)] * 10 + [(2, 2)] * 20
    assert wide.unreadable == {"too_few_fields": 1}


def test_columns_beyond_the_limit_are_counted(look, monkeypatch):
    """Columns beyond the limit are left out, and counted."""
    monkeypatch.setattr(ProfilePolicy, "max_columns", 2)
    assert look(b'{"a": 1, "b": 2, "c": 3}\n').left_out == 1
    monkeypatch.setattr(ProfilePolicy, "max_columns", 1)
    found = look(b"a,b\n1,2\n")
    assert (found.left_out, len(found.columns)) == (1, 1)


def test_a_file_without_a_header(look):
    """Its first row is masked, since it is somebody's."""
    found = look("张伟,ann@example.com,5\n李娜,bob@example.com,6\n".encode())
    assert found.headless
    assert [column.header for column in found.columns] == ["字字", "xxx@xxxxxxx.xxx", "9"]


def test_a_header_alone(look):
    """No rows, and no division by them."""
    found = look(b"a,b\n")
    assert (found.rows, [column.key for column in found.columns]) == (0, [False, False])
    assert look(b"[]").columns == ()


def test_encoding_and_sheet_may_be_stated(look):
    """What bytes do not tell."""
    latin = look("name\nMüller\n".encode("cp1252"), ReadingHints(encoding="cp1252"))
    assert (latin.rows, latin.unreadable) == (1, {})
    second = look(book(sheet_rows(("a",), (1,)), sheet_rows(("b",), (2,))), ReadingHints(sheet="s2"))
    assert [column.header for column in second.columns] == ["b"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"PAR1 not really", "bad_parquet"),
        (gzip.compress(gzip.compress(b"a\n1\n", mtime=0), mtime=0), "nested_archive"),
        (gzip.compress(b"a\n1\n" * 9_000, mtime=0)[:-9], "truncated_gzip"),
        (b"a,a\n1,2\n", "duplicate_column"),
        (b"<html><table>", "markup"),
        (b"\0" * 999, "not_text"),
    ],
)  # fmt: skip
def test_what_ingest_refuses(look, content, code):
    """The same code as in quarantine."""
    with pytest.raises(BadFile) as refused:
        look(content)
    assert refused.value.code == code


def test_what_is_no_file(lake, tmp_path, monkeypatch):
    """Nothing there, a folder, and what may not be read."""
    for path, code in ((tmp_path / "none", "no_such_file"), (tmp_path, "no_file")):
        with pytest.raises(BadFile) as refused:
            profile(lake, path)
        assert refused.value.code == code
    path = tmp_path / "locked"
    path.write_text("a\n1\n")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    for name in ("open", "exists"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, name, refuse)
            with pytest.raises(BadFile, match="Permission denied"):
                profile(lake, path)


def test_parts_that_are_no_table_like_the_first_one_are_named(look):
    """Members of a zip and sheets, hidden ones among them; tables with its header are profiled together."""
    sheets = [sheet_rows(("id", "note"), (n, "x")) for n in range(3)]
    states = ("visible", "visible", "hidden", "visible", "visible")
    found = look(book("", *sheets, sheet_rows(("Legend",), ("x",)), states=states))
    assert (found.rows, [part.name for part in found.unread_parts]) == (2, ["s3", "s5"])
    found = look(zipped({"a.csv": b"id,note\n1,x\n", "b.txt": b"hello\n", "c.csv": b"id,note\n2,x\n"}))
    assert (found.rows, [part.name for part in found.unread_parts]) == (2, ["b.txt"])
