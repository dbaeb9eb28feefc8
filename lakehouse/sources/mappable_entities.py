"""The canonical entities that a source may map to, with the columns that a mapping may give each of them.

A mapping gives the columns of the entity's table (`lakehouse.tables.entities`), and besides them:

- `identifier_type`, `identifier_value`: whose record it is, for `customer_id` to be looked up; an e-mail or phone as
  typed, since it is normalised as identities are, a phone by the source's `region`;
- `updated_at`: when the record changed, by the source's own clock; of two versions the newer one counts. Where the
  source has none, the one that was loaded later;
- `sequence`: what orders versions of one time: a log's position, a revision;
- `deleted`: true where the row says that the record is gone;
- `source`, `time_zone`: those of the source, unless the mapping says otherwise.

`country` may come as people write it: core has the ISO 3166-1 alpha-2 code of every country that is known by its name
in English or Chinese or by a code, and what else is written as it is.

Four words more say of which rows and columns the mapping speaks:

- `where`: a condition; other rows are none of the entity. The first row of an order, say, has its total;
- `each`: a list in JSON, such as an order's items. The mapping speaks of each element, as `each`;
- `together`: columns that name a group of items which are always sent together, such as `source, order_id`: only those
  items count that came with the newest version of their group. With `each`, these columns, `updated_at` and `sequence`
  speak of the row, not of its elements.

- `changes`: the name of the one column that a row speaks of, as of an announced change of a property; of all others
  the version is as the record was before (`lakehouse.sources.part_changes`). Of null a row makes no version.

`same` lists columns that come from the source's columns of the same name: `same: [city, country]` says no more than
`city: city` and `country: country`.

A source may map to an entity several times: then a list of mappings stands in the place of one.

Consents are statements that records make. Besides whose record it is, a mapping says for what (`purpose`), by which way
(`channel`), whether it is `granted` (null: nothing is said) and when it was `stated_at`. A statement that names the
address it is about gives it as `address`, as typed; without one it speaks for the addresses of its own record.
`policy_version` names the text that the person saw, `form` where it was said: a form, a call, a letter. `restated` is
true where each row repeats what stands, as tracked events do: what a record says again without having said anything
else in between is then one statement. `own_word` is true where the very person said it here, of an address that it
names, and no list: of somebody who was erased only that counts, if it was said since.

`carried_addresses` is no entity that a source maps to. It follows from a source's identifiers that some channel
writes to, and its consents: which addresses each record had, a row each and version. See
`lakehouse.sources.carried_addresses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.tables import entities

if TYPE_CHECKING:
    from lakehouse.tables.contract import Contract

WHERE, EACH, TOGETHER, SAME, CHANGES = "where", "each", "together", "same", "changes"
COMPUTED = ("customer_id", "valid_from", "valid_to")
CLOCK = {"updated_at": "TIMESTAMPTZ", "sequence": "DECIMAL(38,0)", "deleted": "BOOLEAN"}
WHOSE = {"identifier_type": "VARCHAR", "identifier_value": "VARCHAR"}


def record_key(entity: Contract) -> tuple[str, ...]:
    """Return the columns that name a record of the entity, whatever its version."""
    return tuple(name for name in entity.key if name != "valid_from")


def _mapped(entity: Contract) -> dict[str, str]:
    own = {column.name: column.duck_type for column in entity.columns if column.name not in COMPUTED}
    whose = WHOSE if "customer_id" in (column.name for column in entity.columns) else {}
    return own | whose | CLOCK


# The columns of `mapped.<entity>`, with their DuckDB types.
ENTITIES: dict[str, dict[str, str]] = {name: _mapped(entity) for name, entity in entities.BY_NAME.items()} | {
    "consents": {
        "source": "VARCHAR", "record": "VARCHAR", "identifier_type": "VARCHAR", "identifier_value": "VARCHAR",
        "purpose": "VARCHAR", "channel": "VARCHAR", "granted": "BOOLEAN", "stated_at": "TIMESTAMPTZ",
        "updated_at": "TIMESTAMPTZ", "sequence": "DECIMAL(38,0)", "deleted": "BOOLEAN",
        "address": "VARCHAR", "policy_version": "VARCHAR", "time_zone": "VARCHAR",
        "restated": "BOOLEAN", "form": "VARCHAR", "own_word": "BOOLEAN",
    },
}  # fmt: skip

CARRIED_ADDRESSES = "carried_addresses"
RECORD_TYPE = "record_type"  # of its mappings: the type that a record's name begins with
# Likewise of `mapped.*` views that no source maps to.
DERIVED: dict[str, dict[str, str]] = {
    CARRIED_ADDRESSES: {
        "source": "VARCHAR", "record": "VARCHAR", **WHOSE, "slot": "VARCHAR", "said": "BOOLEAN",
        "lends": "BOOLEAN", **CLOCK,
    },
}  # fmt: skip
VIEWS = ENTITIES | DERIVED
