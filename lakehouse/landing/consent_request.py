"""`POST /v1/consent`: what a form, an app or a call centre says of one person's consent, as a statement to land.

The body is one JSON object, signed as Standard Webhooks say, with the secret of the name `consent`:

    {"subject": {"email": "ann@example.com"}, "purpose": "marketing", "channel": "email", "granted": false,
     "said_at": "2026-03-01T09:30:00+01:00", "form": "footer", "policy_version": "2026-01"}

The subject is an `email`, a `phone` (with its `country` where it is written without one), or a `record` of another
source, `{"source": "hubspot", "id": "51"}`: the statement is then one of that record. What the values mean, ingest
says: a word that it does not know is set aside there, as in any file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from lakehouse.landing.webhook import BadBody, split

if TYPE_CHECKING:
    from lakehouse.landing.signatures import Request

ROUTE: Final = "POST /v1/consent"
LANDS_AS: Final = {"source": "consent", "entity": "statements"}
_SUBJECTS: Final = ("email", "phone", "record")


def statement_lines(request: Request) -> list[str]:
    """Return the one line of `consent/statements` that a signed request comes to; its id is that of the webhook.

    Raises BadBody for what is no object of this shape, without a word of it.
    """
    lines = split(request.body)
    body = json.loads(lines[0]) if len(lines) == 1 else None
    if not isinstance(body, dict) or not request.body.lstrip().startswith(b"{"):
        raise BadBody("the body is not one JSON object")
    statement = {name: value for name, value in body.items() if name not in ("subject", "said_at")}
    statement |= _subject(body.get("subject"))
    statement |= {
        "statement_id": request.headers["webhook-id"],
        "stated_at": body.get("said_at"),
        "via": "post",  # whatever the body says: see `own_word` of a mapping of consents
    }
    return [json.dumps(statement, ensure_ascii=False)]


def _subject(subject: Any) -> dict[str, Any]:
    """Return the columns that name who or what a statement is about; BadBody unless it is exactly one."""
    named = [name for name in _SUBJECTS if subject.get(name)] if isinstance(subject, Mapping) else []
    if len(named) != 1:
        raise BadBody(f"the body's subject is not one of {', '.join(_SUBJECTS)}")
    value = subject[named[0]]
    if named[0] == "record":
        if not (isinstance(value, Mapping) and value.get("source") and value.get("id")):
            raise BadBody("the body's record has no source and id")
        return {"record_source": value["source"], "record_id": value["id"], "record_type": value.get("type")}
    return {"address": value, "country": subject.get("country")}
