"""Brings the backlogs of a sender to the logger: greets, sends, learns what is durable."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.clients.event_backlog import Backlog
from idl_like_interfaces.clients.limits import within
from idl_like_interfaces.errors import BadParam, RemoteError
from idl_like_interfaces.event_server import (
    MOST_BYTES,
    Acknowledgement,
    EventServer,
    Gap,
    OutOfSequence,
    SenderIdentity,
    Superseded,
    UnknownSender,
)
from idl_like_interfaces.octets import OctetBlocks

log = logging.getLogger(__name__)

BATCH_MESSAGES: Final = 16_384

HEAP_BYTES: Final = 256 * 1024
"""With so much waiting a batch does not wait for more."""

WINDOW_S: Final = 0.005
"""How long it waits else."""

POLL_S: Final = 5.0
FAREWELL_S: Final = 2.0


class Forwarder:
    """Two threads: one sends, the other waits for what becomes durable.

    Args:
        server: The event server.
        identity: Who sends; of each backlog its incarnation and mark are filled in.
        backlogs: What is to be sent, one behind the other; the last is that of this start.
        changed: Guards the backlogs; notified after each change.
        durable: Called with the incarnation and the mark of what need not be kept any more.
        patience_s: How long the logger may hold a batch.

    Attributes:
        problem: Why nothing gets through; empty: it does.
        end: Another start has taken the place of this one.
        refused: Messages that the logger took out.
        declared: Messages of this start that the logger was told never come.
        batches: Calls that brought messages.
        greetings: How often it said hello.
        hurry: As long as it is true no batch waits for more.
    """

    def __init__(
        self,
        server: EventServer,
        identity: SenderIdentity,
        backlogs: Iterable[Backlog],
        changed: threading.Condition,
        durable: Callable[[int, int], None],
        patience_s: float,
    ) -> None:
        self._server = server
        self._identity = identity
        self._backlogs = deque(backlogs)
        self._changed = changed
        self._durable = durable
        self._patience_s = patience_s
        self.problem = ""
        self.end: Superseded | None = None
        self.refused = self.declared = self.batches = self.greetings = 0
        self.hurry = False
        self._greeted: Backlog | None = None
        self._is_over = False
        works = {"send": self._send_all, "learn of": self._learn_all}
        self._threads = [
            threading.Thread(target=work, name=f"{what} events of {identity.name}", daemon=True)
            for what, work in works.items()
        ]
        for each in self._threads:
            each.start()

    @property
    def is_idle(self) -> bool:
        """Everything is durable, also what earlier starts have left."""
        return len(self._backlogs) == 1 and self._backlogs[0].is_done

    @property
    def is_sent(self) -> bool:
        """The logger has accepted everything."""
        return len(self._backlogs) == 1 and not self._backlogs[0].is_waiting

    def stop(self, timeout_s: float) -> None:
        """End the threads; a call that is on its way may take until its deadline."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        for each in self._threads:
            each.join(timeout_s)

    def say_farewell(self) -> None:
        """Tell the logger which message was the last one, if it can be reached; raises nothing."""
        own = self._backlogs[-1]
        if self._greeted is not own or self.end is not None:
            return
        try:
            with within(FAREWELL_S):
                if own.is_waiting:
                    gap = Gap(first=own.accepted + 1, last=own.produced, reason="sender closed")
                    self._server.declare_gap(own.incarnation, gap)
                own.last = own.produced
                self._server.hello(self._identity_of(own))
        except RemoteError as error:
            log.info("%s could not take leave: %s", self._identity.name, error)

    def _send_all(self) -> None:
        backoff = Backoff()
        while self._await_work():
            try:
                self._step()
            except (UnknownSender, OutOfSequence) as error:
                log.info("%s says hello again: %s", self._identity.name, error)
                self._forget_greeting()
                self._pause(backoff)
            except Superseded as error:
                self._is_superseded(error)
            except RemoteError as error:
                self._fail(error)
                self._pause(backoff)
            except Exception:
                log.exception("%s: sending failed", self._identity.name)
                self._pause(backoff)
            else:
                backoff.reset()
                self._recovered()

    def _await_work(self) -> bool:
        """Wait until there is something to do; return whether that is so, else it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._has_work())
            if not self._is_over and not self._is_heap():
                # More is to be expected; a batch costs a round trip.
                self._changed.wait_for(lambda: self._is_over or self._is_heap(), WINDOW_S)
            return not self._is_over

    def _has_work(self) -> bool:
        if self.end is not None:
            return False
        current = self._backlogs[0]
        return current is not self._greeted or current.is_waiting or self._may_turn()

    def _may_turn(self) -> bool:
        return len(self._backlogs) > 1 and self._backlogs[0].is_done

    def _is_heap(self) -> bool:
        current = self._backlogs[0]
        is_first = current is not self._greeted
        return self.hurry or is_first or current.waiting_bytes >= HEAP_BYTES or self._may_turn()

    def _step(self) -> None:
        """Do the next thing that must be done."""
        with self._changed:
            current = self._backlogs[0]
            is_greeted = current is self._greeted
            if is_greeted and self._may_turn():
                self._backlogs.popleft()
                return
            gap = current.gap()
            batch = [] if gap else current.batch(MOST_BYTES, BATCH_MESSAGES)
            first = current.accepted + 1
        if not is_greeted:
            self._greet(current)
        elif gap:
            self._declare(current, *gap)
        elif batch:
            self._send(current, first, batch)

    def _greet(self, backlog: Backlog) -> None:
        answer = self._server.hello(self._identity_of(backlog))
        self.greetings += 1
        self._align(backlog, answer.accepted, answer.durable)
        with self._changed:
            self._greeted = backlog
            self._changed.notify_all()

    def _identity_of(self, backlog: Backlog) -> SenderIdentity:
        known = self._identity
        return SenderIdentity(
            name=known.name, host=known.host, pid=known.pid, incarnation=backlog.incarnation,
            acknowledged=backlog.durable, last=backlog.last,
        )  # fmt: skip

    def _declare(self, backlog: Backlog, first: int, last: int) -> None:
        gap = Gap(first=first, last=last, reason="spool full")
        answer = self._server.declare_gap(backlog.incarnation, gap)
        if backlog is self._backlogs[-1]:
            self.declared += last - first + 1
        self._align(backlog, answer.accepted, answer.durable)

    def _send(self, backlog: Backlog, first: int, batch: list[bytes]) -> None:
        octets = b"".join(batch)
        blocks = OctetBlocks(octets, (len(octets),))
        try:
            answer = self._server.send(backlog.incarnation, first, blocks, self._patience_s)
        except BadParam as refusal:
            # It would be refused for ever: what it holds is lost, and is told as lost.
            log.error("%d messages of %s are refused: %s", len(batch), self._identity.name, refusal)
            gap = Gap(first=first, last=first + len(batch) - 1, reason=str(refusal))
            answer = self._server.declare_gap(backlog.incarnation, gap)
            self.refused += len(batch)
        self.batches += 1
        self.refused += answer.refused
        self._say_why(answer)
        self._align(backlog, answer.accepted, answer.durable)

    def _say_why(self, answer: Acknowledgement) -> None:
        if answer.reason and answer.reason != self.problem:
            log.warning("%s waits for the logger: %s", self._identity.name, answer.reason)
        self.problem = answer.reason

    def _align(self, backlog: Backlog, accepted: int | None, durable: int) -> None:
        with self._changed:
            before = backlog.durable
            backlog.align(accepted, durable)
            self._changed.notify_all()
        if durable > before:
            self._durable(backlog.incarnation, durable)

    def _learn_all(self) -> None:
        backoff = Backoff()
        while (backlog := self._await_unsure()) is not None:
            try:
                answer = self._server.await_durable(backlog.incarnation, backlog.durable, POLL_S)
                self._align(backlog, None, answer.durable)
                backoff.reset()
            except UnknownSender:
                self._forget_greeting()
                self._pause(backoff)
            except Superseded as error:
                self._is_superseded(error)
            except RemoteError:
                self._pause(backoff)
            except Exception:
                log.exception("%s: asking what is durable failed", self._identity.name)
                self._pause(backoff)

    def _await_unsure(self) -> Backlog | None:
        """Wait for messages that are accepted and not durable; None: it is over."""

        def find() -> Backlog | None:
            current = self._backlogs[0]
            return current if current is self._greeted and current.is_unsure else None

        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self.end is not None or find())
            return None if self._is_over or self.end is not None else find()

    def _forget_greeting(self) -> None:
        with self._changed:
            self._greeted = None
            self._changed.notify_all()

    def _is_superseded(self, error: Superseded) -> None:
        """Give up: an earlier start, or this one."""
        with self._changed:
            current = self._backlogs[0]
            if error.sender != current.incarnation:
                return
            if len(self._backlogs) > 1:
                self._backlogs.popleft()
            else:
                self.end = error
                self.problem = str(error)
            lost = current.give_up()
            self._changed.notify_all()
        if lost:
            log.error("%d messages of %s are lost: %s", lost, self._identity.name, error)

    def _fail(self, error: RemoteError) -> None:
        if not self.problem:
            log.warning("%s cannot send to the logger: %s", self._identity.name, error)
        self.problem = str(error)

    def _recovered(self) -> None:
        if self.problem and not self._backlogs[0].is_waiting:
            log.info("%s gets through to the logger again", self._identity.name)
            self.problem = ""

    def _pause(self, backoff: Backoff) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_over, backoff.next_s())
