"""What handlers ask of buckets, held against the rights that the template gives their functions.

moto lets everybody do everything. A call is a function's where its handler's file is on the stack, so what it leaves to
threads of its own is not seen here; tests/cloud sees that, and what libraries do with tables. What `sweep` probes of a
store that is not S3 is not asked on AWS.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.client import BaseClient

from tests.support import cloud as clouds
from tests.support.template_rights import Template, deployed, functions, may

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

_FUNCTIONS: Final = Path(__file__).parents[2] / "functions"
_BUCKETS: Final = {clouds.LANDING: "LandingBucket", clouds.OPS: "OpsBucket"}
_ACTIONS: Final = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
}
_WITH_VERSION: Final = {"s3:GetObject": "s3:GetObjectVersion", "s3:DeleteObject": "s3:DeleteObjectVersion"}


@dataclass(frozen=True, order=True)
class Asked:
    """An action of S3 that a function asked for; `key` is "" where it is about a bucket."""

    function: str
    action: str
    bucket: str
    key: str


@dataclass
class Recorded:
    """What was asked so far."""

    asked: set[Asked] = field(default_factory=set)

    def missing(self, infra: Template | None = None) -> list[str]:
        """Return what was asked and the template does not grant."""
        granted = functions(infra or _template())
        return [
            f"{each.function} lacks {each.action} on {each.bucket}/{each.key}"
            for each in sorted(self.asked)
            if not _is_granted(granted[each.function], each)
        ]


@cache
def _template() -> Template:
    return deployed()


@contextmanager
def recording(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """Record what handlers ask of the buckets until the block ends."""
    recorded = Recorded()
    call = BaseClient._make_api_call

    def call_and_note(self: Any, operation: str, params: dict[str, Any]) -> Any:
        function = _function_on_stack()
        if function and operation in _ACTIONS and params.get("Bucket") in _BUCKETS:
            recorded.asked.update(_asked(function, operation, params))
        return call(self, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call_and_note)
    yield recorded


def _asked(function: str, operation: str, params: dict[str, Any]) -> Iterator[Asked]:
    action = _ACTIONS[operation]
    objects = params.get("Delete", {}).get("Objects") or [params]
    for each in objects:
        needed = _WITH_VERSION.get(action, action) if each.get("VersionId") else action
        key = each.get("Key", "")
        if not key.startswith(".probe/"):
            yield Asked(function, needed, _BUCKETS[params["Bucket"]], key)


def _function_on_stack() -> str:
    """Return the function whose handler is at work; "" where none is."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.name == "handler.py" and path.parent.parent == _FUNCTIONS:
            return path.parent.name
        frame = frame.f_back
    return ""


def _is_granted(function: dict[str, Any], asked: Asked) -> bool:
    return any(_covers(resource, asked) for resource in may(function, asked.action))


def _covers(resource: Any, asked: Asked) -> bool:
    """Return whether a resource as the template writes it is what was asked of."""
    if not asked.key:
        return bool(resource == {"Fn::GetAtt": [asked.bucket, "Arn"]})
    pattern = resource.get("Fn::Sub", "") if isinstance(resource, dict) else ""
    return fnmatchcase(f"${{{asked.bucket}.Arn}}/{asked.key}".replace("[", ""), pattern.replace("[", ""))
