"""Updates that people reported of other software as lost or doubled: after each, the rows are those of a rebuild."""

from __future__ import annotations

from tests.support.model_looks import looks
from tests.unit.models.test_incremental import NOTHING, ORDER, START, event

__all__ = ["looks"]


def test_what_others_lose_or_double_comes_out_as_rebuilt(looks):
    """`looks` compares after each step.

    A message that came late, before all that were there (dbt-labs/segment#62, fivetran/dbt_jira#118) and between two
    visits, whose ids then change (dbt-labs/snowplow#49); one that is older than the newest that was read
    (dlt#2269); the same one again (snowplow#100); a device that was silent for months (dbt-snowplow-web#47); an order
    that is gone (dbt-core#14578) and back; a table replaced by the same rows (sqlmesh#5179).
    """
    visits = [event(30, "u1", "d1"), event(31, "u1", "d1")]
    between = event(30, "u1", "d1") | {"message_id": "m30b"}
    said = looks(
        [
            START,
            NOTHING._replace(events=visits),
            NOTHING._replace(events=[event(0, "u1", "d1"), between]),
            NOTHING._replace(events=[event(29, None, "d2"), event(30, "u1", "d1")]),
            NOTHING._replace(events=[event(180, None, "d2")], orders={}),
            NOTHING._replace(orders={"O1": ORDER}, deals=START.deals),
        ]
    )
    assert said[1:] == ["1 of 4 rows", "1 of 4 rows", "1 of 4 rows", "2 of 4 rows", "1 of 4 rows"]
