"""Items of the projection are written and read in batches, and what DynamoDB leaves over is asked for again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse import aws, retrying
from lakehouse.errors import Transient
from lakehouse.privacy.projection_table import CustomerItem, Projection, ProjectionTable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLE = ProjectionTable("consent")


class Store:
    """Answers for DynamoDB, a few items a request."""

    def __init__(self, takes: int) -> None:
        self.items: dict[str, dict] = {}
        self.takes = takes
        self.requests: list[int] = []

    def batch_write_item(self, RequestItems):  # noqa: N803
        ((table, requests),) = RequestItems.items()
        self.requests.append(len(requests))
        for request in requests[: self.takes]:
            item = request["PutRequest"]["Item"]
            self.items[item["pk"]["S"]] = item
        rest = requests[self.takes :]
        return {"UnprocessedItems": {table: rest} if rest else {}}

    def batch_get_item(self, RequestItems):  # noqa: N803
        ((table, request),) = RequestItems.items()
        self.requests.append(len(request["Keys"]))
        asked = [key["pk"]["S"] for key in request["Keys"]]
        found = [self.items[key] for key in asked[: self.takes] if key in self.items]
        rest = [{"pk": {"S": key}} for key in asked[self.takes :]]
        unprocessed = {table: {**request, "Keys": rest}} if rest else {}
        return {"Responses": {table: found}, "UnprocessedKeys": unprocessed}


@pytest.fixture
def dynamodb(monkeypatch):
    def make(takes: int) -> Store:
        made = Store(takes)
        monkeypatch.setattr(aws, "dynamodb", lambda: made)
        return made

    monkeypatch.setattr(retrying.time, "sleep", lambda _: None)
    return make


def items(count: int) -> list[CustomerItem]:
    return [CustomerItem(f"c{n}", "g", {"marketing:email": f"k{n}"}) for n in range(count)]


def test_what_is_left_over_is_written_again(dynamodb):
    """Until all is written."""
    table = dynamodb(takes=10)
    TABLE.write_items(items(25), NOW)
    assert table.requests == [25, 15, 5]
    assert len(table.items) == 25


def test_items_that_are_never_taken_are_an_error(dynamodb):
    """The generation must not be named."""
    table = dynamodb(takes=0)
    with pytest.raises(Transient, match="does not take"):
        TABLE.write_items(items(2), NOW)
    assert len(table.requests) == 6


def test_what_was_written_is_read(dynamodb):
    """A hundred keys a request; who has no item is neither found nor unanswered."""
    table = dynamodb(takes=100)
    TABLE.write_items(items(3), NOW)
    table.requests.clear()
    found, unanswered = TABLE.read_items([f"c{n}" for n in range(230)])
    assert (found, unanswered) == (items(3), set())
    assert table.requests == [100, 100, 30]


def test_customers_without_an_answer_are_named(dynamodb):
    """Nobody knows what they allow."""
    dynamodb(takes=0)
    assert TABLE.read_items(["c1", "c2"]) == ([], {"c1", "c2"})


def test_a_projection_counts_until_its_end():
    """To the second."""
    projection = Projection("1", "g", NOW.timestamp() + 1, NOW.timestamp())
    assert projection.in_force(NOW)
    assert not Projection("1", "g", NOW.timestamp(), NOW.timestamp()).in_force(NOW)
