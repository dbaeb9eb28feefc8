"""The type of address that a channel writes to: SQL and Python read one table."""

from __future__ import annotations

from contextlib import closing

import duckdb
import pytest

from lakehouse.engine.channels import KIND_OF, kind_sql


@pytest.mark.parametrize(
    ("channel", "kind"),
    [
        ("email", "email"),
        ("sms", "phone"),
        ("phone", "phone"),
        ("whatsapp", "phone"),
        ("push", None),
        ("post", None),
        ("Email", None),  # channels are in lower case when they come here
        ("", None),
        (None, None),
    ],
)
def test_a_channel_has_its_type_of_address(channel: str | None, kind: str | None) -> None:
    """Null for one of which records carry no address."""
    with closing(duckdb.connect()) as con:
        found = con.execute(
            f"SELECT {kind_sql('said')} FROM (SELECT ?::VARCHAR AS said)", [channel]
        ).fetchall()
    assert found == [(kind,)]
    assert KIND_OF.get(channel or "") == kind
