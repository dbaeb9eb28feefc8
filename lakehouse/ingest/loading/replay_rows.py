"""Of files that are replayed in part: which rows are to be loaded, and which of them were read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from lakehouse.engine.escape import literal
from lakehouse.ingest.reading.piece import PART_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

    from lakehouse.ingest.quarantine.replay_plan import Replay


_PART_OF_ROW: Final = f"(_row + _row_offset) // {PART_ROWS} * {PART_ROWS}"


def partial_replays(file_ids: Iterable[str], replays: Mapping[str, Replay]) -> dict[str, frozenset[int]]:
    """Return, by file id, the rows to load of those files of which a replay does not load all."""
    rows_by_file = {}
    for file_id in file_ids:
        replay = replays.get(file_id)
        if replay is not None and replay.rows is not None:
            rows_by_file[file_id] = replay.rows
    return rows_by_file


class ReplayRows:
    """The tables `rows_to_replay` and `rows_replayed` in DuckDB; without partial replays they stay empty."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.file_ids: set[str] = set()
        self._con = con
        con.execute(
            "CREATE TABLE rows_to_replay (file VARCHAR, row BIGINT); "
            "CREATE TABLE rows_replayed (file VARCHAR, row BIGINT)"
        )

    def request(self, rows_by_file: Mapping[str, frozenset[int]]) -> None:
        """Note which rows of which files are to be loaded; of all other files every row is."""
        for file_id, rows in rows_by_file.items():
            self.file_ids.add(file_id)
            self._con.execute("INSERT INTO rows_to_replay SELECT ?, unnest(?)", [file_id, sorted(rows)])

    def filter_unit(self) -> None:
        """Of files that are replayed in part, keep in `unit` only the rows to load, and note that they were read.

        Row 0 of a part that was not read stands for all its rows.
        `row_offsets` says of which file each piece is, and how many rows stand before it.
        """
        if not self.file_ids:
            return
        self._con.execute(
            "DELETE FROM unit WHERE rowid IN ("
            "SELECT u.rowid FROM unit AS u JOIN row_offsets ON _of_piece = _piece "
            "JOIN (SELECT DISTINCT file AS _replayed FROM rows_to_replay) ON _replayed = _file "
            "ANTI JOIN rows_to_replay AS r ON r.file = _file AND r.row = _row + _row_offset "
            f"ANTI JOIN rows_to_replay AS p ON p.file = _file AND p.row = {_PART_OF_ROW})"
        )
        self._con.execute(
            "INSERT INTO rows_replayed SELECT file, row FROM rows_to_replay SEMI JOIN ("
            "SELECT _file AS file, _row + _row_offset AS row FROM unit JOIN row_offsets ON _of_piece = _piece "
            f"UNION SELECT _file, {_PART_OF_ROW} FROM unit JOIN row_offsets ON _of_piece = _piece"
            ") USING (file, row)"
        )

    def forget_read(self, file_id: str) -> None:
        """Take back that rows of a file were read."""
        self._con.execute("DELETE FROM rows_replayed WHERE file = ?", [file_id])

    def unread_sql(self, file_id: str) -> str:
        """Return the query of the rows of a file that are to be loaded and were not read."""
        return (
            "SELECT row FROM rows_to_replay ANTI JOIN rows_replayed USING (file, row) "
            f"WHERE file = {literal(file_id)}"
        )
