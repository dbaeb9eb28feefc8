"""The canonical model: what companies hold about their customers, in one shape whatever system it came from.

An entity is a table of `core`. One whose key has `valid_from` is a slowly changing dimension (type 2): it keeps every
version of a record with the time it held. The others keep the newest version, and nothing of a record that was
deleted. Ids are those of the source, so a record is identified by `source` and id. Money is decimal with its currency
beside it; times are UTC.
"""

from lakehouse.tables.entities import context, customers, marketing, sales, service, shop

ALL = (
    *customers.ALL,
    *sales.ALL,
    *service.ALL,
    *shop.ALL,
    *marketing.ALL,
    *context.ALL,
)
BY_NAME = {contract.name.removeprefix("core."): contract for contract in ALL}

__all__ = ["ALL", "BY_NAME"]
