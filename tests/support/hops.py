"""Hops of an installation in one process, each of which can be killed, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any, cast

from idl_like_interfaces.accounts import Account, Line, Verdict
from idl_like_interfaces.clients import EventConsumer, EventSupplier
from idl_like_interfaces.clients.accounts_survey import AccountSurvey
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.event_quality import QoS
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.naming import Binding, BindingType
from objects.messaging.channel import EventChannelServant
from objects.messaging.journal import Retention
from tests.support.clock import ManualClock

CHANNEL = "obs/events"
COMPONENT = "IDL:obsorb/component/ComponentObject:1.0"
PATIENCE_S = 20.0


class Away:
    """A stub: calls what it stands for now, or finds nobody."""

    def __init__(self) -> None:
        self.servant: object | None = None

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if self.servant is None:
                raise Transient("nobody is there")
            return getattr(self.servant, name)(*args, **kwargs)

        return call


class Hops:
    """A channel, who supplies, who reads, and a survey of all of them.

    Attributes:
        clock: Of the channel.
        survey: Asks all hops.
        tellers: Who answers it, by name; one that is taken away is gone.
        stack: Ends everything.
    """

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.clock = ManualClock()
        self.tellers: dict[str, Callable[[], list[Account]]] = {}
        self.survey = stack.enter_context(AccountSurvey(self._bindings, self._ask, deadline_s=10))
        self._stub = Away()
        self._epochs = count(1)

    @property
    def channel(self) -> EventChannel:
        """A stub of the channel."""
        return cast("EventChannel", self._stub)

    def _bindings(self) -> list[Binding]:
        return [
            Binding(
                name=name,
                type=BindingType.OBJECT,
                uri=f"PYRO:{name}@h:1",
                interface=COMPONENT,
                bound_at=self.clock.utc(),
            )
            for name in self.tellers
        ]

    def _ask(self, name: str) -> list[Account]:
        return self.tellers[name]()

    def start_channel(self, retention: Retention | None = None) -> EventChannelServant:
        """Start a channel without a journal; the one before is gone without a word."""
        servant = EventChannelServant(
            f"epoch-{next(self._epochs)}", retention=retention, clock=self.clock, forget_after_s=60
        )
        self.stack.callback(servant.close)
        self._stub.servant = servant
        self.tellers[CHANNEL] = lambda: servant.accounts(CHANNEL)
        return servant

    def kill_channel(self) -> None:
        """Let it be gone."""
        self._stub.servant = None
        del self.tellers[CHANNEL]

    def supplier(self, source: str = "obs/ocm", spool_events: int = 100_000) -> EventSupplier:
        """Start a supplier."""
        incarnation = "20260102T030405-1"
        made = EventSupplier(self.channel, source, incarnation, spool_events=spool_events)
        self.stack.callback(made.close, 0.1)
        self.tellers[source] = made.accounts
        return made

    def consumer(
        self, name: str = "reader", qos: QoS | None = None, cursor: str = "new"
    ) -> EventConsumer:
        """Connect a consumer of all topics."""
        made = EventConsumer(self.channel, ["**"], name=name, qos=qos, cursor=cursor, poll_s=0.05)
        made.connect()
        self.stack.callback(made.close)
        self.tellers[name] = made.accounts
        return made

    def look(self) -> list[Line]:
        """Ask all hops twice, and judge what they say."""
        now = datetime.now(UTC)
        self.survey.run(now)
        self.survey.run(now)
        return self.survey.balance(now).lines


@contextmanager
def hops() -> Iterator[Hops]:
    """Set up what has hops; all of it ends at the end."""
    with ExitStack() as stack:
        yield Hops(stack)


def send(supplier: EventSupplier, number: int, topic: str = "daq/status") -> None:
    """Publish so many events, and wait until the channel has them."""
    for at in range(number):
        supplier.publish(topic, {"at": at})
    assert supplier.flush(PATIENCE_S)


def wrong(lines: list[Line]) -> list[tuple[str, str, Verdict]]:
    """Return hop, consumer and verdict of each line that is not balanced."""
    return [
        (each.account.hop, each.account.to, each.verdict)
        for each in lines
        if each.verdict is not Verdict.BALANCED
    ]


def text_of(lines: list[Line]) -> str:
    """Return what is said of the only line that is not balanced."""
    (text,) = [each.text for each in lines if each.verdict is not Verdict.BALANCED]
    return text
