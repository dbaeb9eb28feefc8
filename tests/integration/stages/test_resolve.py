"""Who is who is worked out when something moved, announced always, and logged once."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
import yaml

from lakehouse import aws
from lakehouse.errors import CommitConflict
from lakehouse.models import runner as models
from lakehouse.stages import resolve
from lakehouse.stages.books import keep_books
from lakehouse.tables import appending, commit
from lakehouse.tables import catalog as catalogs
from tests.support.small_company import SmallCompany


def customers(company: SmallCompany) -> dict[str, str]:
    return dict(company.ask("select identifier_value, customer_id from core.identities"))


def test_nothing_received_nothing_resolved(company):
    """And nothing is pending either; the hint is passed on all the same."""
    assert not resolve.pending(company.settings)
    assert resolve.resolve(company.settings) is False
    assert company.announced() == ["core.identities"]
    assert company.snapshots() == {"core.identities": 0}


def test_it_resolves_what_moved_and_then_rests(company):
    """A second look writes nothing, and announces what the first may have failed to."""
    company.contacts("1.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01")
    company.announced()
    assert resolve.pending(company.settings)
    assert resolve.resolve(company.settings) is True
    assert len(set(customers(company).values())) == 1
    before = company.snapshots()
    assert not resolve.pending(company.settings)
    assert resolve.resolve(company.settings) is False
    assert company.snapshots() == before
    assert company.announced() == ["core.identities", "core.identities"]


def merged(company: SmallCompany) -> dict[str, str]:
    """Make two customers one; return who lived on as whom."""
    company.contacts("1.csv", "1,Ann,ann@x.org,,Yes,2026-01-01", "2,Ann,,C1,No,2026-01-01")
    resolve.resolve(company.settings)
    before = customers(company)
    company.contacts("2.csv", "2,Ann,ann@x.org,C1,No,2026-01-02")
    return dict.fromkeys(before.values(), before["ann@x.org"])


def test_a_merge_is_logged_once_whatever_is_repeated(company, monkeypatch):
    """The log is written before the commit, under the identities it starts from: a repeat overwrites it."""
    merged(company)
    replace, calls = appending.replace_written, []

    def crash_first(*arguments, **named):
        calls.append(arguments)
        if len(calls) == 1:
            raise CommitConflict("another run was first")
        return replace(*arguments, **named)

    monkeypatch.setattr(appending, "replace_written", crash_first)
    with pytest.raises(CommitConflict):
        resolve.resolve(company.settings)
    company.contacts("3.csv", "9,Eve,eve@x.org,C9,,")  # the inputs move before the repeat
    resolve.resolve(company.settings)
    keep_books(company.settings)
    assert company.ask("select action, count(*) from ops.audit_log group by all") == [("merge", 1)]
    assert len({customers(company)[name] for name in ("ann@x.org", "C1", "1", "2")}) == 1


def test_the_run_that_won_has_the_last_word_in_the_log(company, monkeypatch):
    """A run that starts from the same identities and loses must not leave its own story."""
    merged(company)
    replace, key = appending.replace_written, []

    def loser_writes_meanwhile(*arguments, **named):
        listed = aws.s3().list_objects_v2(Bucket=company.settings.ops_bucket, Prefix="audit/")["Contents"]
        key.append(listed[0]["Key"])
        done = replace(*arguments, **named)
        aws.s3().put_object(
            Bucket=company.settings.ops_bucket, Key=key[0], Body=b'{"action": "never happened"}'
        )
        return done

    monkeypatch.setattr(appending, "replace_written", loser_writes_meanwhile)
    resolve.resolve(company.settings)
    body = aws.s3().get_object(Bucket=company.settings.ops_bucket, Key=key[0])["Body"].read()
    assert json.loads(body)["action"] == "merge"


def test_of_two_runs_at_once_one_counts(company, monkeypatch):
    """The slower leaves neither a snapshot nor a file."""
    company.contacts("1.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01")
    audit, happened = resolve._write_audit, []

    def meanwhile(*arguments):
        if not happened:
            happened.append("other")
            resolve.resolve(company.settings)
        audit(*arguments)

    monkeypatch.setattr(resolve, "_write_audit", meanwhile)
    with pytest.raises(CommitConflict):
        resolve.resolve(company.settings)
    assert company.snapshots()["core.identities"] == 1
    assert company.data_files() == company.live_files()


def test_raw_rows_that_come_during_the_work_are_a_conflict(company, monkeypatch):
    """What the commit says it was computed from is what it was computed from."""
    company.contacts("1.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01")
    attach = resolve.views.attach

    def moved(*arguments):
        company.contacts("2.csv", "2,Bob,bob@x.org,C2,Yes,2026-01-01")
        return attach(*arguments)

    monkeypatch.setattr(resolve.views, "attach", moved)
    with pytest.raises(CommitConflict, match="moved"):
        resolve.resolve(company.settings)
    monkeypatch.setattr(resolve.views, "attach", attach)
    assert resolve.resolve(company.settings)
    assert {"ann@x.org", "bob@x.org"} <= customers(company).keys()


def test_a_newer_mapping_is_read_from_a_table_that_lacks_its_column(company, tmp_path):
    """Neither resolve nor the models change a raw table: that is for ingest, when the column comes."""
    company.contacts("1.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01")
    resolve.resolve(company.settings)
    catalog = catalogs.open_catalog(company.settings)
    raw = catalogs.load(catalog, "raw.hubspot_contacts").metadata_location
    shipped = files("lakehouse.sources") / "definitions" / "hubspot_contacts.yaml"
    mapping = yaml.safe_load(shipped.read_text("utf-8"))
    mapping["columns"].append({"name": "club_id", "from": "Club ID", "doc": "Number of the club"})
    mapping["identifiers"].append({"type": "user_id", "value": "club_id"})
    mapping["core"]["contacts"]["same"].remove("city")
    mapping["core"]["contacts"]["city"] = "coalesce(city, club_id)"
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "hubspot_contacts.yaml").write_text(yaml.safe_dump(mapping), "utf-8")
    newer = company.settings.model_copy(update={"definitions": tmp_path})
    assert resolve.resolve(newer) is True
    assert "core.contacts" in [committed.table for committed in models.run(newer).committed]
    assert company.ask("select city from core.contacts") == [("Oslo",)]
    assert catalogs.load(catalog, "raw.hubspot_contacts").metadata_location == raw


def test_what_says_nothing_new_changes_nothing(company):
    """Neither a page view on a known device, nor an export that says the same: no commit, and nobody has work to do."""
    event = (
        '{"type": "page", "messageId": "m%d", "timestamp": "2026-11-0%dT09:00:00Z", "anonymousId": "dev"}\n'
    )
    company.load("web/events", "1.ndjson", event % (1, 1))
    company.contacts("1.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01")
    resolve.resolve(company.settings)
    models.run(company.settings)
    catalog = catalogs.open_catalog(company.settings)
    before = {
        name: commit.head(catalogs.load(catalog, name)) for name in ("core.evidence", "core.identities")
    }
    company.load("web/events", "2.ndjson", event % (2, 2))
    company.contacts("2.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01")
    assert resolve.resolve(company.settings) is True
    assert {name: commit.head(catalogs.load(catalog, name)) for name in before} == before
    assert "core.customers" not in [committed.table for committed in models.run(company.settings).committed]


def test_a_narrow_export_clears_nothing_and_an_empty_cell_does(company):
    """A file without the column says nothing of it."""
    company.contacts("1.csv", "1,Ann,ann@x.org,C1,Yes,2026-01-01")
    narrow = "Record ID,First Name,Create Date,Last Modified Date\n1,Ann,2025-01-01,2025-07-0%d\n"
    company.load("hubspot/contacts", "2.csv", narrow % 1)
    resolve.resolve(company.settings)
    assert {"ann@x.org", "C1", "1"} == customers(company).keys()
    emptied = "Record ID,First Name,Email,Create Date,Last Modified Date\n1,Ann,,2025-01-01,2025-07-02\n"
    company.load("hubspot/contacts", "3.csv", emptied)
    resolve.resolve(company.settings)
    assert {"C1", "1"} == customers(company).keys()
