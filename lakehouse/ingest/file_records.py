"""What a commit says of each raw file: built from counts alone, nothing is read or written here."""

from __future__ import annotations

from datetime import datetime

from lakehouse.ingest.loading.file_results import RowCounts
from lakehouse.landing.raw_files import RawFile
from lakehouse.tables.commit import FileRecord

REFUSED = RowCounts(received=1, quarantined=1)  # a file that no source definition fits


def file_record(file: RawFile, counts: RowCounts, started_at: datetime, replay: int = 0) -> FileRecord:
    """Return the record of one generation of a file; `set_aside` is still to be filled in where it left something."""
    return FileRecord(
        file_id=file.file_id,
        bucket=file.bucket,
        key=file.key,
        version=file.version,
        bytes=file.size,
        received=counts.received,
        loaded=counts.loaded,
        duplicates=counts.duplicates,
        quarantined=counts.quarantined,
        started_at=started_at.isoformat(),
        replay=replay,
        parts=counts.parts,
        no_records=counts.no_records,
        absent=",".join(sorted(counts.absent)),
    )


def improves_nothing(record: FileRecord) -> bool:
    """Return whether a replay left everything in quarantine that it tried: then it is no generation of its own."""
    return record.replay > 0 and 0 < record.received == record.quarantined


def needs_quarantine_object(record: FileRecord) -> bool:
    """Return whether a generation has an object in quarantine: a replay has one also where all of it is good."""
    return record.quarantined > 0 or record.replay > 0
