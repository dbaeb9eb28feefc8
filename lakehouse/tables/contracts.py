"""The contracts of the tables that the system itself fills. Those of `raw.*` are defined by `sources/*.yaml`.

Of `core`, those that records are mapped to are in `lakehouse.tables.entities`.
"""

from __future__ import annotations

from lakehouse.tables import entities
from lakehouse.tables.contract import Contract, columns
from lakehouse.tables.people import (
    CONSENT_ANSWERS,
    CONSENTS,
    CUSTOMERS,
    EVIDENCE,
    IDENTITIES,
    MATCH_KEYS,
    MATCHES,
    OBSERVATIONS,
)

LEDGER = Contract(
    name="ops.ingest_ledger",
    doc="What became of each raw file; copied by `books` from the commits that carry it.",
    grain="one row a generation of a raw file version: its first load, and each replay of what that left bad",
    key=("file_id", "replay"),
    columns=columns(
        ("file_id", "string", "sha-256 of bucket, key and version id (or etag)"),
        ("bucket", "string", "Landing bucket"),
        ("key", "string", "Object key"),
        ("version", "string", "Version id, or the etag where the bucket keeps no versions"),
        ("bytes", "long", "Size of the object in bytes"),
        ("table_name", "string", "Table the rows went to; null where the source is unknown"),
        ("received", "long", "Rows in the file"),
        ("loaded", "long", "Rows committed to the table"),
        ("duplicates", "long", "Rows that the table already had"),
        ("quarantined", "long", "Rows set aside with a reason"),
        ("snapshot_id", "long", "Iceberg snapshot that holds the rows; null where there is no table"),
        ("started_at", "timestamptz", "When the batch began"),
        ("committed_at", "timestamptz", "When the batch was committed"),
        ("replay", "long", "Generation: 0 (in old rows null) the first load, n the n-th replay"),
        ("set_aside", "string", "Digest of what this generation left in quarantine"),
        (
            "parts",
            "long",
            "Of the rows set aside, members of a zip and sheets that were not read; null in old rows",
        ),
        ("no_records", "long", "Of the rows set aside, lines that are no records; null in old rows"),
        (
            "absent",
            "string",
            "Columns of identifiers that the file's header lacks, with commas between; null in old rows",
        ),
    ),
)

QUARANTINE = Contract(
    name="ops.quarantine",
    doc="Rows and files that could not be loaded, with the reason and the original text.",
    grain="one row a bad row of a generation, or a bad file (row is null)",
    key=("file_id", "replay", "row"),
    columns=columns(
        ("file_id", "string", "File the row came from"),
        ("bucket", "string", "Landing bucket"),
        ("key", "string", "Object key"),
        ("version", "string", "Version id or etag"),
        ("source", "string", "Source named by the key"),
        ("entity", "string", "Entity named by the key"),
        (
            "row",
            "long",
            "Data row counted from 1 (see `_row` of raw tables); null when the whole file is bad",
        ),
        ("code", "string", "What is wrong, for machines"),
        ("reason", "string", "What is wrong and where, for people"),
        ("original", "string", "The row as it was received", "pii"),
        ("quarantined_at", "timestamptz", "When"),
        (
            "replay",
            "long",
            "Generation that left it here: 0 (in old rows null) the first load, n the n-th replay",
        ),
        ("object", "string", "Key of the object that this is a copy of; null in old rows"),
    ),
)

SEGMENT_MEMBERS = Contract(
    name="ops.segment_members",
    doc="Who is in which segment now.",
    grain="one row a segment and customer",
    key=("segment", "customer_id"),
    columns=columns(
        ("segment", "string", "Name of the segment"),
        ("customer_id", "string", "Customer"),
        ("as_of", "date", "Day the definition looked back from"),
        ("entered_on", "date", "Day of `as_of` on which the customer was first seen in it without a break"),
    ),
)

SEGMENT_CHANGES = Contract(
    name="ops.segment_changes",
    doc="Who entered and who left a segment.",
    grain="one row a change",
    key=("run", "segment", "customer_id"),
    columns=columns(
        ("run", "string", "Run that found the change"),
        ("segment", "string", "Name of the segment"),
        ("customer_id", "string", "Customer"),
        ("change", "string", "entered or left"),
        ("as_of", "date", "Day the definition looked back from"),
        ("found_at", "timestamptz", "When"),
    ),
)

DELIVERIES = Contract(
    name="ops.deliveries",
    doc="What was sent to a CRM, what was not, and why; copied by `books` from the outbound log.",
    grain="one row a customer, chunk and action of a run",
    key=("sync", "run", "chunk", "customer_id", "action"),
    columns=columns(
        ("sync", "string", "Sync"),
        ("run", "string", "Run of the sync"),
        ("chunk", "string", "Chunk of the run"),
        ("customer_id", "string", "Customer"),
        ("action", "string", "upsert or remove"),
        ("outcome", "string", "sent, removed, failed, unknown or withheld"),
        ("reason", "string", "Why it failed or was withheld"),
        ("consent_id", "string", "Consent row that allowed it"),
        ("crm_id", "string", "The CRM's id of the record"),
        ("outcome_at", "timestamptz", "When the outcome was written"),
    ),
)

AUDIT_LOG = Contract(
    name="ops.audit_log",
    doc="Decisions that change who is who, who may see what, or what is left in quarantine; copied by `books`.",
    grain="one row a decision",
    key=("audit_id",),
    columns=columns(
        ("audit_id", "string", "Object and position the row was copied from"),
        ("decided_at", "timestamptz", "When"),
        ("action", "string", "merge, split, quarantine_dismissed, …"),
        ("subject", "string", "Id of the customer or raw file it is about"),
        ("detail", "string", "JSON with the rest; no personal data"),
    ),
)

HOME_CURRENCY = Contract(
    name="core.home_currency",
    doc="The company's currency: that of most orders, else of most deals. All sums are in it.",
    grain="one row in all, once an order or deal names a currency",
    key=("currency",),
    columns=columns(
        ("currency", "string", "ISO 4217"),
        ("orders", "long", "Orders that name it"),
        ("deals", "long", "Deals that name it, as they stand now"),
    ),
)

HOME_RATES = Contract(
    name="core.home_rates",
    doc="What one unit of a currency was worth in the home currency.",
    grain="one row a foreign currency and day that has a rate",
    key=("currency", "day"),
    sort=("currency", "day"),
    columns=columns(
        ("currency", "string", "ISO 4217 of what is priced"),
        ("day", "date", "Day; the rate counts until the next one"),
        ("rate", "double", "Units of the home currency for one of `currency`"),
    ),
)

SALES = Contract(
    name="core.sales",
    doc="Orders with their day, their rate and what they were sold for; a step on the way to `core.order_values`.",
    grain="one row an order",
    key=("source", "order_id"),
    sort=("ordered_at", "order_id"),
    columns=columns(
        ("source", "string", "Shop"),
        ("order_id", "string", "Order number in its source"),
        ("customer_id", "string", "Customer; null while unresolved"),
        ("ordered_at", "timestamptz", "Time of the order, UTC"),
        ("ordered_on", "date", "Day of the order in the zone of the business"),
        ("counts_as", "string", "As in `core.orders`"),
        ("is_order", "boolean", "It counts as an order: sold, or refunded since"),
        ("amount", "decimal(18,2)", "Value in `currency`, as in `core.orders`"),
        ("said_refunded", "decimal(18,2)", "What the shop says was given back of it, in `currency`"),
        ("currency", "string", "ISO 4217; null where the shop names none"),
        ("home_currency", "string", "ISO 4217 of `sale` and `discounts`"),
        ("rate", "double", "Units of the home currency for one of `currency`; null where none is known"),
        (
            "sale",
            "decimal(18,2)",
            "`amount` in the home currency; null where it counts nowhere or has no rate",
        ),
        ("discounts", "decimal(18,2)", "Taken off before that, in the home currency"),
        ("unvalued", "boolean", "It counts, has an amount, and no rate or no plausible value"),
    ),
)

REFUNDS = Contract(
    name="core.refunds",
    doc="What was given back of orders, each on its own day: refunds, returns, orders below zero.",
    grain="one row a refund, a return, what an order says beyond them, or an order below zero",
    key=("source", "kind", "refund_id"),
    sort=("refunded_at", "refund_id"),
    columns=columns(
        ("source", "string", "Shop"),
        ("kind", "string", "payment, return, order (what it says itself, beyond both) or negative order"),
        ("refund_id", "string", "Id of the payment, return or order in its source"),
        ("order_id", "string", "Order that it takes back; null where none is known"),
        ("customer_id", "string", "Customer; null while unresolved"),
        ("refunded_at", "timestamptz", "When, UTC; not before its order, and with it where no time is known"),
        ("refunded_on", "date", "Day of it in the zone of the business"),
        ("amount", "decimal(18,2)", "What it says, in `currency`"),
        ("currency", "string", "ISO 4217"),
        ("value", "decimal(18,2)", "What of it counts, in the home currency; 0 where nothing does"),
        ("takes_all", "boolean", "With it nothing is left of the order"),
        (
            "reason",
            "string",
            "Why it counts for nothing, or for less than it says, as `more than the order`; else null",
        ),
    ),
)

ORDER_VALUES = Contract(
    name="core.order_values",
    doc="What each order is worth in the home currency, after what was given back; every mart takes it from here.",
    grain="one row an order",
    key=("source", "order_id"),
    sort=("ordered_at", "order_id"),
    columns=columns(
        ("source", "string", "Shop"),
        ("order_id", "string", "Order number in its source"),
        ("customer_id", "string", "Customer; null while unresolved"),
        ("ordered_at", "timestamptz", "Time of the order, UTC"),
        ("amount", "decimal(18,2)", "Value in `currency`, as in `core.orders`"),
        (
            "currency",
            "string",
            "ISO 4217; null where the shop names none: then `amount` is in the home currency",
        ),
        ("home_currency", "string", "ISO 4217 of `value`"),
        (
            "value",
            "decimal(18,2)",
            "Net: gross less discounts less refunds; null where it counts nowhere or has no amount or rate",
        ),
        (
            "unvalued",
            "boolean",
            "It counts, has an amount, and no rate or no plausible value: it is in no sum",
        ),
        ("ordered_on", "date", "Day of the order in the zone of the business"),
        (
            "counts_as",
            "string",
            "sold, refunded, return, pending, cancelled, test or unclear: see `core.orders`",
        ),
        ("is_order", "boolean", "It counts as an order: sold, or refunded since"),
        ("gross", "decimal(18,2)", "Before discounts and refunds, tax and shipping included"),
        ("discounts", "decimal(18,2)", "Taken off before it was paid"),
        ("refunds", "decimal(18,2)", "Given back since: the sum of its rows in `core.refunds`"),
        ("taken_back_on", "date", "Day from which nothing is left of it; null as long as something is"),
    ),
)

CUSTOMER_360 = Contract(
    name="marts.customer_360",
    doc="What a customer is like, as of a day; carries no personal data.",
    grain="one row a customer",
    key=("customer_id",),
    sort=("customer_id",),
    columns=columns(
        ("customer_id", "string", "Customer"),
        ("as_of", "date", "Day the row looks back from; later facts are left out"),
        ("orders", "long", "Orders of which something is left"),
        ("purchase_days", "long", "Distinct days with such an order, in the zone of the business"),
        ("revenue", "decimal(18,2)", "Gross less discounts less refunds, in `currency`"),
        ("average_order", "decimal(18,2)", "Revenue over the orders in it"),
        ("first_order_on", "date", "Day of the first order"),
        ("last_order_on", "date", "Day of the last order"),
        ("recency_days", "int", "Days from the last order to `as_of`"),
        ("mean_gap_days", "double", "Mean days between purchase days; null below two"),
        ("orders_90d", "long", "Orders in the last 90 days"),
        ("revenue_90d", "decimal(18,2)", "Revenue of the last 90 days: their sales less their refunds"),
        ("events", "long", "Tracked messages"),
        ("active_days", "long", "Distinct days with a tracked message"),
        ("devices", "long", "Anonymous ids tied to the customer"),
        ("last_event_at", "timestamptz", "Last tracked message"),
        ("contacts", "long", "CRM contact records"),
        ("open_deals", "long", "Deals not closed"),
        ("open_deal_amount", "decimal(18,2)", "Their value in `currency`, as far as a rate is known"),
        (
            "email_marketing",
            "boolean",
            "May be e-mailed for marketing at some address; null where nothing was said",
        ),
        ("currency", "string", "ISO 4217 of all sums: that of most orders"),
        ("unvalued_orders", "long", "Orders in another currency without a rate; they are in no sum"),
        ("gross", "decimal(18,2)", "Sum of orders before discounts and refunds, in `currency`"),
        ("discounts", "decimal(18,2)", "Sum of discounts in `currency`"),
        ("refunds", "decimal(18,2)", "Sum of what was given back by `as_of`, in `currency`"),
        (
            "unclear_orders",
            "long",
            "Orders of a status that nobody knows, or without a time; they are in no sum",
        ),
    ),
)

RFM = Contract(
    name="marts.rfm",
    doc="Recency, frequency and monetary value in fifths (5 is best), with a name for the cell.",
    grain="one row a customer with an order",
    key=("customer_id",),
    sort=("customer_id",),
    columns=columns(
        ("customer_id", "string", "Customer"),
        ("as_of", "date", "Day the row looks back from"),
        ("recency_days", "int", "Days since the last order"),
        ("frequency", "long", "Distinct days with an order"),
        ("monetary", "decimal(18,2)", "Revenue"),
        ("r", "int", "Fifth by recency, 5 = most recent"),
        ("f", "int", "Fifth by frequency, 5 = most often"),
        ("m", "int", "Fifth by revenue, 5 = most"),
        ("rfm", "string", "The three digits together"),
        ("segment", "string", "champions, loyal, at_risk, …"),
    ),
)

DAILY_ACTIVITY = Contract(
    name="marts.daily_activity",
    doc="What happened each day on the site and in the shop.",
    grain="one row a day",
    key=("day",),
    sort=("day",),
    columns=columns(
        ("day", "date", "Day in the zone of the business"),
        ("events", "long", "Tracked messages"),
        ("visitors", "long", "Distinct customers or anonymous ids seen"),
        ("orders", "long", "Orders of which something is left"),
        ("buyers", "long", "Distinct customers with such an order"),
        ("new_buyers", "long", "Customers whose first order it was"),
        ("revenue", "decimal(18,2)", "Gross less discounts less refunds of the day, in `currency`"),
        ("currency", "string", "ISO 4217 of the sum: that of most orders"),
        ("unvalued_orders", "long", "Orders in another currency without a rate; they are in no sum"),
        ("gross", "decimal(18,2)", "Sum of orders before discounts and refunds, in `currency`"),
        ("discounts", "decimal(18,2)", "Sum of discounts in `currency`"),
        ("refunds", "decimal(18,2)", "Sum of what was given back that day, in `currency`"),
        (
            "unclear_orders",
            "long",
            "Orders of a status that nobody knows, or without a time; they are in no sum",
        ),
    ),
)

OPS = (LEDGER, QUARANTINE, SEGMENT_MEMBERS, SEGMENT_CHANGES, DELIVERIES, AUDIT_LOG)
CORE = (
    IDENTITIES,
    OBSERVATIONS,
    EVIDENCE,
    MATCHES,
    MATCH_KEYS,
    CONSENTS,
    CONSENT_ANSWERS,
    CUSTOMERS,
    HOME_CURRENCY,
    HOME_RATES,
    SALES,
    REFUNDS,
    ORDER_VALUES,
    *entities.ALL,
)
MARTS = (CUSTOMER_360, RFM, DAILY_ACTIVITY)
ALL = (*OPS, *CORE, *MARTS)
BY_NAME = {contract.name: contract for contract in ALL}
