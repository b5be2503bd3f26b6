"""An event logger in the hands of a test: the real component on a site without a process."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.event_logger import (
    LoggerConfiguration,
    LoggerInit,
    LoggerRun,
    LoggerRunStart,
    LoggerState,
    LoggerStatus,
    StreamConfiguration,
    StreamParameters,
)
from idl_like_interfaces.event_server import Acknowledgement, EventServer, SenderIdentity
from idl_like_interfaces.octets import OctetBlocks
from idl_like_interfaces.run_control import Member, Orders
from objects.logger_stream.control_servant import LoggerControlServant
from objects.logger_stream.process import LoggerProcess
from objects.logger_stream.settings import LoggerSettings
from tests.support.event_batches import SENDER, batch, event
from tests.support.runs import LivingClock
from tests.support.site import FakeSite

QUICK = StreamParameters(flush_period_s=0.05, sync_period_s=0.05)
"""Durable soon: a test need not wait."""

NAME = "logger0"


def streams(*ids: int, **parameters: Any) -> LoggerConfiguration:
    """Return a configuration with streams ``s<id>``."""
    own = StreamParameters(**parameters)
    return LoggerConfiguration(
        streams=[StreamConfiguration(name=f"s{id}", id=id, parameters=own) for id in ids],
        defaults=QUICK,
    )


class TestedLogger(Closing):
    """A logger that is booted; a context manager.

    Args:
        root: Its data root.
        site: Where it runs; made when it is not given.
        settings: Its settings.
    """

    __test__ = False

    def __init__(self, root: Path, site: FakeSite | None = None, **settings: Any) -> None:
        self._level = logging.getLogger("objects.logger_stream").level
        self.site = site or FakeSite(root, NAME)
        self.site.clock = LivingClock()
        self.component = LoggerProcess(self.site, LoggerSettings(**settings))
        self.component.recover()
        self.control: LoggerControlServant = self.component.objects()[0].servant
        self.component.start()
        self._sequence = 0

    @property
    def status(self) -> LoggerStatus:
        """How it stands now."""
        self.component.core.board.invalidate()
        return self.control.get_status()

    @property
    def state(self) -> LoggerState:
        """State of the process."""
        return self.status.state

    @property
    def server(self) -> EventServer:
        """Its event server."""
        servant: EventServer = self.site.offered["logger/0/events"].servant
        return servant

    def run(self, number: int) -> LoggerRun:
        """Return how a run stands."""
        return next(run for run in self.status.runs if run.run == number)

    def configured(self, *ids: int, **parameters: Any) -> TestedLogger:
        """Initialize and configure it."""
        self.control.init(LoggerInit())
        self.control.configure(streams(*ids or (1,), **parameters))
        return self

    def start(self, number: int, fence: int = 0, **more: Any) -> LoggerRun:
        """Start a run."""
        return self.control.start_run(LoggerRunStart(run=number, **more), fence)

    def hello(self, incarnation: int = SENDER, acknowledged: int = 0) -> Acknowledgement:
        """Greet the event server."""
        identity = SenderIdentity(name="cr1", incarnation=incarnation, acknowledged=acknowledged)
        return self.server.hello(identity)

    def send(
        self, run: int, count: int = 1, ids: Sequence[int] = (1,), timeout_s: float = 20.0
    ) -> Acknowledgement:
        """Send events of a run."""
        first = self._sequence + 1
        self._sequence += count
        return self.send_from(first, run, count, ids, timeout_s)

    def send_from(
        self,
        first: int,
        run: int,
        count: int = 1,
        ids: Sequence[int] = (1,),
        timeout_s: float = 20.0,
    ) -> Acknowledgement:
        """Send events whose first has a sequence."""
        if first == 1:
            self.hello()
        messages = [event(n, run=run, streams=ids) for n in range(first, first + count)]
        octets = batch(messages)
        return self.server.send(SENDER, first, OctetBlocks(octets, [len(octets)]), timeout_s)

    def await_durable(self, count: int) -> None:
        """Wait until so many messages are durable."""
        found = self.server.await_durable(SENDER, count - 1, 30.0)
        assert found.durable >= count

    @override
    def close(self) -> None:
        self.component.stop()
        logging.getLogger("objects.logger_stream").setLevel(self._level)


class FakeRunControl:
    """Run control that gives the orders of a test to who makes himself known.

    Attributes:
        members: Who made himself known, in order.
        orders: What it answers.
    """

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.orders = Orders()

    def enroll(self, member: Member) -> Orders:
        """See ``RunControl.enroll``."""
        self.members.append(member)
        return self.orders


def plain(value: Any) -> Any:
    """Return what a status tells as JSON has it."""
    return msgspec.json.decode(msgspec.json.encode(value))
