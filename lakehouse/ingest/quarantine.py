"""Bad rows and bad files as objects under `quarantine/`, written before the commit that counts them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lakehouse import aws
from lakehouse.landing.files import RawFile

PREFIX = "quarantine/"


@dataclass(frozen=True)
class BadRow:
    """One thing that could not be loaded; `row` is None when it is the whole file."""

    row: int | None
    code: str
    reason: str
    original: str | None = None


def write(bucket: str, file: RawFile, rows: Iterable[BadRow], at: str) -> None:
    """Write the bad rows of one file as NDJSON; writing the same file again gives the same object."""
    source, entity = file.place
    head = {
        "file_id": file.file_id,
        "bucket": file.bucket,
        "key": file.key,
        "version": file.version,
        "source": source,
        "entity": entity,
    }
    lines = (
        json.dumps(
            head
            | {"row": row.row, "code": row.code, "reason": row.reason, "original": row.original}
            | {"quarantined_at": at},
            ensure_ascii=False,
        )
        for row in rows
    )
    body = "\n".join(lines) + "\n"
    aws.s3().put_object(
        Bucket=bucket,
        Key=f"{PREFIX}{file.file_id}.json",
        Body=body.encode("utf-8", "replace"),
        ContentType="application/x-ndjson",
    )


def keys(bucket: str) -> Iterator[str]:
    """Yield the keys of all quarantine objects."""
    for page in aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX):
        yield from (entry["Key"] for entry in page.get("Contents", []))
