"""The hybrid server: one thread watches, a bounded number of them serve.

::

    accept ──> watched ──readable──> a worker reads what has come
                 ^  ^                   │ not whole │ a whole message
                 │  └───────────────────┘           v
                 │                        a slot to execute it (or wait for one)
                 │        reply sent                │
                 ├──────────<───────────────────────┤
                 │                                  v a long-poll without news
                 └──<── news or time over ──────  parked (no thread)

A worker stays with a connection that it has just served for a moment, so that one request
after the other costs no hand-over. Nobody is waited for: who begins a message and does not
end it, or does not take a reply, goes back to being watched, with a deadline.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable

import Pyro5.errors

from idl_like_interfaces.bucket import Bucket
from idl_like_interfaces.mapping.hosting.ballast import Ballast
from idl_like_interfaces.mapping.hosting.headers import Unwelcome, check_request
from idl_like_interfaces.mapping.hosting.limits import Limits, Load
from idl_like_interfaces.mapping.hosting.parking import Parking
from idl_like_interfaces.mapping.hosting.peer import Peer
from idl_like_interfaces.mapping.hosting.protocols import Call, Dispatcher
from idl_like_interfaces.mapping.hosting.replies import Reply
from idl_like_interfaces.mapping.hosting.sparing import Sparing
from idl_like_interfaces.mapping.hosting.watch import IDLE, WRITING, Watch
from idl_like_interfaces.mapping.hosting.workers import Slots, Workers
from idl_like_interfaces.mapping.message import Message
from idl_like_interfaces.mapping.trust import NEEDS_TLS, client_refused
from idl_like_interfaces.waiting import Parked

log = logging.getLogger(__name__)
log.addFilter(Sparing())

_RESERVE = 4
"""Threads beyond those that execute calls: they read, greet and answer for the daemon."""

_NEEDS_TLS = f"{NEEDS_TLS}: give a certificate (--certs DIR or OBSORB_CERTS)"

_COUNTED = 32 * 1024
"""Bytes of a message from which on it matters how many of them wait."""

_DRAIN_DEADLINE_S = 0.2
_CLOSE_DEADLINE_S = 5.0


class Transport:
    """Accepts connections and serves them.

    Args:
        dispatcher: What is done with messages.
        listener: Listens already.
        limits: The bounds.
        tls: Of the server; ``None``: in clear.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        listener: socket.socket,
        limits: Limits,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._dispatcher = dispatcher
        self._limits = limits
        self._told = Bucket()
        self._watch = Watch(listener, limits, tls, self._attend, self._forget)
        self._workers = Workers(limits.workers + _RESERVE, self._watch.call_later)
        self._parking = Parking(self._watch, self._workers, self._answer, self._guarded)
        self._slots: Slots[tuple[Peer, Call]] = Slots(limits.workers, limits.connections)
        self._heavy: Slots[tuple[Peer, Call]] = Slots(
            1, limits.connections, lambda each: each[1].size
        )
        self._in_line: Ballast[Peer] = Ballast(limits.kept_bytes)

    def start(self) -> None:
        self._watch.start()

    def load(self) -> Load:
        return Load(
            connections=self._watch.connections,
            half_open=self._watch.half_open,
            parked=len(self._parking),
            threads=self._workers.size,
            executing=self._slots.taken,
            waiting=self._slots.waiting,
        )

    def drain(self) -> None:
        """Take no more connections and requests; calls that are being served go on."""
        if not self._watch.is_draining:
            self._watch.drain()
            self._slots.wait_until_free(_DRAIN_DEADLINE_S)

    def close(self) -> None:
        """Stop listening and really close every connection."""
        self.drain()
        self._let_woken_answer()
        self._watch.end_watched()
        # What a worker has in hand may still be answered, for a moment.
        self._workers.close(_DRAIN_DEADLINE_S)
        self._watch.close()
        self._workers.close(_CLOSE_DEADLINE_S)

    def _let_woken_answer(self) -> None:
        """Have long-polls looked at that were told of the end just before."""
        passed = threading.Event()
        self._workers.submit(passed.set)
        passed.wait(_DRAIN_DEADLINE_S)

    def _attend(self, peer: Peer, events: int) -> None:
        if peer.parked is not None:
            # It has nothing to say now: it is gone.
            self._watch.end(peer)
        elif events & select.EPOLLOUT and peer.unsent:
            self._workers.submit(functools.partial(self._go_on_writing, peer), later=True)
        else:
            job = functools.partial(self._serve, peer)
            self._workers.submit(job, later=peer.is_within_body)

    def _forget(self, peer: Peer) -> None:
        self._in_line.let_go(peer)
        self._parking.forget(peer)

    def _guarded(self, peer: Peer, serve: Callable[[], None]) -> None:
        """Serve; whatever goes wrong ends this connection and nothing else."""
        try:
            serve()
        except (OSError, Pyro5.errors.PyroError) as lost:
            log.debug("connection of %s ended: %s", peer.caller.address, lost)
            self._watch.end(peer)
        except BaseException:
            # Also of what would end a thread: the pool counts on it.
            log.exception("connection of %s ended by a failure", peer.caller.address)
            self._watch.end(peer)

    def _serve(self, peer: Peer) -> None:
        self._guarded(peer, functools.partial(self._serve_all, peer, stay=False))

    def _serve_all(self, peer: Peer, *, stay: bool) -> None:
        """Serve one request after the other, as long as they come without delay."""
        while self._serve_one(peer, stay=stay):
            stay = True
            peer.last_used = time.monotonic()
            if self._workers.is_wanted:
                # Others have come in the meantime: this one has its next turn behind them.
                if peer.is_within_message:
                    job = functools.partial(self._serve, peer)
                    self._workers.submit(job, later=peer.is_within_body)
                else:
                    self._watch.watch(peer, IDLE)
                return

    def _serve_one(self, peer: Peer, *, stay: bool) -> bool:
        """Serve what has come; tell whether the connection is still with this thread."""
        try:
            if not peer.is_greeted:
                return self._greet(peer)
            message = self._read(peer, stay=stay)
        except Unwelcome as refused:
            return self._refuse(peer, refused)
        if message is None:
            self._watch_reading(peer)
            return False
        if peer.deadline is not None:
            self._watch.is_in_time(peer)
        if self._watch.is_draining:
            self._watch.end(peer)
            return False
        call = self._dispatcher.receive(message, peer)
        if call.is_heavy:
            return self._has_slot(self._heavy, peer, call) and self._open(peer, call)
        call.open()
        return self._admit(peer, call)

    def _has_slot(self, slots: Slots[tuple[Peer, Call]], peer: Peer, call: Call) -> bool:
        """Take a slot for a call; if there is none, it waits and others are served."""
        is_small = call.size < _COUNTED
        has_slot = slots.take((peer, call)) if is_small else self._take_counted(slots, peer, call)
        if has_slot is None:
            log.warning("too many calls wait for their turn; one of %s is refused", peer.caller)
            if self._reply(peer, call.refuse(self._dispatcher.too_many())):
                # More of its messages may have come already.
                self._workers.submit(functools.partial(self._serve, peer))
        return bool(has_slot)

    def _take_counted(self, slots: Slots[tuple[Peer, Call]], peer: Peer, call: Call) -> bool | None:
        """Take a slot for a call of a long message, whose memory may be too much to wait."""
        if slots.waiting and not self._in_line.has_room(call.size):
            return None
        # Noted before somebody else may go on with it.
        self._in_line.keep(peer, call.size)
        has_slot = slots.take((peer, call))
        if has_slot is not False:
            self._in_line.let_go(peer)
        return has_slot

    def _open(self, peer: Peer, call: Call) -> bool:
        """Open a heavy call that has the slot for it, and hand the slot on."""
        try:
            call.open()
        finally:
            self._hand_on(self._heavy, self._open)
        return self._admit(peer, call)

    def _admit(self, peer: Peer, call: Call) -> bool:
        """Execute a call that is open, now or when there is a slot for it."""
        if call.is_express:
            return self._finish(peer, call, call.execute())
        return self._has_slot(self._slots, peer, call) and self._execute(peer, call)

    def _hand_on(
        self, slots: Slots[tuple[Peer, Call]], go_on: Callable[[Peer, Call], bool]
    ) -> None:
        """Give a slot back; who has waited for it goes on, in another thread."""
        while True:
            waiting = slots.give_back()
            if waiting is None:
                return
            peer, call = waiting
            self._in_line.let_go(peer)
            if not (call.size >= _COUNTED and peer.is_gone):
                break
            # Nobody would take the reply, and those behind it have waited long enough.
            self._watch.end(peer)

        def serve() -> None:
            if go_on(peer, call):
                self._serve_all(peer, stay=False)

        self._workers.submit(functools.partial(self._guarded, peer, serve))

    def _read(self, peer: Peer, *, stay: bool) -> Message | None:
        if peer.is_doomed:
            raise Pyro5.errors.ConnectionClosedError("it was too slow")
        is_bulk = peer.is_within_body
        try:
            if not ((stay or is_bulk) and self._workers.linger()):
                return peer.read(stay=False)
            try:
                return peer.read(stay=True)
            finally:
                self._workers.resume()
        finally:
            if is_bulk:
                self._workers.moved()

    def _watch_reading(self, peer: Peer) -> None:
        if peer.is_within_message:
            self._watch.watch_with_deadline(peer, IDLE, self._limits.message_s)
        else:
            if peer.deadline is not None:
                # Of a message that was refused, and passed over to its end.
                self._watch.is_in_time(peer)
            self._watch.watch(peer, IDLE)

    def _greet(self, peer: Peer) -> bool:
        try:
            is_open = peer.shake()
        except Pyro5.errors.ConnectionClosedError as lost:
            self._tell_refused(peer, lost)
            if peer.channel is not None and peer.channel.speaks_plainly:
                with contextlib.suppress(OSError):
                    peer.sock.send(b"".join(self._dispatcher.no_greeting(_NEEDS_TLS)))
            raise
        message = peer.read(stay=False) if is_open else None
        if message is None:
            self._watch.watch(peer, IDLE)
            return False
        reply, is_welcome = self._dispatcher.greet(message, peer)
        is_sent = peer.send(reply)
        if not (is_welcome and is_sent):
            self._watch.end(peer)
            return False
        peer.is_greeted, peer.check = True, check_request
        self._watch.greeted(peer)
        return True

    def _tell_refused(self, peer: Peer, lost: Exception) -> None:
        """Log why a handshake of TLS failed; a flood of them shall not fill the log."""
        if not isinstance(lost.__cause__, ssl.SSLError) or not self._told.take():
            return
        plainly = peer.channel is not None and peer.channel.speaks_plainly
        why = "it speaks without TLS" if plainly else client_refused(lost.__cause__)
        log.warning("a connection of %s was refused: %s", peer.caller.address, why)

    def _refuse(self, peer: Peer, refused: Unwelcome) -> bool:
        log.warning("a message of %s was refused: %s", peer.caller.address, refused)
        if not peer.is_greeted:
            peer.send(self._dispatcher.no_greeting(str(refused)))
        if not (refused.can_be_answered and peer.is_greeted):
            self._watch.end(peer)
            return False
        return self._reply(peer, self._dispatcher.refusal(refused))

    def _execute(self, peer: Peer, call: Call) -> bool:
        """Execute a call that has a slot, and hand the slot on."""
        try:
            outcome = call.execute()
        finally:
            self._hand_on(self._slots, self._execute)
        return self._finish(peer, call, outcome)

    def _finish(self, peer: Peer, call: Call, outcome: Reply | Parked[object] | None) -> bool:
        if isinstance(outcome, Parked):
            self._parking.park(peer, call, outcome)
            return False
        return self._reply(peer, outcome)

    def _answer(self, peer: Peer, reply: Reply) -> None:
        """Answer a call that was parked, and go on."""
        if self._reply(peer, reply):
            self._serve_all(peer, stay=False)

    def _reply(self, peer: Peer, reply: Reply | None) -> bool:
        if reply is None or peer.send(reply):
            return True
        self._watch.watch_with_deadline(peer, WRITING, self._limits.reply_s)
        return False

    def _go_on_writing(self, peer: Peer) -> None:
        def write() -> None:
            before = peer.unsent
            is_sent = peer.flush()
            self._workers.moved()
            if is_sent:
                self._watch.is_in_time(peer)
                self._serve_all(peer, stay=False)
                return
            if peer.unsent < before:
                peer.deadline = None
            self._watch.watch_with_deadline(peer, WRITING, self._limits.reply_s)

        self._guarded(peer, write)
