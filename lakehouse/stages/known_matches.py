"""What earlier runs found of records that look alike: `core.matches`, `core.match_keys`, and the model in use.

A model is an object of its own, named by its content; `core.matches` says which one weighed its pairs. The pairs are
committed before the keys: a record counts as looked at when its keys are there, so a run that dies between looks again.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from botocore.exceptions import ClientError

from lakehouse import aws, telemetry
from lakehouse.errors import BadDefinition
from lakehouse.identity.relation import scalar
from lakehouse.policy import Policy
from lakehouse.tables import appending, commit, replace_rows, views
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.people import MATCH_KEYS, MATCHES
from lakehouse.tables.policy import RowReplacePolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from lakehouse.identity.matching.known import Known, Matched
    from lakehouse.identity.matching.model import Model
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Catalog, Table

_MODEL: Final = "model"  # among the inputs of `core.matches`: the object that holds it
_PREFIX: Final = "identity/models/"
_GONE: Final = ("NoSuchKey", "AccessDenied")  # without the right to list, what is not there is denied


# a source has no blank in its name
_KEYS: Final = (
    "SELECT split_part(record, ' ', 1) AS source, substr(record, position(' ' IN record) + 1) AS record, "
    "* EXCLUDE (record) FROM {keys}"
)


@dataclass(frozen=True)
class KnownMatchPolicy(Policy):
    """How the table of keys is kept small."""

    most_files: Annotated[
        int, "data files from which it is written anew, without what records say no more"
    ] = 30


class KnownMatches:
    """Matches with what is stored, and stores what it finds; a `lakehouse.identity.resolve.Matcher`."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._settings = settings
        self._catalog = catalog
        self._found: Matched | None = None
        self._stored: tuple[Model, str] | None = None  # the model that was read, and its key

    def __call__(self, con: duckdb.DuckDBPyConnection, people: str) -> Matched:
        """Return the pairs of people who look alike."""
        from lakehouse.identity.matching.known import match  # noqa: PLC0415 - Splink and its parts are heavy

        self._found = match(con, people, self._known(con))
        return self._found

    def news(
        self, con: duckdb.DuckDBPyConnection, people: str, others_of: Callable[[str], str], most: int
    ) -> Matched | None:
        """Return all pairs, `people` being those of whom rows came since; None where all must be weighed anew.

        There are no more than `most` records.
        """
        from lakehouse.identity.matching.known import match_news  # noqa: PLC0415

        known = self._known(con)
        self._found = match_news(con, people, others_of, known, most) if known else None
        return self._found

    def commit(
        self, con: duckdb.DuckDBPyConnection, gone: str | None = None, held: str | None = None
    ) -> None:
        """Store what was found, after `resolve` has said in `matches_new` what came of it.

        `matches_new` holds all pairs; or, where `gone` is a relation of the keys of pairs, those in their place: `held`
        are their rows (`replace_rows.RowChange`).
        """
        found = self._found
        if found is None:
            return
        table = catalogs.ensure(self._catalog, MATCHES)
        model = {_MODEL: self._put_model(found.model)}
        if gone is not None and commit.inputs(table) == model:
            self._replace(con, table, gone, held, model)
        elif found.replaces or _differ(con, views.scan_sql(table)):
            appending.replace_query(
                con,
                table,
                "FROM matches_new",
                _attempt(),
                computed_from=model,
                file_rows=RowReplacePolicy.file_rows // 2,  # they are wide
            )
        self._commit_keys(con, found)

    def _replace(
        self,
        con: duckdb.DuckDBPyConnection,
        table: Table,
        gone: str,
        held: str | None,
        model: dict[str, str],
    ) -> None:
        change = replace_rows.RowChange(MATCHES.key, gone, "SELECT * FROM matches_new", _attempt(), held)
        replace_rows.replace_rows(con, table, change, computed_from=model)

    def _commit_keys(self, con: duckdb.DuckDBPyConnection, found: Matched) -> None:
        """Store the new keys; once they stand in many files, without those of what records say no more."""
        table = catalogs.ensure(self._catalog, MATCH_KEYS)
        keys = _KEYS.format(keys=found.keys)
        if not found.replaces and not scalar(con, f"SELECT count(*) FROM {found.keys}"):
            return
        if not found.replaces and len(commit.live_files(table)) >= KnownMatchPolicy.most_files:
            keys = (
                f"SELECT * FROM ({views.scan_sql(table)} UNION ALL BY NAME {keys}) "
                "QUALIFY generation = max(generation) OVER (PARTITION BY source, record)"
            )
        elif not found.replaces:
            appending.append_query(con, table, keys, _attempt())
            return
        appending.replace_query(con, table, keys, _attempt(), computed_from={_MODEL: "any"})

    def _known(self, con: duckdb.DuckDBPyConnection) -> Known | None:
        """Return what is stored, as views on a connection; None where there is nothing to begin from."""
        from lakehouse.identity.matching.known import Known, pairs_sql  # noqa: PLC0415

        keys = catalogs.load(self._catalog, MATCH_KEYS.name)
        matches = catalogs.load(self._catalog, MATCHES.name)
        model = self._model(commit.inputs(matches).get(_MODEL, "")) if matches else None
        if keys is None or matches is None or model is None:
            return None
        con.execute(f"CREATE OR REPLACE TEMP VIEW known_match_keys AS {views.scan_sql(keys)}")
        pairs = pairs_sql(f"({views.scan_sql(matches)})")
        con.execute(f"CREATE OR REPLACE TEMP VIEW known_matches AS {pairs}")
        return Known("known_match_keys", "known_matches", model, record="source || ' ' || record")

    def _model(self, key: str) -> Model | None:
        """Return the model of an object; None where it is gone or of another version: all pairs are weighed anew."""
        from lakehouse.identity.matching.model import read_model  # noqa: PLC0415

        if not key:
            return None
        try:
            body = aws.s3().get_object(Bucket=self._settings.ops_bucket, Key=key)["Body"].read()
            model = read_model(body.decode("utf-8"), key)
        except (ClientError, UnicodeDecodeError, BadDefinition) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] not in _GONE:
                raise
            telemetry.info(
                "match model cannot be used: all pairs are weighed anew", key=key, reason=str(error)
            )
            return None
        self._stored = (model, key)
        return model

    def _put_model(self, model: Model) -> str:
        """Store a model, and return its key; that of the lake is there."""
        if self._stored and self._stored[0] is model:
            return self._stored[1]
        body = json.dumps(model.as_json(), ensure_ascii=False, sort_keys=True).encode()
        key = f"{_PREFIX}{hashlib.sha256(body).hexdigest()[:32]}.json"
        aws.s3().put_object(Bucket=self._settings.ops_bucket, Key=key, Body=body)
        return key


def _attempt() -> str:
    return f"resolve-{uuid.uuid4()}"


def _differ(con: duckdb.DuckDBPyConnection, stored: str) -> bool:
    """Return whether `matches_new` holds other rows than what is stored."""
    rows: Any = con.execute(
        f"SELECT EXISTS (FROM matches_new EXCEPT SELECT * FROM ({stored})) "
        f"OR EXISTS (SELECT * FROM ({stored}) EXCEPT FROM matches_new)"
    ).fetchone()
    return bool(rows[0])
