"""`lakehouse sources suggest`, `check` and `add`: what a person and a machine get."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
import yaml

from lakehouse.local import session as sessions
from lakehouse.segments import definition as segments
from lakehouse.settings import current
from lakehouse.sources import definition
from lakehouse.sources.review import Finding
from lakehouse.stages import check_references, check_sources, customers_found, id_collisions
from lakehouse.stages.check_references import ReferenceCount
from tests.support.source_commands import sources_command

SECRETS = ("Ann", "ann1", "1381234", "hush")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run `lakehouse sources …` with no stack anywhere; return its exit code, output and errors."""
    yield from sources_command(tmp_path, monkeypatch, capsys)


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
    assert (code, out.splitlines()[-1]) == (0, "1 definition: 0 errors, 1 warning")
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
    (tmp_path / "d" / "definitions" / "sources").mkdir(parents=True)
    run("suggest", "contacts.csv", "--source", "desk", "-o", "d/definitions/sources/desk.yaml")
    code, out, _ = run("check", "--data", "d", "--json")
    told = json.loads(out)
    defined = len(list(definition.load.files(None))) + len(segments.files())
    assert (code, told["errors"], told["files"]) == (0, 0, defined + 1)
    assert "not both" in run("check", "desk.yaml", "--all")[2]
    own = [each for each in told["findings"] if each["file"] == "desk.yaml"]
    lines = run("check", "--data", "d")[1].splitlines()
    assert [line for line in lines if line.startswith("warning")] == [
        line for line in lines if "desk.yaml" in line
    ]
    assert (
        lines[-1] == f"{told['warnings'] - len(own)} warnings of definitions that ship: `--json` shows them"
    )


def test_check_all_looks_at_segments_too(run, tmp_path, monkeypatch):
    """They are counted, and what is wrong with one is told by its file below the folder of definitions."""
    folder = tmp_path / "d" / "definitions" / "segments"
    folder.mkdir(parents=True)
    (folder / "big.yaml").write_text("name: big\ntitle: T\ndoc: D\nwhere: revenu > 1\n")
    monkeypatch.setattr(check_sources, "check_all", lambda *_: (1, []))
    code, out, _ = run("check", "--all", "--data", "d")
    assert code == 1
    assert "segments/big.yaml: where: there is no column revenu; did you mean revenue? (line 4)" in out
    assert f"{len(segments.files()) + 2} definitions: 1 error, " in out


def test_check_all_counts_references_where_there_is_a_lake(run, tmp_path, monkeypatch):
    """Of the data folder's; without one there is nothing to count, and of single files nobody asks."""
    count = ReferenceCount(
        "orders", "place_id", "places", "pos", 10, 0, 0, 0, id_sources=(), unlisted=("places",)
    )

    @contextmanager
    def session(data, services):
        assert (str(data), services) == ("d", "store")
        yield current()

    monkeypatch.setattr(sessions, "session", session)
    monkeypatch.setattr(check_sources, "check_all", lambda *_: (1, []))
    monkeypatch.setattr(check_references, "check_references", lambda *_: [count])
    monkeypatch.setattr(customers_found, "count_customers_found", lambda _: [])
    collision = Finding("warning", "shop/orders", "key", "of 2 ids that came twice 2 are of two")
    monkeypatch.setattr(id_collisions, "find_collisions", lambda _: [collision])
    assert json.loads(run("check", "--all", "--data", "d", "--json")[1])["references"] == []
    (tmp_path / "d" / "store").mkdir(parents=True)
    code, out, _ = run("check", "--all", "--data", "d", "--json")
    (told,) = json.loads(out)["references"]
    assert code == 0
    assert collision.message in out
    assert (told["column"], told["filled"], told["share_found"]) == ("place_id", 10, 0)
    assert "references: {places: places}" in told["warning"]
    assert "orders.place_id" in run("check", "--all", "--data", "d")[1]
    run("suggest", "contacts.csv", "-o", "desk.yaml", "--source", "desk")
    assert json.loads(run("check", "desk.yaml", "--data", "d", "--json")[1])["references"] == []


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


def test_add_refuses_what_is_wrong(run, tmp_path):
    """With the first error, and nothing written."""
    (tmp_path / "bad.yaml").write_text("source: a\n")
    code, _, err = run("add", "bad.yaml", "--data", "d")
    assert code == 1
    assert "nothing was added" in err
    assert not (tmp_path / "d").exists()


def test_copy_writes_definitions_that_can_be_added(run, tmp_path):
    """With the commands that do so, and which ids are the second system's own; never over what is there."""
    code, out, _ = run("copy", "shopify", "shopify_eu", "-o", "second")
    assert code == 0
    assert "lakehouse sources add second/shopify_eu_orders.yaml" in out
    assert "ids of its own: shopify_customer" in out
    assert run("check", "second/shopify_eu_orders.yaml")[0] == 0
    code, _, errors = run("copy", "shopify", "shopify_eu", "-o", "second")
    assert code == 1
    assert "is there already" in errors
    told = json.loads(run("copy", "shop", "shop_eu", "--own", "user_id", "-o", "third", "--json")[1])
    assert told["own_types"] == ["user_id"]
    assert len(told["files"]) == len(list((tmp_path / "third").iterdir()))
