"""The recorder of rights sees what a role lacks."""

from __future__ import annotations

import copy

from functions.sweep.handler import handler as sweep
from tests.support.recorded_rights import Asked, Recorded, recording
from tests.support.template_rights import deployed, without


def test_what_no_statement_grants_is_missing():
    """By action, bucket and prefix; a bucket's own rights are not those of its objects."""
    reads = {Asked("export_segments", "s3:GetObject", "OpsBucket", "segments/a[1].json")}
    lists = {Asked("export_segments", "s3:ListBucket", "OpsBucket", "")}
    assert Recorded(reads | lists).missing() == []
    infra = copy.deepcopy(deployed())
    without("ExportSegmentsFunction", "NoteSegmentRuns")(infra)
    assert Recorded(reads | lists).missing(infra) == [
        "export_segments lacks s3:GetObject on OpsBucket/segments/a[1].json"
    ]
    for key in ("segments", "other/a.json", "x/segments/a.json"):
        asked = {Asked("export_segments", "s3:GetObject", "OpsBucket", key)}
        assert len(Recorded(asked).missing()) == 1


def test_calls_are_a_functions_while_its_handler_is_at_work(company, event, monkeypatch):
    """Those of a test are nobody's."""
    with recording(monkeypatch) as recorded:
        file = company.land("shop/orders", "1.csv", "order_id\n1\n")
        assert recorded.asked == set()
        sweep(event("sweep", "schedule"), None)
        assert Asked("sweep", "s3:ListBucketVersions", "LandingBucket", "") in recorded.asked, file.key
        assert {each.function for each in recorded.asked} == {"sweep"}
