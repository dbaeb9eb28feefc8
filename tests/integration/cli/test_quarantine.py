"""The commands about quarantine and books do what they say, speak JSON, and show no customer's data unasked."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from lakehouse import cli, settings
from lakehouse.ingest.batch import Outcome, ingest
from lakehouse.local import session
from lakehouse.stages import replay
from tests.support.replays import a_shop


@pytest.fixture
def shop(company, monkeypatch, tmp_path):
    """Two exports with three bad orders, and a file of no source; commands meet this lake."""

    @contextmanager
    def here(*_arguments, **_named):
        yield settings.current()

    monkeypatch.setattr(session, "session", here)
    with a_shop(company, monkeypatch, tmp_path / "definitions") as made:
        made.files = [
            made.land("1.csv", "O1 USD", "O2 EUR", "O3 CHF"),
            made.land("2.csv", "O4 EUR"),
            made.land("3.csv", "O9 USD", source="erp"),
        ]
        assert not ingest(company.settings, made.files).failed
        yield made


@pytest.fixture
def run(shop, capsys, monkeypatch, tmp_path):
    """Run a command; return its exit code and what it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        where = [] if "--help" in arguments else ["--data", str(tmp_path / "data")]
        monkeypatch.setattr("sys.argv", ["lakehouse", *arguments, *where])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out.strip() + captured.err

    return run


def test_list(run, shop):
    """By source and code, with an example; as a table and as JSON."""
    code, said = run("quarantine", "list")
    assert code == 0
    for word in ("shop/orders", "not_allowed", "unknown_source", shop.files[2].file_id[:16]):
        assert word in said
    found = json.loads(run("quarantine", "list", "--json")[1])
    assert [(one["source"], one["code"], one["files"], one["rows"]) for one in found] == [
        ("shop", "not_allowed", 2, 3), ("erp", "unknown_source", 1, 1),
    ]  # fmt: skip
    assert found[1]["example"]["file_id"] == shop.files[2].file_id
    assert json.loads(run("quarantine", "list", "--code", "unknown_source", "--json")[1]) == found[1:]
    assert "Nothing is in quarantine" in run("quarantine", "list", "--source", "web/events")[1]


@pytest.mark.parametrize("command", ["list", "replay"])
def test_a_source_that_is_none_is_told(run, shop, command):
    """With those that are near; a source that nobody defined, and that sent files, is one."""
    code, said = run("quarantine", command, "--source", "shop/order")
    assert code == 1
    assert "no source shop/order; did you mean shop/orders" in said
    assert "`lakehouse sources list` shows all" in said
    assert run("quarantine", command, "--source", "web")[0] == 0


def test_a_time_that_is_none_is_told(run):
    """What is wrong, and how it should look."""
    code, said = run("quarantine", "list", "--since", "yesterday")
    assert code == 1
    assert "--since yesterday: not a time in ISO 8601" in said
    assert json.loads(run("quarantine", "list", "--since", "2199-01-01", "--json")[1]) == []


def test_show_hides_the_rows_as_they_came(run, shop):
    """They hold personal data: only who asks sees them."""
    first = shop.files[0].file_id
    for wanted in ((), ("--json",), ("--row", "2"), ("--row", "2", "--json")):
        code, said = run("quarantine", "show", first, *wanted)
        assert code == 0
        assert "C1" not in said
        assert "not_allowed" in said
    assert "EUR" in run("quarantine", "show", first[:12], "--original")[1]
    found = json.loads(run("quarantine", "show", first, "--json", "--original")[1])
    assert (found["file_id"], found["key"], found["replay"]) == (first, "shop/orders/1.csv", 0)
    assert [row["row"] for row in found["rows"]] == [2, 3]
    assert "EUR" in found["rows"][0]["original"]
    (row,) = json.loads(run("quarantine", "show", first, "--json", "--row", "3")[1])["rows"]
    assert (row["row"], "original" in row, row["original_characters"] > 10) == (3, False, True)


def test_show_prints_a_hundred_rows(run, shop):
    """And says that there are more."""
    file = shop.land("many.csv", *(f"M{number} NOK" for number in range(120)))
    ingest(settings.current(), [file])
    said = run("quarantine", "show", file.file_id)[1]
    assert said.count("not_allowed") == 100
    assert "`--json` prints all" in said


def test_show_of_what_is_fine_and_of_what_is_not_known(run, shop):
    """Nothing to show is no error; an id that nobody has is one."""
    shop.takes()
    run("quarantine", "replay")
    assert run("quarantine", "show", shop.files[0].file_id) == (0, "Nothing of it is in quarantine.")
    code, said = run("quarantine", "show", "0123456789")
    assert code == 1
    assert "no file that was ingested has this id" in said


def test_replay(run, shop):
    """What would be tried, what was fixed, what stays, and why."""
    shop.takes("USD", "EUR")
    assert "2 files would be tried again" in run("quarantine", "replay", "--dry-run")[1]
    assert shop.orders() == ["O1"]
    code, said = run("quarantine", "replay", "--source", "shop/orders", shop.files[0].file_id)
    assert code == 0
    assert "1 row fixed (1 loaded, 0 were there already), 1 still bad, in 1 file" in said
    found = json.loads(run("quarantine", "replay", "--json")[1])
    assert (found["fixed"], found["still_bad"], found["undefined"], found["gone"]) == (1, 1, 1, 0)
    assert shop.orders() == ["O1", "O2", "O4"]
    assert "no source definition fits" in run("quarantine", "replay")[1]


def test_a_replay_that_fails_ends_with_1(run, shop, monkeypatch):
    """Its files are to be tried again."""

    def fail(_settings, files, *_more):
        return Outcome(failed={file.file_id for file in files})

    monkeypatch.setattr(replay, "ingest", fail)
    code, said = run("quarantine", "replay")
    assert code == 1
    assert "2 files could not be tried" in said


def test_books(run, shop):
    """Copied, and written anew."""
    assert json.loads(run("books", "--json")[1])["ops.ingest_ledger"] == {"copied": 3}
    code, said = run("books")
    assert (code, "ops.quarantine" in said, "copied" in said) == (0, True, True)
    found = json.loads(run("books", "--rebuild", "--json")[1])
    assert found["ops.ingest_ledger"] == {"before": 3, "after": 3}
    assert found["ops.quarantine"] == {"before": 4, "after": 4}
    assert "after" in run("books", "--rebuild")[1]


@pytest.mark.parametrize("command", [("list",), ("show",), ("replay",), ()])
def test_each_answers_help(run, command):
    """With what it is for."""
    code, said = run("quarantine", *command, "--help")
    assert code == 0
    assert " ".join(("quarantine", *command)) in said
