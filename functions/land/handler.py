"""Land: a signed webhook, POST /land/{source}/{entity} or POST /v1/consent, becomes a raw file."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.landing import consent_request
from lakehouse.landing.signatures import Request
from lakehouse.landing.webhook import answer
from lakehouse.settings import current
from lakehouse.telemetry import observed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@observed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take one API Gateway request (payload format 2.0) and answer it."""
    body = (event.get("body") or "").encode()
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    query = f"?{event['rawQueryString']}" if event.get("rawQueryString") else ""
    scheme = headers.get("x-forwarded-proto", "http")  # API Gateway always says; the local stack has no TLS
    host = headers.get("host") or event["requestContext"].get("domainName", "")
    is_consent = event["routeKey"] == consent_request.ROUTE
    place = consent_request.LANDS_AS if is_consent else event["pathParameters"]
    request = Request(
        source=place["source"],
        entity=place["entity"],
        method=event["requestContext"]["http"]["method"],
        uri=f"{scheme}://{host}{event['rawPath']}{query}",
        headers=headers,
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body,
    )
    read = consent_request.statement_lines if is_consent else None
    status, value = answer(current(), request, datetime.now(UTC), read)
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(value)}
