"""The very template on an emulator that enforces IAM: it runs, each function may do what it does, and no more.

`make cloud` installs what this needs and runs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pytest

from tests.cloud import packages, rights, scenario
from tests.cloud.deployment import PREFIX, Call, Deployment
from tests.cloud.scenario import Company
from tests.cloud.unused import REASONS

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Lived:
    """A company after its two days: what the roles were asked for, and how many contacts the first one made."""

    company: Company
    contacts: int
    calls: list[Call]
    policies: dict[str, list[dict[str, object]]]

    @property
    def deployment(self) -> Deployment:
        return self.company.deployment

    def rows(self, table: str) -> int:
        return self.deployment.table(table).scan().count()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    if not packages.is_installed():
        pytest.skip("the emulator is not installed: run `make cloud`")
    with scenario.company(tmp_path_factory.mktemp("cloud")) as company:
        scenario.first_day(company)
        contacts = company.crm.state()["contacts"]
        scenario.second_day(company)
        deployment = company.deployment
        yield Lived(company, contacts, deployment.calls, deployment.policies)


def test_no_right_was_missing(lived):
    """Whoever is denied anything at all cannot do its work on AWS."""
    denied = {
        f"{call.function} is denied {call.action} on {rights.short(call.resource)}"
        for call in lived.calls
        if not call.allowed
    }
    assert not denied, "\n".join(sorted(denied))


def test_every_function_ran_and_nothing_was_given_up(lived):
    """All functions of the template, by their triggers; no call failed, and no message is in a dead-letter queue."""
    deployment = lived.deployment
    assert {call.function for call in lived.calls} == deployment.functions.keys()
    assert deployment.failed_batches == []
    dead = [name for name in deployment.resources if name.endswith("DeadLetterQueue")]
    assert {name: lived.company.waiting(name) for name in dead} == dict.fromkeys(dead, 0)


def test_every_file_is_loaded_once(lived):
    """By events on the first day, without them on the second; a webhook that was sent again is one file."""
    assert [answer.json() for answer in lived.company.webhooks] == [{"accepted": 1}] * 2
    assert [answer.json() for answer in lived.company.tracked] == [{"success": True}]
    ledger = lived.deployment.table("ops.ingest_ledger").scan().to_arrow()
    assert len(set(ledger["file_id"].to_pylist())) == ledger.num_rows == lived.company.put
    web, truth = lived.rows("raw.events"), lived.company.truth["counts"]["web"]["messages"]
    assert web == truth + scenario.OWN_EVENTS
    orders = sum(file.rows for file in lived.company.files if file.entity == "orders")
    assert lived.rows("raw.shop_orders") == lived.rows("core.orders") == orders


def test_files_become_customers_and_contacts(lived):
    """Of two visitors somebody says that they are one, a third was tracked; whoever agreed is in the CRM."""
    linked = lived.company.truth["counts"]["linked"]["customers"]
    assert lived.rows("core.customers") == lived.rows("marts.customer_360") == linked + 2
    assert lived.rows("ops.audit_log") == 1  # the merge
    assert lived.contacts > 0
    delivered = lived.deployment.table("ops.deliveries").scan(row_filter="outcome == 'sent'").to_arrow()
    assert len(set(delivered["customer_id"].to_pylist())) == lived.contacts


def test_every_right_was_used_or_has_a_reason(lived):
    """A right that nothing needs is a door that nobody watches."""
    unused = {str(grant) for grant in rights.unused(rights.grants(lived.policies), lived.calls)}
    excused = {
        reason: {grant for grant in unused if any(fnmatchcase(grant, one) for one in reason.patterns)}
        for reason in REASONS
    }
    without_reason = unused.difference(*excused.values())
    assert not without_reason, "\n".join(sorted(without_reason))
    outlived = [reason.why for reason, grants in excused.items() if not grants and not reason.sometimes]
    assert outlived == [], "these reasons excuse nothing any more"


@pytest.mark.parametrize(
    ("function", "sid", "action"),
    [
        ("tick", "ReadModelTables", "glue:GetTable"),
        ("tick", "WakeStages", "sqs:SendMessage"),
        ("sweep", "ReadLedgerTable", "glue:GetTable"),  # one table of a database
        ("sweep", "ReadRawMetadata", "s3:GetObject"),  # a call of pyarrow's, not of boto3's
        ("sweep", "ReadLedgerRows", "s3:GetObject"),  # a call of DuckDB's
        ("sweep", "ListLanding", "s3:ListBucketVersions"),
    ],
)
def test_a_right_that_is_taken_away_is_missed(lived, function, sid, action):
    """The run is not asleep: without the right the denial is recorded, whether the function raises or goes on."""
    before = len(lived.deployment.calls)
    with lived.deployment.without(f"{PREFIX}-{function}", sid), suppress(AssertionError):
        lived.deployment.invoke(function, {"schedule": function})
    assert action in {call.action for call in lived.deployment.calls[before:] if not call.allowed}
