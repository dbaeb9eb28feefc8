"""The lane of consents runs before anything waits and behind identities, and what is wrong there stops neither."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from lakehouse.errors import BadDefinition, CommitConflict, Transient
from lakehouse.models import runner
from lakehouse.models.runner import ModelRun
from lakehouse.settings import Settings
from lakehouse.stages import consents
from lakehouse.stages.policy import DebouncePolicy


@pytest.fixture
def steps(monkeypatch):
    """What is done, in order; `ran` says whether it was quiet, `known` whether there are identities."""
    done: list[str] = []

    def prepare(*, ran: bool = True, known: bool = True, failing: tuple[int, ...] = ()) -> list[str]:
        def refresh(_):
            done.append("consents")
            if done.count("consents") in failing:
                raise Transient("no capacity")

        def when_quiet(*_, for_files) -> bool:
            assert for_files == DebouncePolicy.resolve_patience - timedelta(seconds=Settings().settle_seconds)
            done.append("identities")
            return ran

        monkeypatch.setattr(consents, "refresh_consents", refresh)
        monkeypatch.setattr(consents, "when_quiet", when_quiet)
        monkeypatch.setattr(consents, "has_messages", lambda _: False)
        monkeypatch.setattr(consents, "_somebody_is_known", lambda _: known)
        return done

    return prepare


@pytest.mark.parametrize(
    ("ran", "expected"),
    [(True, ["consents", "identities", "consents"]), (False, ["consents", "identities"])],
)
def test_consents_are_refreshed_at_once_and_behind_identities(steps, ran, expected):
    """A refusal waits for no quiet; a yes of somebody new needs identities."""
    done = steps(ran=ran)
    consents.resolve_and_refresh(Settings(), "queue", {})
    assert done == expected


@pytest.mark.parametrize(("ran", "expected"), [(True, ["identities", "consents"]), (False, ["identities"])])
def test_before_anybody_is_known_no_answer_is_looked_for(steps, ran, expected):
    """There are no customers of whom it could be; behind the first identities it is."""
    done = steps(ran=ran, known=False)
    consents.resolve_and_refresh(Settings(), "queue", {})
    assert done == expected


@pytest.mark.parametrize(("ran", "failing"), [(False, (1,)), (True, (2,)), (True, (1, 2))])
def test_an_error_is_raised_once_identities_are_resolved(steps, ran, failing):
    """So that the message comes again."""
    done = steps(ran=ran, failing=failing)
    with pytest.raises(Transient):
        consents.resolve_and_refresh(Settings(), "queue", {})
    assert "identities" in done


def test_an_error_that_the_second_refresh_mends_is_none(steps):
    """All is done: nothing is raised, and it was tried once more behind identities."""
    done = steps(failing=(1,))
    consents.resolve_and_refresh(Settings(), "queue", {})
    assert done == ["consents", "identities", "consents"]


def test_nothing_is_projected_while_a_model_of_the_lane_is_wrong(monkeypatch):
    """A projection that would be renewed without anybody computing it would grant for ever."""
    monkeypatch.setattr(runner, "run", lambda *_, **__: ModelRun([], ["mine.sql: x"]))
    monkeypatch.setattr(consents, "project_consents", lambda _: pytest.fail("projected"))
    with pytest.raises(BadDefinition, match=r"^mine\.sql: x$"):
        consents.refresh_consents(None)


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_a_lost_race_is_run_again_at_once(monkeypatch, lost):
    """Files keep coming while the lane runs: a refusal does not wait for the next hint; three times, no more."""
    races = [CommitConflict("raw tables moved")] * lost
    ran = []

    def run(*_, **__):
        ran.append(1)
        if races:
            raise races.pop()
        return ModelRun(["core.consents"], [])

    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(consents, "project_consents", lambda _: False)
    if lost < 3:
        assert consents.refresh_consents(None) is True
        assert len(ran) == lost + 1
    else:
        with pytest.raises(CommitConflict):
            consents.refresh_consents(None)
        assert len(ran) == 3


def test_calls_of_one_process_run_the_lane_one_after_the_other(steps, monkeypatch):
    """The second finds that the first did it just now."""
    done = steps(ran=False)
    inside, others = threading.Event(), []
    second = threading.Thread(target=consents.resolve_and_refresh, args=(Settings(), "queue", {}))

    def refresh(_):
        done.append("consents")
        second.start()
        others.append(second.is_alive() and inside.wait(0.2))

    def is_due(*_):
        inside.set() if done else None
        return not done

    monkeypatch.setattr(consents, "refresh_consents", refresh)
    monkeypatch.setattr(consents, "_is_due", is_due)
    consents.resolve_and_refresh(Settings(), "queue", {})
    second.join()
    assert (done, others) == (["consents", "identities", "identities"], [False])
