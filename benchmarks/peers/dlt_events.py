"""dlt loads gzip NDJSON files from a bucket into an Iceberg table in a bucket, partitioned by day, JSON kept as JSON.

Runs in an environment of its own: see __init__. `append` loads what it is given; `upsert` leaves one row a messageId.
"""

from __future__ import annotations

import os
import sys
import time

import dlt
from dlt.common.configuration.specs import AwsCredentials
from dlt.destinations import filesystem as bucket
from dlt.destinations.adapters import iceberg_adapter, iceberg_partition
from dlt.sources.filesystem import filesystem, read_jsonl


def main(how: str, source: str, target: str, working_folder: str) -> None:
    """Load `source`/*.gz into `target` (both s3: URLs) and print the seconds it took."""
    once = {"disposition": "merge", "strategy": "upsert"}
    keys = AwsCredentials(
        aws_access_key_id=os.environ["PEER_KEY"],
        aws_secret_access_key=os.environ["PEER_SECRET"],
        endpoint_url=os.environ["PEER_ENDPOINT"],
        region_name="us-east-1",
    )
    began = time.perf_counter()
    files = filesystem(bucket_url=source, file_glob="*.gz", credentials=keys)
    events = (files | read_jsonl()).with_name("events")
    events.max_table_nesting = 0
    if how == "upsert":
        events.apply_hints(primary_key="messageId", columns={"messageId": {"nullable": False}})
    iceberg_adapter(events, partition=[iceberg_partition.day("timestamp")])
    pipeline = dlt.pipeline(
        "events",
        destination=bucket(bucket_url=target, credentials=keys),
        dataset_name="lake",
        pipelines_dir=working_folder,
    )
    told = pipeline.run(
        events, table_format="iceberg", write_disposition=once if how == "upsert" else "append"
    )
    told.raise_on_failed_jobs()
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
