"""Names and digests of quarantine objects; what is in them is tried with a store: tests/integration."""

from __future__ import annotations

import pytest

from lakehouse.ingest.quarantine.bad_rows import Digest, object_key


def digest_of(*rows):
    digest = Digest()
    for row in rows:
        digest.add(row)
    return str(digest)


@pytest.mark.parametrize(
    ("replay", "set_aside", "key"),
    [
        (0, "2-ab", "quarantine/f/0/2-ab.json"),
        (3, "2-ab", "quarantine/f/3/2-ab.json"),
        (0, "", "quarantine/f.json"),  # as old commits left it
        (3, "", "quarantine/f/3.json"),
    ],
)
def test_each_generation_has_a_key_of_its_own(replay, set_aside, key):
    """With the digest in it, so that another attempt does not overwrite it."""
    assert object_key("f", replay, set_aside) == key


def test_a_digest_does_not_depend_on_the_order():
    """Other rows, or as many others, have another one."""
    assert digest_of(1, 2, None) == digest_of(None, 2, 1)
    assert len({digest_of(*rows) for rows in ((1, 2), (1, 3), (1,), (None,), (), (1, 1))}) == 6


def test_a_digest_is_the_same_for_ever():
    """Commits keep it."""
    assert (digest_of(), digest_of(1, 2)) == ("0-0000000000000000", "2-3ffa10ae259313cf")
