"""`lakehouse sources suggest`, `check` and `add`: what a person and a machine get."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
import yaml

from lakehouse import cli
from lakehouse.local import attachment
from lakehouse.local import session as sessions
from lakehouse.settings import current
from lakehouse.sources import definition
from lakehouse.stages.resolve import resolve

CSV = "Id,Cust. Name,E-mail addr,手机,Comment\n" + "".join(
    f"C{n},Ann Lee,ann{n}@example.com,1381234{n:04d},<b>hush</b>\n" for n in range(30)
)
SECRETS = ("Ann", "ann1", "1381234", "hush")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run `lakehouse sources …` with no stack anywhere; return its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_SCRATCH", str(tmp_path))
    monkeypatch.delenv("LAKEHOUSE_DEFINITIONS", raising=False)
    current.cache_clear()
    (tmp_path / "contacts.csv").write_text(CSV, "utf-8")

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["lakehouse", "sources", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    yield run
    current.cache_clear()
    definition.load.cache_clear()


def test_suggest_prints_a_definition(run):
    """YAML on standard output, that says of each column how sure it is and why; no value of the file."""
    code, out, err = run("suggest", "contacts.csv", "--source", "desk")
    assert (code, err) == (0, "")
    told = definition.parse(out, "out")
    assert (told.source, told.entity, told.core["contacts"]["email"]) == (
        "desk",
        "contacts",
        "lower(e_mail_addr)",
    )
    assert "# E-mail addr: email, high: its name says so, its values fit" in out
    assert [word for word in SECRETS if word in out] == []


def test_suggest_writes_a_file_and_tells(run, tmp_path):
    """A table of what became of each column; a file that is there already is nobody's to overwrite."""
    code, out, _ = run("suggest", "contacts.csv", "-o", "desk.yaml")
    assert code == 0
    assert "It seems to be contacts" in out
    assert "E-mail addr" in out
    assert "desk.yaml holds the definition" in out
    assert [word for word in SECRETS if word in out] == []
    definition.parse((tmp_path / "desk.yaml").read_text("utf-8"), "desk.yaml")
    code, _, err = run("suggest", "contacts.csv", "-o", "desk.yaml")
    assert code == 1
    assert "is there already" in err
    code, _, err = run("suggest", "contacts.csv", "-o", "none/desk.yaml")
    assert code == 1
    assert "cannot be written" in err


def test_suggest_for_machines(run):
    """One object, with the definition's text in it."""
    code, out, _ = run("suggest", "contacts.csv", "--as", "leads", "--entity", "people", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["core_entity"], found["entity"], found["sure"]) == ("leads", "people", True)
    column = next(one for one in found["columns"] if one["header"] == "E-mail addr")
    assert (column["core"], column["confidence"], column["pii"], column["mapped"]) == (
        "email",
        "high",
        True,
        True,
    )
    assert yaml.safe_load(found["yaml"])["entity"] == "people"
    assert [word for word in SECRETS if word in out] == []


def test_suggest_for_what_cannot_be_read(run):
    """The code and the reason, as `profile` says them; a wrong entity with the nearest."""
    code, out, err = run("suggest", "none.csv")
    assert (code, out) == (1, "")
    assert "no_such_file" in err
    assert json.loads(run("suggest", "none.csv", "--json")[1])["code"] == "no_such_file"
    assert "did you mean orders?" in run("suggest", "contacts.csv", "--as", "order")[2]


def test_check_tells_and_ends_with_1_on_errors(run, tmp_path):
    """Errors first; warnings alone are no failure; JSON for machines."""
    run("suggest", "contacts.csv", "-o", "desk.yaml", "--source", "desk")
    code, out, _ = run("check", "desk.yaml")
    assert (code, out.splitlines()[-1]) == (0, "1 definition: 0 errors, 1 warnings")
    bad = (tmp_path / "desk.yaml").read_text("utf-8").replace("    email:", "    emial:")
    (tmp_path / "bad.yaml").write_text(bad, "utf-8")
    code, out, err = run("check", "desk.yaml", "bad.yaml")
    assert code == 1
    assert out.startswith(
        "error   bad.yaml: core.contacts.emial: contacts has no such column; did you mean email?"
    )
    assert err == ""
    code, out, _ = run("check", "bad.yaml", "--json")
    assert code == 1
    assert json.loads(out)["errors"] == 1
    assert json.loads(out)["findings"][0]["field"] == "core.contacts.emial"
    assert run("check", "none.yaml")[0] == 1


def test_check_all(run, tmp_path):
    """Those that are shipped, and those of the data folder; files or all, not both."""
    code, out, _ = run("check", "--all", "--json")
    shipped = json.loads(out)
    assert (code, shipped["errors"]) == (0, 0)
    (tmp_path / "d" / "definitions" / "sources").mkdir(parents=True)
    run("suggest", "contacts.csv", "--source", "desk", "-o", "d/definitions/sources/desk.yaml")
    assert json.loads(run("check", "--data", "d", "--json")[1])["files"] == shipped["files"] + 1
    assert "not both" in run("check", "desk.yaml", "--all")[2]


def test_add_before_there_is_anything(run, tmp_path):
    """On a data folder that nothing was landed in: the file goes where the stack will look; again, nothing to do."""
    run("suggest", "contacts.csv", "--source", "desk", "-o", "desk.yaml")
    code, out, _ = run("add", "desk.yaml", "--data", "d", "--dry-run")
    assert code == 0
    assert "desk/contacts is new" in out
    assert "nothing was changed" in out
    assert not (tmp_path / "d").exists()
    code, out, _ = run("add", "desk.yaml", "--data", "d")
    assert code == 0
    assert (
        "`lakehouse put desk/contacts FILE --data d` lands files, `lakehouse up --data d` loads them" in out
    )
    assert (tmp_path / "d/definitions/sources/desk_contacts.yaml").read_text("utf-8") == (
        tmp_path / "desk.yaml"
    ).read_text("utf-8")
    assert "nothing to write" in run("add", "desk.yaml", "--data", "d")[1]
    told = json.loads(run("add", "desk.yaml", "--data", "d", "--json")[1])
    assert (told["plan"]["state"], told["done"]["written"]) == ("same", False)


def test_check_all_says_how_many_rows_found_a_customer(run, company, tmp_path, monkeypatch):
    """Of a data folder that holds a lake; a low share is a warning."""
    (tmp_path / "d" / "store").mkdir(parents=True)

    @contextmanager
    def session(*_, **__):
        yield company.settings

    monkeypatch.setattr(sessions, "session", session)
    monkeypatch.setattr(attachment, "attach", lambda _: None)
    company.contacts("1.csv", "1, Ann, ann@example.org, 7, Yes, 2025-01-01")
    company.orders("1.csv", "o1, 42, 2026-01-01, 5.00", "o2, 43, 2026-01-01, 5.00")
    resolve(company.settings)
    company.fill(
        "core.identities", {"identifier_type": "user_id", "identifier_value": "9", "customer_id": "c"}
    )
    monkeypatch.setattr("lakehouse.stages.resolve.pending", lambda _: False)
    code, out, _ = run("check", "--all", "--data", "d")
    assert code == 0
    assert "shop/orders: core.orders: 0 of 2 rows found a customer" in out
    assert (
        "shop/orders: core.orders.identifier_value: 0 of 2 rows found a customer: compare the values" in out
    )
    told = json.loads(run("check", "--all", "--data", "d", "--json")[1])
    assert {
        "source": "shop/orders",
        "entity": "orders",
        "rows": 2,
        "found": 0,
        "resolved": "current",
    }.items() <= (
        next(counted for counted in told["customers_found"] if counted["source"] == "shop/orders").items()
    )


def test_add_refuses_what_is_wrong(run, tmp_path):
    """With the first error, and nothing written."""
    (tmp_path / "bad.yaml").write_text("source: a\n")
    code, _, err = run("add", "bad.yaml", "--data", "d")
    assert code == 1
    assert "nothing was added" in err
    assert not (tmp_path / "d").exists()


def test_add_to_a_stack(run, company, tmp_path, monkeypatch):
    """What waited is loaded; a folder that the stack does not read gets the file and nothing else."""
    (tmp_path / "d" / "store").mkdir(parents=True)
    (tmp_path / "d" / "definitions").mkdir()
    settings = company.settings.model_copy(update={"definitions": tmp_path / "d" / "definitions"})

    @contextmanager
    def session(*_, **__):
        yield settings

    monkeypatch.setattr(sessions, "session", session)
    monkeypatch.setattr(attachment, "attach", lambda _: None)
    company.load("desk/contacts", "contacts.csv", CSV)
    run("suggest", "contacts.csv", "--source", "desk", "-o", "desk.yaml")
    code, out, _ = run("add", "desk.yaml", "--data", "d", "--definitions", "elsewhere")
    assert code == 0
    assert (tmp_path / "elsewhere/sources/desk_contacts.yaml").exists()
    assert "that waited" not in out
    assert "1 file that nobody had defined" in run("add", "desk.yaml", "--data", "d", "--dry-run")[1]
    code, out, _ = run("add", "desk.yaml", "--data", "d")
    assert code == 0
    assert "1 file that waited: 30 rows loaded, 0 set aside" in out
    assert "core.contacts: 0 of 30 rows found a customer; nobody can before resolve has run" in out
    told = json.loads(run("add", "desk.yaml", "--data", "d", "--json")[1])
    assert told["done"]["customers_found"][0]["rows"] == 30
    settings = company.settings.model_copy(update={"definitions": None})
    assert "restart it" in run("add", "desk.yaml", "--data", "d")[2]
