"""The contracts of the tables that the code itself knows. Those of `raw.*` are defined by `sources/*.yaml`.

Of `core`, those that records are mapped to are in `lakehouse.tables.entities`. A table that only models know has its
contract in the file of its model, `lakehouse/models/sql`; of two of these the code knows the names.
"""

from __future__ import annotations

from lakehouse.tables import entities, score_tables
from lakehouse.tables.contract import Contract, bilingual, columns
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
        ("control", "boolean", "True of the control group, whom no sync writes to for this segment"),
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
        ("control", "boolean", "True of the control group, whom no sync writes to for this segment"),
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
        (
            "outcome",
            "string",
            "sent, removed, failed, unknown, withheld or no_longer_withheld",
        ),
        ("reason", "string", "Why it failed or was withheld"),
        ("consent_id", "string", "Consent row that allowed it"),
        ("crm_id", "string", "The CRM's id of the record; of several that were cleared, separated by commas"),
        ("outcome_at", "timestamptz", "When the outcome was written"),
        (
            "withheld_by",
            "string",
            "Row that withholds: a statement, a segment, another contact, or the time zone whose night it is",
        ),
        ("withheld_until", "timestamptz", "Until when, where that is known"),
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

TRIGGERS = Contract(
    name="marts.triggers",
    doc="Whom to do something for, why and until when: each reason once, by the rules of `triggers/*.yaml`.",
    zh="触发器：该为哪位客户做什么、原因与有效期，每个原因一行",
    grain="one row a trigger, customer and cause; none ever goes",
    key=("trigger", "customer_id", "cause"),
    sort=("trigger", "customer_id"),
    columns=bilingual(
        ("trigger", "string", "Name of the rule", "规则名"),
        ("customer_id", "string", "Customer", "客户编号"),
        (
            "cause",
            "string",
            "What it is about: day of the cart, product, order, …",
            "起因：购物车日期、商品、订单等",
        ),
        ("about", "string", "The same for people, where the rule says it", "说明（供人阅读）"),
        (
            "due_at",
            "timestamptz",
            "From when the reason counted, as it was when the row was made",
            "起因生效时间",
        ),
        ("fired_at", "timestamptz", "When the row was made", "触发时间"),
        ("expires_at", "timestamptz", "Until when it is of use", "有效期至"),
        (
            "cancelled_at",
            "timestamptz",
            "Since when the reason is gone; null while there is one: act on these alone",
            "起因消失时间；为空表示仍成立，仅对此类行动",
        ),
        ("rule_version", "string", "Changes when the rule does", "规则版本"),
        ("inputs", "string", "JSON: the snapshots that the rule was asked of", "计算依据的各表快照（JSON）"),
        (
            "reason_id",
            "string",
            "Identifies the reason: the same when its customer is merged into another; null in rows of before 2026-12",
            "起因标识：客户合并后不变；2026 年 12 月以前的行为空",
        ),
    ),
)

CUSTOMER_360 = "marts.customer_360"
RFM = "marts.rfm"

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
    *entities.ALL,
)
MARTS = (*score_tables.ALL, TRIGGERS)
ALL = (*OPS, *CORE, *MARTS)
BY_NAME = {contract.name: contract for contract in ALL}
