"""Objects that are written once: the conditional write that claims, plans and outcomes rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.aws_policy import PUT_ONCE
from lakehouse.errors import Transient
from lakehouse.retrying import retry_on_conflict

if TYPE_CHECKING:
    from collections.abc import Iterator

_GONE = frozenset({"NoSuchKey", "404", "NotFound"})
_TAKEN = frozenset({"PreconditionFailed", "412"})
_RACING = frozenset({"ConditionalRequestConflict", "OperationAborted", "409"})


def get(bucket: str, key: str) -> bytes | None:
    """Return an object's bytes, or None when there is no such object."""
    try:
        return aws.s3().get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if _code(error) in _GONE:
            return None
        raise


def put(bucket: str, key: str, body: bytes, content_type: str = "application/json") -> None:
    """Write an object, whatever stood there."""
    aws.s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)


class _Undecided(Exception):  # noqa: N818 - not an error yet
    """Another conditional write of the same key is under way, or what was written first has been deleted."""


def put_once(bucket: str, key: str, body: bytes, content_type: str = "application/json") -> bytes:
    """Write an object unless there is one, and return what stands there: `body`, or what came first.

    An SDK whose answer was lost writes again and is refused by its own first write. So a refusal alone
    does not say who won; callers put something of their own into `body` and compare.
    """
    try:
        return retry_on_conflict(
            lambda: _put_or_get(bucket, key, body, content_type), PUT_ONCE, conflicts=(_Undecided,)
        )
    except _Undecided:
        raise Transient(
            f"s3://{bucket}/{key} could not be written: others write and delete it; try again"
        ) from None


def _put_or_get(bucket: str, key: str, body: bytes, content_type: str) -> bytes:
    try:
        aws.s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*")
    except ClientError as error:
        if _code(error) in _RACING:
            raise _Undecided from error
        if _code(error) not in _TAKEN:
            raise
    else:
        return body
    standing = get(bucket, key)
    if standing is None:
        raise _Undecided
    return standing


def list_folders(bucket: str, prefix: str, after: str = "") -> Iterator[str]:
    """Yield the names right under `prefix` that hold objects, in order, those after the name `after` only."""
    start = f"{prefix}{after}/~" if after else ""
    pages = (
        aws.s3()
        .get_paginator("list_objects_v2")
        .paginate(Bucket=bucket, Prefix=prefix, Delimiter="/", StartAfter=start)
    )
    for page in pages:
        for folder in page.get("CommonPrefixes", []):
            name = folder["Prefix"][len(prefix) :].rstrip("/")
            if name > after:
                yield name


def list_keys(bucket: str, prefix: str) -> Iterator[str]:
    """Yield the keys under `prefix`, without it, in order."""
    for page in aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            yield item["Key"][len(prefix) :]


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
