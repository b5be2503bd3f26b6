"""A component as a process: how it is asked to end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from objects.component.process import EndingSignals


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put the handlers of this process back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_the_boot_is_met_after_it(number: signal.Signals) -> None:
    """It neither kills the process half-way nor gets lost."""
    asked = threading.Event()
    with EndingSignals() as signals:
        os.kill(os.getpid(), number)
        signals.lead_to(asked.set)
        assert asked.wait(20)


@pytest.mark.usefixtures("handlers")
def test_a_signal_may_come_while_its_lock_is_held() -> None:
    """The thread that is interrupted may hold what the end needs."""
    lock, asked = threading.Lock(), threading.Event()

    def ask() -> None:
        with lock:
            asked.set()

    with EndingSignals() as signals:
        signals.lead_to(ask)
        with lock:
            os.kill(os.getpid(), signal.SIGTERM)
        assert asked.wait(20)


@pytest.mark.usefixtures("handlers")
def test_without_a_signal_nothing_is_asked() -> None:
    """The end of the component ends the waiting, too."""
    asked = threading.Event()
    with EndingSignals() as signals:
        signals.lead_to(asked.set)
    assert not asked.is_set()
