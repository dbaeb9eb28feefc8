"""What the body of POST /v1/consent comes to: one line of `consent/statements`."""

from __future__ import annotations

import json

import pytest

from lakehouse.landing.consent_request import statement_lines
from lakehouse.landing.signatures import Request
from lakehouse.landing.webhook import BadBody

SAID = {
    "purpose": "marketing",
    "channel": "email",
    "granted": False,
    "said_at": "2026-03-01",
    "form": "footer",
}


def lines(body: object) -> list[str]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"webhook-id": "msg_1"}
    return statement_lines(Request("consent", "statements", "POST", "https://x/v1/consent", headers, content))


@pytest.mark.parametrize(
    ("subject", "columns"),
    [
        ({"email": "Ann@example.com"}, {"address": "Ann@example.com", "country": None}),
        ({"phone": "555 0101", "country": "US"}, {"address": "555 0101", "country": "US"}),
        (
            {"record": {"source": "hubspot", "id": "51"}},
            {"record_source": "hubspot", "record_id": "51", "record_type": None},
        ),
        ({"email": "", "phone": "555 0101"}, {"address": "555 0101", "country": None}),
    ],
)
def test_a_statement_names_its_subject_and_keeps_its_words(subject, columns):
    """Its id is the webhook's: a sender who got no answer states nothing twice. What nobody knows is kept, too."""
    [line] = lines({"subject": subject, **SAID, "campaign": "spring"})
    assert json.loads(line) == columns | {
        "purpose": "marketing", "channel": "email", "granted": False, "stated_at": "2026-03-01", "form": "footer",
        "campaign": "spring", "statement_id": "msg_1", "via": "post",
    }  # fmt: skip


def test_nobody_chooses_the_id_or_the_time_by_another_name():
    """Else a body could take the place of another statement."""
    [line] = lines(
        {"subject": {"email": "a@b.c"}, **SAID, "statement_id": "other", "stated_at": "1999-01-01"}
    )
    assert (json.loads(line)["statement_id"], json.loads(line)["stated_at"]) == ("msg_1", "2026-03-01")


@pytest.mark.parametrize(
    "body",
    [
        b"not json", b"", b"[]", [{"subject": {"email": "a@b.c"}}], 7, SAID, {"subject": "a@b.c"}, {"subject": {}},
        {"subject": {"email": "a@b.c", "phone": "555 0101"}}, {"subject": {"record": "51"}},
        {"subject": {"record": {"source": "hubspot"}}},
    ],
)  # fmt: skip
def test_what_has_another_shape_is_refused_without_being_quoted(body):
    """A list too: one statement, one id."""
    with pytest.raises(BadBody) as caught:
        lines(body)
    assert "a@b.c" not in str(caught.value)
