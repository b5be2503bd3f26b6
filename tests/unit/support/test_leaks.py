"""The watch over what tests leave behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

import pytest

from tests.support.leaks import Watch

_AT_ONCE = 0.05


def test_a_clean_stretch_leaks_nothing() -> None:
    """Without anything new there is nothing to tell."""
    assert Watch.now().leaks() == []


@pytest.mark.parametrize("daemon", [True, False])
def test_a_thread_that_goes_on_is_named(daemon: bool) -> None:
    """Daemon threads are no better than others."""
    watch, end = Watch.now(), threading.Event()
    thread = threading.Thread(target=end.wait, name="poller", daemon=daemon)
    thread.start()
    assert watch.leaks(_AT_ONCE) == ["thread 'poller' is alive"]
    end.set()
    thread.join()


def test_a_thread_that_is_just_ending_is_waited_for() -> None:
    """A short grace spares tests from joining what has been told to stop."""
    watch, end = Watch.now(), threading.Event()
    timer = threading.Timer(0.05, end.set)
    timer.start()
    assert watch.leaks() == []
    assert end.is_set()


def test_a_listening_socket_is_named_with_its_port() -> None:
    """A server that was not closed is found."""
    watch = Watch.now()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert watch.leaks(_AT_ONCE) == [f"socket is listening on 127.0.0.1:{port}"]
    assert watch.leaks() == []


def test_a_server_from_before_is_no_leak() -> None:
    """What a fixture of wider scope holds is its own affair."""
    with socket.create_server(("127.0.0.1", 0)):
        watch = Watch.now()
        with socket.socket():
            assert watch.leaks(_AT_ONCE) == []


def test_a_child_process_is_named_with_its_command() -> None:
    """A process that still runs, or was not waited for, is found."""
    watch = Watch.now()
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        (leak,) = watch.leaks(_AT_ONCE)
    assert leak.startswith(f"child process {child.pid} is ")
    assert leak.endswith("-c input()")
    assert watch.leaks() == []


def test_a_changed_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """New, other and missing variables are told with both values."""
    monkeypatch.setenv("OBSORB_A", "1")
    monkeypatch.setenv("OBSORB_B", "1")
    watch = Watch.now()
    monkeypatch.setenv("OBSORB_A", "2")
    monkeypatch.delenv("OBSORB_B")
    os.environ["PYTEST_OWN"] = "the test tool's"
    assert watch.leaks() == [
        "environment variable OBSORB_A went from '1' to '2'",
        "environment variable OBSORB_B went from '1' to None",
    ]
    del os.environ["PYTEST_OWN"]


def test_a_test_that_leaks_fails(pytester: pytest.Pytester) -> None:
    """The guard of this suite turns a leak into an error of its test."""
    pytester.makeconftest("from tests.conftest import _nothing_left_behind")
    pytester.makepyfile(
        "import os\n"
        "def test_leaves(): os.environ['LEFT'] = 'here'\n"
        "def test_takes_away(): del os.environ['LEFT']\n"
        "def test_clean(): ...\n"
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=3, errors=2)
    result.stdout.fnmatch_lines(["*environment variable LEFT went from None to 'here'*"])
