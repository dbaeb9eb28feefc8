"""What happens on the site and in the app."""

from __future__ import annotations

from typing import Any


def test_devices_belong_to_the_people_who_order_with_them(company: Any) -> None:
    """The device of an order made on the site is its customer's."""
    wrong, right = company.row(
        """SELECT count(*) FILTER (d.person_id <> a.person_id), count(*) FILTER (d.person_id = a.person_id)
           FROM web_events JOIN truth_person_of_device AS d ON json ->> '$.anonymousId' = d.anonymous_id
           JOIN truth_person_of_account AS a ON json ->> '$.userId' = a.customer_id"""
    )
    assert wrong == 0
    assert right > 10_000


def test_the_site_tells_every_order_made_there_once(company: Any) -> None:
    """Each order of the site and the app is a message, with its value; orders of the shops are none."""
    messages = company.rows(
        """SELECT DISTINCT json ->> '$.properties.order_id', (json ->> '$.properties.revenue')::DECIMAL(12, 2),
                  json ->> '$.userId'
           FROM web_events WHERE json ->> '$.event' = 'Order Completed'"""
    )
    orders = company.rows(
        """SELECT DISTINCT order_id, amount::DECIMAL(12, 2), customer_id FROM shop_orders WHERE channel <> 'store'"""
    )
    assert set(messages) == set(orders)
    assert len(messages) == len(orders) > 10_000
