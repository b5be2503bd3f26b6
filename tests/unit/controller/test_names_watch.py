"""``obsorb names watch`` over a real name server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from typing_extensions import override

from controller.cli.names_watch import Watch, line_of
from idl_like_interfaces.clients import NameWatcher
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.naming import Binding, BindingType, ChangeList, NamingContext
from idl_like_interfaces.replication import NotLeading
from nameserver.client import Names
from nameserver.servant import NamingServant
from nameserver.server import NameServer
from nameserver.stores import MemoryStore
from tests.unit.controller.running import ok, refused

URI = "PYRO:guest@localhost:4711"
NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NamingContext]:
    """Yield the root context of a name server that the commands find."""
    with NameServer("localhost", 0) as server, Names(("localhost", server.port)) as client:
        monkeypatch.setenv("OBSORB_NAMES", f"localhost:{server.port}")
        client.context.bind_new_context("obs")
        client.context.bind("obs/a", URI)
        client.context.bind("b", URI)
        yield client.context


def test_first_it_prints_what_is_bound(names: NamingContext) -> None:
    """Sorted by name, with the time of the binding; contexts end with a slash."""
    lines = ok("names", "watch", "--count", "3").splitlines()
    assert [line.split()[1:] for line in lines] == [
        ["known", "b", URI], ["known", "obs/"], ["known", "obs/a", URI],
    ]  # fmt: skip
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", line) for line in lines)


def test_below_a_name_others_are_left_out(names: NamingContext) -> None:
    """As JSON a document a line."""
    text = ok("names", "watch", "--below", "obs", "--count", "2", "--json")
    found = [json.loads(line) for line in text.splitlines()]
    assert [(each["type"], each["binding"]["name"]) for each in found] == [
        ("known", "obs"), ("known", "obs/a"),
    ]  # fmt: skip


def test_an_absent_name_server_is_a_failure_at_the_start() -> None:
    """Only a server that was there once is waited for."""
    assert "cannot be reached" in refused("names", "watch", "--names", "localhost:1")


def test_a_line_says_when_what_and_where() -> None:
    """To the millisecond, UTC."""
    binding = Binding(name="obs/a", uri=URI, bound_at=NOON)
    assert (
        line_of("bound", NOON, binding) == f"2026-03-01T12:00:00.123Z bound   obs/a{' ' * 24}{URI}"
    )
    context = Binding(name="obs", type=BindingType.CONTEXT, bound_at=NOON)
    assert line_of("bound", NOON, context) == "2026-03-01T12:00:00.123Z bound   obs/"


class Unsteady(NamingServant):
    """Is away for some questions, then there again or another start of itself."""

    def __init__(self, answers: list[str]) -> None:
        self._answers = answers
        self._memory = MemoryStore()
        super().__init__(self._memory)

    @override
    def changes(self, since: str = "", timeout_s: float = 25.0) -> ChangeList:
        match self._answers.pop(0) if self._answers else "end":
            case "away":
                raise Transient("nobody listens")
            case "undecided":
                raise NotLeading("it follows", peer="localhost:1")
            case "restart":
                super().__init__(self._memory)
            case "bind":
                self.bind(f"n{len(self._answers)}", URI)
            case _:
                raise KeyboardInterrupt
        return super().changes(since, 0.0)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (["bind", "away", "away", "bind"], ["lost", "back"]),
        (["bind", "away", "restart"], ["lost", "restarted"]),
        (["bind", "restart"], ["restarted"]),
        (["bind", "undecided", "undecided", "restart"], ["lost", "restarted"]),
    ],
)
def test_an_absence_is_told_once_and_its_end_too(
    answers: list[str], told: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """And whether it was a restart; the names that stayed are not repeated."""
    bound = answers.count("bind")
    watch = Watch(NameWatcher(Unsteady(answers)), as_json=True, count=0)
    with pytest.raises(KeyboardInterrupt):
        watch.run()
    found = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert [each for each in found if each not in ("known", "bound")] == told
    assert len([each for each in found if each in ("known", "bound")]) == bound


def test_for_people_an_absence_is_told_beside_the_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On stderr, so that a pipe has names only."""
    watch = Watch(NameWatcher(Unsteady(["bind", "away", "restart"])), as_json=False, count=0)
    with pytest.raises(KeyboardInterrupt):
        watch.run()
    out, errors = capsys.readouterr()
    assert len(out.splitlines()) == 1
    lost, restarted = errors.splitlines()
    assert "the name server does not answer: nobody listens" in lost
    assert "was started anew" in restarted
