"""Each command does what it says, speaks JSON, and tells what is wrong in a line; on a stack that runs."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

import lakehouse as lakehouse_package
from lakehouse import cli
from lakehouse.errors import Terminal
from lakehouse.ingest.batch import ingest
from lakehouse.landing.raw_files import listing
from lakehouse.local.environment import forget_cached
from lakehouse.local.session import session
from lakehouse.local.stack import Stack
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit

EVENTS = Path(__file__).parents[3] / "events"
COMMANDS = sorted(command.name or command.callback.__name__ for command in cli.app.registered_commands)
ORDERS = "order_id,customer_id,ordered_at,quantity,amount,currency,store\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """The folder of a stack that runs (its services, not its functions) and holds 250 orders and a bad one."""
    folder = tmp_path_factory.mktemp("cli") / "lake"
    rows = [f"O{n},C{n % 7},2026-01-05,1,10000.{n % 100:02d},USD,web" for n in range(250)]
    file = folder.parent / "orders.csv"
    file.write_text(ORDERS + "\n".join([*rows, "bad,C1,never,1,1.00,USD,web"]) + "\n", "utf-8")
    before = dict(os.environ)
    with Stack(folder) as stack:
        stack.start("all")
        os.environ.clear()
        os.environ.update(before)
        forget_cached()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["lakehouse", "put", "shop/orders", str(file), "--data", str(folder)])
            with pytest.raises(SystemExit):
                cli.main()
        load(folder)
        yield folder


def load(folder: Path) -> None:
    """Load what has landed, as the running stack would."""
    with session(folder, "all") as settings:
        assert not ingest(settings, listing(settings.landing_bucket)).failed


@dataclass
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def lakehouse(data, capsys, monkeypatch):
    """Run a command on the stack."""

    def run(*arguments: object, on: Path = data) -> Said:
        capsys.readouterr()
        command = [str(argument) for argument in arguments]
        where = ["--data", str(on)] if command and command[0] in COMMANDS else []
        monkeypatch.setattr("sys.argv", ["lakehouse", *command[:1], *where, *command[1:]])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else int(code is not None), captured.out, captured.err)

    return run


def fails(said: Said) -> str:
    """Return the one line that says what is wrong."""
    assert said.code == 1
    (line,) = said.err.splitlines()
    assert line.startswith("lakehouse: ")
    return line.removeprefix("lakehouse: ")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_answers_help(lakehouse, command):
    """With what it is for, in its first line."""
    said = lakehouse(command, "--help")
    assert (said.code, said.err) == (0, "")
    assert f"lakehouse {command}" in said.out or f" {command} " in said.out


def test_the_command_alone_says_what_there_is(lakehouse):
    """And names every command."""
    said = lakehouse()
    assert all(command in said.out + said.err for command in COMMANDS)
    assert lakehouse("--version").out.strip()[0].isdigit()


# ------------------------------------------------------------------ sql


def test_sql_prints_numbers_as_they_are(lakehouse):
    """No separators, no rounding: they are copied into other programs."""
    said = lakehouse("sql", "select count(*) as orders, sum(amount) as spent from raw.shop_orders")
    assert said.code == 0
    assert "250" in said.out
    assert "2500111.25" in said.out
    assert "orders" in said.out


def test_sql_json_keeps_every_digit(lakehouse):
    """Decimals stay exact, times are ISO 8601, and what JSON has no word for is null."""
    query = """select sum(amount) as spent, 12345678901234567.89::decimal(38,2) as much, max(ordered_at) as newest,
        'nan'::double as nothing, [1.10::decimal(9,2), null] as list, {'a': date '2026-01-02'} as struct, true as yes,
        map {1: '→'} as map, '\\x01'::blob as bytes, null as missing, 1 as "a b", 2 as "a b" from raw.shop_orders"""
    said = lakehouse("sql", query, "--json")
    assert '"spent": 2500111.25, "much": 12345678901234567.89,' in said.out
    assert json.loads(said.out) == [
        {
            "spent": 2500111.25, "much": 12345678901234567.89, "newest": "2026-01-05T00:00:00+00:00", "nothing": None,
            "list": [1.1, None], "struct": {"a": "2026-01-02"}, "yes": True, "map": {"1": "→"}, "bytes": "01",
            "missing": None, "a b": 1, "a b_1": 2,
        }
    ]  # fmt: skip


def test_sql_shows_the_first_hundred_rows_and_json_all(lakehouse):
    """A terminal is no place for a table of raw events."""
    said = lakehouse("sql", "select order_id from raw.shop_orders order by 1")
    assert said.out.count("│ O") == 100
    assert "the first 100 rows" in said.out
    assert len(json.loads(lakehouse("sql", "select order_id from raw.shop_orders", "--json").out)) == 250
    assert json.loads(lakehouse("sql", "select 1 where false", "--json").out) == []


def test_sql_reads_a_question_from_standard_input(lakehouse, monkeypatch, tmp_path):
    """So that it can be piped in."""
    (tmp_path / "question.sql").write_text("select 7 as seven", "utf-8")
    with (tmp_path / "question.sql").open(encoding="utf-8") as question:
        monkeypatch.setattr("sys.stdin", question)
        assert json.loads(lakehouse("sql", "--json").out) == [{"seven": 7}]


def test_every_table_can_be_asked_before_anybody_has_filled_it(lakehouse):
    """A newcomer finds empty tables, not errors."""
    query = "select (select count(*) from marts.customer_360), (select count(*) from core.events)"
    assert list(json.loads(lakehouse("sql", query, "--json").out)[0].values()) == [0, 0]
    assert "segment_members" in lakehouse("sql", "show all tables").out


def test_connect_finds_the_stack_that_runs(data):
    """From a program beside it, by its folder."""
    con = lakehouse_package.connect(data)
    assert con.execute("select count(*) from raw.shop_orders").fetchone()[0] >= 250
    con.close()


def test_data_cannot_move_the_cursor(lakehouse):
    """Whatever came from outside is shown, not obeyed."""
    said = lakehouse("sql", "select chr(27) || '[2J[bold]x' || chr(10) || 'y' as trick")
    assert "\x1b" not in said.out
    assert r"\x1b[2J[bold]x\ny" in said.out


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("selec 1", 'syntax error at or near "selec"'),
        ("select nothing from raw.shop_orders", '"nothing" not found'),
        ("select * from raw.no_such_table", "no_such_table does not exist"),
        ("select error('told [in brackets]')", "told [in brackets]"),
        ("", "there is no question"),
        ("/* a remark */", "there is no question"),
        ("select 1; select 2", "several statements"),
    ],
)
def test_a_wrong_question_is_told_in_a_line(lakehouse, query, says):
    """As DuckDB says it."""
    assert says in fails(lakehouse("sql", query))


def test_sql_only_reads(lakehouse, tmp_path):
    """`tests/unit/stages/test_ask.py` has all that is refused."""
    file = tmp_path / "written"
    assert fails(lakehouse("sql", f"copy (select 1 as x) to '{file}'")).startswith("COPY is no question")
    assert not file.exists()


# ------------------------------------------------------------------ status


def test_status_says_what_became_of_it(lakehouse):
    """The counts, the tables, and where to look for what went wrong."""
    said = lakehouse("status")
    assert said.code == 0
    assert "raw.shop_orders" in said.out
    assert "quarantine list" in said.out
    found = json.loads(lakehouse("status", "--json").out)
    assert found["ingest"]["balanced"] is True
    assert found["tables"]["raw.shop_orders"]["rows"] == found["ingest"]["loaded"] >= 250


def test_status_ends_with_1_when_a_row_is_doubled(lakehouse, data):
    """And still prints what it knows, as JSON too."""
    with session(data, "store") as settings:
        table = catalogs.open_catalog(settings).load_table("raw.shop_orders")
        before = table.current_snapshot().snapshot_id
        commit.append(table, commit.live_files(table)[:1])
        try:
            said = lakehouse("status", "--json")
        finally:
            table.manage_snapshots().set_current_snapshot(before).commit()
    assert json.loads(said.out)["ingest"]["balanced"] is False
    assert "raw files" in fails(said)
    assert lakehouse("status", "--json").code == 0


# ------------------------------------------------------------------ put


def test_a_file_put_twice_lands_once(lakehouse, tmp_path):
    """By its content, and it says so."""
    file = tmp_path / "more.csv"
    file.write_text(ORDERS + "M1,C1,2026-01-05,1,1.00,USD,web\n", "utf-8")
    first = lakehouse("put", "shop/orders", file)
    assert (first.code, first.out.splitlines()) == (
        0,
        ["1 landed, 0 were there already", "the running stack loads them now"],
    )
    assert lakehouse("put", "shop/orders", file).out.splitlines() == ["0 landed, 1 were there already"]
    again = json.loads(lakehouse("put", "shop/orders", file, "--json").out)
    assert [(one["fresh"], one["bytes"]) for one in again] == [(False, file.stat().st_size)]


def test_a_place_that_no_source_knows_is_told(lakehouse, tmp_path):
    """The file lands and will be quarantined; who mistyped the place sees it at once."""
    file = tmp_path / "x.csv"
    file.write_text("a\n1\n", "utf-8")
    said = lakehouse("put", "shop/order", file)
    assert said.code == 0
    assert "no source definition fits shop/order" in said.out
    assert "did you mean shop/orders" in said.out
    assert "web/events" not in said.out


def test_what_cannot_be_landed_is_told(lakehouse, data, tmp_path):
    """A missing file, a folder without files, a place that is none: nothing lands."""
    (tmp_path / "empty").mkdir()
    with session(data, "store") as settings:
        landed = sum(1 for _ in listing(settings.landing_bucket))
    assert fails(lakehouse("put", "shop/orders", tmp_path / "gone.csv")).endswith("gone.csv: no such file")
    assert fails(lakehouse("put", "shop/orders", tmp_path / "empty")).startswith("no files in ")
    assert "is not SOURCE/ENTITY" in fails(lakehouse("put", "Shop Orders", tmp_path / "empty"))
    assert lakehouse("put", "shop/orders").code == 2
    with session(data, "store") as settings:
        assert sum(1 for _ in listing(settings.landing_bucket)) == landed


def test_a_folder_lands_with_all_its_files_and_a_bad_one_stops_no_other(lakehouse, tmp_path):
    """At any depth, but for names with a dot; what failed is told at the end, and the exit code says so."""
    folder = tmp_path / "export"
    (folder / "2026" / "01").mkdir(parents=True)
    for name in ("a.csv", "2026/b.csv", "2026/01/c.csv", ".DS_Store", "2026/.hidden"):
        (folder / name).write_text(f"{ORDERS}{name},C1,2026-01-05,1,1.00,USD,web\n", "utf-8")
    said = lakehouse("put", "shop/orders", tmp_path / "gone.csv", folder, tmp_path / "gone too.csv")
    assert said.code == 1
    assert said.out.splitlines()[0] == "3 landed, 0 were there already"
    lines = said.err.splitlines()
    assert [line.endswith(": no such file") for line in lines] == [True, True, False]
    assert lines[2] == ("lakehouse: 2 of 5 files were not landed; put them again once that is mended")
    again = lakehouse("put", "shop/orders", folder, tmp_path / "gone.csv", "--json")
    assert again.code == 1
    *landed, gone = json.loads(again.out)
    assert [(one["key"].rsplit("/", 1)[1], one["fresh"]) for one in landed] == [
        ("a.csv", False),
        ("b.csv", False),
        ("c.csv", False),
    ]
    assert gone == {"path": str(tmp_path / "gone.csv"), "error": f"{tmp_path / 'gone.csv'}: no such file"}


# ------------------------------------------------------------------ invoke, sweep, maintain, down


def test_invoke_prints_the_answer_and_nothing_else(lakehouse):
    """What the function logs does not stand in the way of a machine that reads the answer."""
    said = lakehouse("invoke", "books", EVENTS / "books" / "tick.json")
    assert said.code == 0
    assert json.loads(said.out) == {"batchItemFailures": []}
    assert json.loads(lakehouse("sql", "select count(*) as n from ops.quarantine", "--json").out)[0]["n"] >= 1


def test_invoke_tells_what_is_wrong(lakehouse, tmp_path):
    """A function that is none, a file that is missing or no JSON, an event of another kind."""
    good, bad, odd = EVENTS / "books" / "tick.json", tmp_path / "bad.json", tmp_path / "odd.json"
    bad.write_text("{", "utf-8")
    odd.write_text("{}", "utf-8")
    assert fails(lakehouse("invoke", "digest", good)).startswith(
        "no function 'digest'; there are aggregate, books,"
    )
    assert fails(lakehouse("invoke", "books", tmp_path / "gone.json")).endswith(
        "gone.json: No such file or directory"
    )
    assert "bad.json: not JSON: " in fails(lakehouse("invoke", "books", bad))
    assert fails(lakehouse("invoke", "ingest", odd)).startswith("KeyError at lakehouse/")


def test_sweep_says_how_many_files_it_announced(lakehouse, data):
    """Those that nobody knows; once they are loaded, none."""
    assert lakehouse("sweep").out.strip().endswith(" announced")
    load(data)
    assert json.loads(lakehouse("sweep", "--json").out) == 0


def test_maintain_says_what_it_did(lakehouse):
    """By table, before and after; a dry run and one table may be asked for; young snapshots stay."""
    expected = json.loads(lakehouse("maintain", "--dry-run", "--json").out)
    assert expected["raw.shop_orders"]["expired"]["snapshots"] == 0
    assert {"files", "small_files", "bytes", "manifests", "snapshots", "orphans"} == expected[
        "raw.shop_orders"
    ]["before"].keys()
    assert list(json.loads(lakehouse("maintain", "--table", "raw.shop_orders", "--json").out)) == [
        "raw.shop_orders"
    ]
    assert "nothing to do" in lakehouse("maintain", "--dry-run").out
    assert fails(lakehouse("maintain", "--table", "raw.none")).startswith("no table raw.none; there are ")


def test_maintain_says_what_became_of_raw_files_where_a_source_limits_their_days(lakehouse, data):
    """Young ones stay; who asks for one table is told of that alone."""
    mine = data / "definitions" / "sources" / "shop_orders.yaml"
    mine.parent.mkdir(exist_ok=True)
    shipped = (files("lakehouse.sources") / "definitions/shop_orders.yaml").read_text("utf-8")
    mine.write_text(f"raw_days: 1\n{shipped}", "utf-8")
    try:
        found = json.loads(lakehouse("maintain", "--dry-run", "--json").out)["raw files"]
        assert found.keys() == {"shop/orders"}
        assert set(found["shop/orders"].values()) == {0}
        assert "would go" in lakehouse("maintain", "--dry-run").out
        assert "raw files" not in json.loads(
            lakehouse("maintain", "--table", "raw.shop_orders", "--json").out
        )
    finally:
        mine.unlink()


def test_maintain_ends_with_1_when_a_table_failed(lakehouse, monkeypatch):
    """What was found on all is printed first."""
    from lakehouse.tables.maintenance import run

    real = run.observe

    def broken(table, policy):
        if table.name()[-1] == "shop_orders":
            raise Terminal("its manifests are torn")
        return real(table, policy)

    monkeypatch.setattr(run, "observe", broken)
    said = lakehouse("maintain", "--dry-run", "--json")
    assert fails(said) == "raw.shop_orders: its manifests are torn"
    assert json.loads(said.out)["raw.shop_orders"] == {"failed": "its manifests are torn"}


def test_where_nothing_is_commands_say_how_to_begin(lakehouse, tmp_path):
    """A folder without data, or a stack that does not run."""
    empty = tmp_path / "empty"
    for command in (["status"], ["sql", "select 1"], ["maintain"]):
        assert fails(lakehouse(*command, on=empty)) == (
            f"{empty} holds no data yet: run `lakehouse demo --data {empty}`, "
            f"or `lakehouse up --data {empty}` and put files"
        )
    assert f"no stack runs on {empty}; `lakehouse up --data {empty}`" in fails(lakehouse("sweep", on=empty))
    assert lakehouse("down", on=empty).out.strip() == f"nothing ran on {empty}"
    assert json.loads(lakehouse("down", "--json", on=empty).out) == {"stopped": False}
    assert not (empty / "store").exists()
    assert "neither a day like" in fails(lakehouse("up", "--as-of", "yesterday", on=empty))
    shutil.rmtree(empty)


def test_what_nobody_foresaw_is_told_in_a_line_too(lakehouse, data, monkeypatch):
    """With its kind, and how to see where it came from."""

    def broken(*_: object) -> None:
        raise ValueError("something odd\nwith a second line")

    monkeypatch.setattr("lakehouse.stages.status.status", broken)
    assert fails(lakehouse("status")) == "ValueError: something odd (`lakehouse --traceback …` shows where)"
    with pytest.raises(ValueError, match="something odd"):
        lakehouse("--traceback", "status", "--data", data)
