"""Which rows of a table that is computed in part go into one file: an update of few writes few files anew.

A table that has partitions has its files by these. Any other has some files of equal size, a customer's rows in one of
them where rows say whose they are, else a grain's. No reader knows: files are found again by the rows that they hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.engine.escape import identifier
from lakehouse.models.model import ByGrain
from lakehouse.models.policy import IncrementalPolicy

if TYPE_CHECKING:
    from lakehouse.models.model import Model

_CUSTOMER = "customer_id"


def part_of_row(model: Model, rows: int) -> str:
    """Return the expression of the number of a row's file, of a table of about so many rows; "" for one file of all.

    Files are a power of two, so that with more of them the rows of one go into two, and of others none.
    """
    if not isinstance(model.incremental, ByGrain) or model.contract.partition:
        return ""
    wanted = min(rows // IncrementalPolicy.rows_of_file, IncrementalPolicy.most_files)
    parts = 1 << max(0, wanted.bit_length() - 1)
    names = {column.name for column in model.contract.columns}
    by = identifier(_CUSTOMER) if _CUSTOMER in names else model.incremental.by
    return f"CAST(hash({by}) % {parts} AS BIGINT)" if parts > 1 else ""
