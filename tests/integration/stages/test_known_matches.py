"""Records without a shared identifier are matched once, remembered, and wait for a word where they are not sure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse import aws
from lakehouse.errors import Transient
from lakehouse.identity.matching.model import read_model
from lakehouse.ingest.batch import ingest
from lakehouse.landing.raw_files import from_object
from lakehouse.objects import list_keys
from lakehouse.stages import analyst_sql, resolve, review_matches
from lakehouse.stages.identity_words import Said, records_of, say
from lakehouse.stages.known_matches import KnownMatchPolicy
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from tests.support.small_company import SmallCompany

HEADER = "contact_id,name,birth_date,phone,city,address,updated_at"
NOW = datetime(2026, 11, 29, tzinfo=UTC)
ADDRESS = "杭州市西湖区文三路100号3栋2单元501室"
ZHANGS = (
    f"1,张伟,1980-02-01,,,{ADDRESS}",
    f"2,张炜,1980-02-01,,,浙江省{ADDRESS}",
    "3,张先生,,,杭州,西湖区文三路100号3-2-501",
    "4,张伟,1955-07-09,,北京,朝阳区建国路88号",
)


def load(company: SmallCompany, name: str, *rows: str) -> None:
    lines = [f"{row},2026-01-01T00:00:00Z" for row in rows]
    company.load("crm/contacts", name, "\n".join([HEADER, *lines]) + "\n")
    resolve.resolve(company.settings)


def customers(company: SmallCompany) -> list[set[str]]:
    """Return the contacts of each customer."""
    rows = company.ask(
        "SELECT list(identifier_value) FROM core.identities WHERE identifier_type = 'crm_id' GROUP BY customer_id"
    )
    return sorted((set(numbers) for (numbers,) in rows), key=sorted)


def standings(company: SmallCompany) -> dict[tuple[str, str], str]:
    rows = company.ask("SELECT left_record, right_record, standing FROM core.matches")
    return {tuple(name.removeprefix("crm:contact:") for name in row[:2]): row[2] for row in rows}


def decide(company: SmallCompany, verdict: str, *numbers: str) -> None:
    con = analyst_sql.connect(company.settings)
    try:
        pair = [records_of(con, f"crm_id:{number}")[0] for number in numbers]
    finally:
        con.close()
    key = say(company.settings, (pair[0], pair[1]), verdict, Said("eve", "she called"), lambda: NOW)
    bucket = company.settings.landing_bucket
    head = aws.s3().head_object(Bucket=bucket, Key=key)
    entry = {"key": key, "version_id": head["VersionId"], "size": head["ContentLength"]}
    assert not ingest(company.settings, [from_object(bucket, entry)]).failed
    resolve.resolve(company.settings)


def review(company: SmallCompany, standing: str = "review") -> list[review_matches.Pair]:
    con = analyst_sql.connect(company.settings)
    try:
        return review_matches.pairs(con, standing, 20)
    finally:
        con.close()


@pytest.fixture
def zhangs(company: SmallCompany) -> SmallCompany:
    load(company, "1.csv", *ZHANGS)
    return company


def test_one_person_of_several_spellings_is_one_and_a_namesake_another(zhangs):
    """张伟 and 张炜 of one room and day are one; 张先生 may be his father; 张伟 in Beijing is another."""
    assert customers(zhangs) == [{"1", "2"}, {"3"}, {"4"}]
    found = standings(zhangs)
    assert found["1", "2"] == "tied"
    assert {found.get(("1", "3")), found.get(("2", "3"))} & {"review"}
    assert "tied" not in {standing for pair, standing in found.items() if "4" in pair}


def test_what_says_nothing_new_is_matched_by_nobody(zhangs, monkeypatch):
    """Another source's rows cost no comparison, and no commit of the tables of matches."""
    before = zhangs.snapshots()
    monkeypatch.setattr("lakehouse.identity.matching.known.match_all", None)
    monkeypatch.setattr("lakehouse.identity.matching.known.match_new", None)
    zhangs.orders("1.csv", "O1,C1,2026-01-02,9.90")
    resolve.resolve(zhangs.settings)
    after = zhangs.snapshots()
    assert {name: after[name] - before[name] for name in ("core.matches", "core.match_keys")} == {
        "core.matches": 0,
        "core.match_keys": 0,
    }
    assert customers(zhangs) == [{"1", "2"}, {"3"}, {"4"}]


def test_a_newcomer_meets_those_who_are_there(zhangs, monkeypatch):
    """By the keys that were kept; and a record that says something else is compared anew."""
    monkeypatch.setattr("lakehouse.identity.matching.known.match_all", None)
    load(zhangs, "2.csv", f"5,张 伟,1980-02-01,,,{ADDRESS}")
    assert customers(zhangs) == [{"1", "2", "5"}, {"3"}, {"4"}]
    load(zhangs, "3.csv", "5,李娜,1990-09-09,,上海,")
    assert customers(zhangs) == [{"1", "2"}, {"3"}, {"4"}, {"5"}]
    assert not [pair for pair in standings(zhangs) if "5" in pair]


def test_a_run_that_dies_after_the_pairs_looks_again(company, monkeypatch):
    """Nobody counts as looked at before the keys are there."""

    def die(*_, **__):
        raise Transient("killed")

    load(company, "1.csv", *ZHANGS[:1], *ZHANGS[2:])
    with monkeypatch.context() as patch:
        patch.setattr("lakehouse.stages.known_matches.KnownMatches._commit_keys", die)
        with pytest.raises(Transient):
            load(company, "2.csv", ZHANGS[1])
    resolve.resolve(company.settings)
    assert customers(company) == [{"1", "2"}, {"3"}, {"4"}]


@pytest.mark.parametrize("found", [None, b"{}", b'{"format": "crm-lakehouse match model 0"}', b"\xff"])
def test_without_its_model_all_pairs_are_weighed_anew(zhangs, found):
    """Somebody deleted the object, or another version wrote it: what is stored was weighed by nobody knows what."""
    bucket = zhangs.settings.ops_bucket
    (name,) = list_keys(bucket, "identity/models/")
    key = f"identity/models/{name}"
    aws.s3().delete_object(Bucket=bucket, Key=key)
    if found is not None:
        aws.s3().put_object(Bucket=bucket, Key=key, Body=found)
    load(zhangs, "2.csv", "5,李娜,1990-09-09,,上海,")
    assert customers(zhangs) == [{"1", "2"}, {"3"}, {"4"}, {"5"}]
    in_use = commit.inputs(catalogs.load(catalogs.open_catalog(zhangs.settings), "core.matches"))["model"]
    assert read_model(aws.s3().get_object(Bucket=bucket, Key=in_use)["Body"].read().decode(), in_use)


def test_keys_of_what_nobody_says_any_more_are_dropped(zhangs, monkeypatch):
    """Once they stand in many files; those of what is said stay, and nobody is compared again."""
    monkeypatch.setattr(KnownMatchPolicy, "most_files", 2)
    for number, name in enumerate(("李娜", "李静", "李敏")):
        load(zhangs, f"{number + 2}.csv", f"4,{name},1990-09-09,,上海,")
    ((stale, kept),) = zhangs.ask(
        "SELECT count(DISTINCT said), count(DISTINCT record) FROM core.match_keys WHERE record LIKE '%:4'"
    )
    assert stale < 4
    assert kept == 1
    assert zhangs.ask("SELECT count(DISTINCT record) FROM core.match_keys") == [(4,)]
    before = zhangs.ask("FROM core.match_keys ORDER BY ALL")
    load(zhangs, "5.csv", f"4,{name},1990-09-09,,上海,")
    assert zhangs.ask("FROM core.match_keys ORDER BY ALL") == before


def test_a_word_decides_what_the_matcher_only_thinks(zhangs):
    """Who is told apart stays apart, however alike; who may be one waits for a word, and is shown with the reasons."""
    (pair,) = review(zhangs)
    assert "crm_id:3" in {pair.left.name, pair.right.name}
    other, zhang = sorted((pair.left, pair.right), key=lambda side: side.name == "crm_id:3")
    assert zhang.says == {"name": "张先生", "city": "杭州", "address": "西湖区文三路100号3-2-501"}
    assert {("chinese_name", "form of address"), ("chinese_address", "same room")} <= {
        (reason.comparison, reason.level) for reason in pair.reasons
    }
    assert sum(reason.bits for reason in pair.reasons) > pair.weight_bits  # chance is against it
    decide(zhangs, "one", "3", other.name.removeprefix("crm_id:"))
    assert review(zhangs) == []
    assert customers(zhangs) == [{"1", "2", "3"}, {"4"}]
    decide(zhangs, "two", "1", "2")
    assert {"1", "2"} not in [one & {"1", "2"} for one in customers(zhangs)]
    assert standings(zhangs)["1", "2"] == "apart"
    assert [pair.standing for pair in review(zhangs, "apart")] == ["apart"]


def test_a_word_about_somebody_who_is_gone_waits(zhangs):
    """Nothing fails, and the others keep theirs."""
    company = zhangs
    statement = (
        '{"statement_id": "1", "one_type": "crm_id", "one_value": "77", "other_type": "crm_id", "other_value": "1", '
        '"verdict": "one", "said_by": "eve", "said_at": "2026-01-01T00:00:00Z"}\n'
    )
    company.load("people/ties", "1.ndjson", statement)
    resolve.resolve(company.settings)
    assert customers(company) == [{"1", "2"}, {"3"}, {"4"}]
    load(company, "2.csv", "77,王小明,,,西安,")
    assert customers(company) == [{"1", "2", "77"}, {"3"}, {"4"}]
