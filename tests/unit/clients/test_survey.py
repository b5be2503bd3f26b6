"""Asking many objects at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from idl_like_interfaces.clients import Survey
from idl_like_interfaces.errors import CommFailure, NoPermission, RemoteError

PATIENCE_S = 30.0


class Peers:
    """Answer with their name, at once or when they are let go."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.go = threading.Event()

    def ask(self, name: str) -> str:
        """Answer; those that hang wait, those that are mute or deny fail."""
        self.asked[name] += 1
        if name.startswith("hung"):
            self.go.wait(PATIENCE_S)
        if name.startswith("mute"):
            raise CommFailure("nobody there")
        if name.startswith("denied"):
            raise NoPermission("not for you", needed="observer")
        return name.upper()


@pytest.fixture
def peers() -> Peers:
    """Return them."""
    return Peers()


@pytest.fixture
def survey(peers: Peers) -> Iterator[Survey[str]]:
    """Return a survey among them with two workers."""
    with Survey(peers.ask, workers=2) as survey:
        yield survey
        peers.go.set()


def test_everybody_answers(survey: Survey[str]) -> None:
    """More than there are workers; sorted by name."""
    names = [f"peer{number}" for number in range(9, 0, -1)]
    assert survey.run(names, PATIENCE_S) == {name: name.upper() for name in sorted(names)}


def test_why_there_is_no_answer_is_told(survey: Survey[str]) -> None:
    """Errors stand where the answers would."""
    found = survey.run(["mute", "denied", "a"], PATIENCE_S)
    assert found["a"] == "A"
    assert isinstance(found["mute"], CommFailure)
    assert isinstance(found["denied"], NoPermission)


def test_who_hangs_is_given_up(survey: Survey[str]) -> None:
    """The others have answered."""
    found = survey.run(["a", "b", "hung"], 0.3)
    assert (found["a"], found["b"]) == ("A", "B")
    assert isinstance(found["hung"], CommFailure)
    assert "0.3 s" in found["hung"].message


def test_who_hangs_is_not_asked_a_second_time(survey: Survey[str], peers: Peers) -> None:
    """As long as it has not answered; its late answer is taken then."""
    for _ in range(3):
        survey.run(["hung"], 0.05)
    assert peers.asked["hung"] == 1
    peers.go.set()
    assert survey.run(["hung"], PATIENCE_S) == {"hung": "HUNG"}


def test_who_did_not_answer_is_asked_last(peers: Peers) -> None:
    """So that those who answer need not wait for a worker."""
    order: list[str] = []

    def ask(name: str) -> str:
        order.append(name)
        return peers.ask(name)

    with Survey(ask, workers=1) as survey:
        for _ in range(2):
            survey.run(["mute", "z"], PATIENCE_S)
    assert order == ["mute", "z", "z", "mute"]


def test_who_waits_for_a_worker_is_asked_next_time(survey: Survey[str], peers: Peers) -> None:
    """When all workers wait for others, and then one is free."""
    assert _answered(survey.run(["hung1", "hung2", "z"], 0.05)) == set()
    assert peers.asked["z"] == 0
    peers.go.set()
    assert _answered(survey.run(["hung1", "hung2", "z"], PATIENCE_S)) == {"hung1", "hung2", "z"}


def _answered(found: dict[str, str | RemoteError]) -> set[str]:
    return {name for name, each in found.items() if isinstance(each, str)}
