"""What the roles of the template may do, beside what they were seen to do: policies and calls in, differences out.

A grant is an action on one resource of a statement. Files of the lake are divided into data and metadata, and into
namespaces: a pattern that is wider than what the function does is told by the part that nothing used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.cloud.deployment import ACCOUNT, PREFIX, REGION, Call

NAMESPACES = ("raw", "core", "marts", "ops")
_ARN = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:"
_OF_DATABASES = {"glue:GetDatabase", "glue:CreateDatabase"}  # no table is asked about


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one part of what a statement names; `part` is a pattern of resources."""

    function: str
    action: str
    part: str

    def __str__(self) -> str:
        return f"{self.function}: {self.action} on {self.part}"


def grants(policies: Mapping[str, Iterable[Mapping[str, Any]]]) -> set[Grant]:
    """Return what the statements of each function's role grant, part by part."""
    return {
        Grant(function, action, part)
        for function, statements in policies.items()
        for statement in statements
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        if not (action in _OF_DATABASES and ":table/" in resource)
        for part in parts(short(resource))
    }


def parts(resource: str) -> Iterator[str]:
    """Yield the parts of a resource that are told apart, as patterns: files of the lake have several."""
    lake = f"s3:{PREFIX}-lake/"
    if resource.startswith(lake):
        rest = resource.removeprefix(lake)
        for namespace in NAMESPACES:
            for kind in ("data", "metadata"):
                if table := _table(rest, namespace, kind):
                    yield f"{lake}{namespace}.db/{table}/{kind}/*"
    else:
        yield resource


def _table(pattern: str, namespace: str, kind: str) -> str:
    """Return the table (or `*`) of a namespace whose files of a kind a pattern of the lake covers; empty for none."""
    named = re.fullmatch(rf"{namespace}\.db/([^/]+)/(?:\*|{kind}/\*)", pattern)
    if named:
        return named[1]
    return "*" if fnmatchcase(f"{namespace}.db/any/{kind}/any", pattern) else ""


def short(arn: str) -> str:
    """Return an ARN without the region and the account of the emulator: `s3:bucket/key`, `glue:table/raw/events`."""
    arn = arn.removeprefix("arn:aws:")
    service, _, rest = arn.partition(":")
    return f"{service}:{rest.removeprefix(f'{REGION}:{ACCOUNT}:').removeprefix('::')}"


def unused(granted: Iterable[Grant], calls: Iterable[Call]) -> set[Grant]:
    """Return the grants that no call needed."""
    asked: dict[tuple[str, str], set[str]] = {}
    for call in calls:
        asked.setdefault((call.function, call.action), set()).add(short(call.resource))
    return {
        grant
        for grant in granted
        if not any(fnmatchcase(one, grant.part) for one in asked.get((grant.function, grant.action), ()))
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
