"""How rights are read from policies: by tables, namespaces, and data or metadata."""

from __future__ import annotations

import pytest

from tests.cloud.deployment import Call
from tests.cloud.differences import EMULATOR, TEMPLATE, glue_resource, with_parents
from tests.cloud.rights import Grant, grants, parts, short, unused

GLUE = "arn:aws:glue:us-east-1:000000000000"


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("s3:cloud-lake/raw.db/*", ["s3:cloud-lake/raw.db/*/data/*", "s3:cloud-lake/raw.db/*/metadata/*"]),
        ("s3:cloud-lake/raw.db/*/metadata/*", ["s3:cloud-lake/raw.db/*/metadata/*"]),
        ("s3:cloud-lake/ops.db/a/*", ["s3:cloud-lake/ops.db/a/data/*", "s3:cloud-lake/ops.db/a/metadata/*"]),
        (
            "s3:cloud-lake/*/metadata/*",
            [f"s3:cloud-lake/{name}.db/*/metadata/*" for name in ("raw", "core", "marts", "ops")],
        ),
        ("s3:cloud-ops/outbound/*", ["s3:cloud-ops/outbound/*"]),
        ("sqs:cloud-ingest", ["sqs:cloud-ingest"]),
    ],
)
def test_a_pattern_of_the_lake_is_divided(resource, expected):
    """So that one which is too wide has a part that nothing uses."""
    assert list(parts(resource)) == expected


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:s3:::cloud-lake/raw.db/t/data/a", "s3:cloud-lake/raw.db/t/data/a"),
        (f"{GLUE}:table/raw/t", "glue:table/raw/t"),
        ("arn:aws:sqs:us-east-1:000000000000:cloud-ingest", "sqs:cloud-ingest"),
    ],
)
def test_arns_are_told_in_short(arn, expected):
    """Without what is the same in all."""
    assert short(arn) == expected


def test_what_no_call_needed_is_told():
    """Part by part, and function by function."""
    statement = {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::cloud-lake/raw.db/*"}
    granted = grants({"a": [statement], "b": [statement]})
    calls = [
        Call("a", "s3:GetObject", "arn:aws:s3:::cloud-lake/raw.db/t/data/f", allowed=True),
        Call("a", "s3:PutObject", "arn:aws:s3:::cloud-lake/raw.db/t/metadata/f", allowed=True),
    ]
    told = {grant for grant in unused(granted, calls) if grant.function == "a"}
    assert told == {
        Grant("a", "s3:GetObject", "s3:cloud-lake/raw.db/*/metadata/*"),
        Grant("a", "s3:PutObject", "s3:cloud-lake/raw.db/*/data/*"),
    }
    assert len(unused(granted, calls)) == 6


def test_no_table_is_needed_to_look_at_a_database():
    """AWS asks for the catalog and the database alone."""
    resources = [f"{GLUE}:catalog", f"{GLUE}:database/raw", f"{GLUE}:table/raw/*"]
    granted = grants({"a": [{"Action": ["glue:GetDatabase", "glue:GetTable"], "Resource": resources}]})
    assert Grant("a", "glue:GetTable", "glue:table/raw/*") in granted
    assert Grant("a", "glue:GetDatabase", "glue:table/raw/*") not in granted


@pytest.mark.parametrize(
    ("action", "request_", "expected"),
    [
        ("GetDatabases", {}, ["catalog"]),
        ("GetDatabase", {"Name": "raw"}, ["catalog", "database/raw"]),
        ("CreateDatabase", {"DatabaseInput": {"Name": "raw"}}, ["catalog", "database/raw"]),
        ("GetTables", {"DatabaseName": "raw"}, ["catalog", "database/raw", "table/raw/*"]),
        ("GetTable", {"DatabaseName": "raw", "Name": "t"}, ["catalog", "database/raw", "table/raw/t"]),
        (
            "UpdateTable",
            {"DatabaseName": "raw", "TableInput": {"Name": "t"}},
            ["catalog", "database/raw", "table/raw/t"],
        ),
    ],
)
def test_glue_asks_for_all_that_is_above(action, request_, expected):
    """The catalog, the database, the table."""
    arns = with_parents(f"{GLUE}:{glue_resource(action, request_)}")
    assert [arn.removeprefix(f"{GLUE}:") for arn in arns] == expected


def test_every_difference_has_a_name_and_a_reason():
    """And says what would be otherwise."""
    differences = [*EMULATOR, *TEMPLATE]
    assert len({one.name for one in differences}) == len(differences)
    for one in differences:
        assert one.reason.endswith(".")
        assert one.apply.__doc__
