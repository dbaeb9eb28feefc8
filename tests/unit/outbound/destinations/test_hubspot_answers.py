"""Answers of HubSpot are read row by row, and nothing is assumed of what they lack."""

from __future__ import annotations

import pytest

from lakehouse.outbound.destinations import Answer
from lakehouse.outbound.destinations.hubspot_answers import (
    answers_of_batch,
    category_of,
    existing_of,
    missing_ids,
    records_of,
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"results": [{"id": "9", "objectWriteTraceId": "1"}]}, {0: "NOT_WRITTEN", 1: ""}),
        ({"results": [{"id": "9"}, {"id": "8"}]}, {0: "", 1: ""}),
        ({"results": [{"id": "9"}]}, {0: "NOT_WRITTEN", 1: "NOT_WRITTEN"}),
        ({"results": "none", "errors": None}, {0: "NOT_WRITTEN", 1: "NOT_WRITTEN"}),
        (
            {
                "results": [{"id": "9"}],
                "errors": [{"category": "X", "context": {"objectWriteTraceId": ["1"]}}],
            },
            {0: "", 1: "X"},
        ),
        (
            {"errors": [{"category": "X", "context": {"objectWriteTraceId": ["7", 1, "-1"]}}]},
            {0: "NOT_WRITTEN", 1: "NOT_WRITTEN"},
        ),
        ({"errors": [{"category": "X", "context": []}]}, {0: "NOT_WRITTEN", 1: "NOT_WRITTEN"}),
    ],
)
def test_a_row_is_written_only_when_the_answer_says_so(answer, expected):
    """By trace id; without any, by equal numbers."""
    answers = answers_of_batch(answer, [0, 1], "sent")
    assert {number: each.code for number, each in answers.items()} == expected
    assert all((each.status == "sent") == (each.code == "") for each in answers.values())


def test_a_written_row_has_the_id_of_its_record():
    """Without trace ids nobody knows which record is whose."""
    traced = {"results": [{"id": "9", "objectWriteTraceId": "0"}]}
    assert answers_of_batch(traced, [0], "removed") == {0: Answer("removed", crm_id="9")}
    assert answers_of_batch({"results": [{"id": "9"}]}, [0], "removed") == {0: Answer("removed")}


def test_a_read_names_the_records_that_are_there_and_those_that_are_not():
    """In lower case, as addresses are compared."""
    answer = {
        "results": [
            {"id": "9", "properties": {"email": "A@x.org"}},
            {"id": "8", "properties": {}},
            {"id": "7"},
            "odd",
        ],
        "errors": [
            {"category": "OBJECT_NOT_FOUND", "context": {"ids": ["B@x.org", 5]}},
            {"category": "OTHER", "context": {"ids": ["c@x.org"]}},
        ],
    }
    assert records_of(answer, "email")["a@x.org"][0] == "9"
    assert missing_ids(answer) == {"b@x.org"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"category": "CONFLICT"}, "CONFLICT"),
        ({"category": "a@x.org is bad"}, "HTTP_409"),
        ([], "HTTP_409"),
        (None, "HTTP_409"),
    ],
)
def test_a_category_that_could_quote_a_person_is_none(answer, code):
    """Then the status speaks."""
    assert category_of(answer, 409) == code


@pytest.mark.parametrize(
    ("answer", "record"),
    [
        (
            {"message": "Contact already exists. Existing ID: 37765128953", "category": "CONFLICT"},
            "37765128953",
        ),
        ({"message": "Contact already exists. Existing ID: 51", "identityProfile": {"vid": 51}}, "51"),
        ({"message": "Contact already exists"}, ""),
        ({"message": "Existing ID: 51@x.org"}, "51"),
        ({"message": None}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_a_conflict_names_the_contact_that_has_the_address(answer, record):
    """In words alone, as hubspot-api-nodejs#545 and pipedream#11236 show them."""
    assert existing_of(answer) == record
