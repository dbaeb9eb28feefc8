"""`lakehouse sources profile`: what a person, a machine and a browser get, without a stack."""

from __future__ import annotations

import gzip
import json
import re
from html.parser import HTMLParser

import pytest

from lakehouse import cli
from lakehouse.settings import current

SECRETS = ("Ann", "ann@", "13812345678", "张伟", "1990", "secret", "script")
CSV = (
    "id,Name,手机,mail,Note,price,born\n"
    'a1,Ann Lee,13812345678,ann@example.com,<script>secret</script>,"¥1,299.00",1990-05-17\n'
    "b2,张伟,1.38E+10,x@example.com,,1299元,1991-05-17\n"
    "c3\n"
)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command with no stack anywhere; return its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_SCRATCH", str(tmp_path))
    current.cache_clear()

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["lakehouse", "sources", "profile", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    yield run
    current.cache_clear()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(CSV, "utf-8")
    return path


def test_a_table_for_people(run, file):
    """Every column with what it is; not one value of the file."""
    code, out, err = run(file)
    assert (code, err) == (0, "")
    for word in ("手机", "phone 50 %", "damaged phone 50 %", "¥1,234.56 50 %", "birthday 100 %", "2, key"):
        assert word in out
    assert "too_few_fields: 1 row cannot be read" in out
    assert "2 rows, 7 columns" in out
    assert "decimal(18,2), 0 % load as they stand" in out
    assert [word for word in SECRETS if word in out] == []


def test_json_for_machines(run, file):
    """One object on standard output, the same for the packed file."""
    code, out, _ = run(file, "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["rows"], found["unreadable"], found["delimiter"]) == (2, {"too_few_fields": 1}, ",")
    columns = {column["header"]: column for column in found["columns"]}
    assert columns["id"]["key"]
    assert columns["Note"]["filled_share"] == 0.5
    assert columns["手机"]["personal"][0] == {"kind": "damaged_phone", "share": 0.5, "header": True}
    assert columns["mail"]["samples_masked"] == ["x@xxxxxxx.xxx", "xxx@xxxxxxx.xxx"]
    assert [word for word in SECRETS if word in out] == []
    packed = file.with_suffix(".gz")
    packed.write_bytes(gzip.compress(CSV.encode("utf-16")))
    assert json.loads(run(packed, "--json")[1])["columns"] == found["columns"]


class Page(HTMLParser):
    """The tags of a page, what they refer to, and their text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.references, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.references += [value for name, value in attrs if name in ("src", "href", "srcset", "action")]

    def handle_data(self, data):
        self.words.append(data)


def test_a_page_for_a_browser(run, tmp_path):
    """It stands alone, escapes what comes from the file, and bars are as wide as columns are filled."""
    file = tmp_path / "<b>&.csv"
    file.write_text("<script>alert(1)</script>,a&b\n1,\n2,x\n", "utf-8")
    code, _, _ = run(file, "--html", tmp_path / "out.html", "--json")
    text = (tmp_path / "out.html").read_text("utf-8")
    page = Page(text)
    assert code == 0
    assert {"script", "img", "link", "iframe", "b"} & set(page.tags) == set()
    assert page.references == []
    assert "://" not in text
    assert "url(" not in text
    assert {"<script>alert(1)</script>", "a&b", "<b>&.csv"} <= set(page.words)
    assert re.findall(r'class="bar" style="width:([0-9.]+%)"', text) == ["100.0%", "50.0%"]
    assert "prefers-color-scheme: dark" in text


def test_a_sample_is_told(run, tmp_path, monkeypatch):
    """How many rows types are told from; a bar where somebody looks; a header of somebody's is masked."""
    from lakehouse.console import terminal

    monkeypatch.setattr(terminal.err, "_force_terminal", True)
    file = tmp_path / "many.csv"
    file.write_text("n\tann@example.com\n" + "5\t6\n" * 100, "utf-8")
    code, out, _ = run(file, "--rows", "20")
    assert code == 0
    assert "of 13 rows" in out
    assert "delimiter tab" in out
    assert "looks like a row" in out
    assert "ann@" not in out


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (gzip.compress(gzip.compress(b"a\n", mtime=0), mtime=0), "nested_archive"),
        (None, "no_such_file"),
    ],
)
def test_what_cannot_be_read(run, tmp_path, content, code):
    """The code and the reason, exit code 1; with --json an object that says so."""
    file = tmp_path / "bad"
    if content is not None:
        file.write_bytes(content)
    ended, out, err = run(file)
    assert (ended, out) == (1, "")
    assert f"{code}: " in err
    ended, out, _ = run(file, "--json")
    assert ended == 1
    assert json.loads(out).keys() == {"file", "code", "error"}
    assert json.loads(out)["code"] == code


def test_a_page_that_cannot_be_written(run, file, tmp_path):
    """One line that says where."""
    code, _, err = run(file, "--html", tmp_path / "none" / "out.html")
    assert code == 1
    assert "out.html cannot be written: No such file" in err


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.0001, "<0.1 %"), (0.5, "50 %"), (0.333, "33.3 %"), (0.9999, ">99.9 %"), (1, "100 %")],
)
def test_shares_do_not_round_to_all_or_nothing(share, text):
    """100 % means all, 0 % means none."""
    from lakehouse.console.profile import percent

    assert percent(share) == text


def test_all_that_the_table_may_have_to_say(run, tmp_path, monkeypatch):
    """Columns left out, empty columns, words for nothing."""
    from lakehouse.ingest.profile.policy import ProfilePolicy

    monkeypatch.setattr(ProfilePolicy, "max_columns", 2)
    file = tmp_path / "x.json"
    file.write_text('{"a": null, "b": "N/A", "c": 1}\n{"b": "x"}\n')
    code, out, _ = run(file)
    assert code == 0
    assert "1 more columns were left out" in out
    assert "words for nothing 50 %" in out
    empty = tmp_path / "header.csv"
    empty.write_text("a,b\n")
    assert "0 rows, 2 columns" in run(empty)[1]
