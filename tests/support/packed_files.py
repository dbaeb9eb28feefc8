"""Raw files packed in every way a sender may choose."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence

from hypothesis import HealthCheck, settings

from lakehouse.errors import BadFile

# Machines that run tests are busy: how long an example takes says nothing.
EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of these files; a name that ends with `/` is a folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name), body, method)
    return out.getvalue()


def cut(body: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """Yield the bytes in chunks of these sizes, over and over; a size may be 0."""
    at = turn = 0
    while at < len(body):
        size = sizes[turn % len(sizes)] if any(sizes) else len(body)
        yield body[at : at + size]
        at, turn = at + size, turn + 1


def code_of(chunks: Iterator[bytes]) -> str:
    """Return the code of the BadFile that reading ends in; empty where it ends well."""
    try:
        for _ in chunks:
            pass
    except BadFile as error:
        return error.code
    return ""


def peak_of_a_child(code: str, *arguments: str) -> tuple[str, int]:
    """Run code in a process of its own; return what it printed and its peak of memory in MiB."""
    import subprocess
    import sys

    # Not by `getrusage`: there a child begins with the peak of its parent.
    tail = "\nprint('', *[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    done = subprocess.run(
        [sys.executable, "-c", code + tail, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    *printed, peak = done.stdout.split()
    return " ".join(printed), int(peak) >> 10
