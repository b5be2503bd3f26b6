"""The watching thread: it accepts connections, notices what they do, and keeps their deadlines.

It reads and decodes nothing, so that it is never held up. At each moment a connection is with
this thread or with one that serves it; who gives it away touches it no more.
"""

from __future__ import annotations

import contextlib
import functools
import heapq
import logging
import os
import select
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable

from idl_like_interfaces.mapping.hosting.alarms import Alarms
from idl_like_interfaces.mapping.hosting.ballast import Ballast
from idl_like_interfaces.mapping.hosting.headers import check_greeting
from idl_like_interfaces.mapping.hosting.limits import Limits
from idl_like_interfaces.mapping.hosting.peer import Peer
from idl_like_interfaces.mapping.hosting.sparing import Sparing
from idl_like_interfaces.mapping.hosting.tls import ServerChannel
from idl_like_interfaces.open_files import open_files_allowed

log = logging.getLogger(__name__)
log.addFilter(Sparing())

IDLE = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLONESHOT
"""Tell when it says something."""

PARKED = select.EPOLLRDHUP | select.EPOLLONESHOT
"""Tell when it is gone."""

WRITING = select.EPOLLOUT | select.EPOLLONESHOT
"""Tell when it takes more of a reply."""

_FILES_LEFT = 100
"""Descriptors that connections leave to the rest of the process."""

_EVICTED_AT_ONCE = 20
"""One part in so many of the connections makes room when there are too many: to look for
one alone each time would cost the watching thread too much in a flood."""

_IDLE_S = 0.05
"""Who was served within this time is not idle, however many want his place."""

_ACCEPTED_AT_ONCE = 64
_ACCEPT_AGAIN_S = 0.1
_CLOSE_DEADLINE_S = 5.0

_LONGEST_SLEEP_S = 3600.0
"""The kernel counts a sleep in milliseconds of 32 bits, and callers may wait for longer."""


class Watch:
    """All connections of a daemon, and the thread that watches those that have nothing to say.

    Args:
        listener: Listens already.
        limits: The bounds.
        tls: Of the server; ``None``: in clear.
        attend: Gets a connection that did what it was watched for; it is with the caller now.
        forget: Gets a connection that has ended.

    Attributes:
        alarms: What is to be done at which moment; rung by this thread.
        is_draining: No connection and no request is taken any more.
    """

    def __init__(
        self,
        listener: socket.socket,
        limits: Limits,
        tls: ssl.SSLContext | None,
        attend: Callable[[Peer, int], None],
        forget: Callable[[Peer], None],
    ) -> None:
        self._listener = listener
        self._limits = limits
        self._tls = tls
        self._attend = attend
        self._forget = forget
        self._most = min(limits.connections, open_files_allowed() - _FILES_LEFT)
        self._lock = threading.Lock()
        self._peers: dict[int, Peer] = {}
        self._half_open: dict[str, dict[int, Peer]] = {}
        self.is_draining = self._is_ended = False
        self._epoll = select.epoll()
        self._bell_lock = threading.Lock()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.alarms = Alarms(self._ring)
        self._slow: Ballast[Peer] = Ballast(limits.kept_bytes)
        self._thread = threading.Thread(target=self._watch_all, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to accept connections."""
        self._listener.settimeout(0)
        self._epoll.register(self._bell, select.EPOLLIN)
        self._epoll.register(self._listener, select.EPOLLIN)
        self._thread.start()

    @property
    def connections(self) -> int:
        """Return how many are open."""
        return len(self._peers)

    @property
    def half_open(self) -> int:
        """Return how many of these have not shaken hands."""
        with self._lock:
            return sum(map(len, self._half_open.values()))

    def call_later(self, after_s: float, action: Callable[[], None]) -> None:
        """Do something after a while, which must not wait."""
        self.alarms.set(time.monotonic() + after_s, action)

    def drain(self) -> None:
        """Take no more connections, and end those that have nothing under way."""
        self.is_draining = True
        with contextlib.suppress(OSError, ValueError):
            self._epoll.unregister(self._listener)
        self._listener.close()
        for peer in list(self._peers.values()):
            if peer.parked is None and not peer.unsent and self.seize(peer):
                self.end(peer)

    def end_watched(self) -> None:
        """Watch no connection any more; those that are being served go on."""
        self._is_ended = True
        self._ring()
        for peer in list(self._peers.values()):
            if self.seize(peer):
                self.end(peer)

    def close(self) -> None:
        """End all connections and the thread."""
        for peer in list(self._peers.values()):
            self.end(peer)
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(_CLOSE_DEADLINE_S)
        if self._thread.ident is None or not self._thread.is_alive():
            self._epoll.close()
            with self._bell_lock:
                bell, self._bell = self._bell, -1
            if bell >= 0:
                os.close(bell)

    def watch(self, peer: Peer, events: int) -> None:
        """Give a connection to the watching thread; touch it no more."""
        if self._is_ended or peer.is_doomed or (self.is_draining and events == IDLE):
            self.end(peer)
            return
        try:
            # Before somebody may take it and end it: the number is another one's then.
            with self._lock:
                peer.is_watched = True
                self._epoll.modify(peer.number, events)
        except (OSError, ValueError) as error:
            log.debug("connection of %s ended: %s", peer.caller.address, error)
            self.end(peer)

    def watch_with_deadline(self, peer: Peer, events: int, within_s: float) -> None:
        if peer.deadline is None:
            deadline = peer.deadline = time.monotonic() + within_s
            self.alarms.set(deadline, functools.partial(self._give_up, peer, deadline))
        too_many = self._slow.keep(peer, peer.kept)
        self.watch(peer, events)
        for each in too_many:
            # Who reads from it just now, or is about to, ends it.
            if not each.is_doomed:
                log.warning("a connection of %s is closed: it is slow, and too much memory is "
                            "kept for such", each.caller.address)  # fmt: skip
            each.is_doomed = True
            if self.seize(each):
                self.end(each)

    def is_in_time(self, peer: Peer) -> None:
        """Note that a connection has done what it had a deadline for."""
        with self._lock:
            peer.deadline, peer.is_doomed = None, False
        self._slow.let_go(peer)

    def greeted(self, peer: Peer) -> None:
        """Note that a connection has shaken hands."""
        with self._lock:
            peer.deadline, peer.is_doomed = None, False
            self._forget_half_open(peer)

    def seize(self, peer: Peer, parked: object = None) -> bool:
        """Take a connection away from the watching; tell whether it was there to take.

        Args:
            peer: The connection.
            parked: Only while it waits for this; ``None``: whatever it does.
        """
        with self._lock:
            is_there = peer.is_watched and (parked is None or peer.parked is parked)
            if is_there:
                peer.is_watched = False
        return is_there

    def end(self, peer: Peer) -> None:
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
        self._forget(peer)
        with contextlib.suppress(OSError, ValueError):
            self._epoll.unregister(peer.number)
        peer.close()

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
        left_s = self.alarms.next_s(time.monotonic())
        sleep_s = -1 if left_s is None else min(left_s, _LONGEST_SLEEP_S)
        for number, events in self._epoll.poll(sleep_s):
            # What fails for one must not be missed by the others: it is told only once.
            try:
                self._notice(number, events)
            except Exception:
                log.exception("the watching thread goes on after a failure")
        for action in self.alarms.due(time.monotonic()):
            try:
                action()
            except Exception:
                log.exception("the watching thread goes on after a failure")

    def _notice(self, number: int, events: int) -> None:
        if number == self._bell:
            os.eventfd_read(self._bell)
        elif (peer := self._peers.get(number)) is not None:
            if self.seize(peer):
                self._attend(peer, events)
        else:
            self._accept()

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            if len(self._peers) >= self._most and not self._make_room():
                self._pause_accepting()
                return
            try:
                sock, address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if not self.is_draining:
                    log.error("a connection could not be accepted: %s", error)
                    self._make_room()
                    self._pause_accepting()
                return
            self._take_in(sock, str(address[0]))

    def _pause_accepting(self) -> None:
        """Nobody can be taken in: look again later, not all the time."""
        with contextlib.suppress(OSError, ValueError):
            self._epoll.modify(self._listener, 0)
        self.alarms.set(time.monotonic() + _ACCEPT_AGAIN_S, self._accept_again)

    def _accept_again(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._epoll.modify(self._listener, select.EPOLLIN)

    def _take_in(self, sock: socket.socket, address: str) -> None:
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
        if oldest is not None and self.seize(oldest):
            log.debug("%s has too many connections without a greeting; one was closed", address)
            self.end(oldest)
        try:
            self._epoll.register(peer.number, 0)
        except OSError as error:
            log.error("a connection cannot be watched: %s", error)
            self.end(peer)
            return
        self.alarms.set(peer.deadline, functools.partial(self._give_up, peer, peer.deadline))
        self.watch(peer, IDLE)

    def _make_room(self) -> bool:
        """Close connections of the address that has most: those that were idle for longest.

        Returns:
            Whether any was closed; when all are being served, others wait to be accepted.
        """
        number = max(1, self._most // _EVICTED_AT_ONCE)
        since = time.monotonic() - _IDLE_S
        peers = list(self._peers.values())
        share = Counter(each.caller.address for each in peers)
        idle = [
            (-share[each.caller.address], each.last_used, each.number, each)
            for each in peers
            if each.is_watched and each.parked is None
        ]
        closed = 0
        for *_, peer in heapq.nsmallest(number, idle):
            # What it has asked may not have been noticed yet.
            if peer.last_used < since and not peer.has_more and self.seize(peer):
                self.end(peer)
                closed += 1
        if closed:
            log.warning("%d connections are open: those idle for longest were closed", self._most)
        return closed > 0

    def _give_up(self, peer: Peer, deadline: float) -> None:
        """End a connection that has not done in time what it had to do."""
        with self._lock:
            # Who has it might just now have done what it had to do.
            is_late = peer.is_watched and peer.deadline == deadline
            if is_late:
                peer.is_watched = False
            elif peer.deadline == deadline:
                peer.is_doomed = True
        if is_late:
            log.debug("connection of %s ended: it was too slow", peer.caller.address)
            self.end(peer)

    def _forget_half_open(self, peer: Peer) -> None:
        same = self._half_open.get(peer.caller.address)
        if same is not None and same.get(peer.number) is peer:
            del same[peer.number]
            if not same:
                del self._half_open[peer.caller.address]
