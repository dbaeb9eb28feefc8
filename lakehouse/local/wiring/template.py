"""Reads infra/template.yaml, so that a laptop is wired by the same file that AWS deploys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lakehouse.errors import BadDefinition
from lakehouse.local.wiring import sam
from lakehouse.local.wiring.resources import (
    Bucket,
    Function,
    Mapping,
    Queue,
    Route,
    Rule,
    Schedule,
    Table,
    Target,
    Wiring,
)
from lakehouse.local.wiring.template_reader import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Bucket",
    "Function",
    "Mapping",
    "Queue",
    "Route",
    "Rule",
    "Schedule",
    "Table",
    "Target",
    "Wiring",
    "default_path",
    "load",
    "wire",
]

# Types that guard or watch on AWS and change not what runs when. Any other unknown type is an error.
_AWS_ONLY: Final = frozenset(
    {
        "AWS::ApiGatewayV2::Stage",
        "AWS::CloudWatch::Alarm",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::Lambda::Permission",
        "AWS::Logs::LogGroup",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
)
_QUEUE_ATTRIBUTES: Final = {
    "ContentBasedDeduplication",
    "DelaySeconds",
    "FifoQueue",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
}
_HANDLER: Final = re.compile(r"(functions\.(\w+)\.handler)\.handler")
_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86400}
_INTEGRATION: Final = re.compile(r"/functions/(arn:[^/]+)/invocations$")


def default_path() -> Path:
    """Return infra/template.yaml of a checkout, or the copy that an installed package carries."""
    checkout = Path(__file__).parents[3] / "infra" / "template.yaml"
    return checkout if checkout.exists() else Path(__file__).with_name("template.yaml")


def load(path: Path, parameters: dict[str, str], cache: Path | None = None) -> Wiring:
    """Return what the template at `path` asks for, given its parameters (those absent take their defaults).

    `cache` is a folder that may keep the translated template: reading it back takes milliseconds where
    translating takes a second. Raises BadDefinition, naming the resource, for whatever has no local meaning.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise BadDefinition(f"the template {path} cannot be read: {error.strerror}") from error
    return wire(sam.translate(text, parameters, cache), parameters)


def wire(template: dict[str, Any], parameters: dict[str, str]) -> Wiring:
    """Return what a CloudFormation template (SAM's transform already done) asks for."""
    reading = Reading(template, parameters)
    found: dict[str, list[Any]] = {kind: [] for kind in _READERS}
    for logical, kind in reading.types():
        if kind in _READERS:
            try:
                found[kind].append(_READERS[kind](reading, logical))
            except KeyError as error:
                raise BadDefinition(f"{logical}: lacks {error}") from error
        elif kind not in _AWS_ONLY:
            raise BadDefinition(f"{logical}: a laptop has nothing for {kind}")
    return Wiring(
        buckets=found["AWS::S3::Bucket"],
        queues=found["AWS::SQS::Queue"],
        rules=found["AWS::Events::Rule"],
        schedules=found["AWS::Scheduler::Schedule"],
        functions={function.name: function for function in found["AWS::Lambda::Function"]},
        mappings=found["AWS::Lambda::EventSourceMapping"],
        routes=[route for routes in found["AWS::ApiGatewayV2::Api"] for route in routes],
        tables=found["AWS::DynamoDB::Table"],
        secrets=found["AWS::SecretsManager::Secret"],
    )


def _bucket(reading: Reading, logical: str) -> Bucket:
    properties = reading.properties(
        logical,
        {"BucketName", "NotificationConfiguration", "VersioningConfiguration"},
        {
            "BucketEncryption",
            "LifecycleConfiguration",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
        },
    )
    told = dict(properties.get("NotificationConfiguration", {}))
    eventbridge = told.pop("EventBridgeConfiguration", {"EventBridgeEnabled": False})
    if told:
        raise BadDefinition(
            f"{logical}: a laptop tells new objects to EventBridge only, not {', '.join(told)}"
        )
    return Bucket(
        logical=logical,
        name=reading.name(logical),
        versioned=properties.get("VersioningConfiguration", {}).get("Status") == "Enabled",
        eventbridge=str(eventbridge.get("EventBridgeEnabled", True)).lower() == "true",
    )


def _queue(reading: Reading, logical: str) -> Queue:
    properties = reading.properties(
        logical, {"QueueName", "RedrivePolicy", *_QUEUE_ATTRIBUTES}, {"SqsManagedSseEnabled", "Tags"}
    )
    name = reading.name(logical)
    fifo = str(properties.get("FifoQueue", False)).lower() == "true"
    if fifo != name.endswith(".fifo"):
        raise BadDefinition(f"{logical}: a FIFO queue's name, and no other's, ends in .fifo; not {name}")
    redrive = properties.get("RedrivePolicy")
    dlq = reading.called("AWS::SQS::Queue", redrive["deadLetterTargetArn"], logical)[1] if redrive else None
    return Queue(
        logical=logical,
        name=name,
        fifo=fifo,
        attributes={key: _text(value) for key, value in properties.items() if key in _QUEUE_ATTRIBUTES},
        dlq=dlq,
        max_receive=_number(logical, redrive["maxReceiveCount"]) if redrive else 0,
    )


def _rule(reading: Reading, logical: str) -> Rule:
    properties = reading.properties(logical, {"EventPattern", "Name", "Targets"}, {"Description"})
    if "EventPattern" not in properties:
        raise BadDefinition(f"{logical}: a rule needs an EventPattern")
    targets = [_target(reading, logical, target) for target in properties.get("Targets", [])]
    return Rule(name=reading.name(logical), pattern=properties["EventPattern"], targets=targets)


def _target(reading: Reading, logical: str, target: dict[str, Any]) -> Target:
    unknown = target.keys() - {"Arn", "DeadLetterConfig", "Id", "Input", "RetryPolicy", "SqsParameters"}
    if unknown:
        raise BadDefinition(f"{logical}: a laptop's rule does not do {', '.join(sorted(unknown))}")
    return Target(
        queue_name=reading.called("AWS::SQS::Queue", target["Arn"], logical)[1],
        message_group_id=target.get("SqsParameters", {}).get("MessageGroupId"),
        input=target.get("Input"),
    )


def _schedule(reading: Reading, logical: str) -> Schedule:
    # The target's role and dead-letter queue concern AWS alone, and a role has no ARN here.
    properties = reading.properties(
        logical, {"Name", "ScheduleExpression"}, {"Description", "FlexibleTimeWindow", "Target"}
    )
    target = reading.part(
        logical, "Target", {"Arn", "Input", "SqsParameters"}, {"DeadLetterConfig", "RetryPolicy", "RoleArn"}
    )
    rate = _RATE.fullmatch(str(properties.get("ScheduleExpression")))
    if rate is None:
        raise BadDefinition(
            f"{logical}: a laptop runs rate(…) only, not {properties.get('ScheduleExpression')}"
        )
    if "Input" not in target:
        raise BadDefinition(f"{logical}: a schedule needs an Input, so that here and on AWS the same is sent")
    to_queue = ":sqs:" in str(target["Arn"])
    return Schedule(
        name=reading.name(logical),
        rate_seconds=int(rate[1]) * _SECONDS[rate[2]],
        function=None if to_queue else _function_called(reading, target["Arn"], logical),
        queue_name=reading.called("AWS::SQS::Queue", target["Arn"], logical)[1] if to_queue else None,
        message_group_id=target.get("SqsParameters", {}).get("MessageGroupId"),
        input=str(target["Input"]),
    )


def _function(reading: Reading, logical: str) -> Function:
    properties = reading.properties(
        logical,
        {"Environment", "FunctionName", "Handler", "ImageConfig", "MemorySize", "PackageType", "Timeout"},
        {
            "Architectures",
            "Code",
            "Description",
            "EphemeralStorage",
            "LoggingConfig",
            "Role",
            "Runtime",
            "Tags",
        },
    )
    image = properties.get("PackageType") == "Image"
    command = (
        properties.get("ImageConfig", {}).get("Command", [None])[0] if image else properties.get("Handler")
    )
    handler = _HANDLER.fullmatch(str(command))
    if handler is None:
        raise BadDefinition(f"{logical}: the handler is not functions.<name>.handler.handler but {command}")
    variables = properties.get("Environment", {}).get("Variables", {})
    return Function(
        name=handler[2],
        handler=handler[1],
        memory_mb=_number(logical, properties.get("MemorySize", 128)),
        timeout_s=_number(logical, properties.get("Timeout", 3)),
        package="Image" if image else "Zip",
        variables={name: _text(value) for name, value in variables.items()},
    )


def _function_called(reading: Reading, arn_or_name: Any, asking: str) -> str:
    return _function(reading, reading.called("AWS::Lambda::Function", arn_or_name, asking)[0]).name


def _mapping(reading: Reading, logical: str) -> Mapping:
    properties = reading.properties(
        logical,
        {
            "BatchSize",
            "EventSourceArn",
            "FunctionName",
            "FunctionResponseTypes",
            "MaximumBatchingWindowInSeconds",
            "ScalingConfig",
        },
        {"Tags"},
    )
    concurrency = properties.get("ScalingConfig", {}).get("MaximumConcurrency")
    return Mapping(
        function=_function_called(reading, properties["FunctionName"], logical),
        queue_name=reading.called("AWS::SQS::Queue", properties["EventSourceArn"], logical)[1],
        batch_size=_number(logical, properties.get("BatchSize", 10)),
        window_s=_number(logical, properties.get("MaximumBatchingWindowInSeconds", 0)),
        max_concurrency=None if concurrency is None else _number(logical, concurrency),
        report_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
    )


def _routes(reading: Reading, logical: str) -> list[Route]:
    body = reading.properties(logical, {"Body"}, {"Description", "Name", "Tags"}).get("Body", {})
    routes = []
    for path, methods in body.get("paths", {}).items():
        for method, operation in methods.items():
            uri = str(operation.get("x-amazon-apigateway-integration", {}).get("uri"))
            arn = _INTEGRATION.search(uri)
            if arn is None:
                raise BadDefinition(f"{logical}: {method} {path} does not lead to a function")
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            routes.append(Route(verb, path, _function_called(reading, arn[1], logical)))
    return routes


def _table(reading: Reading, logical: str) -> Table:
    properties = reading.properties(
        logical,
        {"AttributeDefinitions", "KeySchema", "TableName", "TimeToLiveSpecification"},
        {"BillingMode", "PointInTimeRecoverySpecification", "SSESpecification", "Tags"},
    )
    return Table(
        name=reading.name(logical),
        key_schema=properties["KeySchema"],
        attrs={one["AttributeName"]: one["AttributeType"] for one in properties["AttributeDefinitions"]},
        ttl=properties.get("TimeToLiveSpecification", {}).get("AttributeName"),
    )


def _secret(reading: Reading, logical: str) -> str:
    reading.properties(logical, {"Name"}, {"Description", "Tags"})
    return reading.name(logical)


def _text(value: Any) -> str:
    """Return a scalar as AWS writes it: booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(logical: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise BadDefinition(f"{logical}: {value!r} is not a whole number") from error


_READERS: Final[dict[str, Callable[[Reading, str], Any]]] = {
    "AWS::ApiGatewayV2::Api": _routes,
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Rule": _rule,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Lambda::Function": _function,
    "AWS::S3::Bucket": _bucket,
    "AWS::SQS::Queue": _queue,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::SecretsManager::Secret": _secret,
}
