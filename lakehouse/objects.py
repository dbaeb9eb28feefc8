"""Objects that are written once: the conditional write that claims, plans and outcomes rest on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.aws_policy import PUT_ONCE
from lakehouse.errors import Terminal, Transient
from lakehouse.retrying import retry_on_conflict

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

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


class DamagedObjectError(Terminal):
    """An object is not what its writer wrote: cut off, empty, overwritten. The message names its key, and what now."""


def get_json(bucket: str, key: str, parse: Callable[[Any], T], advice: str) -> T | None:
    """Return what `parse` makes of an object of JSON, or None when there is no such object; else as `parse_json`."""
    body = get(bucket, key)
    return None if body is None else parse_json(bucket, key, body, parse, advice)


def parse_json(bucket: str, key: str, body: bytes, parse: Callable[[Any], T], advice: str) -> T:
    """Return what `parse` makes of the JSON in an object's bytes.

    Raises `DamagedObjectError`, which says `advice`, when that is no JSON or not what `parse` expects.
    """
    try:
        return parse(json.loads(body))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedObjectError(
            f"s3://{bucket}/{key} is damaged ({len(body)} bytes, {type(error).__name__}): {advice}"
        ) from None


def put(bucket: str, key: str, body: bytes, content_type: str = "application/json") -> None:
    """Write an object, whatever stood there."""
    aws.s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)


def put_unless_there(bucket: str, key: str, body: bytes, content_type: str = "application/json") -> None:
    """Write an object unless there is one, for callers whom it is all the same who wrote it; nothing is read."""
    try:
        retry_on_conflict(
            lambda: _put_if_absent(bucket, key, body, content_type), PUT_ONCE, conflicts=(_Undecided,)
        )
    except _Undecided:
        raise _others_write(bucket, key) from None


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
        raise _others_write(bucket, key) from None


def _put_or_get(bucket: str, key: str, body: bytes, content_type: str) -> bytes:
    if _put_if_absent(bucket, key, body, content_type):
        return body
    standing = get(bucket, key)
    if standing is None:
        raise _Undecided
    return standing


def _put_if_absent(bucket: str, key: str, body: bytes, content_type: str) -> bool:
    """Write an object on the condition that there is none; return whether it was written now."""
    try:
        aws.s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*")
    except ClientError as error:
        if _code(error) in _RACING:
            raise _Undecided from error
        if _code(error) not in _TAKEN:
            raise
        return False
    return True


def _others_write(bucket: str, key: str) -> Transient:
    return Transient(f"s3://{bucket}/{key} could not be written: others write and delete it; try again")


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
