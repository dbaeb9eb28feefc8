"""The lane of consents: what people said, whom that lets be contacted, and the projection that `publish` asks.

It runs in `resolve`, before anything waits for quiet and again behind identities, and needs no mart: a refusal reaches
the gate within the queue's window, whatever else is busy or fails. While identities are behind, those that are there
count: a refusal counts for its address whosever it is, and a yes for nobody who is not known yet.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from lakehouse import error_text, telemetry
from lakehouse.errors import BadDefinition
from lakehouse.models import runner as models
from lakehouse.privacy import erasures, projection
from lakehouse.privacy.answers import Answers
from lakehouse.retrying import retry_on_conflict
from lakehouse.stages import resolve
from lakehouse.stages.debounce import has_messages, is_under_way, when_quiet
from lakehouse.stages.policy import LANE_RETRIES, ConsentLanePolicy, DebouncePolicy
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit
from lakehouse.tables.people import CONSENT_ANSWERS, CONSENTS, IDENTITIES

if TYPE_CHECKING:
    import duckdb

    from lakehouse.models.computing import MakeReady
    from lakehouse.models.model import Model
    from lakehouse.settings import Settings

LANE = (CONSENTS.name, CONSENT_ANSWERS.name)
# A laptop's calls are threads of one process: two that ran the lane at once would compute the same, and one would lose.
_one_at_a_time = threading.Lock()
_RESOLVE: Final = "resolve"  # the stage, as calls under way know it


def refresh_consents(settings: Settings) -> bool:
    """Bring statements, answers and projection up to date; return whether anything was written.

    Raises BadDefinition when a model of the lane is wrong: nothing is projected then, so that the projection, which
    nobody keeps up to date, ends by itself. CommitConflict and Transient when another run is at it, or files keep
    coming.
    """
    make_ready = telling_erased(settings)
    outcome = retry_on_conflict(lambda: models.run(settings, only=LANE, make_ready=make_ready), LANE_RETRIES)
    if outcome.wrong:
        raise BadDefinition("; ".join(outcome.wrong))
    return project_consents(settings) or bool(outcome.committed)


def telling_erased(settings: Settings) -> MakeReady:
    """Return what a model of the lane needs besides its inputs: the key by which erased people are known."""

    def make_ready(con: duckdb.DuckDBPyConnection, model: Model) -> None:
        if erasures.ERASURES in model.inputs:
            erasures.let_hash(con, settings)

    return make_ready


def project_consents(settings: Settings) -> bool:
    """Copy the grants of `core.consent_answers` to where `publish` looks; return whether anything was written."""
    answers = Answers.current(settings)
    written = answers is not None and projection.project(settings, answers, datetime.now(UTC))
    erasures.project_erased(settings)
    return written


def pending(settings: Settings) -> bool:
    """Return whether identities or statements are behind what has come, or are being brought up to it."""
    if is_under_way(_RESOLVE):
        return True
    return resolve.pending(settings) or bool(models.pending(settings, only=LANE))


def resolve_and_refresh(settings: Settings, queue_url: str, event: dict[str, Any]) -> None:
    """Refresh consents at once, resolve identities when it is quiet, and refresh consents with them.

    While files wait to be loaded, hints come one after the other: those within `ConsentLanePolicy.refresh_every`
    refresh nothing, and a later hint does. Nor is anything refreshed before anybody is known: an answer is of a
    customer, so there is none yet, and nobody has been granted what a refusal could take back.

    Quiet is waited for but a little (`DebouncePolicy.resolve_patience`, of which the queue's window is a part): where
    events keep coming nobody new would be known, and what tells whom to write to waits for `aggregate` anyway.

    An error of the first refresh keeps nobody from being resolved; it is raised at the end, so that the message comes
    again.
    """
    first_error = _refresh_if_due(settings)
    for_files = DebouncePolicy.resolve_patience - timedelta(seconds=settings.settle_seconds)
    if when_quiet(resolve.resolve, settings, queue_url, event, for_files=for_files):
        with _one_at_a_time:
            refresh_consents(settings)
    elif first_error is not None:
        raise first_error


def _is_due(settings: Settings, now: datetime) -> bool:
    """Return whether no file waits, or the lane's last run is some time ago.

    One from the future was before the clock was set back.
    """
    if not has_messages(settings.ingest_queue_url):
        return True
    table = catalogs.load(catalogs.open_catalog(settings), CONSENT_ANSWERS.name)
    if table is None:
        return True
    age = now - datetime.fromtimestamp(table.metadata.last_updated_ms / 1000, UTC)
    return not timedelta(0) <= age < ConsentLanePolicy.refresh_every


def _somebody_is_known(settings: Settings) -> bool:
    """Return whether identities were ever resolved."""
    return bool(commit.head(catalogs.load(catalogs.open_catalog(settings), IDENTITIES.name)))


def _refresh_if_due(settings: Settings) -> Exception | None:
    """Refresh consents, unless that was done just now; return what went wrong."""
    with _one_at_a_time:
        if not _somebody_is_known(settings) or not _is_due(settings, datetime.now(UTC)):
            return None
        try:
            refresh_consents(settings)
        except Exception as error:  # noqa: BLE001 - returned, and raised once identities are resolved
            telemetry.failed("consents not refreshed", error, reason=error_text.safe_text(error))
            return error
    return None
