"""The template is read strictly: a laptop is wired as AWS is, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import BadDefinition
from lakehouse.local.wiring import template
from lakehouse.local.wiring.template import Route, Schedule, Target, Wiring, default_path, load

LOCAL = {"BucketPrefix": "local", "IngestWindow": "1", "StageWindow": "2"}


@pytest.fixture(scope="module")
def wiring() -> Wiring:
    return load(default_path(), LOCAL)


def test_every_function_of_the_loop_is_there(wiring: Wiring) -> None:
    """Thirteen functions; those that commit to tables are images, the light ones are zips."""
    images = {
        "aggregate",
        "books",
        "export_segments",
        "ingest",
        "maintain",
        "resolve",
        "sweep",
        "tick",
        "trigger",
    }
    assert {name for name, function in wiring.functions.items() if function.package == "Image"} == images
    assert {name for name, function in wiring.functions.items() if function.package == "Zip"} == {
        "collect",
        "gather",
        "land",
        "publish",
    }
    assert all(function.handler == f"functions.{name}.handler" for name, function in wiring.functions.items())
    assert (wiring.functions["ingest"].memory_mb, wiring.functions["ingest"].timeout_s) == (2048, 300)


def test_windows_come_from_parameters(wiring: Wiring) -> None:
    """A laptop shortens the windows that AWS waits to fill batches."""
    windows = {one.function: (one.batch_size, one.window_s, one.max_concurrency) for one in wiring.mappings}
    assert windows["ingest"] == (100, 1, 2)
    assert windows["resolve"][1] == windows["aggregate"][1] == 2
    assert windows["export_segments"][1] == 1, "triggers wait no longer than files do"
    assert windows["publish"] == (5, 0, 2)
    assert all(one.report_failures for one in wiring.mappings)
    usual = {one.function: one.window_s for one in load(default_path(), {}).mappings}
    assert (usual["ingest"], usual["resolve"]) == (5, 40)


def test_queues_carry_sqs_attributes_and_their_dead_letter_queue(wiring: Wiring) -> None:
    """Attributes are SQS's own texts, ready for CreateQueue; booleans in lower case."""
    queues = {queue.logical: queue for queue in wiring.queues}
    books = queues["BooksQueue"]
    assert (books.name, books.fifo, books.dlq, books.max_receive) == (
        "local-books.fifo",
        True,
        "local-books-dlq.fifo",
        5,
    )
    assert books.attributes == {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "true",
        "VisibilityTimeout": "1800",
        "MessageRetentionPeriod": "345600",
    }
    assert (queues["IngestDeadLetterQueue"].dlq, queues["IngestDeadLetterQueue"].max_receive) == (None, 0)


def test_rules_lead_to_queues(wiring: Wiring) -> None:
    """What the loop's arrows are: new objects to ingest, raw commits to resolve and books, and so on."""
    rules = {rule.name: rule for rule in wiring.rules}
    created = rules["local-object-created"]
    assert created.pattern["detail"] == {"bucket": {"name": ["local-landing"]}}
    assert created.targets == [Target("local-ingest", None)]
    raw = rules["local-raw-committed"]
    assert raw.targets == [Target("local-resolve", None), Target("local-books.fifo", "books")]
    assert rules["local-core-committed"].pattern["detail"] == {"table": ["core.identities"]}


def test_schedules_lead_to_functions_or_queues(wiring: Wiring) -> None:
    """Rates are seconds; the books' schedule goes through its queue, as the one writer needs."""
    schedules = {one.name: one for one in wiring.schedules}
    assert schedules["local-tick"] == Schedule("local-tick", 300, "tick", None, None, '{"schedule": "tick"}')
    assert schedules["local-books"] == Schedule(
        "local-books", 900, None, "local-books.fifo", "books", '{"tick": true}'
    )
    assert schedules["local-maintain"].rate_seconds == 86400


def test_buckets_tables_secrets_and_routes(wiring: Wiring) -> None:
    """The rest of what the functions find on AWS."""
    assert {(one.name, one.versioned, one.eventbridge) for one in wiring.buckets} == {
        ("local-landing", True, True),
        ("local-lake", True, False),
        ("local-ops", True, False),
    }
    consent, limits = wiring.tables
    assert limits.name == "local-limits"
    assert (consent.name, consent.attrs, consent.ttl) == ("local-consent", {"pk": "S"}, "expires_at")
    assert wiring.secrets == [
        "lakehouse/webhook",
        "lakehouse/collect",
        "lakehouse/hubspot",
        "lakehouse/destinations",
        "lakehouse/hash",
    ]
    assert wiring.routes == [
        Route("GET", "/v1/pixel/{call}", "collect"),
        Route("POST", "/v1/{call}", "collect"),
        Route("OPTIONS", "/v1/{call}", "collect"),
        Route("GET", "/v1/projects/{key}/settings", "collect"),
        Route("POST", "/land/{source}/{entity}", "land"),
        Route("POST", "/v1/consent", "land"),
    ]


def test_the_environment_is_whole_once_queues_exist(wiring: Wiring) -> None:
    """Queue URLs are filled in; nothing unresolved is left; what is not set is absent, not empty."""
    environment = wiring.functions["land"].environment(lambda name: f"http://127.0.0.1/1/{name}")
    assert environment["LAKEHOUSE_BOOKS_QUEUE_URL"] == "http://127.0.0.1/1/local-books.fifo"
    assert environment["LAKEHOUSE_WAREHOUSE"] == "s3://local-lake/"
    assert environment["LAKEHOUSE_CONSENT_TABLE"] == "local-consent"
    assert "LAKEHOUSE_AS_OF" not in environment
    assert not [value for value in environment.values() if "{" in value or "$" in value]


def test_parameters_reach_the_environment() -> None:
    """A stack may look back from another day, and publish to another CRM."""
    given = {**LOCAL, "AsOf": "1998-06-30", "HubSpotUrl": "http://127.0.0.1:1"}
    environment = load(default_path(), given).functions["publish"].environment(str)
    assert environment["LAKEHOUSE_AS_OF"] == "1998-06-30"
    assert environment["LAKEHOUSE_HUBSPOT_URL"] == "http://127.0.0.1:1"


def small(**resources: Any) -> dict[str, Any]:
    """A CloudFormation template, already translated, with one queue, one function and `resources`."""
    return {
        "Parameters": {"Wanted": {"Type": "String", "Default": "no"}},
        "Conditions": {"IsWanted": {"Fn::Equals": [{"Ref": "Wanted"}, "yes"]}},
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}},
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"FunctionName": "f", "Handler": "functions.f.handler.handler", "Timeout": 3},
            },
            **resources,
        },
    }


def rule(target: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {"Name": "r", "EventPattern": {}, "Targets": [{"Id": "t", **target}], **properties},
    }


def schedule(expression: str, **target: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {"Name": "s", "ScheduleExpression": expression, "Target": target},
    }


def mapping(**properties: Any) -> dict[str, Any]:
    source = {"EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}, "FunctionName": {"Ref": "Function"}}
    return {"Type": "AWS::Lambda::EventSourceMapping", "Properties": source | properties}


def queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


ARN = {"Fn::GetAtt": ["Queue", "Arn"]}
FUNCTION_ARN = {"Fn::GetAtt": ["Function", "Arn"]}


@pytest.mark.parametrize(
    ("resource", "complaint"),
    [
        ({"Type": "AWS::Kinesis::Stream"}, "nothing for AWS::Kinesis::Stream"),
        ({"Type": "AWS::Serverless::Function"}, "nothing for AWS::Serverless::Function"),
        (queue(), "has no QueueName"),
        (queue(QueueName="x.fifo"), "ends in .fifo"),
        (queue(QueueName="x", FifoQueue=True), "ends in .fifo"),
        (queue(QueueName="x", KmsMasterKeyId="k"), "does not do KmsMasterKeyId"),
        (queue(QueueName="x", RedrivePolicy={"maxReceiveCount": 5}), "lacks 'deadLetterTargetArn'"),
        (
            queue(
                QueueName="x", RedrivePolicy={"deadLetterTargetArn": "arn:aws:sqs:x", "maxReceiveCount": 5}
            ),
            "no AWS::SQS::Queue called arn:aws:sqs:x",
        ),
        ({"Type": "AWS::Events::Rule", "Properties": {"Name": "r"}}, "needs an EventPattern"),
        (rule({"Arn": FUNCTION_ARN}), "no AWS::SQS::Queue called"),
        (rule({"Arn": ARN, "InputTransformer": {}}), "does not do InputTransformer"),
        (rule({"Arn": ARN}, State="DISABLED"), "does not do State"),
        (schedule("cron(0 0 * * ? *)", Arn=ARN, Input="{}"), "runs rate"),
        (schedule("rate(5 minutes)", Arn=ARN), "needs an Input"),
        (schedule("rate(5 minutes)", Arn={"Ref": "Ghost"}, Input="{}"), "has no Ghost"),
        (mapping(FilterCriteria={}), "does not do FilterCriteria"),
        (mapping(Enabled=False), "does not do Enabled"),
        (mapping(BatchSize="many"), "'many' is not a whole number"),
        (mapping(FunctionName="nobody"), "no AWS::Lambda::Function called nobody"),
        ({"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "g", "Handler": "x.y"}}, "x.y"),
        (
            {"Type": "AWS::Lambda::Function", "Properties": {"ReservedConcurrentExecutions": 1}},
            "does not do ReservedConcurrentExecutions",
        ),
        (
            {
                "Type": "AWS::S3::Bucket",
                "Properties": {"NotificationConfiguration": {"QueueConfigurations": []}},
            },
            "EventBridge only, not QueueConfigurations",
        ),
        (
            {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "x"}},
            "does not do SecretString",
        ),
        ({"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": {"paths": {"/": {"get": {}}}}}}, "get /"),
    ],
)
def test_what_has_no_local_meaning_is_refused_by_name(resource: dict[str, Any], complaint: str) -> None:
    """A resource or property that a laptop cannot honour stops the stack, and the message names it."""
    with pytest.raises(BadDefinition, match="Wrong") as caught:
        template.wire(small(Wrong=resource), {})
    assert complaint in str(caught.value)


def test_the_environment_may_name_any_resource_that_exists_here() -> None:
    """References mean what they mean on AWS; a resource that a laptop does not have cannot be named."""
    variables: dict[str, Any] = {
        "BUCKET": {"Fn::GetAtt": ["Bucket", "Arn"]},
        "QUEUE": {"Fn::GetAtt": ["Queue", "QueueName"]},
        "QUEUE_ARN": {"Fn::GetAtt": ["Queue", "Arn"]},
        "SECRET": {"Ref": "Secret"},
        "FUNCTION": {"Ref": "Function"},
    }
    made = small(
        Bucket={"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}},
        Secret={"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "s"}},
        Role={"Type": "AWS::IAM::Role"},
    )
    properties = made["Resources"]["Function"]["Properties"]
    properties["Environment"] = {"Variables": variables}
    assert template.wire(made, {}).functions["f"].environment(str) == {
        "BUCKET": "arn:aws:s3:::b",
        "QUEUE": "q",
        "QUEUE_ARN": "arn:aws:sqs:us-east-1:000000000000:q",
        "SECRET": "arn:aws:secretsmanager:us-east-1:000000000000:secret:s",
        "FUNCTION": "f",
    }
    for unknown in ({"Ref": "Role"}, {"Fn::GetAtt": ["Queue", "Colour"]}):
        properties["Environment"] = {"Variables": {"X": unknown}}
        with pytest.raises(BadDefinition, match="Function: "):
            template.wire(made, {})


def test_a_resource_whose_condition_fails_is_not_there() -> None:
    """Conditions decide here as they do on AWS."""
    conditional = {**queue(QueueName="extra"), "Condition": "IsWanted"}
    assert [queue.name for queue in template.wire(small(Extra=conditional), {}).queues] == ["q"]
    made = template.wire(small(Extra=conditional), {"Wanted": "yes"})
    assert [queue.name for queue in made.queues] == ["q", "extra"]


def test_parameters_are_checked() -> None:
    """A misspelt parameter would silently leave the default in place, a missing one a hole."""
    with pytest.raises(BadDefinition, match="no parameter Wnated"):
        template.wire(small(), {"Wnated": "yes"})
    with pytest.raises(BadDefinition, match="Needed needs a value"):
        template.wire({**small(), "Parameters": {"Needed": {"Type": "String"}}}, {})


@pytest.mark.parametrize(
    "text", ["", "Resources: [", "{}", "Resources: {F: {Type: 'AWS::Serverless::Function'}}"]
)
def test_what_is_no_template_is_refused(text: str, tmp_path: Path) -> None:
    """Neither YAML's nor the translator's own errors reach the user raw."""
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(BadDefinition):
        load(path, {})
    with pytest.raises(BadDefinition, match="cannot be read"):
        load(tmp_path / "absent.yaml", {})


def test_an_installed_package_carries_the_template(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Outside a checkout the copy beside the module is read."""
    folder = tmp_path / "lakehouse" / "local" / "wiring"
    monkeypatch.setattr(template, "__file__", str(folder / "template.py"))
    assert default_path() == folder / "template.yaml"
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "template.yaml").touch()
    assert default_path() == tmp_path / "infra" / "template.yaml"
