"""A segment's members as a file, with a manifest beside it: what it holds, and until when it may be used."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lakehouse.console.query_files import Format, write_query
from lakehouse.console.spreadsheet_cells import RULE
from lakehouse.errors import Terminal
from lakehouse.segments.export_files import manifest

if TYPE_CHECKING:
    from pathlib import Path

    from lakehouse.stages.export_members import Members


def write_members(segment: str, members: Members, path: Path, file_format: Format) -> dict[str, Any]:
    """Write the file and its manifest, `FILE.json`; return what that says.

    Raises `Terminal` where one cannot be written; a file without a manifest is not finished.
    """
    rows = write_query(members.answer, path, file_format, guard=True, sheet=segment)
    content = {
        "kind": "members",
        "snapshot": members.snapshot,
        "rows": rows,
        "columns": list(members.columns),
        "bytes": path.stat().st_size,
        "sha256": _sha256(path),
        "guarded": RULE if file_format == "csv" else "",
    }
    text = manifest(segment, path.name, datetime.now(UTC), content)
    try:
        path.with_name(f"{path.name}.json").write_bytes(text)
    except OSError as error:
        raise Terminal(f"{path}.json cannot be written: {error.strerror or error}") from error
    read: dict[str, Any] = json.loads(text)
    return read


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
