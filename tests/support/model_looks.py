"""Looks at models between which their inputs change: after each, the rows must be those that all inputs give."""

from __future__ import annotations

import uuid
import warnings
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import strategies as st

from lakehouse.engine import duck
from lakehouse.models import registry, runner
from lakehouse.models.inputs import InputViews
from lakehouse.models.lake_tables import LakeTables
from lakehouse.models.policy import IncrementalPolicy
from lakehouse.sources import definition
from lakehouse.stages import analyst_sql
from lakehouse.tables import appending
from lakehouse.tables import catalog as catalogs
from tests.support.model_cases import fill
from tests.support.small_company import SmallCompany, forget

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MODELS = (
    "core.activity_days", "core.first_orders", "core.user_agents", "marts.sessions", "core.responses",
    "marts.customer_360", "marts.daily_activity", "marts.rfm", "core.order_visits", "core.channel_steps",
    "core.channel_effects", "core.order_credits", "marts.hour_of_week_activity", "core.contact_shares",
    "marts.best_contact_time",
)  # fmt: skip
_TOLD = "marts.customer_360"
WHO = ("ann", "bob", "cleo", "dan")
DAY = datetime(2026, 1, 1, tzinfo=UTC)
USERS, DEVICES = ("u1", "u2", "u3"), ("d1", "d2", "d3", None)
AGENTS = (None, None, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) Mobile/1", "Googlebot/2.1")

people = st.sampled_from(WHO)
orders = st.builds(
    lambda number, who, day, value: {
        "source": "shop", "order_id": number, "customer_id": who, "ordered_on": (DAY + timedelta(days=day)).date(),
        "ordered_at": DAY + timedelta(days=day, hours=9),
        "counts_as": "sold", "is_order": True, "value": value, "gross": value, "discounts": Decimal(0),
        "refunds": Decimal(0), "unvalued": False,
    },
    st.sampled_from(["O1", "O2", "O3", "O4"]), st.one_of(people, st.none()), st.integers(0, 40),
    st.sampled_from([Decimal(5), Decimal(7)]),
)  # fmt: skip
deals = st.builds(
    lambda number, who, amount: {
        "source": "crm", "deal_id": number, "customer_id": who, "amount": amount, "created_at": DAY,
        "valid_from": DAY, "is_closed": False,
    },
    st.sampled_from(["D1", "D2"]), people, st.sampled_from([Decimal(100), None]),
)  # fmt: skip
consents = st.builds(
    lambda who, allowed: {
        "customer_id": who, "address": f"{who}@x.cn", "purpose": "marketing", "channel": "email", "allowed": allowed,
    },
    people, st.booleans(),
)  # fmt: skip
events = st.builds(
    lambda user, device, steps, event, click, agent: {
        "message_id": uuid.uuid4().hex, "type": "track", "event": event, "user_id": user,
        "anonymous_id": device, "user_agent": agent,
        "context": None if click is None else f'{{"page": {{"url": "https://x.org/?gclid={click}"}}}}',
        "timestamp": DAY + timedelta(minutes=20 * steps), "_loaded_at": DAY,
    },
    st.sampled_from([*USERS, None]), st.sampled_from(DEVICES), st.one_of(st.integers(0, 5), st.integers(0, 400)),
    st.sampled_from(["Product Viewed", "Product Viewed", "Email Opened"]), st.sampled_from([None, None, 1, 2]),
    st.sampled_from(AGENTS),
)  # fmt: skip
ties = st.dictionaries(
    st.sampled_from(
        [("user_id", user) for user in USERS] + [("anonymous_id", each) for each in DEVICES if each]
    ),
    people,
)


class Step(NamedTuple):
    """What changes between two looks; None where a table stays as it is."""

    customers: frozenset[str] | None
    orders: dict[str, dict[str, Any]] | None
    deals: dict[str, dict[str, Any]] | None
    consents: dict[str, dict[str, Any]] | None
    ties: dict[tuple[str, str], str] | None
    events: list[dict[str, Any]]
    day: int
    zone: str
    currency: str
    delete: bool


def by(rows, name: str):
    """Rows of different keys."""
    return st.one_of(
        st.none(), st.lists(rows, max_size=4).map(lambda listed: {row[name]: row for row in listed})
    )


steps = st.builds(
    Step,
    st.one_of(st.none(), st.frozensets(people, min_size=1)),
    by(orders, "order_id"),
    by(deals, "deal_id"),
    by(consents, "customer_id"),
    st.one_of(st.none(), ties),
    st.lists(events, max_size=4),
    st.sampled_from([20, 20, 20, 20, 21]),
    st.sampled_from(["UTC", "UTC", "UTC", "Asia/Shanghai"]),
    st.sampled_from(["USD", "USD", "USD", "EUR"]),
    st.sampled_from([False] * 9 + [True]),
)


class Company(SmallCompany):
    """A lake whose inputs of models are written as they come, without their sources."""

    currency = ""

    def take(self, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LAKEHOUSE_AS_OF", (date(2026, 1, step.day)).isoformat())
        monkeypatch.setenv("LAKEHOUSE_TIME_ZONE", step.zone)
        forget()
        if step.customers is not None:
            self.fill(
                "core.customers", *({"customer_id": who, "contacts": 1} for who in sorted(step.customers))
            )
        for name, rows in (
            ("core.order_values", step.orders), ("core.deals", step.deals), ("core.consent_answers", step.consents),
        ):  # fmt: skip
            if rows is not None:
                self.fill(name, *rows.values())
        if step.ties is not None:
            self.fill(
                "core.identities",
                *(
                    {"identifier_type": kind, "identifier_value": value, "customer_id": who}
                    for (kind, value), who in step.ties.items()
                ),
            )
        if step.currency != self.currency:
            self.currency = step.currency
            self.fill("core.home_currency", {"currency": step.currency, "orders": 1, "deals": 0})
        if step.events:
            self.append_events(step.events)
        if step.delete:
            self.delete_events()

    def append_events(self, rows: list[dict[str, Any]]) -> None:
        table = catalogs.ensure(
            catalogs.open_catalog(self.settings), definition.load()["web", "events"].contract
        )
        with closing(duck.connect(self.settings, iceberg=False)) as con:
            con.execute("CREATE SCHEMA raw")
            fill(con, "raw.events", rows)
            appending.append_query(con, table, "SELECT * FROM raw.events", f"test-{uuid.uuid4()}")

    def delete_events(self) -> None:
        """As an erasure does: rows go, and the table did not only grow."""
        table = catalogs.load(catalogs.open_catalog(self.settings), "raw.events")
        if table is not None and table.current_snapshot() is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns where there is nothing to delete
                table.delete("user_id = 'u1'")

    def differing(self, names: Iterable[str]) -> list[str]:
        """Those of the tables whose rows are others than all inputs give; what may be added up, added up.

        Two connections serve all of them: to open one takes longer than most of the queries.
        """
        catalog, models = catalogs.open_catalog(self.settings), registry.load()
        tables = [table for table in names if catalogs.load(catalog, table) is not None]
        lake = LakeTables(self.settings, [models.by_table[table] for table in tables])
        with (
            closing(analyst_sql.connect(self.settings, tables)) as kept,
            closing(duck.connect(self.settings)) as con,
        ):
            shown = InputViews(con, lake.sources, models.contracts, lake.as_of, lake.time_zone)
            differing = []
            for table in tables:
                model = models.by_table[table]
                shown.show(model, lake.by_name, lake.catalog)
                cells = ", ".join(
                    f"CAST({each.name} AS {each.duck_type}) AS {each.name}" for each in model.contract.columns
                )
                computed = con.execute(_added_up(f"(SELECT {cells} FROM ({model.sql}\n))", table)).fetchall()
                if Counter(kept.execute(_added_up(table, table)).fetchall()) != Counter(computed):
                    differing.append(table)
        return differing


def _added_up(rows: str, table: str) -> str:
    if table != "core.activity_days":
        return f"SELECT * FROM {rows}"
    return f"SELECT day, user_id, anonymous_id, sum(events), max(last_event_at) FROM {rows} GROUP BY ALL"


@pytest.fixture
def looks(lake, tmp_path_factory, monkeypatch):
    """Return what plays steps on a fresh lake, compares after each, and returns how the customers were computed."""

    def play(listed: list[Step]) -> list[str]:
        folder: Path = tmp_path_factory.mktemp("lake")
        monkeypatch.setenv("LAKEHOUSE_CATALOG_URI", f"sqlite:///{folder}/catalog.sqlite")
        monkeypatch.setenv("LAKEHOUSE_WAREHOUSE", f"file://{folder}/warehouse")
        forget()
        company = Company({})
        said: list[str] = []
        for step in listed:
            company.take(step, monkeypatch)
            with monkeypatch.context() as hearing:
                hearing.setattr(
                    runner.telemetry, "info",
                    lambda _, **fields: said.append(fields["reason"]) if fields.get("model") == _TOLD else None,
                )  # fmt: skip
                outcome = runner.run(company.settings, only=MODELS)
            assert outcome.wrong == []
            assert company.differing(MODELS) == []
            assert runner.pending(company.settings, only=MODELS) == []
        return said

    monkeypatch.setattr(IncrementalPolicy, "least_rows", 0)
    monkeypatch.setattr(IncrementalPolicy, "largest_share", 1.0)
    monkeypatch.setattr(IncrementalPolicy, "largest_looking", 10.0**9)
    monkeypatch.setattr(IncrementalPolicy, "largest_cost", 10.0**9)
    monkeypatch.setattr(IncrementalPolicy, "files_of_grain", 0)
    monkeypatch.setattr(IncrementalPolicy, "rows_of_file", 1)
    return play
