"""Settings: every variable of the environment is read, and nothing else is."""

from __future__ import annotations

import json
import zoneinfo
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from lakehouse import settings
from lakehouse.errors import Terminal
from lakehouse.settings import Settings, named_or_running

MADE = {
    "LAKEHOUSE_LANDING_BUCKET": ("landing_bucket", "l", "l"),
    "LAKEHOUSE_OPS_BUCKET": ("ops_bucket", "o", "o"),
    "LAKEHOUSE_CATALOG": ("catalog", "rest", "rest"),
    "LAKEHOUSE_CATALOG_URI": ("catalog_uri", "http://c", "http://c"),
    "LAKEHOUSE_WAREHOUSE": ("warehouse", "s3://w/", "s3://w/"),
    "AWS_REGION": ("region", "eu-west-1", "eu-west-1"),
    "AWS_ENDPOINT_URL_S3": ("s3_endpoint", "http://s", "http://s"),
    "AWS_ACCESS_KEY_ID": ("access_key", "k", "k"),
    "AWS_SECRET_ACCESS_KEY": ("secret_key", "hush", "hush"),
    "AWS_SESSION_TOKEN": ("session_token", "hush too", "hush too"),
    "LAKEHOUSE_EVENT_BUS": ("event_bus", "b", "b"),
    "LAKEHOUSE_INGEST_QUEUE_URL": ("ingest_queue_url", "q1", "q1"),
    "LAKEHOUSE_RESOLVE_QUEUE_URL": ("resolve_queue_url", "q2", "q2"),
    "LAKEHOUSE_AGGREGATE_QUEUE_URL": ("aggregate_queue_url", "q3", "q3"),
    "LAKEHOUSE_EXPORT_QUEUE_URL": ("export_queue_url", "q4", "q4"),
    "LAKEHOUSE_PUBLISH_QUEUE_URL": ("publish_queue_url", "q5", "q5"),
    "LAKEHOUSE_BOOKS_QUEUE_URL": ("books_queue_url", "q6", "q6"),
    "LAKEHOUSE_COLLECT_QUEUE_URL": ("collect_queue_url", "q7", "q7"),
    "LAKEHOUSE_SETTLE_SECONDS": ("settle_seconds", "7", 7),
    "LAKEHOUSE_CONSENT_TABLE": ("consent_table", "t", "t"),
    "LAKEHOUSE_LIMITS_TABLE": ("limits_table", "t", "t"),
    "LAKEHOUSE_CONSENT_MAX_AGE_HOURS": ("consent_max_age_hours", "5", 5),
    "LAKEHOUSE_WEBHOOK_SECRET": ("webhook_secret", "w", "w"),
    "LAKEHOUSE_COLLECT_SECRET": ("collect_secret", "c", "c"),
    "LAKEHOUSE_HUBSPOT_SECRET": ("hubspot_secret", "h", "h"),
    "LAKEHOUSE_HASH_SECRET": ("hash_secret", "k", "k"),
    "LAKEHOUSE_HUBSPOT_URL": ("hubspot_url", "http://h", "http://h"),
    "LAKEHOUSE_DESTINATIONS_SECRET": ("destinations_secret", "d", "d"),
    "LAKEHOUSE_INWARD_HOSTS": ("inward_hosts", "crm.internal:8080", "crm.internal:8080"),
    "LAKEHOUSE_DEFINITIONS": ("definitions", "/d", Path("/d")),
    "LAKEHOUSE_AS_OF": ("as_of", "1998-06-30", datetime(1998, 6, 30)),  # noqa: DTZ001 - as it was given
    "LAKEHOUSE_TIME_ZONE": ("time_zone", "Asia/Shanghai", "Asia/Shanghai"),
    "LAKEHOUSE_MEMORY_LIMIT": ("memory_limit", "1GB", "1GB"),
    "LAKEHOUSE_SPILL_LIMIT": ("spill_limit", "6GB", "6GB"),
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": ("function_memory_mb", "3008", 3008),
    "LAKEHOUSE_THREADS": ("threads", "3", 3),
    "LAKEHOUSE_SCRATCH": ("scratch", "/s", Path("/s")),
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in (*MADE, "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    settings.current.cache_clear()
    yield
    settings.current.cache_clear()


def read(wanted, field):
    value = getattr(wanted, field)
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


def test_every_setting_has_its_variable(monkeypatch):
    """All of them, by the names that the template uses; and no setting is left out of this list."""
    assert {field for field, _, _ in MADE.values()} == set(Settings.model_fields)
    default = Settings()
    for name, (_, text, _) in MADE.items():
        monkeypatch.setenv(name, text)
    made = Settings()
    for field, _, value in MADE.values():
        assert read(made, field) == value
        assert read(default, field) != value


def test_keys_are_not_shown(monkeypatch):
    """Settings get printed and logged."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "hush")
    assert "hush" not in repr(Settings()) + str(Settings().model_dump_json())


def test_the_region_has_two_names(monkeypatch):
    """Lambda sets the first, people's shells the second."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert Settings().region == "eu-north-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert Settings().region == "eu-west-1"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LAKEHOUSE_CATALOG", "hive"),
        ("LAKEHOUSE_THREADS", "0"),
        ("LAKEHOUSE_SETTLE_SECONDS", "901"),
        ("LAKEHOUSE_CONSENT_MAX_AGE_HOURS", "0"),
        ("LAKEHOUSE_AS_OF", "yesterday"),
        ("LAKEHOUSE_TIME_ZONE", "Shanghai"),
    ],
)
def test_a_wrong_value_is_refused(monkeypatch, name, text):
    """When the process starts, not when it matters."""
    monkeypatch.setenv(name, text)
    with pytest.raises(ValidationError, match=MADE[name][0]):
        Settings()


def test_settings_are_read_once(monkeypatch):
    """A process keeps what it began with."""
    first = settings.current()
    monkeypatch.setenv("LAKEHOUSE_OPS_BUCKET", "other")
    assert settings.current() is first
    settings.current.cache_clear()
    assert settings.current().ops_bucket == "other"


def test_now_is_the_day_people_look_back_from(monkeypatch):
    """`as_of` where it is set, in the business's zone where it names none; else the clock."""
    clock = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert Settings().now_or_as_of(clock) == clock
    assert Settings().as_of_day(clock) == date(2026, 3, 1)
    monkeypatch.setenv("LAKEHOUSE_AS_OF", "1998-06-30")
    assert Settings().now_or_as_of(clock) == datetime(1998, 6, 30, tzinfo=UTC)
    monkeypatch.setenv("LAKEHOUSE_AS_OF", "1998-06-30T23:00:00-05:00")
    assert Settings().as_of_day(clock) == date(1998, 7, 1)
    assert Settings().now_or_as_of().tzinfo is not None


def test_today_is_the_business_s_day(monkeypatch):
    """And a day that is named without a zone is a day there, not the evening before."""
    clock = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    for zone, day in (("Asia/Shanghai", 2), ("America/New_York", 1), ("UTC", 1)):
        monkeypatch.setenv("LAKEHOUSE_TIME_ZONE", zone)
        assert Settings().as_of_day(clock) == date(2026, 3, day)
        monkeypatch.setenv("LAKEHOUSE_AS_OF", "1998-06-30")
        assert Settings().as_of_day(clock) == date(1998, 6, 30)
        monkeypatch.delenv("LAKEHOUSE_AS_OF")


def test_duckdb_gets_half_of_a_functions_memory(monkeypatch):
    """What is said wins; a function leaves room for the rest of the process; a laptop is like the ingest function."""
    assert Settings().duck_memory == "1024MB"
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "3000")
    assert Settings().duck_memory == "1500MB"
    monkeypatch.setenv("LAKEHOUSE_MEMORY_LIMIT", "1GB")
    assert Settings().duck_memory == "1GB"


def stack(folder, **env):
    (folder / "stack.json").write_text(json.dumps({"env": env}))


def test_a_named_catalog_comes_before_a_running_stack(tmp_path, monkeypatch):
    """Whoever set the environment meant it."""
    stack(tmp_path, LAKEHOUSE_CATALOG="rest", LAKEHOUSE_OPS_BUCKET="of the stack")
    monkeypatch.setenv("LAKEHOUSE_CATALOG", "sql")
    monkeypatch.setenv("LAKEHOUSE_OPS_BUCKET", "named")
    assert named_or_running(tmp_path).ops_bucket == "named"


def test_the_running_stack_is_found(tmp_path):
    """With everything it told, under whatever names."""
    stack(tmp_path, **{name: text for name, (_, text, _) in MADE.items()}, POWERTOOLS_LOG_LEVEL="INFO")
    found = named_or_running(tmp_path)
    for field, _, value in MADE.values():
        assert read(found, field) == value


def test_a_running_stack_is_not_mixed_with_the_environment(tmp_path, monkeypatch):
    """The keys of somebody's real account must not meet a local endpoint, nor the other way round."""
    stack(tmp_path, LAKEHOUSE_CATALOG="rest", AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of a real account")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of a real account")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://real.example.com")
    monkeypatch.setenv("LAKEHOUSE_OPS_BUCKET", "real")
    found = named_or_running(tmp_path)
    assert (found.access_key, found.session_token, found.s3_endpoint) == ("local", None, None)
    assert found.ops_bucket == "ops"


@pytest.mark.parametrize("text", [None, "", "{}", "[]", '{"env": 5}'])
def test_without_either_people_are_told_what_to_do(tmp_path, text):
    """Nor does a torn or foreign file pass for a stack."""
    if text is not None:
        (tmp_path / "stack.json").write_text(text)
    with pytest.raises(Terminal, match="lakehouse up"):
        named_or_running(tmp_path)


def test_utc_needs_no_zones_and_another_zone_is_asked_for_when_it_is_needed(monkeypatch):
    """A function that never asks for a day must start where no zones are installed, as on a small image."""
    monkeypatch.setattr(settings, "ZoneInfo", zoneinfo.ZoneInfo.no_cache)
    zoneinfo.reset_tzpath(to=())
    try:
        noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
        assert Settings(time_zone="UTC").as_of_day(noon) == noon.date()
        with pytest.raises(Terminal, match="no time zone 'Asia/Shanghai'"):
            Settings(time_zone="Asia/Shanghai").as_of_day(noon)
    finally:
        zoneinfo.reset_tzpath()
