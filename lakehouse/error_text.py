"""What may be said of an error outside this process: its type and its place, never a customer's data.

The text of an error that is not ours may quote a row, a key or a secret, and so may the texts of its causes. The
runtime of AWS Lambda logs an exception's text, its OnFailure queues keep it, and a caller gets it: so what leaves a
function says what the error is (type, code of AWS, errno) and where it was raised (innermost lines of our code).
Our own errors are written for people; their text stays, but for addresses, which have no business there.
"""

from __future__ import annotations

import errno
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lakehouse.errors import LakehouseError

_ROOT = Path(__file__).parents[1]  # functions/ stands beside lakehouse/, also on AWS
_OUR_FOLDERS = tuple(f"{_ROOT / name}/" for name in ("lakehouse", "functions"))
_OUR_FRAMES: Final = 3  # innermost ones that are named
_LONGEST_CHAIN: Final = 6  # errors of a chain of causes, and members of a group, that are named
_ADDRESS = re.compile(r"[^\s@\"'<>()\[\]{},;:=/]+@[^\s@\"'<>()\[\]{},;:=/]+")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9._]{0,63}|[1-5]\d\d")


class WithheldError(LakehouseError):
    """An error that is not ours happened; the text says its type and place, and never what it said."""


def safe_text(error: BaseException) -> str:
    """Return what may be logged of an error: of our own its text, of any other what `summary` says."""
    return without_addresses(str(error)) if isinstance(error, LakehouseError) else summary(error)


def without_addresses(text: str) -> str:
    """Return a text of our own with whatever looks like an e-mail address left out."""
    return _ADDRESS.sub("(address)", text)


def summary(error: BaseException) -> str:
    """Return type, code and place of an error, then those of what caused it; nothing of any text."""
    return "; from ".join(_summary_of_one(one) for one in _chain(error))


def withheld(error: BaseException, reference: str = "") -> BaseException:
    """Return what may be raised to the runtime in place of an error: it has no cause, and keeps the traceback.

    Our own errors stay what they are. `reference` leads people to the log lines of the same call. An ImportError
    stays one, since the runtime tells that a module is missing in its own way.
    """
    if isinstance(error, LakehouseError):
        error.args = tuple(without_addresses(part) if isinstance(part, str) else part for part in error.args)
        error.__cause__ = error.__context__ = None
        return error
    ending = f"; reference {reference}" if reference else ""
    text = f"{summary(error)}{ending}"
    made = ImportError(text) if isinstance(error, ImportError) else WithheldError(text)
    return made.with_traceback(error.__traceback__)


def place(error: BaseException) -> str:
    """Return where an error was raised, outermost first: the last lines of our code, then what they called."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_OUR_FOLDERS)][-_OUR_FRAMES:]
    innermost = [frame for frame in frames[-1:] if frame not in ours]
    return " > ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in ours + innermost)


def _summary_of_one(error: BaseException) -> str:
    codes = [code for code in _codes(error) if _CODE.fullmatch(code)]
    name = type(error).__qualname__ + (f" ({', '.join(codes)})" if codes else "")
    where = place(error)
    return f"{name} at {where}" if where else name


def _codes(error: BaseException) -> Iterator[str]:
    """Yield what names the kind of an error more closely: AWS's code, an HTTP status, errno, the members of a group."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        yield str(response.get("Error", {}).get("Code", ""))
    yield str(getattr(response, "status_code", ""))
    if isinstance(error, OSError) and error.errno is not None:
        yield errno.errorcode.get(error.errno, "")
    if isinstance(error, ImportError):
        yield error.name or ""
    if isinstance(error, BaseExceptionGroup):
        yield from (type(member).__qualname__ for member in error.exceptions[:_LONGEST_CHAIN])


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what caused it, and so on; those that were suppressed too, each once."""
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen and len(seen) < _LONGEST_CHAIN:
        seen.append(following)
        yield following
        following = following.__cause__ or following.__context__


def _short(filename: str) -> str:
    """Return a file's path from our root, or the last two parts of another's."""
    path = Path(filename)
    return str(path.relative_to(_ROOT)) if filename.startswith(_OUR_FOLDERS) else "/".join(path.parts[-2:])
