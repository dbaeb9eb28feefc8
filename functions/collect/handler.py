"""Collect: tracked events of SDKs, browsers and pixels go on a queue, and are answered once they are durable."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.landing import collect
from lakehouse.settings import current
from lakehouse.telemetry import observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take one API Gateway request (payload format 2.0) and answer it."""
    about = event["requestContext"]
    body = (event.get("body") or "").encode()
    parameters = event.get("pathParameters") or {}
    request = collect.Request(
        call=parameters.get("call", ""),
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body,
        query=event.get("queryStringParameters") or {},
        source_ip=about["http"].get("sourceIp", ""),
        request_id=about["requestId"],
    )
    if about["http"]["method"] == "OPTIONS":
        answer = collect.answer_preflight(request)
    elif "key" in parameters:
        answer = collect.answer_browser(request, parameters["key"])
    elif event["routeKey"].startswith("GET "):
        answer = collect.answer_pixel(current(), request, datetime.now(UTC))
    else:
        answer = collect.answer(current(), request, datetime.now(UTC))
    return collect.encoded(answer)
