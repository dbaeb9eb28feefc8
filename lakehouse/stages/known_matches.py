"""What earlier runs found of records that look alike: `core.matches`, `core.match_keys`, and the model in use.

A model is an object of its own, named by its content; `core.matches` says which one weighed its pairs. The pairs are
committed before the keys: a record counts as looked at when its keys are there, so a run that dies between looks again.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lakehouse import aws, telemetry
from lakehouse.errors import BadDefinition
from lakehouse.identity.relation import scalar
from lakehouse.tables import appending, commit, data_files, views
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.people import MATCH_KEYS, MATCHES

if TYPE_CHECKING:
    import duckdb

    from lakehouse.identity.matching.known import Known, Matched
    from lakehouse.identity.matching.model import Model
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog

_MODEL: Final = "model"  # among the inputs of `core.matches`: the object that holds it
_PREFIX: Final = "identity/models/"
_GONE: Final = (
    "NoSuchKey",
    "AccessDenied",
)  # who may not list a bucket is not told that an object is not there


class KnownMatches:
    """Matches with what is stored, and stores what it finds; a `lakehouse.identity.resolve.Matcher`."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._settings = settings
        self._catalog = catalog
        self._found: Matched | None = None

    def __call__(self, con: duckdb.DuckDBPyConnection, people: str) -> Matched:
        """Return the pairs of people who look alike."""
        from lakehouse.identity.matching.known import match  # noqa: PLC0415 - Splink and its parts are heavy

        self._found = match(con, people, self._known(con))
        return self._found

    def commit(self, con: duckdb.DuckDBPyConnection) -> None:
        """Store what was found, after `resolve` has said in `matches_new` what came of it."""
        found = self._found
        if found is None:
            return
        table = catalogs.ensure(self._catalog, MATCHES)
        base = table.current_snapshot()
        if found.replaces or _differ(con, views.scan_sql(table)):
            model_key = self._put_model(found.model)
            written = data_files.write(con, table, "FROM matches_new", f"resolve-{uuid.uuid4()}")
            base_id = base.snapshot_id if base else None
            appending.replace_written(con, table, written, computed_from={_MODEL: model_key}, base=base_id)
        keys = (
            "SELECT split_part(record, ' ', 1) AS source, substr(record, position(' ' IN record) + 1) AS record, "
            f"said, key FROM {found.keys}"
        )
        self._commit_keys(con, keys, replaces=found.replaces)

    def _commit_keys(self, con: duckdb.DuckDBPyConnection, keys: str, *, replaces: bool) -> None:
        table = catalogs.ensure(self._catalog, MATCH_KEYS)
        attempt = f"resolve-{uuid.uuid4()}"
        if not replaces:
            if scalar(con, f"SELECT count(*) FROM ({keys})"):
                appending.append_query(con, table, keys, attempt)
            return
        base = table.current_snapshot()
        written = data_files.write(con, table, keys, attempt)
        base_id = base.snapshot_id if base else None
        appending.replace_written(con, table, written, computed_from={_MODEL: "any"}, base=base_id)

    def _known(self, con: duckdb.DuckDBPyConnection) -> Known | None:
        """Return what is stored, as views on a connection; None where there is nothing to begin from."""
        from lakehouse.identity.matching.known import Known  # noqa: PLC0415

        keys = catalogs.load(self._catalog, MATCH_KEYS.name)
        matches = catalogs.load(self._catalog, MATCHES.name)
        model = self._model(commit.inputs(matches).get(_MODEL, "")) if matches else None
        if keys is None or matches is None or model is None:
            return None
        con.execute(
            "CREATE OR REPLACE TEMP VIEW known_match_keys AS SELECT source || ' ' || record AS record, said, key "
            f"FROM ({views.scan_sql(keys)})"
        )
        con.execute(
            "CREATE OR REPLACE TEMP VIEW known_matches AS SELECT left_source || ' ' || left_record AS left_record, "
            "left_said, right_source || ' ' || right_record AS right_record, right_said, weight_bits, explanation "
            f"FROM ({views.scan_sql(matches)})"
        )
        return Known("known_match_keys", "known_matches", model)

    def _model(self, key: str) -> Model | None:
        """Return the model of an object; None where it is gone or of another version: all pairs are weighed anew."""
        from lakehouse.identity.matching.model import read_model  # noqa: PLC0415

        if not key:
            return None
        try:
            body = aws.s3().get_object(Bucket=self._settings.ops_bucket, Key=key)["Body"].read()
            return read_model(body.decode("utf-8"), key)
        except (ClientError, UnicodeDecodeError, BadDefinition) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] not in _GONE:
                raise
            telemetry.info(
                "match model cannot be used: all pairs are weighed anew", key=key, reason=str(error)
            )
            return None

    def _put_model(self, model: Model) -> str:
        """Store a model, and return its key."""
        body = json.dumps(model.as_json(), ensure_ascii=False, sort_keys=True).encode()
        key = f"{_PREFIX}{hashlib.sha256(body).hexdigest()[:32]}.json"
        aws.s3().put_object(Bucket=self._settings.ops_bucket, Key=key, Body=body)
        return key


def _differ(con: duckdb.DuckDBPyConnection, stored: str) -> bool:
    """Return whether `matches_new` holds other rows than what is stored."""
    rows: Any = con.execute(
        f"SELECT EXISTS (FROM matches_new EXCEPT SELECT * FROM ({stored})) "
        f"OR EXISTS (SELECT * FROM ({stored}) EXCEPT FROM matches_new)"
    ).fetchone()
    return bool(rows[0])
