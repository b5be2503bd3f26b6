"""Waiting in a long-poll: blocked or parked, and never past what it waits for."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from idl_like_interfaces.waiting import (
    LONGEST_S,
    News,
    Parked,
    block_for_news,
    tell_all,
    wait_for_news,
)
from tests.support.parking import PATIENCE_S, Poll, parking

PAIRS = 8
ROUNDS = 200


class Shelf:
    """Holds values that somebody waits for."""

    def __init__(self) -> None:
        self.news = News()
        self.values: dict[str, int] = {}

    def put(self, name: str, value: int) -> None:
        """Change it, then tell."""
        self.values[name] = value
        self.news.tell()

    def wait(self, name: str, least: int, timeout_s: float = PATIENCE_S) -> int:
        """Wait until a value is so large; -1 when the time is over."""

        def look() -> int | None:
            value = self.values.get(name, 0)
            return value if value >= least else None

        return wait_for_news(self.news, look, lambda: -1, timeout_s)


@pytest.fixture
def shelf() -> Shelf:
    """Return an empty one."""
    return Shelf()


@pytest.fixture
def eager() -> Iterator[None]:
    """Have threads interrupted a hundred times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 100)
    yield
    sys.setswitchinterval(before)


def test_what_is_there_is_returned_at_once(shelf: Shelf) -> None:
    """Nobody is parked for it."""
    shelf.put("a", 1)
    with parking():
        assert shelf.wait("a", 1) == 1
    assert shelf.news.waiting == 0


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, 0.01])
def test_it_ends_with_the_time(shelf: Shelf, timeout_s: float) -> None:
    """And leaves nobody who waits."""
    assert shelf.wait("a", 1, timeout_s) == -1
    assert shelf.news.waiting == 0


@pytest.mark.parametrize("timeout_s", [0.0, -1.0])
def test_who_has_no_time_is_not_parked(shelf: Shelf, timeout_s: float) -> None:
    """It is answered as when the time is over."""
    with parking():
        assert shelf.wait("a", 1, timeout_s) == -1


def test_news_that_is_none_for_it_lets_it_wait_on(shelf: Shelf) -> None:
    """It looks, and waits again."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(shelf.wait, "a", 2)
        shelf.put("b", 5)
        shelf.put("a", 1)
        shelf.put("a", 2)
        assert waiting.result(PATIENCE_S) == 2


def test_where_it_may_park_it_does_not_block(shelf: Shelf) -> None:
    """What it threw finds the answer after the news."""
    poll = Poll(lambda: shelf.wait("a", 1))
    assert (poll.answers, shelf.news.waiting) == ([], 1)
    shelf.put("a", 1)
    assert poll.result() == 1
    assert shelf.news.waiting == 0


def test_a_thread_may_park_only_within(shelf: Shelf) -> None:
    """Another thread blocks meanwhile, and so does this one after it."""
    with parking(), pytest.raises(Parked), parking():
        shelf.wait("a", 1)
    with parking(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(shelf.wait, "a", 1, 0.01).result(PATIENCE_S) == -1
    assert shelf.wait("a", 1, 0.01) == -1


def test_a_wait_within_an_operation_blocks(shelf: Shelf) -> None:
    """Even where a long-poll would be parked."""
    with parking():
        assert block_for_news(shelf.news, lambda: None, lambda: "over", 0.01) == "over"


def test_no_failure_handler_takes_a_parked_wait(shelf: Shelf) -> None:
    """It is no Exception."""
    assert not issubclass(Parked, Exception)


def test_a_wait_may_be_of_any_length(shelf: Shelf) -> None:
    """A lock would refuse to wait so long."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(shelf.wait, "a", 1, 1e300)
        shelf.put("a", 1)
        assert waiting.result(PATIENCE_S) == 1
    with parking(), pytest.raises(Parked) as parked:
        shelf.wait("b", 1, 1e300)
    assert parked.value.timeout_s == LONGEST_S


def test_what_comes_between_a_look_and_the_wait_is_found(shelf: Shelf) -> None:
    """Nobody was told of it, for nobody waited."""

    def look() -> int | None:
        found = shelf.values.get("a")
        shelf.put("a", 1)
        return found

    assert wait_for_news(shelf.news, look, lambda: -1, 0.5) == 1


def test_a_failure_of_a_look_ends_the_wait() -> None:
    """Nobody waits any more."""
    news, fails = News(), threading.Event()

    def look() -> None:
        if fails.is_set():
            raise ValueError("gone")

    poll: Poll[None] = Poll(lambda: wait_for_news(news, look, lambda: None, PATIENCE_S))
    fails.set()
    news.tell()
    with pytest.raises(ValueError, match="gone"):
        poll.result()
    assert news.waiting == 0


def test_each_is_told_once_for_one_subscription() -> None:
    """Who wants to hear more listens again; who has cancelled hears nothing."""
    news = News()
    heard: list[str] = []
    news.subscribe(lambda: heard.append("a"))
    cancel = news.subscribe(lambda: heard.append("b"))
    cancel()
    assert news.waiting == 1
    news.tell()
    tell_all([news])
    cancel()
    assert heard == ["a"]


def _blocked(call: Callable[[], int]) -> int:
    return call()


def _parked(call: Callable[[], int]) -> int:
    return Poll(call).result()


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("serve", [_blocked, _parked])
def test_no_news_is_lost(shelf: Shelf, serve: Callable[[Callable[[], int]], int]) -> None:
    """Pairs that answer each other: each step needs the news of the one before."""

    def play(mine: str, other: str) -> int:
        for step in range(1, ROUNDS + 1):
            shelf.put(mine, step)
            assert serve(partial(shelf.wait, other, step)) >= step
        return shelf.values[mine]

    with ThreadPoolExecutor(2 * PAIRS) as pool:
        players = [
            pool.submit(play, f"{side}{pair}", f"{other}{pair}")
            for pair in range(PAIRS)
            for side, other in (("left", "right"), ("right", "left"))
        ]
        assert [each.result(2 * PATIENCE_S) for each in players] == [ROUNDS] * 2 * PAIRS
    assert shelf.news.waiting == 0
