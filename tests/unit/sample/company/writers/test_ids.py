"""Each system numbers records in its own shape."""

from __future__ import annotations

import pyarrow as pa
import pytest

from lakehouse.sample.company.writers import ids


@pytest.mark.parametrize(
    ("system", "kind", "world_id", "expected"),
    [
        (ids.hubspot, "contacts", "CT012345678", "1012345678"),
        (ids.hubspot, "activities", "A01234567890", "601234567890"),
        (ids.salesforce, "contacts", "CT012345678", "003500012345678AAA"),
        (ids.salesforce, "leads", "L012345678", "00Q500012345678EAA"),
        (ids.salesforce, "users", "U000001", "005500000000001AAA"),
        (ids.zoho, "deals", "D012345678", "5310005000012345678"),
        (ids.huoban, "contacts", "CT012345678", "2300000012345678"),
        (ids.jiandaoyun, "leads", "L012345678", "65f000000000000012345678"),
    ],
)
def test_ids_have_the_shape_of_their_system(system, kind: str, world_id: str, expected: str) -> None:
    """Of one length, whatever the number."""
    assert system(kind, pa.array([world_id])).to_pylist() == [expected]


def test_names_of_wukong_have_a_number_behind() -> None:
    """So that two people of one name are two customers."""
    names = ids.wukong(pa.array(["张伟", "张伟"]), pa.array(["CT000000001", "CT000000002"]))
    assert names.to_pylist() == ["张伟（000000001）", "张伟（000000002）"]


def test_platforms_have_numbers_of_their_own() -> None:
    """Which a CRM does not know."""
    assert ids.advertising(pa.array(["L012345678"])).to_pylist() == ["7012345678"]
