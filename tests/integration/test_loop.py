"""The loop over its real parts (SeaweedFS, moto, the HubSpot simulator), scored against what is known to be true.

A company of 300 customers, real purchases and generated records around them. Landed once, run to the end, and
then everything once more.
"""

from __future__ import annotations

import csv
import json
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import lakehouse
from lakehouse import settings
from lakehouse.engine.escape import identifier
from lakehouse.local.stack import Stack
from lakehouse.models import registry
from lakehouse.models.inputs import InputViews
from lakehouse.models.lake_tables import LakeTables
from lakehouse.models.model import Appended
from lakehouse.outbound.destinations.hubspot_api import close_clients
from lakehouse.sample import purchases
from lakehouse.sources import definition
from lakehouse.stages import analyst_sql
from lakehouse.stages.status import status
from lakehouse.stages.why_written import why
from lakehouse.tables import entities
from lakehouse.tables.contracts import AUDIT_LOG, LEDGER, QUARANTINE, SEGMENT_CHANGES, SEGMENT_MEMBERS
from lakehouse.tables.people import IDENTITIES
from tests.support.engines import runnable
from tests.support.loop import Loop
from tests.support.model_cases import types_of

pytestmark = pytest.mark.stack

# What the sample has no files of: those tables are empty.
UNSENT = {contract.name for contract in entities.ALL} - {"core.contacts", "core.deals", "core.orders"}
UNSENT |= {"core.home_rates", "core.refunds", "core.responses", "core.order_products"}
UNSENT |= {"marts.product_affinity", "marts.buying_cycle", "core.dim_product", "core.fct_activities"}
# and those that are made of tickets, stages, owners, activities and weather
UNSENT |= {
    "core.deal_stays", "core.ticket_facts", "core.owner_spans", "marts.stage_conversion", "marts.loss_reasons",
    "marts.service_quality", "marts.salesperson_repurchase", "marts.salesperson_data_quality", "marts.stale_records",
    "marts.weather_lift",
}  # fmt: skip
# and of what surrounds sales: advertising, stock, dwellings, special days
UNSENT |= {
    "marts.return_on_ad_spend", "marts.stock_cover", "marts.households", "marts.sales_lift", "marts.complaint_themes",
    "marts.campaign_effect",
}  # fmt: skip


@dataclass
class Company:
    """The loop after its first pass, and what is true of its files."""

    loop: Loop
    files: list[purchases.SampleFile]
    truth: dict[str, Any]

    def __post_init__(self) -> None:
        self.con = analyst_sql.connect(settings.current())  # sees the tables as the first pass left them

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.con.execute(query).fetchall()

    def one(self, query: str) -> Any:
        ((value,),) = self.ask(query)
        return value

    @property
    def deliveries(self) -> dict[str, Any]:
        return status(settings.current())["deliveries"]["hubspot_segments"]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("loop")
    files = purchases.write(folder / "sample", customers=300)
    truth = json.loads((folder / "sample" / "truth.json").read_text("utf-8"))
    with Stack(folder / "data", as_of=truth["as_of"]) as stack:
        stack.start("all")
        loop = Loop(stack)
        assert all(landed.fresh for landed in loop.land(files))
        loop.settle()
        loop.call("books", {"Records": []})
        company = Company(loop, files, truth)
        yield company
        company.con.close()
        close_clients()


# ------------------------------------------------------------------ what was received


def test_every_row_is_loaded_or_a_duplicate_or_quarantined(company):
    """The books balance, over exactly the rows that were written."""
    counts = status(settings.current())["ingest"]
    assert counts == {
        "files": len(company.files),
        "received": sum(file.rows for file in company.files),
        "loaded": sum(file.rows for file in company.files)
        - len(company.truth["bad"])
        - company.truth["counts"]["web"]["resent"],
        "duplicates": company.truth["counts"]["web"]["resent"],
        "quarantined": len(company.truth["bad"]),
        "dismissed": 0,
        "in_flight": 0,
        "balanced": True,
    }


def test_every_purchase_is_there_to_the_cent(company):
    """Counted and summed by another reading of the files."""
    amounts = [
        Decimal(row["amount"])
        for file in company.files
        if file.entity == "orders"
        for row in csv.DictReader(file.path.read_text("utf-8").splitlines())
    ]
    expected = [(len(amounts), sum(amounts))]
    assert company.ask("select count(*), sum(amount) from raw.shop_orders") == expected
    assert company.ask("select count(*), sum(amount) from core.orders") == expected
    assert company.ask("select sum(orders)::bigint, sum(revenue) from marts.daily_activity") == expected
    assert company.ask("select sum(orders)::bigint, sum(revenue) from marts.customer_360") == expected


def test_bad_rows_are_told_by_file_row_and_code(company):
    """Each planted one, and nothing else."""
    found = company.ask("select regexp_extract(key, '[^/]+$'), \"row\", code from ops.quarantine")
    assert sorted(found) == sorted(tuple(row) for row in company.truth["bad"])


def test_a_message_sent_again_is_one_row(company):
    """However late, and in whichever file."""
    assert company.ask("select count(*), count(distinct message_id) from raw.events") == [
        (company.truth["counts"]["web"]["messages"],) * 2
    ]
    assert company.truth["counts"]["web"]["resent_in_next_file"]


# ------------------------------------------------------------------ who is who


def test_customers_are_the_sets_of_records_that_share_an_identifier(company):
    """As many as exact rules can find, and each shop customer is one of them."""
    linked = company.truth["counts"]["linked"]
    assert company.one("select count(*) from core.customers") == linked["customers"]
    query = (
        "select count(*), count(distinct customer_id) from core.identities where identifier_type = 'user_id'"
    )
    shops = company.truth["counts"]["customers"]
    assert company.ask(query) == [(shops, shops - linked["merged"])]
    assert company.one("select count(*) from core.events where customer_id is null") == 0


def test_no_record_is_tied_to_somebody_else(company):
    """Records of one customer belong to one person, or one household."""
    owner = {
        (f"{source}_id", record): person["shop"]
        for person in company.truth["people"]
        for source in ("hubspot", "salesforce")
        for record in person.get(source, ())
    } | {("user_id", person["shop"]): person["shop"] for person in company.truth["people"]}
    people = defaultdict(set)
    for kind, value, customer in company.ask(
        "select identifier_type, identifier_value, customer_id from core.identities"
    ):
        if (kind, value) in owner:
            people[customer].add(owner[kind, value])
    households = {tuple(sorted(pair)) for pair in company.truth["households"]}
    assert {tuple(sorted(found)) for found in people.values() if len(found) > 1} <= households


# ------------------------------------------------------------------ consent and the CRM


def expected_grants(company: Company) -> dict[str, set[str]]:
    """Customer → e-mails that may be written to: those of records that said yes and of none that said no, by the books.

    Not having opted out is no yes.
    """
    owner = dict(
        company.ask("select identifier_type || ':' || identifier_value, customer_id from core.identities")
    )
    emails = dict(
        company.ask(
            "select source || '_id:' || contact_id, email from core.contacts where valid_to is null and email <> ''"
        )
    )
    yes: dict[str, set[str]] = defaultdict(set)
    refused: set[str] = set()
    silenced: set[str] = set()
    for person in company.truth["people"]:
        for source, record, word, _ in person.get("statements", ()):
            name = f"{source}_id:{record}"
            if word == "denied" and name in emails:
                refused.add(emails[name])
            elif word == "denied":
                silenced.add(owner[name])
            elif word != "not_opted_out" and name in emails:
                yes[owner[name]].add(emails[name])
    return {
        who: addresses - refused
        for who, addresses in yes.items()
        if who not in silenced and addresses - refused
    }


def test_a_yes_counts_for_the_addresses_of_its_record(company):
    """Over all records of a customer, where no record that carries the address refused."""
    rows = company.ask("select customer_id, list(address) from core.consent_answers where allowed group by 1")
    assert {who: set(addresses) for who, addresses in rows} == expected_grants(company)


def test_the_crm_holds_the_members_who_said_yes_and_nobody_else(company):
    """What its own API tells is what the segments say of those who consented and have an address."""
    willing = expected_grants(company)
    rows = company.ask(
        "select m.customer_id, c.email, string_agg(m.segment, ';' order by m.segment) "
        "from ops.segment_members m join core.customers c using (customer_id) group by all"
    )
    members = {customer: (email, segments) for customer, email, segments in rows}
    expected = {}
    for customer, (best, segments) in members.items():
        if customer in willing:
            email = best if best in willing[customer] else min(willing[customer])
            ours = {"lakehouse_segments": segments, "lakehouse_customer_id": customer}
            expected[email] = {"email": email, **ours}
    held = company.loop.crm()
    ours = ("email", "lakehouse_segments", "lakehouse_customer_id")
    assert {email: {name: contact[name] for name in ours} for email, contact in held.items()} == expected
    assert 10 < len(expected) < len(members)


def test_everybody_selected_is_accounted_for(company):
    """Sent, or withheld with the reason; and each delivery names the consent it leaned on."""
    counts = company.deliveries
    unwilling = counts["withheld"]["consent"]
    assert counts["balanced"] is True
    assert counts["selected"] == company.one("select count(distinct customer_id) from ops.segment_members")
    assert counts["sent"] == len(company.loop.crm())
    assert counts["selected"] == counts["sent"] + sum(counts["withheld"].values())
    assert counts["withheld"]["projection"] == 0
    sent = "select count(*) from ops.deliveries d {} where d.outcome = 'sent'"
    assert company.one(sent.format("")) == counts["sent"]
    leaned = sent.format(
        "join core.consents k on k.consent_id = d.consent_id and k.customer_id = d.customer_id and k.granted"
    )
    assert company.one(leaned) == counts["sent"]
    withheld = dict(
        company.ask("select reason, count(*) from ops.deliveries where outcome = 'withheld' group by 1")
    )
    assert withheld.get("consent", 0) == unwilling
    assert withheld.get("no_address", 0) == counts["withheld"]["no_address"]
    assert withheld.get("same_address", 0) == counts["withheld"]["suppressed"]


def test_a_plain_duckdb_says_why_somebody_was_written_to(company, tmp_path):
    """The program of docs/why.md, as the page has it, finds what the command finds: the row, and what allowed it."""
    address = min(company.loop.crm())
    (block,) = re.findall(
        r"^```python\n(.*?)^```", Path("docs/why.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    (tmp_path / ".lakehouse").symlink_to(company.loop.stack.folder)
    program = runnable(block, Path(sys.prefix)).replace(
        'sys.argv[1] if len(sys.argv) > 1 else "ann@example.org"', repr(address)
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    (sent,) = why(settings.current(), address).deliveries
    assert sent.statement is not None
    shown = (sent.sync, sent.run, sent.chunk, sent.customer_id, "sent", sent.outcome_at, sent.consent_id,
             sent.statement["source"], sent.statement["record"])  # fmt: skip
    assert done.stdout.startswith(" ".join(shown[:5]))
    assert done.stdout.split()[7:10] == list(shown[6:])  # behind the moment, which is two words


# ------------------------------------------------------------------ models over the whole


def test_every_key_is_unique_and_whole(company):
    """In every table that has a contract with a key, of raw tables those of messages."""
    models = [model for model in registry.load().in_order if not isinstance(model.incremental, Appended)]
    contracts = [model.contract for model in models]
    contracts += [AUDIT_LOG, IDENTITIES, LEDGER, QUARANTINE, SEGMENT_CHANGES, SEGMENT_MEMBERS]
    contracts.append(definition.load()["web", "events"].contract)
    for contract in contracts:
        key = ", ".join(identifier(name) for name in contract.key)
        twice = company.ask(f"select {key} from {contract.name} group by all having count(*) > 1 limit 3")
        assert twice == [], contract.name
    for model in models:
        missing = " or ".join(f"{name} is null" for name in model.contract.key)
        assert company.one(f"select count(*) from {model.table} where {missing}") == 0, model.table


@pytest.mark.parametrize("model", registry.load().in_order, ids=lambda model: model.table)
def test_a_model_says_the_same_of_rows_in_any_order(company, model):
    """Computed again from shuffled inputs, every row is what the table holds: a rebuild changes nothing."""
    wanted = settings.current()
    con = analyst_sql.duck.connect(wanted)
    try:
        lake = LakeTables(wanted, [model])
        views = InputViews(con, lake.sources, registry.load().contracts, lake.as_of)
        views.show(model, lake.by_name, lake.catalog)
        con.execute(f"SELECT setseed({random.Random(7).random()})")
        for name in sorted(set(model.inputs)):
            con.execute(f"CREATE TEMP TABLE shuffled AS SELECT * FROM {name} ORDER BY random()")
            con.execute(
                f"DROP VIEW {name}; CREATE TABLE {name} AS SELECT * FROM shuffled; DROP TABLE shuffled"
            )
        columns = ", ".join(
            f"CAST({identifier(name)} AS {kind})" for name, kind in types_of(model.table).items()
        )
        again = con.execute(f"SELECT {columns} FROM ({model.sql})").fetchall()
    finally:
        con.close()
    assert Counter(again) == Counter(company.ask(f"SELECT {columns} FROM {model.table}"))
    assert again or model.table in UNSENT


# ------------------------------------------------------------------ once more


def test_the_loop_once_more_changes_nothing(company):
    """The same files put again, every function asked again: no row, no snapshot, no delivery comes on top."""
    company.loop.call("trigger", {"schedule": "trigger"})
    company.loop.call("maintain", {"schedule": "maintain"})  # rewrites what came since, once
    before = everything(company)
    assert not any(landed.fresh for landed in company.loop.land(company.files))
    company.loop.ask_everybody()
    company.loop.settle()
    company.loop.ask_everybody()
    company.loop.settle()
    assert everything(company) == before
    assert set(company.loop.writes().values()) == {1}


def everything(company: Company) -> dict[str, Any]:
    found = status(settings.current())
    return {"status": found, "crm": company.loop.crm(), "writes": company.loop.writes()}


def test_a_customer_who_takes_his_consent_back_leaves_the_crm(company, tmp_path: Path):
    """One line in the next export, and the loop takes his segments off; the others stay untouched."""
    email, held = min(company.loop.crm().items())
    query = (
        "select * exclude (_file_id, _row, _loaded_at, extra) from raw.hubspot_contacts where record_id in "
        "(select identifier_value from core.identities where identifier_type = 'hubspot_id' and customer_id = '{}')"
    )
    con = lakehouse.connect(company.loop.stack.folder)
    rows = con.execute(query.format(held["lakehouse_customer_id"]))
    names = [column[0] for column in rows.description]
    records = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    con.close()
    origins = {column.name: column.origin for column in definition.load()["hubspot", "contacts"].columns}
    path = tmp_path / "hubspot_contacts_later.csv"
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, [origins[name] for name in names])
        writer.writeheader()
        for record in records:
            later = {
                "marketing_consent": "No",
                "marketing_consent_at": "1998-06-30",
                "updated_at": "1998-06-30 12:00",
            }
            writer.writerow({origins[name]: value for name, value in (record | later).items()})
    writes = company.loop.writes()
    company.loop.land([purchases.SampleFile("hubspot", "contacts", path, len(records))])
    company.loop.settle()
    assert not company.loop.crm()[email].get("lakehouse_segments")
    changed = {name for name, count in company.loop.writes().items() if count != writes[name]}
    assert changed == {email}
    assert company.deliveries["balanced"] is True
