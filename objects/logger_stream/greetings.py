"""Who has said hello to the logger: one living start of each name, and the ones before it."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_server import SenderIdentity, Superseded, UnknownSender
from objects.component.clock import Clock
from objects.logger_stream.senders import Recovered, Sender, SenderMark

MOST_SENDERS = 4096
"""Starts of senders that are remembered; those that were silent longest go first."""

TOLD = 256


class Greetings:
    """The senders, living and over.

    Args:
        clock: The time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._by_incarnation: OrderedDict[int, Sender] = OrderedDict()
        self._by_name: dict[str, Sender] = {}
        # Known from before this start of the logger, not heard by it yet.
        self._restored: dict[int, Sender] = {}

    def restore(self, marks: Iterable[SenderMark], recovered: Collection[Recovered]) -> None:
        """Know senders that a logger before this one has known; later marks of a name win."""
        by_sender: dict[int, list[Recovered]] = defaultdict(list)
        for each in recovered:
            by_sender[each.sender].append(each)
        known = {mark.incarnation: mark for mark in marks}
        for number in by_sender.keys() - known.keys():
            known[number] = SenderMark(name="", incarnation=number, durable=0)
        for number, mark in known.items():
            identity = SenderIdentity(name=mark.name or "?", incarnation=number)
            sender = Sender(identity, self._clock.utc(), self._clock.monotonic())
            sender.restore(mark, by_sender.get(number, ()))
            self._restored[number] = sender
            if mark.name:
                self._by_name[mark.name] = sender

    def greet(self, identity: SenderIdentity, address: str) -> tuple[Sender, Sender | None]:
        """Know a sender from now on.

        Returns:
            It, and the start of the same name that is over now and was not before.

        Raises:
            Superseded: It is over itself.
            BadParam: The incarnation is known by another name.
        """
        with self._lock:
            sender = self._known(identity)
            before = self._by_name.get(identity.name)
            if before is sender:
                before = None
            if before is not None:
                before.successor = identity.incarnation
            self._by_name[identity.name] = sender
            self._by_incarnation[identity.incarnation] = sender
            self._heard(sender, address)
            self._make_room()
        with sender.lock:
            sender.identity = identity
            sender.take_word(identity.acknowledged)
            if identity.last is not None:
                sender.last = identity.last
        if before is not None:
            before.changed.tell()
            before.gave_way.tell()
        return sender, before

    def _known(self, identity: SenderIdentity) -> Sender:
        number = identity.incarnation
        sender = self._by_incarnation.get(number) or self._restored.pop(number, None)
        if sender is None:
            return Sender(identity, self._clock.utc(), self._clock.monotonic())
        if sender.identity.name not in {identity.name, "?"}:
            raise BadParam(
                f"{sender.identity.name} has said hello with the incarnation {number} already",
                field="sender.incarnation",
                remedy="choose the incarnation of each start at random from 63 bits",
            )
        self.check(sender)
        return sender

    def find(self, incarnation: int, address: str) -> Sender:
        """Return who has said hello.

        Raises:
            UnknownSender: Nobody of that incarnation has.
            Superseded: It is over.
        """
        with self._lock:
            sender = self._by_incarnation.get(incarnation)
            if sender is not None:
                self._heard(sender, address)
        if sender is None:
            raise UnknownSender(
                f"the sender {incarnation} has not said hello",
                sender=incarnation,
                cause="the logger was started anew, or it is an older start of the sender",
                remedy="say hello, then send from the message on that the answer tells",
            )
        self.check(sender)
        return sender

    @staticmethod
    def check(sender: Sender) -> None:
        """Do nothing when a sender lives.

        Raises:
            Superseded: It is over.
        """
        if sender.is_over:
            name = sender.identity.name
            raise Superseded(
                f"a later start of the sender {name} has said hello",
                sender=sender.identity.incarnation,
                successor=sender.successor,
                cause=f"{name} was started anew, or two processes use that name",
                remedy="end this one, or give each of them a name of its own",
            )

    def current(self) -> list[Sender]:
        """Return the living sender of each name, also those from before this start."""
        with self._lock:
            return list(self._by_name.values())

    def latest(self) -> list[Sender]:
        """Return who was heard last, the latest first."""
        with self._lock:
            return list(reversed(self._by_incarnation.values()))[:TOLD]

    def names(self) -> dict[int, str]:
        """Return the names by incarnation."""
        with self._lock:
            known = [*self._restored.values(), *self._by_incarnation.values()]
        return {each.identity.incarnation: each.identity.name for each in known}

    def _heard(self, sender: Sender, address: str) -> None:
        sender.hear(self._clock.utc(), self._clock.monotonic(), address)
        self._by_incarnation.move_to_end(sender.identity.incarnation)

    def _make_room(self) -> None:
        while len(self._by_incarnation) > MOST_SENDERS:
            number, gone = self._by_incarnation.popitem(last=False)
            if self._by_name.get(gone.identity.name) is gone:
                # It may come back: nothing of how far it has come may be forgotten.
                self._restored[number] = gone
            if len(self._restored) > MOST_SENDERS:
                oldest = next(iter(self._restored))
                name = self._restored.pop(oldest).identity.name
                self._by_name.pop(name, None)
