"""Whatever form a store uses: new files are found, other events are named, and the rest is an error of its own."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from lakehouse.landing.announcements import read_message
from lakehouse.landing.raw_files import RawFile, from_object

EVENTS = Path(__file__).parents[3] / "events" / "ingest"
FILE = RawFile("b", "crm/contacts/ü (1)+a.csv", "v", 78)
TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}


def record(name="ObjectCreated:Put", file=FILE, **entry):
    thing = {"key": quote_plus(file.key), "size": file.size, "eTag": "e", "versionId": file.version} | entry
    return {
        "eventSource": "aws:s3",
        "eventName": name,
        "s3": {"bucket": {"name": file.bucket}, "object": thing},
    }


def notification(*records):
    return {"Records": list(records)}


def event(detail_type="Object Created", file=FILE, **entry):
    thing = {"key": file.key, "size": file.size, "version-id": file.version} | entry
    detail = {"bucket": {"name": file.bucket}, "object": thing}
    return {"source": "aws.s3", "detail-type": detail_type, "detail": detail}


def by_sns(message, kind="Notification"):
    text = message if isinstance(message, str) else json.dumps(message)
    return {"Type": kind, "TopicArn": "arn:aws:sns:eu-central-1:1:t", "MessageId": "m", "Message": text}


def read(message):
    return read_message(json.dumps(message))


@pytest.mark.parametrize(
    "name",
    ["ObjectCreated:Put", "s3:ObjectCreated:Put", "ObjectCreated:CompleteMultipartUpload",
     "ObjectCreated:Copy", "ObjectCreated:Post", "s3:ObjectCreated:CompleteMultipartUpload"],
)  # fmt: skip
def test_a_new_object_is_a_file_however_it_came(name):
    """In a notification of S3 or MinIO, by itself or wrapped by SNS."""
    for message in (notification(record(name)), by_sns(notification(record(name)))):
        assert read(message).files == (FILE,)
        assert not read(message).other_events + read(message).errors


@pytest.mark.parametrize("message", [event(), by_sns(event()), {"files": [FILE.message()]}])
def test_a_new_object_by_eventbridge_and_in_a_list(message):
    """EventBridge may reach the queue through a topic, too."""
    assert read(message).files == (FILE,)


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (TEST_EVENT, "s3:TestEvent"),
        (by_sns(TEST_EVENT), "s3:TestEvent"),
        (notification(), "an empty list of records"),
        (notification(record("ObjectRemoved:Delete")), "ObjectRemoved:Delete"),
        (notification(record("s3:ObjectRemoved:DeleteMarkerCreated")), "ObjectRemoved:DeleteMarkerCreated"),
        (notification(record("ObjectRestore:Completed")), "ObjectRestore:Completed"),
        (notification(record("LifecycleExpiration:Delete")), "LifecycleExpiration:Delete"),
        (notification(record("IntelligentTiering")), "IntelligentTiering"),
        (notification(record("s3:ReducedRedundancyLostObject")), "ReducedRedundancyLostObject"),
        (notification(record("ObjectAcl:Put")), "ObjectAcl:Put"),
        (event("Object Deleted"), "Object Deleted"),
        (event("Object Restore Completed"), "Object Restore Completed"),
        (event("Object Tags Added"), "Object Tags Added"),
        (by_sns(event("Object ACL Updated")), "Object ACL Updated"),
        (by_sns("", "UnsubscribeConfirmation"), "UnsubscribeConfirmation"),
    ],
)
def test_what_is_no_new_file_is_named_and_no_error(message, named):
    """None of it may be tried five times and end in the dead-letter queue."""
    announcement = read(message)
    assert announcement.other_events == (named,)
    assert not announcement.files + announcement.errors


@pytest.mark.parametrize(
    "message",
    [
        [], ["x"], "text", 1, None, {}, {"hello": "world"}, {"files": [1]}, {"files": [{"bucket": "b"}]},
        {"files": None}, {"Records": None}, {"Records": [{}]}, {"Records": ["x"]},
        {"Records": [{"s3": {"object": {"key": "a"}}}]},
        notification(record("")), notification(record("no name of an event")), notification(record(7)),
        notification(record(versionId=None, eTag=None)), notification(record(key="")),
        notification(record(key="web/events/%FF")),
        event("AWS API Call via CloudTrail"), event("Objects"), event(7), {"detail-type": "Object Created"},
        event() | {"source": "lakehouse"},
        by_sns("no JSON"), by_sns("[1]"), by_sns(by_sns(notification(record()))),
        by_sns("confirm", "SubscriptionConfirmation"),
        {"Type": "Notification", "TopicArn": "arn"},
    ],
)  # fmt: skip
def test_a_form_that_nobody_knows_is_an_error(message):
    """It must not pass for a message without files, which would be forgotten."""
    announcement = read(message)
    assert len(announcement.errors) == 1
    assert not announcement.files + announcement.other_events


@pytest.mark.parametrize("body", ["", "{", "\ufeff{}", "[" * 100_000])
def test_what_is_no_json_is_an_error(body):
    """Also JSON that is nested too deeply."""
    assert len(read_message(body).errors) == 1


def test_a_part_that_cannot_be_read_costs_only_itself():
    """Records of one notification are read one by one."""
    odd = record(key="web/events/%FF")
    announcement = read(notification(odd, record(), record("ObjectRemoved:Delete"), {}))
    assert announcement.files == (FILE,)
    assert announcement.other_events == ("ObjectRemoved:Delete",)
    assert [type(error) for error in announcement.errors] == [UnicodeDecodeError, KeyError]


def test_a_notification_has_its_key_encoded_and_an_event_has_not():
    """As S3 documents both."""
    encoded = record(key="web/events/a+b%2Bc%2520d+%E5%AE%A2")
    assert read(notification(encoded)).files[0].key == "web/events/a b+c%20d 客"
    plain = RawFile("b", "web/events/a+b%2Bc 客", "v", 7)
    assert read(event(file=plain)).files == (plain,)


def test_without_versions_the_etag_names_the_file():
    """Under each of the names that stores give it; a folder needs neither."""
    other_name = {"eTag": None, "etag": "e", "versionId": ""}
    for gone in ({"versionId": None}, {"versionId": ""}, {"versionId": "null"}, other_name):
        (file,) = read(notification(record(**gone))).files
        assert (file.version, file.is_etag) == ("e", True)
    folder = record(key="crm/contacts/", versionId=None, eTag=None)
    assert read(notification(folder)).files[0].key == "crm/contacts/"


def test_files_are_in_the_order_in_which_they_came():
    """By the time, then by S3's sequencer, in each form."""
    came = [
        ("2026-01-01T00:00:00Z", "0055"),
        ("2026-01-01T00:00:00.000Z", "0056"),
        ("2026-01-01T00:00:00.001Z", "0001"),
        ("2026-01-01T01:00:01+01:00", "0001"),
        ("2026-01-02T00:00:00Z", None),
    ]
    notified = [
        read(notification(record(sequencer=sequencer) | {"eventTime": time})) for time, sequencer in came
    ]
    by_event = [read(event(sequencer=sequencer) | {"time": time}) for time, sequencer in came]
    for announcements in (notified, by_event):
        files = [announcement.files[0] for announcement in announcements]
        arrivals = [file.arrival for file in files]
        assert arrivals == sorted(arrivals)
        assert len(set(arrivals)) == len(arrivals)
        listed = read({"files": [file.message() for file in files]}).files
        assert [file.arrival for file in listed] == arrivals
    assert read(event() | {"time": "some day"}).files[0].arrival == ""


def test_the_events_of_the_project_are_understood():
    """Those in events/ingest, which `lakehouse invoke ingest` takes."""
    counts = {}
    for path in EVENTS.glob("*.json"):
        bodies = [sqs["body"] for sqs in json.loads(path.read_text("utf-8"))["Records"]]
        read_bodies = [read_message(body) for body in bodies]
        assert not any(announcement.errors for announcement in read_bodies), path.name
        files = sum(len(announcement.files) for announcement in read_bodies)
        counts[path.stem] = files, sum(len(announcement.other_events) for announcement in read_bodies)
    assert counts == {
        "files": (2, 0), "object_created": (2, 0), "unusual_key": (1, 0), "s3_notification": (3, 0),
        "s3_removed": (1, 5), "s3_test_event": (0, 1), "sns_notification": (1, 1),
        "minio_notification": (1, 1),
    }  # fmt: skip


@tried(max_examples=100)
@given(
    key=st.text(min_size=1, max_size=60).filter(lambda key: not key.endswith("/")),
    version=st.text(
        st.characters(exclude_characters='"'), min_size=1, max_size=20
    ),  # quotes stand around an ETag
    size=st.integers(0, 2**40),
)
def test_a_file_survives_its_message(key, version, size):
    """Whatever the key: what `sweep` sends is what `ingest` gets."""
    for is_etag in (True, False):
        file = from_object("b", {"key": key, "etag" if is_etag else "version-id": version, "size": size})
        assert read({"files": [file.message()]}).files == (file,)
