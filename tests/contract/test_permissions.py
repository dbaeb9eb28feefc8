"""Each function may do what its code does, and no more; tests/cloud sees it do so.

What a function does with queues, secrets, consent and the bus is read from its code: from what its handler names and
whatever that reaches in `lakehouse`, in branches that only a failure takes, too. Tables and files are used by
libraries, whose calls no reading finds: see test_table_rights.py, and tests/cloud, which compares rights with calls.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lakehouse.local.wiring import sam
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

ROOT = Path(__file__).parents[2]

MANAGED = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"  # writes logs, nothing else
SQS = {
    "change_message_visibility_batch": "sqs:ChangeMessageVisibility",
    "get_queue_attributes": "sqs:GetQueueAttributes",
    "send_message": "sqs:SendMessage",
    "send_message_batch": "sqs:SendMessage",
}
DYNAMODB = {
    "batch_get_item": "dynamodb:BatchGetItem",
    "batch_write_item": "dynamodb:BatchWriteItem",
    "delete_item": "dynamodb:DeleteItem",
    "get_item": "dynamodb:GetItem",
    "put_item": "dynamodb:PutItem",
    "update_item": "dynamodb:UpdateItem",
}
BUS = {"Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"}


@pytest.fixture(scope="module")
def infra() -> Template:
    return deployed()


@cache
def module(name: str) -> tuple[dict[str, ast.AST], dict[str, str]]:
    """A module of ours: its top-level definitions by name, and the dotted name behind each imported name."""
    path = ROOT.joinpath(*name.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not path.exists():
        return {}, {}
    tree = ast.parse(path.read_text("utf-8"))
    defined: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            defined[node.name] = node
        elif isinstance(node, ast.ClassDef):
            defined |= class_and_methods(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {target.id: node for target in targets if isinstance(target, ast.Name)}
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return defined, imported


def class_and_methods(node: ast.ClassDef) -> dict[str, ast.AST]:
    """A class without its methods by its name, but for those that Python calls, and each method as `Class.method`."""
    methods = [
        part for part in node.body if isinstance(part, ast.FunctionDef) and not part.name.startswith("__")
    ]
    rest = copy.copy(node)
    rest.body = [part for part in node.body if part not in methods]
    return {node.name: rest} | {f"{node.name}.{method.name}": method for method in methods}


@cache
def places(place: str, name: str) -> list[tuple[str, str]]:
    """(module, name) of a definition and of all that it leads to, in modules of ours: what it names, and so on.

    A class leads to those of its methods whose names are mentioned anywhere on the way. One that imports a module by
    its name leads to what it mentions of any module of its package.
    """
    todo, seen, found = [(place, name)], set(), []
    methods: dict[str, list[tuple[str, str]]] = {}  # of classes that were met, by name
    mentioned: set[str] = set()
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        defined, imported = module(here[0])
        if here[1] in imported:
            todo.append(tuple(imported[here[1]].rsplit(".", 1)))
        if here[1] not in defined:
            continue
        found.append(here)
        for method in (one for one in defined if one.startswith(f"{here[1]}.")):
            methods.setdefault(method.partition(".")[2], []).append((here[0], method))
        mentioned |= mentioned_in(*here)
        todo += [one for name in mentioned & methods.keys() for one in methods[name]]
        for node in ast.walk(defined[here[1]]):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                todo.append((imported.get(node.value.id, ""), node.attr))
            elif isinstance(node, ast.Name):
                todo.append((here[0], node.id))
                if node.id == "import_module":
                    named = mentioned_in(*here)
                    todo += [one for one in everything_under(here[0]) if one[1] in named]
    return found


def definitions(place: str, name: str) -> list[ast.AST]:
    return [module(here)[0][one] for here, one in places(place, name)]


def mentions(code: Iterable[ast.AST]) -> set[str]:
    return {node.attr for one in code for node in ast.walk(one) if isinstance(node, ast.Attribute)}


@cache
def mentioned_in(place: str, name: str) -> frozenset[str]:
    """Every attribute that a definition of a module mentions."""
    return frozenset(mentions([module(place)[0][name]]))


@cache
def reached(function: str) -> set[str]:
    """Every attribute that the code behind a handler mentions."""
    return mentions(definitions(f"functions.{function}.handler", "handler"))


def tables(function: str, call: str) -> list[Any]:
    """The tables of DynamoDB that the code behind a handler asks by a call: each has a module of its own."""
    found = set()
    for place, name in places(f"functions.{function}.handler", "handler"):
        if call in mentioned_in(place, name):
            found.add("LimitsTable" if place.endswith(".limits_table") else "ConsentTable")
    return [{"Fn::GetAtt": [table, "Arn"]} for table in sorted(found)]


@cache
def queue_calls(function: str) -> set[tuple[str, str]]:
    """(action, setting) for every queue that the code behind a handler hands to a call that leads to SQS."""
    found = set()
    for place, name in places(f"functions.{function}.handler", "handler"):
        defined, imported = module(place)
        for call in (node for node in ast.walk(defined[name]) if isinstance(node, ast.Call)):
            given = [*call.args, *(keyword.value for keyword in call.keywords)]
            given += [one.body for one in given if isinstance(one, ast.Lambda)]
            urls = [
                one.attr
                for one in given
                if isinstance(one, ast.Attribute) and one.attr.endswith("_queue_url")
            ]
            if not urls:
                continue
            if isinstance(call.func, ast.Name):
                led = {call.func.id} | mentions(definitions(place, call.func.id))
            elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
                led = mentions(definitions(imported.get(call.func.value.id, ""), call.func.attr))
            else:
                led = {call.func.attr} if isinstance(call.func, ast.Attribute) else set()
            found |= {(SQS[one], url) for url in urls for one in led & SQS.keys()}
    return found


def everything_under(package: str) -> list[tuple[str, str]]:
    modules = [f"{package}.{path.stem}" for path in ROOT.joinpath(*package.split(".")).glob("*.py")]
    return [(one, name) for one in modules for name in module(one)[0]]


def needs(infra: Template, function: str) -> dict[str, list[Any]]:
    """What a function's code needs: action → resources as the template should write them."""
    used, calls = reached(function), queue_calls(function)
    variables = infra["Globals"]["Function"]["Environment"]["Variables"]
    queues = {
        action: [
            {"Fn::GetAtt": [variables[f"LAKEHOUSE_{url.upper()}"]["Ref"], "Arn"]}
            for one, url in sorted(calls)
            if one == action
        ]
        for action in SQS.values()
    }
    named = ("WebhookSecret", "CollectSecret", "HubSpotSecret", "DestinationsSecret", "HashSecret")
    secrets = [name for name in named if f"{name[:-6].lower()}_secret" in used]
    return {
        **queues,
        "secretsmanager:GetSecretValue": [{"Ref": name} for name in secrets],
        "events:PutEvents": [BUS] if "put_events" in used else [],
        **{action: tables(function, call) for call, action in DYNAMODB.items()},
    }


def permissions(infra: Template) -> list[str]:
    """Each function may send, announce, and read secrets and consent exactly where its code does."""
    wrong = []
    for name, function in functions(infra).items():
        read = may(function, "sqs:ReceiveMessage")  # which brings GetQueueAttributes along
        for action, resources in needs(infra, name).items():
            granted = may(function, action)
            wrong += [f"{name} needs {action} on {one}" for one in resources if one not in granted]
            extra = [one for one in granted if one not in resources and one not in read]
            wrong += [f"{name} may {action} on {one} and does not" for one in extra]
        told = {url for _, url in queue_calls(name)}
        named = {one for one in reached(name) if one.endswith("_queue_url")}
        wrong += [f"{name}: what becomes of {one} cannot be read from its code" for one in named - told]
    return wrong


def policies(infra: Template) -> list[str]:
    """Nobody may do everything, or anything to everything: in roles as deployed, SAM's own included."""
    wrong = []
    for name, role in sam.transform(infra, {})["Resources"].items():
        if role["Type"] != "AWS::IAM::Role":
            continue
        attached = role["Properties"].get("ManagedPolicyArns", [])
        wrong += [f"{name} has {arn}" for arn in attached if arn != MANAGED]
        for policy in role["Properties"].get("Policies", []):
            for one in as_list(policy["PolicyDocument"]["Statement"]):
                if any(action == "*" or action.endswith(":*") for action in as_list(one["Action"])):
                    wrong.append(f"{name} may do {one['Action']}")
                if "*" in as_list(one["Resource"]) or "NotAction" in one or "NotResource" in one:
                    wrong.append(f"{name} may {one['Action']} on anything")
    return wrong


CHECKS: list[Callable[[Template], list[str]]] = [permissions, policies]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_each_function_may_do_what_it_does_and_no_more(
    check: Callable[[Template], list[str]], infra: Template
) -> None:
    """Every check holds on the template that is deployed."""
    assert check(infra) == []


def test_the_code_is_really_read(infra: Template) -> None:
    """The reading of code is not asleep: what each kind of function needs is found."""
    sends = {name: needs(infra, name)["sqs:SendMessage"] for name in functions(infra)}
    assert sends["sweep"] == [{"Fn::GetAtt": ["IngestQueue", "Arn"]}]
    assert {"Fn::GetAtt": ["PublishQueue", "Arn"]} in sends["export_segments"]
    assert {"Fn::GetAtt": ["IngestQueue", "Arn"]} in needs(infra, "resolve")["sqs:GetQueueAttributes"]
    assert {"Fn::GetAtt": ["IngestQueue", "Arn"]} not in sends["resolve"]
    assert {"Fn::GetAtt": ["AggregateQueue", "Arn"]} in sends["tick"]
    assert needs(infra, "publish")["secretsmanager:GetSecretValue"] == [
        {"Ref": "HubSpotSecret"},
        {"Ref": "DestinationsSecret"},
        {"Ref": "HashSecret"},
    ]
    assert needs(infra, "collect")["secretsmanager:GetSecretValue"] == [{"Ref": "CollectSecret"}]
    assert sends["collect"] == [{"Fn::GetAtt": ["CollectQueue", "Arn"]}]
    assert needs(infra, "land")["secretsmanager:GetSecretValue"] == [{"Ref": "WebhookSecret"}]
    assert needs(infra, "ingest")["secretsmanager:GetSecretValue"] == [{"Ref": "HashSecret"}]
    assert needs(infra, "publish")["dynamodb:UpdateItem"] == [{"Fn::GetAtt": ["LimitsTable", "Arn"]}]
    assert len(needs(infra, "publish")["dynamodb:GetItem"]) == 2


BOOKS = {"Fn::GetAtt": ["BooksQueue", "Arn"]}
WRONG: list[tuple[Callable[[Template], list[str]], Callable[[Template], None], str]] = [
    (permissions, without("SweepFunction", "SendFiles"), "sweep needs sqs:SendMessage"),
    (permissions, without("IngestFunction", "ReadHashKey"), "ingest needs secretsmanager:GetSecretValue"),
    (permissions, without("IngestFunction", "Announce"), "ingest needs events:PutEvents"),
    (permissions, without("PublishFunction", "ReadToken"), "publish needs secretsmanager:GetSecretValue"),
    (permissions, without("PublishFunction", "ReadConsent"), "publish needs dynamodb:GetItem"),
    (permissions, without("PublishFunction", "ShareLimits"), "publish needs dynamodb:UpdateItem"),
    (permissions, statement("LandFunction", Action="sqs:SendMessage", Resource=BOOKS), "and does not"),
    (policies, statement("LandFunction", Action="s3:*", Resource=BOOKS), "LandFunctionRole may do s3:*"),
    (policies, statement("LandFunction", Action=["s3:GetObject", "*"], Resource=BOOKS), "may do"),
    (policies, statement("LandFunction", Action="s3:GetObject", Resource="*"), "on anything"),
    (
        policies,
        lambda t: t["Resources"]["LandFunction"]["Properties"].update(Policies=["AmazonS3FullAccess"]),
        "AmazonS3FullAccess",
    ),
]


@pytest.mark.parametrize(
    ("check", "mutate", "complaint"), WRONG, ids=[complaint for _, _, complaint in WRONG]
)
def test_a_wrong_permission_is_found_out(
    check: Callable[[Template], list[str]],
    mutate: Callable[[Template], None],
    complaint: str,
    infra: Template,
) -> None:
    """The checks are not asleep: each easy mistake is named."""
    found = complaints(check, mutate, infra)
    assert any(complaint in each for each in found), found
