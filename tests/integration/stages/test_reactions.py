"""Who was written to and refused since is counted from the books and the statements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lakehouse.outbound.policies.definition import Refusals
from lakehouse.stages.reactions import count_reactions
from tests.unit.outbound.test_changes import SYNC

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LIMIT = Refusals(days=7, codes=("BLOCKED",))


def delivery(customer, hours_ago, outcome="sent", reason=None, sync="news"):
    return {"sync": sync, "run": "1", "chunk": "c", "customer_id": customer, "action": "upsert", "outcome": outcome,
            "reason": reason, "outcome_at": NOW - timedelta(hours=hours_ago)}  # fmt: skip


def refusal(customer, learnt, stated=None, channel="email", *, granted=False):
    times = {
        "learnt_at": NOW - timedelta(hours=learnt),
        "stated_at": stated and NOW - timedelta(hours=stated),
    }
    return {"consent_id": f"s-{customer}", "customer_id": customer, "purpose": "marketing", "channel": channel,
            "granted": granted, **times}  # fmt: skip


def test_only_who_refuses_after_a_message_counts(company):
    """By this channel, to this sync, of late; an old list that is imported today says nothing of it."""
    assert count_reactions(company.settings, SYNC, LIMIT, NOW) == (0, 0)
    company.fill(
        "ops.deliveries",
        *(delivery(name, 10) for name in ("ann", "bob", "cat", "dan", "eve", "fay", "gus", "hal")),
        delivery("gus", 9),
        delivery("ida", 10, "failed", "BLOCKED"), delivery("jim", 10, "failed", "X"),
        delivery("kim", 10, "withheld", "cap"), delivery("leo", 8 * 24), delivery("mia", 10, sync="other"),
    )  # fmt: skip
    company.fill(
        "core.consents",
        refusal("ann", 5), refusal("bob", 5, 5), refusal("cat", 5, 11),  # the day alone: it begins before
        refusal("dan", 5, 400), refusal("eve", 12), refusal("fay", 5, channel="sms"), refusal("gus", 5, granted=True),
        refusal("leo", 5), refusal("mia", 5), refusal("kim", 5),
    )  # fmt: skip
    assert count_reactions(company.settings, SYNC, LIMIT, NOW) == (9, 4)
