"""Which column of which entity names a record of another one.

Ids are those of a source, so an id alone names nobody. Whose it is follows from one rule: ids that a record of a source
holds are those of the source that its definition names under `references`; without such a line the source's own, where
it has records of the entity at all; else those of every other source. `lakehouse.tables.views` has the rule as the
view `core.id_sources`, and docs/decisions/0024-references.md says why.
"""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse.tables.entities import BY_NAME

_COLUMNS = {
    "contacts": (
        "leads.converted_contact_id", "deals.contact_id", "activities.contact_id", "ownerships.contact_id",
        "tickets.contact_id", "campaign_members.contact_id",
    ),
    "accounts": (
        "contacts.account_id", "accounts.parent_id", "deals.account_id", "activities.account_id",
        "ownerships.account_id", "tickets.account_id", "payments.account_id", "invoices.account_id",
    ),
    "leads": ("campaign_members.lead_id",),
    "memberships": ("attendance.membership_id",),
    "deals": ("deal_stages.deal_id", "activities.deal_id", "orders.deal_id", "invoices.deal_id"),
    "users": (
        "contacts.owner_id", "accounts.owner_id", "leads.owner_id", "deals.owner_id", "deal_stages.user_id",
        "activities.user_id", "users.manager_id", "ownerships.user_id", "tickets.owner_id", "ticket_statuses.user_id",
        "orders.user_id", "invoices.owner_id",
    ),
    "tickets": ("activities.ticket_id", "ticket_statuses.ticket_id"),
    "products": (
        "tickets.product_id", "mentions.product_id", "prices.product_id", "order_items.product_id",
        "returns.product_id", "stock_levels.product_id",
    ),
    "orders": (
        "tickets.order_id", "order_items.order_id", "returns.order_id", "payments.order_id", "invoices.order_id",
        "coupon_redemptions.order_id", "shipments.order_id",
    ),
    "invoices": ("payments.invoice_id",),
    "coupons": ("coupon_redemptions.coupon_id",),
    "campaigns": (
        "leads.campaign_id", "deals.campaign_id", "orders.campaign_id", "coupons.campaign_id", "campaigns.parent_id",
        "campaign_members.campaign_id", "ad_spend.campaign_id",
    ),
    "places": (
        "memberships.store_id", "attendance.place_id", "users.store_id", "mentions.place_id", "prices.place_id",
        "orders.place_id", "shipments.place_id", "stock_levels.place_id", "weather.place_id", "readings.place_id",
    ),
}  # fmt: skip
"""By the entity that is referred to: the columns that name one of its records."""

NO_REFERENCES = {
    "*.customer_id": "names a customer of the whole company, in core.customers, and no record of a source",
    "leads.form_id": "forms are no entity",
    "survey_answers.survey_id": "surveys are no entity: their answers are",
    "survey_answers.subject_id": "`subject_kind` says of which entity it is",
    "returns.line_id": "names a line only together with `order_id`",
}
"""Columns that end in `_id`, are no part of the record's own key, and refer to no entity; with the reason."""


@dataclass(frozen=True)
class Reference:
    """A column of an entity that holds ids of records of another one, `referred`."""

    entity: str
    column: str
    referred: str

    @property
    def referred_column(self) -> str:
        """Return the column of the referred entity that holds the id: the one behind `source` in its key."""
        return BY_NAME[self.referred].key[1]


def _reference(name: str, referred: str) -> Reference:
    entity, _, column = name.partition(".")
    return Reference(entity, column, referred)


REFERENCES = tuple(_reference(name, referred) for referred, names in _COLUMNS.items() for name in names)
REFERRED = tuple(_COLUMNS)
"""The entities that others refer to."""
