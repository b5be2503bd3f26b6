"""Several sources are asked at once; a round takes as long as the slowest, or is given up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from typing_extensions import override

from idl_like_interfaces.errors import RemoteError
from objects.acquisition import rounds
from objects.acquisition.product import SourceResult, SourceState
from objects.acquisition.rounds import Round
from objects.acquisition.sources import SourceFailure, SourceLink
from tests.support.eventually import eventually

PATIENCE_S = 20.0
NO_SOURCE = RemoteError("no film")


class Link(SourceLink):
    """A source that only has a name."""

    def __init__(self, name: str) -> None:
        self.name = name

    @override
    def start(self, result: SourceResult) -> SourceResult:
        return result

    @override
    def stop(self, result: SourceResult) -> SourceResult:
        return result

    @override
    def abort(self, result: SourceResult) -> SourceResult:
        return result


def links(count: int) -> list[SourceLink]:
    return [Link(f"s{number}") for number in range(count)]


def result(link: SourceLink) -> SourceResult:
    return SourceResult(source_name=link.name, state=SourceState.ACTIVE)


def asked(
    several: list[SourceLink],
    ask: Callable[[SourceLink], SourceResult],
    late: Callable[[SourceLink, SourceResult], None] = lambda _, __: None,
) -> Round:
    return Round(several, ask, late)


def test_all_are_asked_before_any_has_answered() -> None:
    """Nobody answers before everybody has been asked: one after the other would never end."""
    together = threading.Barrier(60)

    def ask(link: SourceLink) -> SourceResult:
        together.wait(PATIENCE_S)
        return result(link)

    results, failures = asked(links(60), ask).run()
    assert [each.source_name for each in results] == [f"s{number}" for number in range(60)]
    assert failures == {}


def test_answers_and_failures_stand_in_the_order_of_the_sources() -> None:
    """Whoever answered first."""
    turns = [threading.Event() for _ in range(4)]

    def ask(link: SourceLink) -> SourceResult:
        number = int(link.name[1:])
        assert turns[number].wait(PATIENCE_S)
        if number:
            turns[number - 1].set()
        if number % 2:
            raise SourceFailure(NO_SOURCE, SourceState.WAITING)
        return result(link)

    turns[3].set()
    results, failures = asked(links(4), ask).run()
    assert [each.source_name for each in results] == ["s0", "s2"]
    assert list(failures) == ["s1", "s3"]


def test_beyond_its_bound_the_next_is_asked_when_one_has_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A plan of thousands of sources does not become thousands of threads."""
    monkeypatch.setattr(rounds, "MOST_AT_ONCE", 3)
    at_once: list[int] = []
    running = 0
    lock = threading.Lock()

    def ask(link: SourceLink) -> SourceResult:
        nonlocal running
        with lock:
            running += 1
            at_once.append(running)
        with lock:
            running -= 1
        return result(link)

    results, _ = asked(links(100), ask).run()
    assert len(results) == 100
    assert max(at_once) <= 3


def test_a_bug_is_not_taken_for_a_failure() -> None:
    """It comes up where the round is waited for."""

    def ask(_: SourceLink) -> SourceResult:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asked(links(2), ask).run()


def test_who_does_not_want_to_wait_gives_it_up() -> None:
    """What has been answered counts; the answer that comes late goes to who wants it."""
    hangs, came_late = threading.Event(), threading.Event()
    late: list[str] = []

    def ask(link: SourceLink) -> SourceResult:
        if link.name == "s1":
            assert hangs.wait(PATIENCE_S)
        return result(link)

    def note_late(link: SourceLink, _: SourceResult) -> None:
        late.append(link.name)
        if link.name == "s1":
            came_late.set()

    round_ = asked(links(2), ask, note_late)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(round_.run)
        eventually(lambda: not round_._waiting)
        round_.give_up()
        results, failures = running.result(PATIENCE_S)
    assert round_.is_given_up
    hangs.set()
    assert came_late.wait(PATIENCE_S)
    assert failures == {}
    assert [each.source_name for each in results] + late == ["s0", "s1"]


@pytest.mark.parametrize(
    "error", [SourceFailure(NO_SOURCE, SourceState.ACTIVE), ZeroDivisionError("a bug")]
)
def test_a_late_answer_that_cannot_be_dealt_with_is_logged(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for it any more."""
    hangs, asked_it = threading.Event(), threading.Event()

    def ask(link: SourceLink) -> SourceResult:
        asked_it.set()
        assert hangs.wait(PATIENCE_S)
        return result(link)

    def fail(_: SourceLink, __: SourceResult) -> None:
        raise error

    round_ = asked(links(1), ask, fail)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(round_.run)
        assert asked_it.wait(PATIENCE_S)
        round_.give_up()
        assert running.result(PATIENCE_S) == ([], {})
    hangs.set()
    eventually(lambda: "late" in caplog.text)
