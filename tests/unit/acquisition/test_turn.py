"""One command at a time, unless a more urgent one waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from objects.acquisition import turn as turn_module
from objects.acquisition.product import SourceResult
from objects.acquisition.rounds import Round
from objects.acquisition.sources import SourceLink
from objects.acquisition.turn import Turn, TurnBusy, TurnLost, Urgency
from tests.support.eventually import eventually
from tests.unit.acquisition.test_rounds import PATIENCE_S, links, result


@contextmanager
def round_that_hangs() -> Iterator[tuple[Round, threading.Event]]:
    """Yield a round whose only source does not answer, and what lets it."""
    answers = threading.Event()

    def ask(link: SourceLink) -> SourceResult:
        assert answers.wait(PATIENCE_S)
        return result(link)

    try:
        yield Round(links(1), ask, lambda _, __: None), answers
    finally:
        answers.set()


def run(turn: Turn, urgency: Urgency, asked: Round) -> object:
    """Run a round in a turn, as a command does."""
    with turn.taken(urgency):
        return turn.run(asked)


def wait(turn: Turn, urgency: Urgency) -> None:
    """Have the turn once, as a command does that asks nobody."""
    with turn.taken(urgency):
        pass


def begin(pool: ThreadPoolExecutor, turn: Turn, urgency: Urgency, asked: Round) -> Future[object]:
    """Begin a round, and return when it is under way."""
    running = pool.submit(run, turn, urgency, asked)
    eventually(lambda: turn._round is asked)
    return running


@pytest.mark.parametrize(
    ("running", "waiting"),
    [
        (Urgency.USUAL, Urgency.FORCE_STOP),
        (Urgency.USUAL, Urgency.FORCE_ABORT),
        (Urgency.FORCE_STOP, Urgency.FORCE_ABORT),
        (Urgency.ABORT, Urgency.FORCE_ABORT),
    ],
)
def test_a_forced_command_does_not_wait_for_sources(running: Urgency, waiting: Urgency) -> None:
    """The one that runs loses its turn in the middle of its round."""
    turn = Turn()
    with round_that_hangs() as (asked, _), ThreadPoolExecutor() as pool:
        first = begin(pool, turn, running, asked)
        second = pool.submit(wait, turn, waiting)
        with pytest.raises(TurnLost) as lost:
            first.result(PATIENCE_S)
        second.result(PATIENCE_S)
    assert (lost.value.results, lost.value.failures) == ([], {})


@pytest.mark.parametrize(
    ("running", "waiting"),
    [
        (Urgency.USUAL, Urgency.USUAL),
        (Urgency.USUAL, Urgency.ABORT),
        (Urgency.FORCE_STOP, Urgency.FORCE_STOP),
        (Urgency.ABORT, Urgency.FORCE_STOP),
        (Urgency.FORCE_ABORT, Urgency.ABORT),
        (Urgency.FORCE_ABORT, Urgency.FORCE_ABORT),
    ],
)
def test_every_other_one_waits_for_the_round(running: Urgency, waiting: Urgency) -> None:
    """The sources are heard to the end."""
    turn = Turn()
    with round_that_hangs() as (asked, answers), ThreadPoolExecutor() as pool:
        first = begin(pool, turn, running, asked)
        second = pool.submit(wait, turn, waiting)
        eventually(lambda: turn._waiting == [waiting])
        answers.set()
        assert first.result(PATIENCE_S) == ([result(links(1)[0])], {})
        second.result(PATIENCE_S)


def test_before_the_next_round_the_more_urgent_one_comes() -> None:
    """An abort does not wait for all rounds of a start."""
    turn = Turn()
    with ThreadPoolExecutor() as pool, turn.taken():
        waiting = pool.submit(wait, turn, Urgency.ABORT)
        eventually(lambda: turn._waiting)
        with pytest.raises(TurnLost) as lost:
            turn.run(Round(links(1), result, lambda _, __: None))
    assert lost.value.wanted is Urgency.ABORT
    waiting.result(PATIENCE_S)


def test_a_turn_that_does_not_come_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who waits is told that another command takes too long."""
    monkeypatch.setattr(turn_module, "TURN_S", 0.05)
    turn = Turn()
    with ThreadPoolExecutor() as pool, turn.taken():
        with pytest.raises(TurnBusy):
            pool.submit(wait, turn, Urgency.USUAL).result(PATIENCE_S)
        assert turn._waiting == []
