"""The running name server: store, servant, stock facade and sweeper behind one port."""

from __future__ import annotations

import contextlib
import errno
import logging
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from idl_like_interfaces.errors import SystemRefusal
from idl_like_interfaces.mapping import ObjectAdapter
from idl_like_interfaces.mapping.hosting import nsfacade as stock
from idl_like_interfaces.naming import DEFAULT_PORT, OBJECT_ID, NamingContext
from idl_like_interfaces.replication import OBJECT_ID as REPLICA_ID
from idl_like_interfaces.replication import NameReplica
from idl_like_interfaces.security.protection import Protection
from nameserver.changeover import reference_of
from nameserver.replica_pair import Alone, Paired, Part
from nameserver.replica_record import RecordKeeper
from nameserver.stores import Durability, MemoryStore, NameStore, SqliteStore

log = logging.getLogger(__name__)

SWEEP_PERIOD_S = 0.5
"""How late a lease that has run out is noticed while nobody asks for a name."""


class CannotListen(SystemRefusal, repository_id="IDL:obsorb/naming/CannotListen:1.0"):
    """The name server's address cannot be used."""


class Expiring(Protocol):
    """What has leases."""

    def expire_leases(self) -> None:
        """Unbind what stands under leases that have run out."""


class Sweeper:
    """A thread that lets leases run out also when nobody asks for a name."""

    def __init__(self, servant: Expiring, period_s: float = SWEEP_PERIOD_S) -> None:
        self._servant = servant
        self._period_s = period_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease sweeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._period_s):
            try:
                self._servant.expire_leases()
            except Exception:
                log.exception("the sweep of the leases failed; the next one comes")


class NameServer:
    """A name server while it runs; a context manager.

    Args:
        host: A loopback name or address.
        port: 0: any free port.
        store: File of the names; ``None``: in memory.
        durability: What a change in that file survives.
        peer: Host and port of the other name server of a pair; ``None``: there is none.
        lead: Lead without having heard the other one.
        protection: Certificate, roles and audit log; ``None``: it has none.

    Attributes:
        host: As given.
        port: Where it listens, once entered.

    Raises:
        CannotListen: On entering: the port is in use, or the address is not usable.
        BadParam: On entering: the host is not a loopback address.
        PersistStore: On entering: the file cannot be used.
    """

    def __init__(
        self,
        host: str = "localhost",
        port: int = DEFAULT_PORT,
        store: Path | None = None,
        durability: Durability = Durability.POWER,
        *,
        peer: tuple[str, int] | None = None,
        lead: bool = False,
        protection: Protection | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._store_path = store
        self._durability = durability
        self._peer = peer
        self._lead = lead
        self._protection = protection
        self._open = ExitStack()

    def __enter__(self) -> Self:
        # The port comes first: who cannot have it shall not touch the file.
        with ExitStack() as opening:
            adapter = self._listen()
            opening.callback(adapter.close)
            self.port = adapter.port
            has_names = self._store_path is not None and self._store_path.exists()
            store = self._open_store()
            opening.callback(store.close)
            keeper = RecordKeeper(self._store_path, has_names=has_names)
            part = self._part(store, keeper, adapter.incarnation)
            opening.callback(part.close)
            opening.enter_context(Sweeper(part))
            self._activate(adapter, part)
            # What is registered last ends first: nobody is served from a closed store.
            opening.enter_context(adapter)
            opening.callback(part.end)
            part.start()
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()
        log.info("name server at %s:%d ended", self.host, self.port)

    def _open_store(self) -> NameStore:
        if self._store_path is None:
            return MemoryStore()
        return SqliteStore(self._store_path, self._durability)

    def _part(self, store: NameStore, keeper: RecordKeeper, incarnation: str) -> Part:
        if self._peer is None:
            return Alone(store, keeper, incarnation)
        return Paired(store, keeper, incarnation, peer=self._peer, is_forced=self._lead)

    def _activate(self, adapter: ObjectAdapter, part: Part) -> None:
        adapter.activate_fixed(part.context, NamingContext, OBJECT_ID)
        adapter.activate_fixed(part.replica, NameReplica, REPLICA_ID)
        own_uri = reference_of((self.host, adapter.port), stock.OBJECT_ID)
        adapter.activate_stock(stock.StockNameServer(part.stock_context, own_uri), stock.OBJECT_ID)
        beside = f", beside {self._peer[0]}:{self._peer[1]}" if self._peer else ""
        log.info(
            "name server at %s:%d, %d names, store %s%s",
            self.host, self.port, part.count(), self._store_path or "in memory", beside,
        )  # fmt: skip

    def _listen(self) -> ObjectAdapter:
        try:
            if self._protection is None:
                return ObjectAdapter(self.host, self.port)
            return ObjectAdapter(
                self.host,
                self.port,
                tls=self._protection.server,
                guard=self._protection.guard,
                insecure=self._protection.insecure,
            )
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CannotListen(
                    f"cannot listen on {self.host}:{self.port}: {error}",
                    cause="the host has no such address, or the port needs privileges",
                    remedy="give localhost and a port above 1023",
                ) from error
            raise _in_use(self.host, self.port) from error


def _in_use(host: str, port: int) -> CannotListen:
    return CannotListen(
        f"port {port} of {host} is in use",
        cause=_who_listens(port),
        remedy=f"if that is a name server, use it (--names {host}:{port}); "
        "else end it, or give another --port",
    )


def _who_listens(port: int) -> str:
    """Say which process has a port; the kernel tells it of the user's own processes."""
    import psutil

    for each in psutil.net_connections(kind="tcp"):
        if each.status == psutil.CONN_LISTEN and each.laddr[1:2] == (port,) and each.pid:
            with contextlib.suppress(psutil.Error):
                return f"process {each.pid} has it: {' '.join(psutil.Process(each.pid).cmdline())}"
    return "a program of another user has it"
