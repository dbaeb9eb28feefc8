"""What a person puts down about consent: raw files that come in by the common door, and lines of the audit log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lakehouse import objects

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from lakehouse.settings import Settings


def land(settings: Settings, entity: str, name: str, lines: Iterable[dict[str, Any]], now: datetime) -> None:
    """Put rows of `consent/<entity>` as a raw file; they count once it is loaded."""
    key = f"consent/{entity}/{now:%Y/%m/%d/%H}/{name}.ndjson"
    body = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    objects.put(settings.landing_bucket, key, body.encode())


def audit(settings: Settings, action: str, subject: str, detail: dict[str, Any], now: datetime) -> None:
    """Note who did what, for `ops.audit_log`."""
    entry = {"action": action, "subject": subject, "at": now.isoformat(), "detail": detail}
    key = f"audit/consent/{action}-{uuid4().hex}.json"
    objects.put(settings.ops_bucket, key, json.dumps(entry, ensure_ascii=False).encode())
