"""Which tables an audience cannot do without."""

from __future__ import annotations

import pytest

from lakehouse.segments import audience

MARTS = dict.fromkeys(audience.REQUIRED, "a table")


@pytest.mark.parametrize(
    ("tables", "computed_from", "missing"),
    [
        pytest.param(
            MARTS | {"core.consent_answers": "a table"}, {"core.consent_answers": "7"}, [], id="all are there"
        ),
        pytest.param(MARTS, {"core.consent_answers": ""}, [], id="nobody ever stated a consent"),
        pytest.param(MARTS, {"core.consent_answers": "7"}, ["core.consent_answers"], id="consents are gone"),
        pytest.param({}, {}, sorted(audience.REQUIRED), id="an empty lake"),
    ],
)
def test_a_table_that_is_gone_must_not_look_like_a_table_without_rows(
    tables, computed_from, missing, monkeypatch
):
    """Everybody would be taken off the CRM."""
    monkeypatch.setattr(audience.commit, "inputs", lambda _: computed_from)
    assert audience.missing_tables(tables) == missing
