"""Rights that no function was seen to use, and why it has them all the same. What is not listed here is a mistake.

Each is written as `<function>: <action> on <part>`, with `*` for anything; see `tests.cloud.rights.Grant`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why grants that fit one of the patterns go unused; `sometimes` where another run may well use them."""

    why: str
    patterns: tuple[str, ...]
    sometimes: bool = False


_COMMITTING = ("ingest", "resolve", "aggregate", "trigger", "export-segments", "books")
_CONSUMING = {
    "gather": "collect",
    "ingest": "ingest",
    "resolve": "resolve",
    "aggregate": "aggregate",
    "export-segments": "export",
    "publish": "publish",
    "books": "books.fifo",
}

REASONS = (
    Reason(
        "Lambda polls a function's queue with the rights of its role; the emulator polls with nobody's",
        tuple(
            f"cloud-{function}: sqs:{action} on sqs:cloud-{queue}"
            for function, queue in _CONSUMING.items()
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        ),
    ),
    Reason(
        "a message whose work failed for a while is made visible again in minutes",
        tuple(
            f"cloud-{function}: sqs:ChangeMessageVisibility on sqs:cloud-{queue}"
            for function, queue in _CONSUMING.items()
        ),
        sometimes=True,
    ),
    Reason(
        "Lambda sends a scheduled call that failed to a dead-letter queue with the rights of the function's role",
        ("*: sqs:SendMessage on sqs:cloud-*-dlq",),
        sometimes=True,
    ),
    Reason("an upload of several parts that breaks off is taken back", ("*: s3:AbortMultipartUpload on *",)),
    Reason(
        "whoever loses a race deletes what it wrote, and a commit deletes the metadata file that it pushes out of the "
        "table's log, which is a hundred files long",
        tuple(f"cloud-{function}: s3:DeleteObject on s3:cloud-lake/*" for function in _COMMITTING),
        sometimes=True,
    ),
    Reason(
        "a stage puts itself off while others before it are busy",
        tuple(
            f"cloud-{function}: sqs:SendMessage on sqs:cloud-{_CONSUMING[function]}"
            for function in ("resolve", "aggregate", "export-segments")
        ),
        sometimes=True,
    ),
    Reason(
        "files that nothing refers to, snapshots and raw files are deleted when they are days old",
        (
            "cloud-maintain: s3:DeleteObject on s3:cloud-lake/*",
            "cloud-maintain: s3:DeleteObjectVersion on s3:cloud-landing/*",
        ),
    ),
    Reason(
        "a rule of a company may read what sources map, which asks the ledger when a file was loaded",
        (
            "cloud-trigger: glue:GetTable on glue:database/ops",
            "cloud-trigger: glue:GetTable on glue:table/ops/ingest_ledger",
            "cloud-trigger: s3:GetObject on s3:cloud-lake/ops.db/ingest_ledger/*",
        ),
    ),
    Reason(
        "no sync of the deployment contacts people: those that do ask who else did, who refused, and the ledger",
        (
            "cloud-export-segments: glue:GetTable on glue:table/ops/deliveries",
            "cloud-export-segments: s3:GetObject on s3:cloud-lake/ops.db/deliveries/*",
            "cloud-publish: s3:GetObject on s3:cloud-ops/contacts/*",
            "cloud-publish: s3:PutObject on s3:cloud-ops/contacts/*",
        ),
    ),
    Reason(
        "no segment of the deployment counts events, or is computed when a trigger has news",
        (
            "cloud-export-segments: s3:GetObject on s3:cloud-lake/raw.db/events/*",
            "cloud-tick: s3:GetObject on s3:cloud-lake/marts.db/triggers/*",
        ),
    ),
    Reason(
        "a collected request whose message was lost is read when it is minutes old",
        ("cloud-gather: s3:GetObject on s3:cloud-ops/collected/*",),
    ),
    Reason(
        "a table that is replaced as a whole has files to merge only when it is large, and snapshots to expire only "
        "when they are old",
        tuple(
            f"cloud-maintain: {action} on {resource}"
            for namespace in ("core", "marts")
            for action, resource in (
                ("glue:GetDatabase", f"glue:database/{namespace}"),
                ("glue:UpdateTable", f"glue:database/{namespace}"),
                ("glue:UpdateTable", f"glue:table/{namespace}/[*]"),
                ("s3:GetObject", f"s3:cloud-lake/{namespace}.db/*/data/*"),
                ("s3:PutObject", f"s3:cloud-lake/{namespace}.db/*"),
            )
        ),
    ),
    Reason(
        "destinations other than HubSpot are a company's own, and the scenario has none",
        (
            "cloud-publish: secretsmanager:GetSecretValue on secretsmanager:secret:lakehouse/destinations*",
            "cloud-publish: s3:PutObject on s3:cloud-ops/exports/drops/*",
        ),
    ),
)
