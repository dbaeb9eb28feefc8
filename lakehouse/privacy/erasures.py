"""Who was erased, as the tables of consent know them: by keyed hashes in `raw.consent_erasures`, by no address."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from lakehouse.engine import duck
from lakehouse.engine.keyed_hash import HashKey
from lakehouse.errors import Terminal
from lakehouse.privacy.address_hash import address_hasher
from lakehouse.privacy.projection_table import ProjectionTable
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, views

if TYPE_CHECKING:
    import duckdb

    from lakehouse.settings import Settings

ERASURES: Final = "raw.consent_erasures"
IN_FORCE: Final = f"""
SELECT subject_hash, kind, erasure_id, arg_max(least(erased_at, _loaded_at), (_loaded_at, _file_id, _row)) AS erased_at,
    arg_max_null(reason, (_loaded_at, _file_id, _row)) AS reason
FROM {ERASURES}
GROUP BY subject_hash, kind, erasure_id
HAVING arg_max(erased, (_loaded_at, _file_id, _row))
"""


def let_hash(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Give a connection with the view `raw.consent_erasures` the key that tells who was erased, if anybody was.

    Raises Transient when the secret cannot be read; Terminal when it holds another key than erasures were hashed with:
    nobody would be known to be erased.
    """
    used = {row[0] for row in con.execute(f"SELECT DISTINCT key FROM {ERASURES}").fetchall()}
    if not used:
        return
    hasher = address_hasher(settings)
    if used != {hasher.fingerprint}:
        raise Terminal(
            f"secret {settings.hash_secret} holds another key than people who were erased are known by, so that none "
            "of them would be: put the earlier key back; until then nobody may be contacted"
        )
    HashKey.prepare(hasher.key).set_on(con)


def project_erased(settings: Settings) -> None:
    """Note in the consent projection whose addresses are of people who were erased, so that the gate can say why.

    Nothing is written while the erasures are those that were noted last.
    """
    table = catalogs.load(catalogs.open_catalog(settings), ERASURES)
    if table is None or table.current_snapshot() is None:
        return
    projected = ProjectionTable(settings.consent_table)
    version = commit.head(table)
    if projected.erased_version() == version:
        return
    with closing(duck.connect(settings)) as con:
        con.execute(f"CREATE SCHEMA raw; CREATE VIEW {ERASURES} AS {views.scan_sql(table)}")
        of_addresses = f"SELECT subject_hash FROM ({IN_FORCE}) WHERE kind = 'address'"
        in_force = {row[0] for row in con.execute(of_addresses).fetchall()}
        marked = con.execute(
            f"SELECT DISTINCT subject_hash FROM {ERASURES} WHERE kind = 'address'"
        ).fetchall()
    projected.write_erased(sorted(in_force), sorted({row[0] for row in marked} - in_force), version)
