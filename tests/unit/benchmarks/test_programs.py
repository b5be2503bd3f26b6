"""Processes of a benchmark are told what to do, listened to, and ended."""

from __future__ import annotations

import sys
from contextlib import ExitStack

import psutil
import pytest

from benchmarks.programs import Child, Program, ProgramFailed, await_port, free_port, together

_ECHO = "benchmarks.calls_obsorb:Server"


def test_a_child_answers_orders_and_ends_with_them() -> None:
    """Its greeting says where it is."""
    with Child(_ECHO) as server, Child("benchmarks.calls_obsorb:Client", server.hello) as client:
        pids = [server.pid, client.pid]
        assert client.do("add", count=1) > 0
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_children_that_start_together_end_together() -> None:
    """Also when one of them does not start."""
    with ExitStack() as stack:
        pids = [child.pid for child in together(stack, [Child(_ECHO), Child(_ECHO)])]
        assert all(psutil.pid_exists(pid) for pid in pids)
    assert not any(psutil.pid_exists(pid) for pid in pids)
    good = Child(_ECHO)
    with pytest.raises(ProgramFailed, match="no_such_part"), ExitStack() as stack:
        together(stack, [good, Child("benchmarks.no_such_part:Server")])
    assert not psutil.pid_exists(good.pid)


def test_a_child_that_fails_says_why() -> None:
    """Its traceback is in the error."""
    with Child(_ECHO) as server, pytest.raises(ProgramFailed, match="AttributeError"):
        server.do("no_such_thing")


def test_a_program_that_prints_nothing_is_not_awaited_for_ever() -> None:
    """And it is ended."""
    with Program([sys.executable, "-c", "input()"]) as program:
        with pytest.raises(ProgramFailed, match="printed no 'ready'"):
            program.await_line("ready", deadline_s=0.05)
        with pytest.raises(ProgramFailed, match="has not ended"):
            program.wait(0.05)


def test_the_exit_code_of_a_program_is_told() -> None:
    """Also when it is not 0."""
    with Program([sys.executable, "-c", "print('hi'); raise SystemExit(3)"]) as program:
        assert program.await_line("h") == "hi"
        assert program.wait() == 3


def test_nobody_at_a_port_is_told() -> None:
    """After the deadline."""
    with pytest.raises(TimeoutError, match="nobody listens"):
        await_port(free_port(), deadline_s=0.05)
