"""What people change in a CRM is seen: pulled records and webhooks reach `core.contacts`."""

from __future__ import annotations

import json

import pytest

from lakehouse.landing.webhook import split
from lakehouse.pulls.changes import Changed, csv_of
from tests.support.filled_lake import filled_lake

HEADERS = ["Record ID", "Email", "First Name", "Create Date", "Last Modified Date"]
PULLED = [*HEADERS, "Archived", "Merged Into"]
DELETED_AT = 1_772_366_400_000  # 2026-03-01 12:00


def contact(number, name, changed, **more):
    values = [str(number), f"p{number}@x.org", name, "2026-01-01T00:00:00Z", changed]
    return Changed(str(number), 0, dict(zip(HEADERS, values, strict=True)) | more)


def hook(number, kind, at=DELETED_AT):
    return {"eventId": number, "subscriptionType": f"contact.{kind}", "objectId": number, "occurredAt": at}


# Of contact 6: what HubSpot announces of one edit has one moment; what is not in `core.contacts` changes nothing.
CHANGED = [
    ("email", "Six@X.org", 10), ("city", "Wuhan", 10), ("country", "China", 10), ("jobtitle", "CTO", 20),
    ("jobtitle", "", 30), ("phone", "", 30), ("lakehouse_segments", "vip", 40),
]  # fmt: skip


def property_change(name, value, seconds, number=6):
    more = {"eventId": f"{number}-{name}-{seconds}", "propertyName": name, "propertyValue": value}
    return hook(number, "propertyChange", DELETED_AT + 1_000 * seconds) | more


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("changes")
    exported = [contact(n, f"Old {n}", "2026-01-02T00:00:00Z") for n in range(1, 8)]
    pulled = [
        contact(1, "New 1", "2026-02-01T09:30:00.250Z", Archived="false"),
        contact(2, "Old 2", "2026-01-02T00:00:00Z", Archived="true"),
        contact(3, "Kept", "2026-02-01T00:00:00Z", **{"Archived": "true", "Merged Into": "1"}),
        contact(7, "Restored", "2026-03-02T00:00:00Z", Archived="false"),
    ]
    hooks = [
        hook(4, "deletion"),
        hook(5, "privacyDeletion"),
        hook(6, "propertyChange") | {"propertyName": "firstname", "propertyValue": "Later"},
        hook(7, "deletion"),
        *(property_change(name, value, at) for name, value, at in CHANGED),
        property_change("city", "Oslo", 0, number=99),  # of whom nothing else is known
        property_change("city", "Oslo", 5, number=4),  # who is gone
    ]
    called_back = {"event": "item.update", "item_id": "h1", "created_on": "2026-01-01 00:00:00",
                   "updated_on": "2026-02-01 00:00:00",
                   "fields": [{"field_id": "4001", "values": [{"value": "改名"}]}]}  # fmt: skip
    files = {
        "export.csv": csv_of(HEADERS, exported),
        "pull.csv": csv_of(PULLED, pulled),
        "hooks.json": "".join(f"{line}\n" for line in split(json.dumps(hooks).encode())).encode(),
        "huoban.json": (json.dumps(called_back) + "\n").encode(),
    }
    for name, body in files.items():
        (folder / name).write_bytes(body)
    (folder / "lake").mkdir()
    first = {("hubspot", "contacts"): folder / "export.csv"}
    second = {
        ("hubspot", "contacts", "pulled"): folder / "pull.csv",
        ("hubspot", "webhooks"): folder / "hooks.json",
        ("huoban", "webhooks"): folder / "huoban.json",
    }
    with filled_lake(folder / "lake", first, second) as filled:
        yield filled


def test_a_change_made_in_the_crm_is_what_the_contact_is(lake):
    """Pulled: the newer version counts, and who was archived or merged into another is gone."""
    assert not lake.set_aside
    held = lake.ask(
        "select contact_id, first_name from core.contacts where source = 'hubspot' and valid_to is null"
    )
    assert dict(held) == {"1": "New 1", "6": "Later", "7": "Restored"}


def test_what_a_webhook_says_is_read(lake):
    """A deletion ends the contact at the moment that HubSpot says; one that was restored later is there again."""
    ended = lake.ask(
        "select contact_id, epoch_ms(valid_to) from core.contacts where source = 'hubspot' "
        "and contact_id in ('4', '5', '7') and first_name like 'Old%' order by all"
    )
    assert ended == [(name, DELETED_AT) for name in ("4", "5", "7")]
    assert lake.ask("select name from core.contacts where source = 'huoban' and valid_to is null") == [
        ("改名",)
    ]


def test_a_property_that_was_changed_is_what_the_contact_says(lake):
    """Without waiting for a pull; all else is as it was, what was cleared is empty, and the history says when."""
    said = lake.ask(
        "select first_name, email, city, country, title from core.contacts "
        "where source = 'hubspot' and contact_id = '6' and valid_to is null"
    )
    assert said == [("Later", "six@x.org", "Wuhan", "CN", None)]
    history = lake.ask(
        f"select first_name, email, title, epoch_ms(valid_from) - {DELETED_AT} from core.contacts "
        "where source = 'hubspot' and contact_id = '6' order by valid_from"
    )
    assert [row[:3] for row in history] == [
        ("Old 6", "p6@x.org", None), ("Later", "p6@x.org", None), ("Later", "six@x.org", None),
        ("Later", "six@x.org", "CTO"), ("Later", "six@x.org", None),
    ]  # fmt: skip
    assert [row[3] for row in history[1:]] == [0, 10_000, 20_000, 30_000]


def test_nobody_is_made_or_brought_back_by_a_changed_property(lake):
    """Of a contact that is not known, or gone."""
    asked = "select count(*) from core.contacts where contact_id in ('99', '4') and valid_to is null"
    assert lake.ask(asked) == [(0,)]
