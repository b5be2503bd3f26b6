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
import os
import resource
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Protocol

import Pyro5.errors

from idl_like_interfaces.mapping.alarms import Alarms
from idl_like_interfaces.mapping.ballast import Ballast
from idl_like_interfaces.mapping.headers import Unwelcome, check_greeting, check_request
from idl_like_interfaces.mapping.limits import Limits, Load
from idl_like_interfaces.mapping.message import Message
from idl_like_interfaces.mapping.peer import Peer
from idl_like_interfaces.mapping.sparing import Sparing
from idl_like_interfaces.mapping.tls import ServerChannel
from idl_like_interfaces.mapping.trust import NEEDS_TLS, client_refused
from idl_like_interfaces.mapping.workers import Slots, Workers
from idl_like_interfaces.octets import Buffer
from idl_like_interfaces.security.bucket import Bucket
from idl_like_interfaces.waiting import Parked

log = logging.getLogger(__name__)
log.addFilter(Sparing())

_RESERVE = 4
"""Threads beyond those that execute calls: they read, greet and answer for the daemon."""

_FILES_LEFT = 100
"""Descriptors that connections leave to the rest of the process."""

_EVICTED_AT_ONCE = 20
"""One part in so many of the connections makes room when there are too many: to look for
one alone each time would cost the watching thread too much in a flood."""

_NEEDS_TLS = f"{NEEDS_TLS}: give a certificate (--certs DIR or OBSORB_CERTS)"

_COUNTED = 32 * 1024
"""Bytes of a message from which on it matters how many of them wait."""

_ACCEPTED_AT_ONCE = 64
_ACCEPT_AGAIN_S = 0.1
_DRAIN_DEADLINE_S = 0.2
_CLOSE_DEADLINE_S = 5.0

_IDLE = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLONESHOT
_PARKED = select.EPOLLRDHUP | select.EPOLLONESHOT
_WRITING = select.EPOLLOUT | select.EPOLLONESHOT

Reply = list[Buffer]


class Call(Protocol):
    """A request on its way to the reply."""

    @property
    def is_heavy(self) -> bool:
        """Tell whether to understand it takes so long that only one such is opened at a time."""

    @property
    def is_express(self) -> bool:
        """Tell whether to execute it takes no time and needs no slot; known once it is open."""

    @property
    def size(self) -> int:
        """Return how many octets its message has."""

    def open(self) -> None:
        """Decode it, so far that it can be executed."""

    def execute(self) -> Reply | Parked[object] | None:
        """Execute it; ``None``: there is no reply."""

    def look(self, parked: Parked[object], *, is_last: bool) -> Reply | None:
        """Look again for the reply of a long-poll; ``None``: there is none yet."""

    def refuse(self, error: Exception) -> Reply | None:
        """Return the reply that says why it was not executed."""

    def forget(self) -> None:
        """Note that its client has gone while it was parked."""


class Dispatcher(Protocol):
    """What is done with messages."""

    def greet(self, message: Message, peer: Peer) -> tuple[Reply, bool]:
        """Answer a greeting; tell whether the peer may go on."""

    def receive(self, message: Message, peer: Peer) -> Call:
        """Take a request."""

    def refusal(self, refused: Unwelcome) -> Reply:
        """Return the answer to a message that is refused for its header."""

    def too_many(self) -> Exception:
        """Return the error of a call that finds too many before it."""

    def no_greeting(self, why: str) -> Reply:
        """Return the answer to a client that is not let in."""


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
        self.sock = listener
        self._dispatcher = dispatcher
        self._limits = limits
        self._tls = tls
        self._told = Bucket()
        self._most = min(limits.connections, _files_allowed() - _FILES_LEFT)
        self._lock = threading.Lock()
        self._peers: dict[int, Peer] = {}
        self._half_open: dict[str, dict[int, Peer]] = {}
        self._parked = 0
        self._is_draining = self._is_ended = False
        self._epoll = select.epoll()
        self._bell_lock = threading.Lock()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._alarms = Alarms(self._ring)
        self._workers = Workers(limits.workers + _RESERVE, self._call_later)
        self._slots: Slots[tuple[Peer, Call]] = Slots(limits.workers, limits.connections)
        self._heavy: Slots[tuple[Peer, Call]] = Slots(
            1, limits.connections, lambda each: each[1].size
        )
        self._slow: Ballast[Peer] = Ballast(limits.kept_bytes)
        self._in_line: Ballast[Peer] = Ballast(limits.kept_bytes)
        self._watcher = threading.Thread(target=self._watch_all, name="watch", daemon=True)

    def start(self) -> None:
        self.sock.settimeout(0)
        self._epoll.register(self._bell, select.EPOLLIN)
        self._epoll.register(self.sock, select.EPOLLIN)
        self._watcher.start()

    def load(self) -> Load:
        with self._lock:
            half_open = sum(map(len, self._half_open.values()))
        return Load(
            connections=len(self._peers),
            half_open=half_open,
            parked=self._parked,
            threads=self._workers.size,
            executing=self._slots.taken,
            waiting=self._slots.waiting,
        )

    def drain(self) -> None:
        """Take no more connections and requests; calls that are being served go on."""
        if self._is_draining:
            return
        self._is_draining = True
        with contextlib.suppress(OSError, ValueError):
            self._epoll.unregister(self.sock)
        self.sock.close()
        for peer in list(self._peers.values()):
            if peer.parked is None and not peer.unsent and self._seize(peer):
                self._end(peer)
        self._slots.wait_until_free(_DRAIN_DEADLINE_S)

    def close(self) -> None:
        """Stop listening and really close every connection."""
        self.drain()
        self._let_woken_answer()
        self._is_ended = True
        self._ring()
        for peer in list(self._peers.values()):
            if self._seize(peer):
                self._end(peer)
        # What a worker has in hand may still be answered, for a moment.
        self._workers.close(_DRAIN_DEADLINE_S)
        for peer in list(self._peers.values()):
            self._end(peer)
        if self._watcher.ident is not None and self._watcher is not threading.current_thread():
            self._watcher.join(_CLOSE_DEADLINE_S)
        self._workers.close(_CLOSE_DEADLINE_S)
        if self._watcher.ident is None or not self._watcher.is_alive():
            self._epoll.close()
            with self._bell_lock:
                bell, self._bell = self._bell, -1
            if bell >= 0:
                os.close(bell)

    def _let_woken_answer(self) -> None:
        """Have long-polls looked at that were told of the end just before."""
        passed = threading.Event()
        self._workers.submit(passed.set)
        passed.wait(_DRAIN_DEADLINE_S)

    def _call_later(self, after_s: float, action: Callable[[], None]) -> None:
        self._alarms.set(time.monotonic() + after_s, action)

    # The watching thread.

    def _ring(self) -> None:
        # Its number is another file's when it is closed.
        with self._bell_lock, contextlib.suppress(OSError):
            if self._bell >= 0:
                os.eventfd_write(self._bell, 1)

    def _watch_all(self) -> None:
        while not self._is_ended:
            try:
                self._watch_once()
            except Exception:
                log.exception("the watching thread goes on after a failure")

    def _watch_once(self) -> None:
        left_s = self._alarms.next_s(time.monotonic())
        for number, events in self._epoll.poll(-1 if left_s is None else left_s):
            # What fails for one must not be missed by the others: it is told only once.
            try:
                self._notice(number, events)
            except Exception:
                log.exception("the watching thread goes on after a failure")
        for action in self._alarms.due(time.monotonic()):
            try:
                action()
            except Exception:
                log.exception("the watching thread goes on after a failure")

    def _notice(self, number: int, events: int) -> None:
        if number == self._bell:
            os.eventfd_read(self._bell)
        elif (peer := self._peers.get(number)) is not None:
            self._attend(peer, events)
        else:
            self._accept()

    def _attend(self, peer: Peer, events: int) -> None:
        if not self._seize(peer):
            return
        if peer.parked is not None:
            # It has nothing to say now: it is gone.
            self._end(peer)
        elif events & select.EPOLLOUT and peer.unsent:
            self._workers.submit(functools.partial(self._go_on_writing, peer), later=True)
        else:
            job = functools.partial(self._serve, peer)
            self._workers.submit(job, later=peer.is_within_message)

    def _seize(self, peer: Peer) -> bool:
        """Take a connection away from the watching; tell whether it was there to take."""
        with self._lock:
            was_watched, peer.is_watched = peer.is_watched, False
        return was_watched

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                sock, address = self.sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if not self._is_draining:
                    log.error("a connection could not be accepted: %s", error)
                    self._make_room()
                    self._pause_accepting()
                return
            self._take_in(sock, str(address[0]))

    def _pause_accepting(self) -> None:
        """Too many files are open: look again later, not all the time."""
        with contextlib.suppress(OSError, ValueError):
            self._epoll.modify(self.sock, 0)
        self._alarms.set(time.monotonic() + _ACCEPT_AGAIN_S, self._accept_again)

    def _accept_again(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._epoll.modify(self.sock, select.EPOLLIN)

    def _take_in(self, sock: socket.socket, address: str) -> None:
        if len(self._peers) >= self._most:
            self._make_room()
        try:
            channel = ServerChannel(self._tls) if self._tls else None
            peer = Peer(sock, address, self._limits.stay_s, check_greeting, channel)
        except OSError as error:
            log.debug("connection of %s was lost at once: %s", address, error)
            sock.close()
            return
        peer.last_used = time.monotonic()
        peer.deadline = peer.last_used + self._limits.handshake_s
        with self._lock:
            same = self._half_open.setdefault(address, {})
            oldest = next(iter(same.values())) if len(same) >= self._limits.half_open else None
            same[peer.number] = peer
            self._peers[peer.number] = peer
        if oldest is not None and self._seize(oldest):
            log.debug("%s has too many connections without a greeting; one was closed", address)
            self._end(oldest)
        try:
            self._epoll.register(peer.number, 0)
        except OSError as error:
            log.error("a connection cannot be watched: %s", error)
            self._end(peer)
            return
        self._alarms.set(peer.deadline, functools.partial(self._give_up, peer, peer.deadline))
        self._watch(peer, _IDLE)

    def _make_room(self) -> None:
        """Close those connections that were idle for longest."""
        number = max(1, self._most // _EVICTED_AT_ONCE)
        idle = [each for each in list(self._peers.values()) if self._is_idle(each)]
        for peer in sorted(idle, key=_last_used)[:number]:
            if self._seize(peer):
                self._end(peer)
        log.warning("%d connections are open: those idle for longest were closed", self._most)

    def _is_idle(self, peer: Peer) -> bool:
        return peer.is_watched and peer.parked is None

    def _give_up(self, peer: Peer, deadline: float) -> None:
        """End a connection that has not done in time what it had to do."""
        with self._lock:
            # Who has it might just now have done what it had to do.
            is_late = peer.is_watched and peer.deadline == deadline
            if is_late:
                peer.is_watched = False
        if is_late:
            log.debug("connection of %s ended: it was too slow", peer.caller.address)
            self._end(peer)
        elif peer.deadline == deadline:
            # A worker has it at this moment.
            self._alarms.set(
                time.monotonic() + self._limits.handshake_s,
                functools.partial(self._give_up, peer, deadline),
            )

    # The connection goes between the threads.

    def _watch(self, peer: Peer, events: int) -> None:
        """Give a connection to the watching thread; touch it no more."""
        if self._is_ended or (self._is_draining and events == _IDLE):
            self._end(peer)
            return
        try:
            # Before somebody may take it and end it: the number is another one's then.
            with self._lock:
                peer.is_watched = True
                self._epoll.modify(peer.number, events)
        except (OSError, ValueError) as error:
            log.debug("connection of %s ended: %s", peer.caller.address, error)
            self._end(peer)

    def _watch_with_deadline(self, peer: Peer, events: int, within_s: float) -> None:
        if peer.deadline is None:
            deadline = peer.deadline = time.monotonic() + within_s
            self._alarms.set(deadline, functools.partial(self._give_up, peer, deadline))
        too_many = self._slow.keep(peer, peer.kept)
        self._watch(peer, events)
        for each in too_many:
            if self._seize(each):
                log.warning("a connection of %s was closed: it is slow, and too much memory "
                            "is kept for such", each.caller.address)  # fmt: skip
                self._end(each)

    def _end(self, peer: Peer) -> None:
        """Close a connection and forget it; harmless when repeated."""
        with self._lock:
            is_known = self._peers.get(peer.number) is peer
            if is_known:
                del self._peers[peer.number]
            self._forget_half_open(peer)
        if not is_known:
            return
        peer.deadline = None
        self._slow.let_go(peer)
        self._in_line.let_go(peer)
        forgotten = self._unpark(peer)
        if forgotten is not None:
            forgotten.call.forget()
        with contextlib.suppress(OSError, ValueError):
            self._epoll.unregister(peer.number)
        peer.close()

    def _forget_half_open(self, peer: Peer) -> None:
        same = self._half_open.get(peer.caller.address)
        if same is not None and same.get(peer.number) is peer:
            del same[peer.number]
            if not same:
                del self._half_open[peer.caller.address]

    # The workers.

    def _guarded(self, peer: Peer, serve: Callable[[], None]) -> None:
        """Serve; whatever goes wrong ends this connection and nothing else."""
        try:
            serve()
        except (OSError, Pyro5.errors.PyroError) as lost:
            log.debug("connection of %s ended: %s", peer.caller.address, lost)
            self._end(peer)
        except BaseException:
            # Also of what would end a thread: the pool counts on it.
            log.exception("connection of %s ended by a failure", peer.caller.address)
            self._end(peer)

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
                    self._workers.submit(functools.partial(self._serve, peer))
                else:
                    self._watch(peer, _IDLE)
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
            peer.deadline = None
            self._slow.let_go(peer)
        if self._is_draining:
            self._end(peer)
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
            self._end(peer)

        def serve() -> None:
            if go_on(peer, call):
                self._serve_all(peer, stay=False)

        self._workers.submit(functools.partial(self._guarded, peer, serve))

    def _read(self, peer: Peer, *, stay: bool) -> Message | None:
        may_stay = stay or peer.is_within_message
        if not (may_stay and self._workers.linger()):
            return peer.read(stay=False)
        try:
            return peer.read(stay=True)
        finally:
            self._workers.resume()

    def _watch_reading(self, peer: Peer) -> None:
        if peer.is_within_message:
            self._watch_with_deadline(peer, _IDLE, self._limits.message_s)
        else:
            if peer.deadline is not None:
                # Of a message that was refused, and passed over to its end.
                peer.deadline = None
                self._slow.let_go(peer)
            self._watch(peer, _IDLE)

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
            self._watch(peer, _IDLE)
            return False
        reply, is_welcome = self._dispatcher.greet(message, peer)
        is_sent = peer.send(reply)
        if not (is_welcome and is_sent):
            self._end(peer)
            return False
        peer.is_greeted, peer.check, peer.deadline = True, check_request, None
        with self._lock:
            self._forget_half_open(peer)
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
            self._end(peer)
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
            self._park(peer, _Waiting(call, outcome))
            return False
        return self._reply(peer, outcome)

    def _reply(self, peer: Peer, reply: Reply | None) -> bool:
        if reply is None or peer.send(reply):
            return True
        self._watch_with_deadline(peer, _WRITING, self._limits.reply_s)
        return False

    def _go_on_writing(self, peer: Peer) -> None:
        def write() -> None:
            before = peer.unsent
            if peer.flush():
                peer.deadline = None
                self._slow.let_go(peer)
                self._serve_all(peer, stay=False)
                return
            if peer.unsent < before:
                peer.deadline = None
            self._watch_with_deadline(peer, _WRITING, self._limits.reply_s)

        self._guarded(peer, write)

    # Long-polls.

    def _park(self, peer: Peer, waiting: _Waiting) -> None:
        """Wait for news without a thread."""
        peer.parked = waiting
        with self._lock:
            self._parked += 1
        wake = functools.partial(self._wake, peer, waiting)
        waiting.silence = self._alarms.set(waiting.until, wake)
        self._wait_on(peer, waiting)

    def _wait_on(self, peer: Peer, waiting: _Waiting) -> None:
        waiting.cancel = waiting.parked.news.subscribe(functools.partial(self._wake, peer, waiting))
        # What came between the last look and now must not be waited for.
        reply = waiting.call.look(waiting.parked, is_last=False)
        if reply is not None:
            self._unpark(peer)
            if self._reply(peer, reply):
                self._serve_all(peer, stay=False)
            return
        self._watch(peer, _PARKED)
        if waiting.is_woken:
            # The news came while it was not watched yet.
            self._wake(peer, waiting)

    def _wake(self, peer: Peer, waiting: _Waiting) -> None:
        """Look again, in a worker: news came, or the time is over."""
        waiting.is_woken = True
        with self._lock:
            # It may have been answered, and watched again, since somebody was told of the news.
            is_ours = peer.is_watched and peer.parked is waiting
            if is_ours:
                peer.is_watched = False
        if is_ours:
            self._workers.submit(functools.partial(self._look_again, peer, waiting))

    def _look_again(self, peer: Peer, waiting: _Waiting) -> None:
        def look() -> None:
            waiting.is_woken = False
            is_last = time.monotonic() >= waiting.until
            waiting.cancel()
            reply = waiting.call.look(waiting.parked, is_last=is_last)
            if reply is None:
                self._wait_on(peer, waiting)
                return
            self._unpark(peer)
            if self._reply(peer, reply):
                self._serve_all(peer, stay=False)

        self._guarded(peer, look)

    def _unpark(self, peer: Peer) -> _Waiting | None:
        """Note that a connection is parked no more, and return what it waited for."""
        with self._lock:
            waiting: _Waiting | None = peer.parked
            peer.parked = None
            if waiting is None:
                return None
            self._parked -= 1
        waiting.cancel()
        waiting.silence()
        return waiting


class _Waiting:
    """A parked call."""

    __slots__ = ("call", "cancel", "is_woken", "parked", "silence", "until")

    def __init__(self, call: Call, parked: Parked[object]) -> None:
        self.call = call
        self.parked = parked
        self.until = time.monotonic() + parked.timeout_s
        self.is_woken = False
        self.cancel: Callable[[], None] = _nothing
        self.silence: Callable[[], None] = _nothing


def _nothing() -> None:
    """Cancel nothing."""


def _last_used(peer: Peer) -> float:
    return peer.last_used


def _files_allowed() -> int:
    """Let this process open as many files as it may, and return how many these are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return soft
