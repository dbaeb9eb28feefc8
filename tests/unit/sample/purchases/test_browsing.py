"""What a visit is made of."""

from __future__ import annotations

import random
import uuid

from lakehouse.sample.purchases import browsing


def test_ids_look_like_uuids_of_version_4() -> None:
    """Other programs can read them."""
    parsed = uuid.UUID(browsing.uuid_like(random.Random(1)))
    assert (parsed.version, parsed.variant) == (4, uuid.RFC_4122)


def test_a_person_has_one_or_two_devices_in_the_own_language() -> None:
    """No two devices share an anonymous id."""
    rng = random.Random(1)
    owned = [browsing.devices(rng, chinese=True) for _ in range(100)]
    assert {len(devices) for devices in owned} == {1, 2}
    ids = [device.anonymous_id for devices in owned for device in devices]
    assert len(set(ids)) == len(ids)
    assert {device.locale for devices in owned for device in devices} == {"zh-CN"}
    assert browsing.devices(rng, chinese=False)[0].locale == "en-US"


def test_the_only_device_is_the_one_of_every_visit() -> None:
    """Who has two mostly uses the first."""
    rng = random.Random(1)
    first, second = browsing.Device("1", "", ""), browsing.Device("2", "", "")
    assert {browsing.pick_device(rng, [first]) for _ in range(50)} == {first}
    picked = [browsing.pick_device(rng, [first, second]) for _ in range(200)]
    assert picked.count(first) > picked.count(second) > 0


def test_views_name_a_page_or_a_product() -> None:
    """Prices have two decimals at most."""
    rng = random.Random(1)
    page, product = browsing.page(rng), browsing.product_viewed(rng)
    assert page["properties"]["url"] == browsing.SITE + page["properties"]["path"]
    assert product["event"] == "Product Viewed"
    price = product["properties"]["price"]
    assert round(price, 2) == price
