"""Every difference between the emulator and AWS, by name and with its reason; there are no others.

Those of `EMULATOR` are put into the emulator's process before it starts: they make it do what AWS does where it does
something else. Those of `TEMPLATE` change the template before it is deployed: they are about the machine that it runs
on. This module is imported by the emulator, whose environment has nothing of the project: it needs Python alone.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Template = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """What the emulator does otherwise than AWS, and what is done about it."""

    name: str
    reason: str
    apply: Callable[..., None]

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the names of what it has to be told, besides the template."""
        return tuple(inspect.signature(self.apply).parameters)[1:]


EMULATOR: list[Difference] = []
TEMPLATE: list[Difference] = []


def _noted(
    differences: list[Difference], reason: str
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def note(apply: Callable[..., None]) -> Callable[..., None]:
        differences.append(Difference(apply.__name__, reason, apply))
        return apply

    return note


# ---------------------------------------------------------------- in the emulator


@_noted(
    EMULATOR, "On AWS every request of Glue needs the right on the catalog, on the database and on the table."
)
def glue_asks_for_catalog_database_and_table() -> None:
    """The emulator looks at the database alone, and takes the name of a database for that of a table."""
    from ministack.core import iam_actions, iam_evaluator

    arn_of_other_services = iam_actions.extract_resource_arn
    enforce = iam_evaluator.enforce

    def extract_resource_arn(service: str, *request: Any) -> str:
        if service != "glue":
            return str(arn_of_other_services(service, *request))
        _, _, headers, body, _, region, account = request
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        return f"arn:aws:glue:{region}:{account}:{glue_resource(action, json.loads(body or b'{}'))}"

    def enforce_with_parents(
        key: str, action: str, service: str, region: str, resource_arn: str = "*", **rest: Any
    ) -> Any:
        denied = None
        for arn in with_parents(resource_arn) if service == "glue" else [resource_arn]:
            denied = denied or enforce(key, action, service, region, resource_arn=arn, **rest)
        return denied

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforce_with_parents


def glue_resource(action: str, request: dict[str, Any]) -> str:
    """Return the innermost resource that a request of Glue is about; for a list of tables, all of the database."""
    if action in {"GetDatabase", "CreateDatabase"}:
        return f"database/{request.get('Name') or request['DatabaseInput']['Name']}"
    if "DatabaseName" not in request:
        return "catalog"
    table = "*" if action == "GetTables" else request.get("Name") or request["TableInput"]["Name"]
    return f"table/{request['DatabaseName']}/{table}"


def with_parents(arn: str) -> list[str]:
    """Return the catalog, the database and the table of an ARN of Glue, as far as it names them."""
    account, resource = arn.rsplit(":", 1)
    kind, *names = resource.split("/")
    parents = [f"{account}:catalog"]
    if kind == "table":
        parents.append(f"{account}:database/{names[0]}")
    return parents if kind == "catalog" else [*parents, arn]


@_noted(
    EMULATOR, "A batch of messages needs the right for one message; AWS has no action of the batch's name."
)
def a_batch_needs_the_right_of_one() -> None:
    """The emulator asks for `sqs:SendMessageBatch`."""
    from ministack.core import iam_actions

    action_of = iam_actions.extract_iam_action

    def extract_iam_action(service: str, *rest: Any) -> str | None:
        action: str | None = action_of(service, *rest)
        return action.removesuffix("Batch") if action and service == "sqs" else action

    iam_actions.extract_iam_action = extract_iam_action


@_noted(EMULATOR, "On AWS `Ref` of a secret is its ARN, which is what a policy names.")
def ref_of_a_secret_is_its_arn() -> None:
    """The emulator gives the name, and policies would match nothing."""
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
    create = handlers["create"]

    def create_and_name_by_arn(*arguments: Any) -> tuple[str, dict[str, str]]:
        _, attributes = create(*arguments)
        return attributes["Arn"], attributes

    handlers["create"] = create_and_name_by_arn


@_noted(EMULATOR, "SAM writes the routes of an HTTP API into its `Body`, which AWS imports.")
def routes_of_an_api_come_from_its_body() -> None:
    """The emulator ignores `Body`: there would be no route."""
    from ministack.services import apigateway
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create = handlers["create"]

    def create_with_routes(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        api_id, attributes = create(logical_id, properties, stack)
        for path, methods in (properties.get("Body") or {}).get("paths", {}).items():
            for method, operation in methods.items():
                proxy = operation["x-amazon-apigateway-integration"]
                integration = apigateway._create_integration(
                    api_id,
                    {
                        "integrationType": "AWS_PROXY",
                        "integrationUri": proxy["uri"],
                        "payloadFormatVersion": proxy["payloadFormatVersion"],
                    },
                )
                target = f"integrations/{json.loads(integration[2])['integrationId']}"
                apigateway._create_route(api_id, {"routeKey": f"{method.upper()} {path}", "target": target})
        return api_id, attributes

    handlers["create"] = create_with_routes


@_noted(EMULATOR, "On AWS the event of a bucket that keeps versions names the version, as a listing does.")
def events_name_the_version() -> None:
    """The emulator's events for EventBridge do not: each raw file would be another one once it is listed."""
    import threading

    from ministack.services import eventbridge, s3

    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event
    of_thread = threading.local()

    def fire_and_remember(*arguments: Any, version_id: str | None = None, **rest: Any) -> None:
        of_thread.version_id = version_id
        fire(*arguments, version_id=version_id, **rest)

    def dispatch_with_version(event: dict[str, Any], *rest: Any) -> Any:
        version_id = getattr(of_thread, "version_id", None)
        if event["Source"] == "aws.s3" and version_id:
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version_id
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, *rest)

    s3._fire_s3_event, eventbridge._dispatch_event = fire_and_remember, dispatch_with_version


@_noted(
    EMULATOR,
    "A key may end with a slash, as that of pyarrow's mark for a folder; policies see the whole key.",
)
def a_key_may_end_with_a_slash() -> None:
    """The emulator drops it before it asks for the right."""
    from ministack.core import iam_actions

    arn_of = iam_actions.extract_resource_arn

    def extract_resource_arn(service: str, method: str, path: str, *rest: Any) -> str:
        arn = str(arn_of(service, method, path, *rest))
        return f"{arn}/" if service == "s3" and path.endswith("/") and path.count("/") > 2 else arn

    iam_actions.extract_resource_arn = extract_resource_arn


@_noted(EMULATOR, "A mapping gathers messages for its window, and takes up to its batch size of them.")
def mappings_gather_messages() -> None:
    """The emulator takes ten at most, as soon as there is one: stages would run dozens of times for one batch."""
    import time

    from ministack.services import lambda_svc, sqs

    receive = sqs._receive_messages_for_esm
    seen_since: dict[str, float] = {}

    def window_of(queue_url: str) -> float:
        arn = sqs._queues[queue_url]["attributes"]["QueueArn"]
        windows = (
            mapping.get("MaximumBatchingWindowInSeconds", 0)
            for _, _, mapping in lambda_svc._iter_all_esms()
            if mapping["EventSourceArn"] == arn
        )
        return float(next(windows, 0))

    def gather(queue_url: str, batch_size: int) -> list[dict[str, Any]]:
        now = time.time()
        messages = sqs._queues[queue_url]["messages"]
        visible = sum(message.get("visible_at", 0) <= now for message in messages)
        since = seen_since.setdefault(queue_url, now)
        if visible and now - since < window_of(queue_url) and visible < batch_size:
            return []
        del seen_since[queue_url]
        gathered: list[dict[str, Any]] = []
        while len(gathered) < batch_size and (some := receive(queue_url, batch_size - len(gathered))):
            gathered += some
        return gathered

    sqs._receive_messages_for_esm = gather


@_noted(
    EMULATOR, "S3 tells only those who may list a bucket that an object is missing; to others it says 403."
)
def a_missing_object_is_a_secret() -> None:
    """The emulator says 404 to everybody; a function without `s3:ListBucket` would fail on AWS alone."""
    from ministack import app
    from ministack.core import iam_actions, iam_evaluator, responses

    dispatch = app._dispatch_service_request

    async def dispatch_and_hide(
        method: str, path: str, headers: Any, body: bytes, query: Any, request_id: str
    ) -> Any:
        answer = await dispatch(method, path, headers, body, query, request_id)
        bucket, _, key = path.strip("/").partition("/")
        if answer[0] != 404 or method not in {"GET", "HEAD"} or not key:
            return answer
        if app.detect_service(method, path, headers, query) != "s3":
            return answer
        denied = iam_evaluator.enforce(
            app.extract_access_key_id(headers, query),
            "s3:ListBucket",
            "s3",
            responses.get_region(),
            resource_arn=f"arn:aws:s3:::{bucket}",
        )
        if not denied:
            return answer
        status, told, text = iam_actions.access_denied_response("s3", "s3:ListBucket", "", request_id)
        return status, told, b"" if method == "HEAD" else text

    app._dispatch_service_request = dispatch_and_hide


@_noted(EMULATOR, "The emulator speaks plain HTTP: DuckDB refuses its self-signed certificate.")
def requests_count_as_sent_over_tls() -> None:
    """The buckets' policies deny what is not."""
    from ministack import app

    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _: pin(source_ip, True)


@_noted(
    EMULATOR,
    "`sweep` probes a store that is not S3 before it trusts it; on AWS nothing is written below `.probe/`.",
)
def probes_of_the_store_need_no_right() -> None:
    """The functions are told of an endpoint, as they would be of any store that is not S3."""
    from ministack.core import iam_evaluator

    enforce = iam_evaluator.enforce

    def enforce_but_for_probes(
        key: str, action: str, service: str, region: str, resource_arn: str = "*", **rest: Any
    ) -> Any:
        if service == "s3" and "/.probe/" in resource_arn:
            return None
        return enforce(key, action, service, region, resource_arn=resource_arn, **rest)

    iam_evaluator.enforce = enforce_but_for_probes


@_noted(
    EMULATOR, "The emulator runs functions in its own environment; on AWS they have their package and Python."
)
def functions_have_their_own_python() -> None:
    """An interpreter without packages: all that a function imports is in its zip or in what its lock names."""
    import sys

    from ministack.core import lambda_runtime

    script_of = lambda_runtime._detect_runtime_binary
    bare = getattr(sys, "_base_executable", sys.executable)

    def bare_interpreter(runtime: str) -> tuple[str, str]:
        return bare, script_of(runtime)[1]

    lambda_runtime._detect_runtime_binary = bare_interpreter


# ---------------------------------------------------------------- in the template


@_noted(TEMPLATE, "The emulator runs images in Docker; the same code and lock run as a zip.")
def images_run_as_zips(template: Template, packages: dict[str, str]) -> None:
    """`packages` says where the code of a kind of function lies: `heavy` for images, `light` for zips."""
    for function in functions_of(template):
        if function.get("PackageType") == "Image":
            function["Handler"] = function.pop("ImageConfig")["Command"][0]
            function |= {"PackageType": "Zip", "Runtime": "python3.12", "CodeUri": packages["heavy"]}
        else:
            function["CodeUri"] = packages["light"]


@_noted(
    TEMPLATE,
    "Dependencies are 600 MB; they are installed once, from the locks, and not copied into each zip.",
)
def dependencies_lie_beside_the_zips(template: Template, dependencies: dict[str, str]) -> None:
    """`dependencies` are the folders of what the two locks name."""
    for function in functions_of(template):
        kind = "heavy" if str(function["CodeUri"]).endswith("heavy.zip") else "light"
        environment = function.setdefault("Environment", {}).setdefault("Variables", {})
        environment["PYTHONPATH"] = dependencies[kind]


@_noted(TEMPLATE, "The functions run on this machine: S3 is at an endpoint, and /tmp belongs to others, too.")
def functions_run_on_this_machine(template: Template, endpoint: str, scratch: str) -> None:
    """pyarrow does not know `AWS_ENDPOINT_URL`, so S3 is named for itself."""
    template["Globals"]["Function"]["Environment"]["Variables"] |= {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "LAKEHOUSE_SCRATCH": scratch,
    }


def functions_of(template: Template) -> list[dict[str, Any]]:
    """Return the properties of every function."""
    return [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    ]
