"""Makes the resources that the template names on the local stack's services: what CloudFormation does on AWS."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from lakehouse import aws
from lakehouse.errors import BadDefinition
from lakehouse.local.wiring.resources import TABLE_BUCKET

if TYPE_CHECKING:
    from lakehouse.local.wiring.resources import Queue, Rule, Table, Target, Wiring


@dataclass(frozen=True, slots=True)
class Created:
    """What now exists: `queue_urls` by queue name, and the `environment` that every function shares."""

    queue_urls: dict[str, str]
    environment: dict[str, str]


def create(wiring: Wiring, *, secrets: dict[str, str]) -> Created:
    """Make queues, redrive policies, rules with targets, tables and secrets; update what exists already.

    `secrets` maps names of the template's secrets to their values; a secret without a value is made empty, as
    CloudFormation does. The clients of `lakehouse.aws` say where. Raises BadDefinition for a secret that the
    template does not know, or functions that ask for different environments (here all run in one process).
    """
    unknown = secrets.keys() - set(wiring.secrets)
    if unknown:
        raise BadDefinition(f"the template has no secret {', '.join(sorted(unknown))}")
    for table in wiring.tables:
        _create_table(table)
    for name in wiring.secrets:
        _create_secret(name, secrets.get(name))
    # One after the other: most of the time goes to moto loading its services, which threads do not speed up.
    # A redrive policy needs its dead-letter queue to exist, a rule's target its queue.
    urls: dict[str, str] = {}
    for queue in sorted(wiring.queues, key=lambda queue: queue.dlq is not None):
        urls[queue.name] = _create_queue(queue, urls[queue.dlq] if queue.dlq else None)
    for rule in wiring.rules:
        _create_rule(rule, urls)
    return Created(urls, _shared_environment(wiring, urls))


def create_buckets(wiring: Wiring) -> None:
    """Make the buckets of object storage, versioned as the template says; SeaweedFS makes the lake's."""
    for bucket in wiring.buckets:
        if bucket.logical != TABLE_BUCKET:
            _create_bucket(bucket.name, versioned=bucket.versioned)


def _create_queue(queue: Queue, dlq_url: str | None) -> str:
    attributes = dict(queue.attributes)
    if dlq_url is not None:
        redrive = {"deadLetterTargetArn": _queue_arn(dlq_url), "maxReceiveCount": queue.max_receive}
        attributes["RedrivePolicy"] = json.dumps(redrive)
    sqs = aws.sqs()
    try:
        return sqs.create_queue(QueueName=queue.name, Attributes=cast("Any", attributes))["QueueUrl"]
    except sqs.exceptions.QueueNameExists:  # with other attributes
        url = sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
        changeable = {name: value for name, value in attributes.items() if name != "FifoQueue"}
        sqs.set_queue_attributes(QueueUrl=url, Attributes=cast("Any", changeable))
        return url


def _queue_arn(url: str) -> str:
    """Return a queue's ARN from its URL: the account in it is whatever the local SQS believes to be."""
    account, name = urlsplit(url).path.strip("/").split("/")
    return f"arn:aws:sqs:{aws.sqs().meta.region_name}:{account}:{name}"


def _create_rule(rule: Rule, urls: dict[str, str]) -> None:
    """Make a rule with its targets, and remove targets that it has no more."""
    targets = [_event_target(rule, target, urls[target.queue_name]) for target in rule.targets]
    events = aws.events()
    events.put_rule(Name=rule.name, EventPattern=json.dumps(rule.pattern), State="ENABLED")
    outcome = events.put_targets(Rule=rule.name, Targets=cast("Any", targets))
    if outcome["FailedEntryCount"]:
        raise BadDefinition(f"the event bus refuses a target of {rule.name}: {outcome['FailedEntries']}")
    existing = {target["Id"] for target in events.list_targets_by_rule(Rule=rule.name)["Targets"]}
    stale = existing - {target["Id"] for target in targets}
    if stale:
        events.remove_targets(Rule=rule.name, Ids=sorted(stale))


def _event_target(rule: Rule, target: Target, queue_url: str) -> dict[str, Any]:
    """Return a rule's target as PutTargets takes it."""
    if target.input is not None:  # moto would take it, and send the event all the same
        raise BadDefinition(f"{rule.name}: the event bus here does not do a target's Input")
    event_target: dict[str, Any] = {"Id": target.queue_name, "Arn": _queue_arn(queue_url)}
    if target.message_group_id is not None:
        event_target["SqsParameters"] = {"MessageGroupId": target.message_group_id}
    return event_target


def _create_table(table: Table) -> None:
    dynamodb = aws.dynamodb()
    attributes = [{"AttributeName": name, "AttributeType": kind} for name, kind in table.attrs.items()]
    with suppress(dynamodb.exceptions.ResourceInUseException):  # it exists, and its keys cannot change
        dynamodb.create_table(
            TableName=table.name,
            KeySchema=cast("Any", table.key_schema),
            AttributeDefinitions=cast("Any", attributes),
            BillingMode="PAY_PER_REQUEST",
        )
    if table.ttl is None:
        return
    time_to_live = dynamodb.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
    if time_to_live.get("TimeToLiveStatus") != "ENABLED":
        dynamodb.update_time_to_live(
            TableName=table.name, TimeToLiveSpecification={"AttributeName": table.ttl, "Enabled": True}
        )


def _create_secret(name: str, value: str | None) -> None:
    secrets = aws.secrets()
    try:
        if value is None:
            secrets.create_secret(Name=name)
        else:
            secrets.create_secret(Name=name, SecretString=value)
    except secrets.exceptions.ResourceExistsException:
        if value is not None:
            secrets.put_secret_value(SecretId=name, SecretString=value)


def _create_bucket(name: str, *, versioned: bool) -> None:
    s3 = aws.s3()
    try:
        s3.create_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
            raise
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def _shared_environment(wiring: Wiring, urls: dict[str, str]) -> dict[str, str]:
    """Return the variables of all functions; BadDefinition where two functions differ in one."""
    shared: dict[str, str] = {}
    for function in wiring.functions.values():
        for name, value in function.environment(urls.__getitem__).items():
            if shared.setdefault(name, value) != value:
                raise BadDefinition(
                    f"{function.name}: {name} differs from other functions', and all share a process"
                )
    return shared
