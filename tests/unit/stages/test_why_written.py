"""Whose deliveries an answer may name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lakehouse.stages.why_written import Delivery, concerns

NAMES = st.sampled_from(["", "a@x", "b@x", "c@x"])
CUSTOMERS = st.sampled_from(["c_1", "c_2", "c_3"])


@given(NAMES, NAMES, CUSTOMERS, st.sets(CUSTOMERS), st.dictionaries(NAMES.filter(bool), CUSTOMERS), NAMES)
def test_nobody_hears_of_what_went_to_somebody_else(record, address, meant, asking, owners, who):
    """Plainly: unless it went to the address in question, nothing of an address whose owner does not ask is told."""
    found = Delivery("s", "1", "c", meant, "upsert", "sent", id=record, address=address)
    told = concerns(found, who or "c_9", asking, owners)
    if who and who in (record, address):
        assert told
    elif address in owners:
        assert told == (owners[address] in asking)
    else:
        assert told == (meant in asking)
