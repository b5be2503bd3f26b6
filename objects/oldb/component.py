"""The online database as a component of an installation."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from typing_extensions import override

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.oldb import OnlineDatabase
from objects.component.site import ActiveObject, Component, Site
from objects.oldb.database import Database
from objects.oldb.listening import Listener
from objects.oldb.mirror import Mirror, MirrorSettings, parse_host, redis_is_installed
from objects.oldb.servant import OldbServant
from objects.oldb.store import SqliteOldbStore

LOOK_S = 0.5
TIDY_S = 60.0

FROM_COMMAND_LINE = "OBSORB_DB_HOST"
"""Variable through which ``--db-host`` reaches the process of the component."""

FROM_ENVIRONMENT = "DB_HOST"


class OldbSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of the online database.

    Attributes:
        file: The store; relative to the data root; made when it is missing.
        max_keys: Keys at most.
        db_host: ``HOST[:PORT]`` of a Redis server into which it is mirrored; empty: as the
            environment says in DB_HOST; the option ``--db-host`` goes before both.
        db_prefix: Stands before each key there; empty: ``oldb:/<root>/``.
    """

    file: Annotated[str, Meta(min_length=1)] = "oldb/oldb.sqlite"
    max_keys: Annotated[int, Meta(ge=1, le=10_000_000)] = 100_000
    db_host: str = ""
    db_prefix: str = ""


class OldbComponent(Component):
    """Keeps the present state of everything."""

    kind: ClassVar[str] = "oldb"
    Settings: ClassVar[type[msgspec.Struct]] = OldbSettings

    def __init__(self, site: Site, settings: Any) -> None:
        super().__init__(site, settings)
        self._mirror_settings = _mirror_settings(site, settings)
        self._store: SqliteOldbStore | None = None
        self._mirror: Mirror | None = None
        self._listener: Listener | None = None
        self._database: Database | None = None
        self._servant: OldbServant | None = None
        self._ends: list[Callable[[], None]] = []

    @override
    def recover(self) -> None:
        file = self.site.data_root / self.settings.file
        self._store = SqliteOldbStore(file, self.site.clock)
        if self._mirror_settings is not None:
            self._mirror = Mirror(self._store, self._mirror_settings)
        self._database = Database(self.site, self._store, self.settings.max_keys, self._nudge)
        self._servant = OldbServant(self._database, self._mirror)

    @override
    def objects(self) -> list[ActiveObject]:
        return [ActiveObject(path="oldb", interface=OnlineDatabase, servant=self._servant)]

    @override
    def start(self) -> None:
        assert self._database is not None
        root = self.site.root
        self._database.proclaim()
        self._listener = Listener(
            self.site.narrow(f"{root}/events", EventChannel),
            f"{root}/{self.site.name}",
            self._database.hear,
        )
        consumer = self._listener.consumer
        self.site.keeps_accounts(consumer.accounts)
        self._ends = [
            self.site.every(LOOK_S, self._look),
            self.site.every(TIDY_S, self._database.tidy),
        ]

    @override
    def stop(self) -> None:
        for end in self._ends:
            end()
        if self._listener is not None:
            self._listener.close()
        if self._mirror is not None:
            self._mirror.close()
        if self._store is not None:
            self._store.close()

    @override
    def problem(self) -> str:
        problem = self._database.problem if self._database is not None else ""
        return f"changes cannot be stored: {problem}" if problem else ""

    @override
    def detail(self) -> str:
        return "" if self._store is None else f"{self._store.keys} keys"

    def _nudge(self) -> None:
        if self._mirror is not None:
            self._mirror.nudge()

    def _look(self) -> None:
        if self._database is not None and self._listener is not None:
            self._database.look(sees=self._listener.sees)


def _mirror_settings(site: Site, settings: OldbSettings) -> MirrorSettings | None:
    """Say where the mirror is: command line, then file, then environment; none anywhere: none.

    Raises:
        BadParam: The address is none, or the client library is missing.
    """
    given = (
        os.environ.get(FROM_COMMAND_LINE)
        or settings.db_host
        or os.environ.get(FROM_ENVIRONMENT, "")
    )
    if not given:
        return None
    host, port = parse_host(given)
    if not redis_is_installed():
        raise BadParam(
            f"the mirror {given} needs the client library of Redis, which is not installed",
            field="db_host",
            remedy="install it with `pip install obsorb[redis]`, or take db_host away",
        )
    prefix = settings.db_prefix or f"oldb:/{site.root}/"
    return MirrorSettings(host=host, port=port, prefix=prefix, incarnation=site.incarnation)
