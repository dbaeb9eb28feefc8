"""Messages of changes as SeaweedFS sends them."""

from __future__ import annotations

import base64
from typing import Any

BUCKET = "landing"
ID = "6715d6094a9b4a80b0b72131f9bb3778"
WRITTEN_NS = 0x7FFF_FFFF_FFFF_FFFF - int(ID[:16], 16)


def change(path: str, event: str = "create", size: int = 5, **extended: str) -> dict[str, Any]:
    """Return a message as SeaweedFS 4.48 sends it; it leaves out a size of 0, as protobuf does."""
    attributes = {"mtime": WRITTEN_NS // 10**9, **({"file_size": size} if size else {})}
    encoded = {k.replace("_", "-"): base64.b64encode(v.encode()).decode() for k, v in extended.items()}
    entry = {"name": path.rpartition("/")[2], "attributes": attributes, "extended": encoded}
    return {"event_type": event, "key": f"/buckets/{path}", "message": {"new_entry": entry}}


def version(key: str, event: str = "create", number: str = ID, **more: Any) -> dict[str, Any]:
    """Return the message of a new version."""
    path = f"{BUCKET}/{key}.versions/v_{number}"
    return change(path, event, Seaweed_X_Amz_Version_Id=number, Seaweed_X_Amz_ETag="e1", **more)
