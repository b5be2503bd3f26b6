"""Mirrors the online database into a Redis server, behind its back: it never waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from typing_extensions import override

from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.closing import Closing
from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.hosts import host_and_port
from objects.oldb.points import Kept
from objects.oldb.store import Damaged, SqliteOldbStore

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

DEFAULT_PORT = 6379
TIMEOUT_S = 2.0
CHECK_S = 1.0

MARK = "@mirror"
"""Key (no key of ours can be called so) that says whose mirror it is; lost with all else."""

_PORTION = 500
_LARGEST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorSettings:
    """Where a mirror is.

    Attributes:
        host: Of the Redis server.
        port: Its port.
        prefix: Stands before each key there.
        incarnation: Start of the database, for the mark.
    """

    host: str
    port: int
    prefix: str
    incarnation: str


def parse_host(text: str) -> tuple[str, int]:
    """Read ``host[:port]``; an IPv6 address with a port stands in brackets.

    Raises:
        BadParam: It is none.
    """
    host, port = text, str(DEFAULT_PORT)
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _LARGEST_PORT:
        raise BadParam(
            f"db_host is {text!r}, which is no address",
            field="db_host",
            remedy=f"give HOST or HOST:PORT (without a port {DEFAULT_PORT})",
        )
    return host, int(port)


def redis_is_installed() -> bool:
    """Tell whether the client library is there."""
    from importlib.util import find_spec

    return find_spec("redis") is not None


class Mirror(Closing):
    """Sends changes to Redis from a thread of its own, read from the store in portions.

    After an outage of either side everything is sent anew, and what is there but not here is
    removed: only so the two are the same for certain.

    Attributes:
        address: Where it is.
    """

    def __init__(self, store: SqliteOldbStore, settings: MirrorSettings) -> None:
        self.address = host_and_port(settings.host, settings.port)
        self._store = store
        self._settings = settings
        self._mark, self._base = b"", 0
        self._position = 0
        self._problem = "it was not reached yet"
        self._news = threading.Event()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=f"mirror {self.address}")
        self._thread.start()

    @property
    def behind(self) -> int:
        """Changes that the mirror has not got yet."""
        return self._store.count_since(self._position)

    @property
    def problem(self) -> str:
        """Why it is not mirrored at the moment; empty: it is."""
        return f"the mirror {self.address}: {self._problem}" if self._problem else ""

    def nudge(self) -> None:
        """Say that there is something new; returns at once."""
        self._news.set()

    @override
    def close(self) -> None:
        self._is_closed = True
        self._news.set()
        self._thread.join()

    def _run(self) -> None:
        backoff = Backoff()
        while not self._is_closed:
            try:
                self._work(backoff)
            except (PersistStore, Damaged) as error:
                log.debug("the mirror waits for the store: %s", error)
            except Exception as error:  # noqa: BLE001 (the client library raises of many kinds)
                self._fail(error)
            if not self._is_closed:
                self._news.clear()
                self._news.wait(backoff.next_s())

    def _fail(self, error: Exception) -> None:
        if not self._problem:
            log.warning("the mirror %s is away: %s", self.address, error)
        self._problem = str(error) or type(error).__name__

    def _work(self, backoff: Backoff) -> None:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        settings = self._settings
        with Redis(
            host=settings.host,
            port=settings.port,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),  # to try again, with all, is for us
        ) as redis:
            self._renew(redis)
            backoff.reset()
            checked_at = time.monotonic()
            while not self._is_closed:
                self._news.clear()
                self._position = self._send(redis, self._position)
                if time.monotonic() - checked_at >= CHECK_S:
                    checked_at = time.monotonic()
                    if not self._is_same(redis):
                        log.warning("the mirror %s is filled anew", self.address)
                        return
                self._news.wait(CHECK_S)

    def _is_same(self, redis: Redis) -> bool:
        """Tell whether neither side was begun anew since everything was sent."""
        return self._store.base == self._base and redis.get(self._name(MARK)) == self._mark

    def _renew(self, redis: Redis) -> None:
        """Send everything, and remove what is there but not here."""
        self._base = self._store.base
        position = self._send(redis, 0)
        self._sweep(redis)
        self._mark = msgspec.json.encode([self._base, self._settings.incarnation])
        redis.set(self._name(MARK), self._mark)
        self._position = position
        if self._problem:
            log.info("the mirror %s has everything", self.address)
        self._problem = ""

    def _send(self, redis: Redis, position: int) -> int:
        while not self._is_closed and (portion := self._store.since(position, _PORTION)):
            pipeline = redis.pipeline(transaction=False)
            for each in portion:
                self._queue(pipeline, each)
            pipeline.execute()
            position = portion[-1].revision
        return position

    def _queue(self, pipeline: Any, kept: Kept) -> None:
        name, document = self._name(kept.key), msgspec.json.encode(kept.as_point())
        if kept.is_removed:
            pipeline.delete(name)
        else:
            pipeline.set(name, document)
        pipeline.publish(name, document)

    def _sweep(self, redis: Redis) -> None:
        keys: list[bytes] = []
        for name in redis.scan_iter(match=_literal(self._settings.prefix) + "*", count=_PORTION):
            keys.append(name)
            if len(keys) == _PORTION:
                self._remove_foreign(redis, keys)
                keys = []
        self._remove_foreign(redis, keys)

    def _remove_foreign(self, redis: Redis, names: Sequence[bytes]) -> None:
        prefix = self._settings.prefix
        ours = {name: name.decode(errors="replace").removeprefix(prefix) for name in names}
        kept = self._store.find(_but(ours.values(), MARK))
        gone = [
            name
            for name, key in ours.items()
            if key != MARK and (key not in kept or kept[key].is_removed)
        ]
        if gone:
            redis.delete(*gone)

    def _name(self, key: str) -> str:
        return self._settings.prefix + key


def _but(keys: Iterable[str], one: str) -> Iterable[str]:
    return (key for key in keys if key != one)


def _literal(prefix: str) -> str:
    """Return a prefix as a glob of Redis that stands for nothing but itself."""
    return "".join(f"\\{each}" if each in "*?[]^\\" else each for each in prefix)
