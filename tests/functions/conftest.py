"""Real handlers, fed with the payloads in events/, on a company in small."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import small_company
from tests.support.recorded_rights import recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVENTS = Path(__file__).parents[2] / "events"


@pytest.fixture
def company(lake, monkeypatch, tmp_path) -> Iterator[small_company.SmallCompany]:
    """An empty lake with the buckets and queues of the template's names around it."""
    with small_company.company(monkeypatch, tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def rights(monkeypatch) -> Iterator[None]:
    """Nothing is asked of a bucket that the function's role does not allow."""
    with recording(monkeypatch) as recorded:
        yield
    assert recorded.missing() == []


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    """Return a payload of events/; messages about files get these files instead of the example's."""

    def read(function: str, case: str, *bodies: object) -> dict[str, Any]:
        payload = json.loads((EVENTS / function / f"{case}.json").read_text("utf-8"))
        for record, body in zip(payload.get("Records", []), bodies, strict=False):
            record["body"] = json.dumps(body, ensure_ascii=False)
        return payload

    return read


@pytest.fixture
def announcing(event) -> Callable[..., dict[str, Any]]:
    """Return an ingest payload in which S3 announces these files."""

    def announce(case: str, *files: Any) -> dict[str, Any]:
        payload = event("ingest", case)
        example = payload["Records"][0]
        payload["Records"] = []
        for number, file in enumerate(files):
            record = copy.deepcopy(example)
            body = json.loads(record["body"])
            body["detail"]["bucket"]["name"] = file.bucket
            body["detail"]["object"] |= {"key": file.key, "size": file.size, "version-id": file.version}
            record |= {"messageId": f"message-{number}", "body": json.dumps(body, ensure_ascii=False)}
            payload["Records"].append(record)
        return payload

    return announce
