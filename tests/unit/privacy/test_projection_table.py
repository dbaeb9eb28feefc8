"""Items of the projection are written and read in batches, and what DynamoDB leaves over is asked for again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse import aws, retrying
from lakehouse.errors import Transient
from lakehouse.privacy.projection_table import GrantKey, Item, Projection, ProjectionTable, Write

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
            if "DeleteRequest" in request:
                self.items.pop(request["DeleteRequest"]["Key"]["pk"]["S"], None)
            else:
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


def key(number: int) -> GrantKey:
    return GrantKey(f"c{number}", "hash", "marketing", "email")


def writes(count: int) -> list[Write]:
    return [Write(key(number), f"k{number}", 3) for number in range(count)]


def test_what_is_left_over_is_written_again(dynamodb):
    """Until all is written."""
    table = dynamodb(takes=10)
    TABLE.write_items(writes(25), "e", NOW)
    assert table.requests == [25, 15, 5]
    assert len(table.items) == 25


def test_items_that_are_never_taken_are_an_error(dynamodb):
    """The generation must not be named."""
    table = dynamodb(takes=0)
    with pytest.raises(Transient, match="does not take"):
        TABLE.write_items(writes(2), "e", NOW)
    assert len(table.requests) == 6


def test_what_was_written_is_read(dynamodb):
    """A hundred keys a request; who has no item is neither found nor unanswered, nor is one of another epoch."""
    table = dynamodb(takes=100)
    TABLE.write_items(writes(3), "e", NOW)
    table.requests.clear()
    found, unanswered = TABLE.read_items([key(number) for number in range(230)], "e")
    assert (found, unanswered) == ({key(number): Item(f"k{number}", 3) for number in range(3)}, set())
    assert table.requests == [100, 100, 30]
    assert TABLE.read_items([key(0)], "f") == ({}, set())


def test_an_item_is_deleted(dynamodb):
    """A write without a statement takes the grant away."""
    dynamodb(takes=100)
    TABLE.write_items(writes(2), "e", NOW)
    TABLE.write_items([Write(key(0))], "e", NOW)
    assert TABLE.read_items([key(0), key(1)], "e")[0].keys() == {key(1)}


def test_grants_without_an_answer_are_named(dynamodb):
    """Nobody knows what they allow."""
    dynamodb(takes=0)
    assert TABLE.read_items([key(1), key(2)], "e") == ({}, {key(1), key(2)})


def test_a_projection_counts_until_its_end_and_that_of_its_items():
    """To the second."""

    def ends(seconds: int, items: int = 99) -> Projection:
        now = NOW.timestamp()
        return Projection("1", "e", 1, now + seconds, now, now + items)

    assert ends(1).in_force(NOW)
    assert not ends(0).in_force(NOW)
    assert not ends(1, items=0).in_force(NOW)
