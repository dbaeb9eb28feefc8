"""Which old raw files may be deleted: those of which something is loaded, where a version can be named."""

from __future__ import annotations

from lakehouse.landing.raw_files import RawFile
from lakehouse.stages.expire_raw import ExpiryPlan, plan_expiry


def test_only_loaded_versions_are_deleted():
    """What is not loaded waits; a file without a version id could be another one by now."""
    loaded, waiting = RawFile("b", "s/e/a", "v1", 1), RawFile("b", "s/e/a", "v2", 1)
    unversioned = RawFile("b", "s/e/c", "etag", 1, is_etag=True)
    unloaded_unversioned = RawFile("b", "s/e/d", "etag", 1, is_etag=True)
    files = [loaded, waiting, unversioned, unloaded_unversioned]
    plan = plan_expiry(files, {loaded.file_id, unversioned.file_id, "of another batch"})
    assert plan == ExpiryPlan((loaded,), waiting=2, unversioned=1)
    assert plan_expiry([], {"x"}) == ExpiryPlan((), waiting=0, unversioned=0)
    assert plan_expiry(files, set()) == ExpiryPlan((), waiting=4, unversioned=0)
