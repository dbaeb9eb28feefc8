"""Rights on tables and on their files agree, function by function, and whoever faces the internet reads neither.

That a function needs what it has is seen by tests/cloud; this holds for tables that no run has filled, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.support.template_rights import (
    Template,
    as_list,
    complaints,
    deployed,
    functions,
    may,
    statement,
    without,
)


@pytest.fixture(scope="module")
def infra() -> Template:
    return deployed()


def named(resources: Iterable[Any], before: str) -> list[str]:
    """Return what follows `before` in each resource that has it: of a table's ARN its namespace and name, say."""
    texts = (one["Fn::Sub"] for one in resources if isinstance(one, dict) and "Fn::Sub" in one)
    return [text.partition(before)[2] for text in texts if before in text]


def files_of(table: str) -> str:
    """Return the pattern of a table's files in the lake; `raw/*` are all tables of a namespace."""
    namespace, name = table.split("/")
    return f"{namespace}.db/*" if name == "*" else f"{namespace}.db/{name}/*"


def files(infra: Template) -> list[str]:
    """Rights on tables and on their files agree: whoever commits to a table, and nobody else, writes its files.

    Nobody deletes files of a table that it does not commit to, or reads those of one that it may not look up.
    """
    wrong = []
    for name, one in functions(infra).items():
        lake = {
            action: named(may(one, f"s3:{action}"), "${LakeBucket.Arn}/")
            for action in ("GetObject", "PutObject", "DeleteObject")
        }
        looked_up = [files_of(table) for table in named(may(one, "glue:GetTable"), ":table/")]
        committed = [files_of(table) for table in named(may(one, "glue:UpdateTable"), ":table/")]
        created = [files_of(table) for table in named(may(one, "glue:CreateTable"), ":table/")]
        if set(lake["PutObject"]) != set(committed):
            wrong.append(f"{name} commits to {committed} and writes {lake['PutObject']}")
        if not set(created) <= set(committed):
            wrong.append(f"{name} creates {created} and commits to {committed} alone")
        wrong += [
            f"{name} may delete {pattern} of a table that it does not commit to"
            for pattern in lake["DeleteObject"]
            if not any(fnmatchcase(pattern, covered) for covered in committed)
        ]
        wrong += [
            f"{name} may read {pattern} of a table that it may not look up"
            for pattern in lake["GetObject"]
            if not any(fnmatchcase(pattern, covered) for covered in looked_up)
        ]
        for covered in committed:
            table = covered.removesuffix("/*") if covered.count("/") > 1 else covered.replace("*", "any")
            if not any(fnmatchcase(f"{table}/metadata/any", one) for one in lake["DeleteObject"]):
                wrong.append(f"{name} commits to {covered}, and may not retire its metadata")
    return wrong


def outside(infra: Template) -> list[str]:
    """Whoever faces the internet reads no raw file and nothing of the lake; raw files are read by ingest alone."""
    wrong = []
    for name, one in functions(infra).items():
        faces_internet = any(event["Type"] == "HttpApi" for event in one.get("Events", {}).values())
        granted = {
            action: str(may(one, action))
            for statement in one["Policies"][0]["Statement"]
            for action in as_list(statement["Action"])
        }
        reads = [
            action for action, on in granted.items() if "s3:GetObject" in action and "LandingBucket" in on
        ]
        if reads and name != "ingest":
            wrong.append(f"{name} may read raw files: {reads}")
        of_lake = [
            action for action, on in granted.items() if "LakeBucket" in on or action.startswith("glue:")
        ]
        if faces_internet and of_lake:
            wrong.append(f"{name} faces the internet, and may {of_lake} in the lake")
        if "glue:GetDatabases" in granted:
            wrong.append(f"{name} may list all databases; each is asked by its name")
        deletes = {"s3:DeleteObjectVersion", "s3:DeleteObject"} & granted.keys()
        wrong += [
            f"{name} may {action} raw files"
            for action in deletes
            if "LandingBucket" in granted[action] and name != "maintain"
        ]
    return wrong


CHECKS: list[Callable[[Template], list[str]]] = [files, outside]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_rights_on_tables_and_files_agree(check: Callable[[Template], list[str]], infra: Template) -> None:
    """Every check holds on the template that is deployed."""
    assert check(infra) == []


EVERYTHING = {"Fn::Sub": "${LakeBucket.Arn}/*"}
RAW = {"Fn::Sub": "${LakeBucket.Arn}/raw.db/*"}
RAW_TABLES = {"Fn::Sub": "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:table/raw/*"}
LANDED = {"Fn::Sub": "${LandingBucket.Arn}/*"}
WRONG: list[tuple[Callable[[Template], list[str]], Callable[[Template], None], str]] = [
    (files, statement("BooksFunction", Action="s3:DeleteObject", Resource=RAW), "does not commit to"),
    (
        files,
        statement("ResolveFunction", Action="s3:DeleteObject", Resource=EVERYTHING),
        "does not commit to",
    ),
    (files, statement("ResolveFunction", Action="s3:PutObject", Resource=RAW), "resolve commits to"),
    (files, statement("PublishFunction", Action="s3:GetObject", Resource=RAW), "may not look up"),
    (files, statement("TickFunction", Action="glue:UpdateTable", Resource=RAW_TABLES), "tick commits to"),
    (files, statement("TickFunction", Action="glue:CreateTable", Resource=RAW_TABLES), "tick creates"),
    (files, without("IngestFunction", "RetireRaw"), "may not retire its metadata"),
    (files, without("ResolveFunction", "RetireIdentities"), "may not retire its metadata"),
    (files, without("IngestFunction", "WriteRaw"), "ingest commits to"),
    (outside, statement("LandFunction", Action="s3:GetObject", Resource=LANDED), "may read raw files"),
    (
        outside,
        statement("SweepFunction", Action="s3:GetObjectVersion", Resource=LANDED),
        "may read raw files",
    ),
    (outside, statement("LandFunction", Action="s3:GetObject", Resource=RAW), "faces the internet"),
    (outside, statement("LandFunction", Action="glue:GetTable", Resource=RAW_TABLES), "faces the internet"),
    (
        outside,
        statement("IngestFunction", Action="s3:DeleteObject", Resource=LANDED),
        "s3:DeleteObject raw files",
    ),
    (
        outside,
        statement("SweepFunction", Action="glue:GetDatabases", Resource=RAW_TABLES),
        "list all databases",
    ),
]


@pytest.mark.parametrize(("check", "mutate", "complaint"), WRONG)
def test_a_right_too_many_or_too_few_is_found_out(
    check: Callable[[Template], list[str]],
    mutate: Callable[[Template], None],
    complaint: str,
    infra: Template,
) -> None:
    """The checks are not asleep: each easy mistake is named."""
    found = complaints(check, mutate, infra)
    assert any(complaint in each for each in found), found
