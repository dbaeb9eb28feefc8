"""What a source does not keep is nowhere: not in the table, not in quarantine, not in the books, not in a log."""

from __future__ import annotations

import hmac
import io
import json
import logging

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from lakehouse.ingest.batch import ingest
from lakehouse.ingest.quarantine.open_rows import QuarantineFilter
from lakehouse.landing.object_lines import lines
from lakehouse.objects import list_keys
from lakehouse.stages.books import keep_books
from lakehouse.stages.refill_source import refill_source
from lakehouse.stages.replay import replay_quarantine
from lakehouse.tables.catalog import load, open_catalog, table_names
from tests.support import cloud as clouds
from tests.support.raw_files import a_company
from tests.support.workbooks import book
from tests.support.workbooks import rows as sheet

pytestmark = pytest.mark.stack

KEY = "a key of more than thirty-two characters"
# Each stands where one rule must take it away, and nowhere else.
DROPPED, HASHED, CUT, KEYED, UNKNOWN = MARKS = ("zqDROPPED", "zqHASHED", "zqCUTOFF", "zqKEYED", "zqUNKNOWN")
PLAIN = (
    {"name": "id", "from": "Id", "type": "long", "required": True, "doc": "Id"},
    {"name": "email", "from": "Email", "doc": "E-mail", "pii": True},
    {"name": "code", "from": "Code", "doc": "Code"},
    {"name": "city", "from": "City", "doc": "City"},
)
NOTE = {"name": "note", "from": "Note", "doc": "Note"}
CONTEXT = {"name": "ctx", "from": "ctx", "json_type": "object", "doc": "Context"}
RULES = {
    "note": "drop", "email": "hash", "code": {"truncate": 2}, "ctx": {"without": ["ip"]},
}  # fmt: skip


def columns(kind, *, ruled=True):
    """Return the columns of a source; a dropped one stands at the end, so that both have the same field ids."""
    found = [*PLAIN, *([CONTEXT] if kind == "ndjson" else []), NOTE]
    return [
        one | ({"collect": RULES[one["name"]]} if ruled and one["name"] in RULES else {}) for one in found
    ]


def define(folder, source, kind, listed, **says):
    """Write a definition into a folder of its own, so that no other is cached for it; return the folder."""
    (folder / "sources").mkdir(parents=True)
    text = {"source": source, "entity": "people", "doc": "People", "grain": "one row a person"}
    text |= {"format": "ndjson" if kind == "ndjson" else "csv", "columns": listed, **says}
    (folder / "sources" / "people.yaml").write_text(yaml.safe_dump(text), "utf-8")
    return folder


def person(kind, number):
    row = {
        "Id": number, "Email": f"{HASHED}@x", "Code": f"z{CUT}", "City": "Oslo", "Note": DROPPED, "Other": UNKNOWN,
    }  # fmt: skip
    return row | ({"ctx": {"ip": KEYED, "k": 1}} if kind == "ndjson" else {})


def content(kind):
    """Return a file of a good row, of one whose id is no number, and of others that cannot be taken apart."""
    rows = [person(kind, "1"), person(kind, "x")]
    if kind == "ndjson":
        text = [json.dumps(row) for row in rows]
        return "\n".join([*text, text[0][:-1], f"[{text[0]}]", json.dumps(DROPPED)]).encode()
    names, values = list(rows[0]), [list(row.values()) for row in rows]
    if kind == "xlsx":
        return book(sheet(names, *values))
    if kind == "parquet":
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), out)
        return out.getvalue()
    text = [",".join(line) for line in [names, *values]]
    return "\n".join(
        [*text, f"{HASHED} {DROPPED}", f'4,"{CUT}"{UNKNOWN},{DROPPED}', f"{KEYED},{text[1]}"]
    ).encode()


@pytest.fixture
def company(landing, monkeypatch):
    """Return a company with a hash key in its secret store."""
    clouds.renew_hash_key(KEY)
    with a_company(landing) as company:
        yield company
    clouds.renew_hash_key(clouds.HASH_KEY)


def everything_written(company, *files):
    """Return as one text what a lake and its quarantine hold: rows, bounds, metadata, objects, bytes as they are."""
    keep_books(company.settings)
    found = []
    con = duckdb.connect()
    for path in company.data_files():
        found += [str(row) for row in con.execute("SELECT * FROM read_parquet(?)", [str(path)]).fetchall()]
        found.append(path.read_bytes().decode("latin-1"))
    catalog = open_catalog(company.settings)
    copied = load(catalog, "ops.quarantine")
    assert copied is not None
    assert {file.file_id for file in files} <= set(copied.scan().to_arrow()["file_id"].to_pylist())
    for name in table_names(catalog):
        table = load(catalog, name)
        found.append(table.metadata.model_dump_json())
        for snapshot in table.metadata.snapshots:
            for manifest in snapshot.manifests(table.io):
                found += [str(entry.data_file) for entry in manifest.fetch_manifest_entry(table.io)]
    for file in files:
        for key in list_keys(company.settings.ops_bucket, f"quarantine/{file.file_id}"):
            found += [line.decode() for line in lines(company.settings.ops_bucket, key)]
    return "\n".join(found)


def marks_in(text):
    return {mark for mark in MARKS if mark in text}


KINDS = ("csv", "ndjson", "xlsx", "parquet")
APART = {"csv": 3, "ndjson": 3, "xlsx": 0, "parquet": 0}  # rows that cannot be taken apart


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_kept_is_nowhere(company, tmp_path, caplog, kind):
    """In no byte that is written, and in no log; what is kept is there, and the books balance."""
    caplog.set_level(logging.INFO)
    folder = define(tmp_path / "ruled", f"a_{kind}", kind, columns(kind), strict=True)
    company.settings = company.settings.model_copy(update={"definitions": folder})
    file = company.put(f"a_{kind}/people/a", content(kind))
    company.ingest(file)
    written = everything_written(company, file)
    assert marks_in(written) == set()
    assert marks_in(caplog.text) == set()
    hashed = hmac.new(KEY.encode(), f"{HASHED}@x".encode(), "sha256").hexdigest()
    (row,) = company.rows(f"raw.a_{kind}_people")
    assert (row["id"], row["email"], row["code"], row["city"], row["extra"]) == (
        1,
        hashed,
        "zz",
        "Oslo",
        None,
    )
    bad, *apart = company.quarantined(file)
    shown = {"Id": "x", "Email": hashed, "Code": "zz", "City": "Oslo"}
    assert json.loads(bad["original"]) == shown | ({"ctx": {"k": 1}} if kind == "ndjson" else {})
    assert len(apart) == APART[kind]
    assert all(one["original"] is None and "withheld" in one["reason"] for one in apart)
    assert KEY not in written + caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_the_search_is_not_asleep(company, tmp_path, kind):
    """Without rules the same search of the same file finds all of it: in the table, and in quarantine."""
    folder = define(tmp_path / "plain", f"b_{kind}", kind, columns(kind, ruled=False))
    company.settings = company.settings.model_copy(update={"definitions": folder})
    file = company.put(f"b_{kind}/people/a", content(kind))
    company.ingest(file)
    expected = set(MARKS) if kind == "ndjson" else {*MARKS} - ({KEYED} if kind != "csv" else set())
    assert marks_in(everything_written(company, file)) == expected
    assert marks_in(str(company.rows(f"raw.b_{kind}_people"))) == expected - (
        {KEYED} if kind == "csv" else set()
    )
    assert marks_in(str(company.quarantined(file))) == expected


def test_unknown_columns_stay_unless_the_source_is_strict(company, tmp_path):
    """A rule is of one column; `extra` goes on as it was."""
    folder = define(tmp_path / "d", "c_csv", "csv", columns("csv"))
    company.settings = company.settings.model_copy(update={"definitions": folder})
    file = company.put("c_csv/people/a", content("csv"))
    company.ingest(file)
    assert marks_in(everything_written(company, file)) == {UNKNOWN}
    assert json.loads(company.rows("raw.c_csv_people")[0]["extra"]) == {"Other": UNKNOWN}


def test_equal_values_are_equal_across_files_and_sources(company, tmp_path):
    """So that they can be joined, by whoever has no key."""
    found = set()
    for source, kind in (("d_one", "csv"), ("d_two", "parquet"), ("d_three", "ndjson")):
        folder = define(tmp_path / source, source, kind, columns(kind))
        company.settings = company.settings.model_copy(update={"definitions": folder})
        for _ in range(2):
            company.ingest(company.put(f"{source}/people/a", content(kind)))
        found |= {row["email"] for row in company.rows(f"raw.{source}_people")}
    assert len(found) == 1


def test_without_the_key_nothing_loads_and_nothing_is_lost(company, tmp_path, caplog):
    """The file waits for it; what to do is in the log."""
    caplog.set_level(logging.INFO)
    folder = define(tmp_path / "d", "e_csv", "csv", columns("csv"))
    settings = company.settings.model_copy(update={"definitions": folder, "hash_secret": "lakehouse/none"})
    file = company.put("e_csv/people/a", content("csv"))
    outcome = ingest(settings, [file])
    assert (outcome.failed, outcome.records) == ({file.file_id}, [])
    (told,) = [record for record in caplog.records if record.message == "no hash key"]
    assert "secret lakehouse/none cannot be read" in told.reason
    company.settings = settings.model_copy(update={"hash_secret": "lakehouse/hash"})
    company.ingest(file)
    assert len(company.rows("raw.e_csv_people")) == 1


def test_replay_reads_the_raw_file_again_and_keeps_as_little(company, tmp_path):
    """What was set aside is exact still, as long as the raw file lives: its hash is of the value, not of the hash."""
    refused = [one | ({"allowed": ["Rome"]} if one["name"] == "city" else {}) for one in columns("csv")]
    first = define(tmp_path / "first", "f_csv", "csv", refused)
    then = define(tmp_path / "then", "f_csv", "csv", columns("csv"))
    company.settings = company.settings.model_copy(update={"definitions": first})
    file = company.put("f_csv/people/a", content("csv"))
    company.ingest(file)
    assert company.rows("raw.f_csv_people") == []
    company.settings = company.settings.model_copy(update={"definitions": then})
    tally = replay_quarantine(company.settings, QuarantineFilter(file_ids=(file.file_id,)))
    assert (tally.loaded, tally.still_bad) == (1, 4)
    (row,) = company.rows("raw.f_csv_people")
    assert row["email"] == hmac.new(KEY.encode(), f"{HASHED}@x".encode(), "sha256").hexdigest()
    assert marks_in(everything_written(company, file)) == {UNKNOWN}


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_refill_keeps_what_ingest_would_have_kept(company, tmp_path, kind):
    """Values that `extra` held until a column with a rule named them: hashed and cut as they move, and gone from it."""
    narrow = define(tmp_path / "narrow", f"g_{kind}", kind, PLAIN[:1])
    wide = define(
        tmp_path / "wide", f"g_{kind}", kind, [one for one in columns(kind) if one["name"] != "note"]
    )
    company.settings = company.settings.model_copy(update={"definitions": narrow})
    company.ingest(company.put(f"g_{kind}/people/a", content(kind)))
    company.settings = company.settings.model_copy(update={"definitions": wide})
    refill_source(company.settings, f"g_{kind}/people")
    (row,) = company.rows(f"raw.g_{kind}_people")
    assert row["email"] == hmac.new(KEY.encode(), f"{HASHED}@x".encode(), "sha256").hexdigest()
    assert (row["code"], row["city"]) == ("zz", "Oslo")
    assert json.loads(row["extra"]) == {"Note": DROPPED, "Other": UNKNOWN}
    assert row.get("ctx") == ('{"k":1}' if kind == "ndjson" else None)
