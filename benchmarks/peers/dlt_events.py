"""dlt loads gzip NDJSON files into an Iceberg table in a folder. Runs in an environment of its own: see __init__."""

from __future__ import annotations

import sys
import time

import dlt
from dlt.destinations import filesystem as folder
from dlt.sources.filesystem import filesystem, read_jsonl


def main(source: str, target: str) -> None:
    """Load `source`/*.gz into `target` and print the seconds it took."""
    began = time.perf_counter()
    events = filesystem(bucket_url=f"file://{source}", file_glob="*.gz") | read_jsonl()
    pipeline = dlt.pipeline("events", destination=folder(bucket_url=f"file://{target}"), dataset_name="lake")
    pipeline.run(events.with_name("events"), table_format="iceberg", write_disposition="append")
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
