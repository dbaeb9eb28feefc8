"""`lakehouse identity …` as a person runs it: who is who and why, what waits for a word, and the word."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lakehouse import cli, objects
from lakehouse.ingest.batch import ingest
from lakehouse.landing.raw_files import listing
from lakehouse.local import session as sessions
from lakehouse.stages.books import keep_books
from lakehouse.stages.resolve import resolve

if TYPE_CHECKING:
    from tests.support.small_company import SmallCompany

HEADER = "contact_id,name,birth_date,phone,city,address,updated_at"
ADDRESS = "杭州市西湖区文三路100号3栋2单元501室"
PEOPLE = (
    f"1,张伟,1980-02-01,,,{ADDRESS}",
    f"2,张炜,1980-02-01,,,浙江省{ADDRESS}",
    "3,张先生,,,杭州,西湖区文三路100号3-2-501",
    "4,张伟,1955-07-09,,北京,朝阳区建国路88号",
)


@pytest.fixture
def run(company: SmallCompany, monkeypatch, capsys, tmp_path):
    """Give what runs `lakehouse identity …` on a lake with four contacts; it returns exit code, output and errors."""

    @contextmanager
    def session(*_, **__):
        yield company.settings

    monkeypatch.setattr(sessions, "session", session)
    rows = [f"{row},2026-01-01T00:00:00Z" for row in PEOPLE]
    company.load("crm/contacts", "1.csv", "\n".join([HEADER, *rows, ""]))
    resolve(company.settings)

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["lakehouse", "identity", *arguments, "--data", str(tmp_path / "d")])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return command


def test_what_waits_for_a_word_is_shown_with_the_commands_that_decide(run):
    """As text and as JSON; what was decided otherwise stands elsewhere."""
    code, out, _ = run("review")
    assert code == 0
    assert "张先生" in out
    assert "lakehouse identity tie" in out
    (pair,) = json.loads(run("review", "--json")[1])
    assert {"weight_bits", "standing"} <= pair.keys()
    assert pair["standing"] == "review"
    assert [each["standing"] for each in json.loads(run("review", "--standing", "tied", "--json")[1])] == [
        "tied"
    ]
    assert json.loads(run("review", "--standing", "apart", "--json")[1]) == []
    assert run("review", "--limit", "0")[0] == 2
    assert run("review", "--standing", "perhaps")[0] == 2


def test_why_somebody_is_one_customer(run, tmp_path):
    """By any of the names, with a picture for whoever would rather look; nobody of an unknown one."""
    code, out, _ = run("explain", "crm_id:1", "--graph", str(tmp_path / "one.svg"))
    assert code == 0
    assert "crm_id" in out
    assert (tmp_path / "one.svg").read_text("utf-8").startswith("<svg")
    (explained,) = json.loads(run("explain", "crm_id:1", "--json")[1])
    (other,) = json.loads(run("explain", "crm_id:2", "--json")[1])
    assert explained["customer_id"] == other["customer_id"]
    code, out, errors = run("explain", "crm_id:99")
    assert code == 1
    assert (out, "no customer is known by that" in errors) == ("", True)


def test_who_was_merged_is_told_once_the_books_have_it(run, company):
    """Two customers that a word made one: its history says so, by either's id."""
    said = json.loads(run("tie", "crm_id:1", "crm_id:4", "--why", "she called", "--by", "eve", "--json")[1])
    landed = listing(company.settings.landing_bucket, "people/ties/")
    assert not ingest(company.settings, [each for each in landed if each.key == said["key"]]).failed
    resolve(company.settings)
    keep_books(company.settings)
    (explained,) = json.loads(run("explain", "crm_id:4", "--json")[1])
    (change,) = explained["history"]
    assert change["action"] == "merge"
    assert explained["customer_id"] in (change["customer_id"], change["into"])


@pytest.mark.parametrize("command", ["tie", "untie", "leave"])
def test_a_word_is_landed_and_counts_once_it_is_resolved(run, company, command):
    """Who says so and why are kept; of somebody whom nobody knows it is refused."""
    code, out, _ = run(command, "crm_id:1", "crm_id:3", "--why", "she called", "--by", "eve", "--json")
    assert code == 0
    said = json.loads(out)
    body = json.loads(objects.get(company.settings.landing_bucket, said["key"]))
    assert (body["said_by"], body["why"]) == ("eve", "she called")
    files = [
        each for each in listing(company.settings.landing_bucket, "people/ties/") if each.key == said["key"]
    ]
    assert not ingest(company.settings, files).failed
    resolve(company.settings)
    customers = {
        json.loads(run("explain", f"crm_id:{number}", "--json")[1])[0]["customer_id"] for number in (1, 3)
    }
    assert len(customers) == (1 if command == "tie" else 2)
    assert run(command, "crm_id:1", "crm_id:99")[0] == 1
