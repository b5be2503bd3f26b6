"""The name service as an object: looks up, decides, writes through, acknowledges."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from typing_extensions import override

from idl_like_interfaces.errors import BadParam, PersistStore
from idl_like_interfaces.naming import (
    Binding,
    Bindings,
    BindingType,
    ChangeList,
    Lease,
    Leases,
    Listing,
    NamingContext,
    NamingError,
    Resolution,
    Resolutions,
)
from idl_like_interfaces.waiting import News, wait_for_news
from nameserver.journal import Journal, Token, parse_token
from nameserver.leases import LeaseBook
from nameserver.names import (
    check_count,
    check_reference,
    check_repository_id,
    check_terms,
    check_timeout,
    parse_below,
    parse_bindable,
    parse_name,
)
from nameserver.records import Changes, LeaseRecord
from nameserver.stores import NameStore
from nameserver.tree import NameTree
from nameserver.turn import Changing, Looking

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Return the date and time of the host."""
    return datetime.now(UTC)


def _new_lease_id() -> str:
    return secrets.token_hex(8)


class NamingServant(NamingContext):
    """The root context over a store; usable from any thread.

    Changes go one after the other; look-ups and renewals go on while one waits for its store.

    A lease that has run out is removed by the next operation, whatever it is, or by
    ``expire_leases``. That removal alone may reach the store late (after a
    restart the lease would get a full term and run out again), so that a full disk
    does not stop look-ups.

    Args:
        store: What was bound before; each change goes there before it is acknowledged.
        utc: The time of the bindings.
        monotonic: The time of the leases.
        make_lease_id: Must not repeat itself.
        journal: Of the changes that watchers may still ask for; ``None``: a new one.

    Raises:
        PersistStore: The store cannot be read, or does not hold together.
    """

    def __init__(
        self,
        store: NameStore,
        *,
        utc: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        make_lease_id: Callable[[], str] = _new_lease_id,
        journal: Journal | None = None,
    ) -> None:
        self._store = store
        self._utc = utc
        self._monotonic = monotonic
        self._make_lease_id = make_lease_id
        self._news = News()
        self._tree = NameTree(utc())
        self._leases = LeaseBook()
        self._journal = journal or Journal()
        self._owed = Changes()
        self._changing = Changing(self._expire, self._journal, self._news)
        self._looking = Looking(self._is_due, self._changing)
        self._load()

    @override
    def bind(
        self,
        name: str,
        uri: str,
        interface: str = "",
        metadata: dict[str, str] = {},  # noqa: B006 (as declared; never mutated)
        lease_id: str = "",
    ) -> None:
        path = parse_bindable(name)
        check_reference(uri, interface, metadata)
        with self._changing:
            binding = self._new_binding(name, uri, interface, metadata, lease_id)
            self._commit(self._tree.plan_bind(path, binding))

    @override
    def rebind(
        self,
        name: str,
        uri: str,
        interface: str = "",
        metadata: dict[str, str] = {},  # noqa: B006 (as declared; never mutated)
        lease_id: str = "",
    ) -> None:
        path = parse_bindable(name)
        check_reference(uri, interface, metadata)
        with self._changing:
            binding = self._new_binding(name, uri, interface, metadata, lease_id)
            self._commit(self._tree.plan_rebind(path, binding))

    @override
    def resolve(self, name: str) -> Binding:
        with self._looking:
            return self._get(name)

    @override
    def resolve_many(self, names: list[str]) -> Resolutions:
        check_count(len(names))
        with self._looking:
            return [self._resolution(name) for name in names]

    @override
    def changes(self, since: str = "", timeout_s: float = 25.0) -> ChangeList:
        token = parse_token(since)
        check_timeout(timeout_s)
        return wait_for_news(
            self._news,
            lambda: self._changes_after(token),
            lambda: ChangeList(changes=[], token=since),
            timeout_s,
        )

    @override
    def unbind(self, name: str) -> None:
        path = parse_bindable(name)
        with self._changing:
            self._commit(self._tree.plan_unbind(path))

    @override
    def bind_new_context(self, name: str) -> None:
        path = parse_bindable(name)
        with self._changing:
            binding = Binding(name=name, type=BindingType.CONTEXT, bound_at=self._utc())
            self._commit(self._tree.plan_bind(path, binding))

    @override
    def destroy(self, name: str) -> None:
        path = parse_bindable(name)
        with self._changing:
            self._commit(self._tree.plan_destroy(path))

    @override
    def grant_lease(self, holder: str, term_s: float) -> Lease:
        check_terms(holder, term_s)
        with self._changing:
            record = LeaseRecord(
                lease_id=self._make_lease_id(), holder=holder, term_s=float(term_s)
            )
            self._commit(Changes(put_leases=(record,)))
            with self._looking.lock:
                return self._renewed(record.lease_id)

    @override
    def renew_lease(self, lease_id: str) -> Lease:
        with self._looking:
            return self._renewed(lease_id)

    @override
    def release_lease(self, lease_id: str) -> None:
        with self._changing:
            self._leases.get(lease_id)
            self._commit(self._end_of((lease_id,)))

    @override
    def list_leases(self) -> Leases:
        with self._looking:
            now = self._monotonic()
            return [self._lease(lease_id, now) for lease_id in self._leases.ids()]

    @override
    def find(self, interface: str, below: str = "") -> Bindings:
        check_repository_id(interface)
        path = parse_below(below)
        with self._looking:
            return self._tree.find(interface, path)

    @override
    def list(
        self, name: str = "", recursive: bool = False, how_many: int = 0, after: str = ""
    ) -> Listing:
        path = parse_name(name)
        if how_many < 0:
            raise BadParam(
                f"a page of {how_many} bindings was wanted",
                remedy="give 0 (all) or a positive number",
                field="how_many",
            )
        with self._looking:
            page, is_last = self._tree.page(
                path, recursive=recursive, how_many=how_many, after=after
            )
        return Listing(bindings=page, more="" if is_last else page[-1].name)

    def expire_leases(self) -> None:
        """Unbind what stands under leases that have run out."""
        with self._changing:
            pass

    def _get(self, name: str) -> Binding:
        # What is bound is a name: only what is not found need be looked at more closely.
        return self._tree.known(name) or self._tree.get(parse_name(name))

    def _resolution(self, name: str) -> Resolution:
        try:
            return Resolution(name=name, binding=self._get(name))
        except NamingError as error:
            return Resolution(name=name, refusal=error.message)

    def _changes_after(self, token: Token | None) -> ChangeList | None:
        with self._looking:
            if token is None or not self._journal.knows(token):
                return self._journal.snapshot(self._tree.after(""))
            if token.after:
                return self._journal.snapshot(self._tree.after(token.after), token)
            return self._journal.after(token)

    def _renewed(self, lease_id: str) -> Lease:
        now = self._monotonic()
        self._leases.renew(lease_id, now)
        return self._lease(lease_id, now)

    def _lease(self, lease_id: str, now: float) -> Lease:
        return self._leases.show(lease_id, now, self._tree.count_of(lease_id))

    def _load(self) -> None:
        snapshot = self._store.load()
        contexts = {"", *(b.name for b in snapshot.bindings if b.type is BindingType.CONTEXT)}
        for binding in snapshot.bindings:
            if binding.name.rpartition("/")[0] not in contexts:
                raise PersistStore(
                    f"the name store has {binding.name!r} without the context above it",
                    cause="it was changed by hand, or is damaged",
                    remedy="move the file away and start again",
                )
        self._tree.apply(Changes(put_bindings=snapshot.bindings))
        self._leases.apply(Changes(put_leases=snapshot.leases), self._monotonic())

    def _new_binding(
        self, name: str, uri: str, interface: str, metadata: dict[str, str], lease_id: str
    ) -> Binding:
        if lease_id:
            self._leases.get(lease_id)
        return Binding(
            name=name,
            uri=uri,
            interface=interface,
            metadata=dict(metadata),
            lease_id=lease_id,
            bound_at=self._utc(),
        )

    def _commit(self, changes: Changes) -> None:
        """Write changes to the store, then make them true here."""
        self._store.apply(changes.after_dropping(self._owed))
        self._owed = Changes()
        with self._looking.lock:
            self._apply(changes)

    def _apply(self, changes: Changes) -> None:
        self._journal.record(self._tree.apply(changes))
        self._leases.apply(changes, self._monotonic())

    def _end_of(self, lease_ids: tuple[str, ...]) -> Changes:
        names = (name for lease_id in lease_ids for name in self._tree.names_of(lease_id))
        return Changes(drop_names=tuple(names), drop_leases=lease_ids)

    def _is_due(self) -> bool:
        return bool(self._leases.ended(self._monotonic()))

    def _expire(self) -> None:
        with self._looking.lock:
            ended = self._leases.ended(self._monotonic())
            if not ended:
                return
            unbound = [self._tree.names_of(each.lease_id) for each in ended]
            changes = self._end_of(tuple(each.lease_id for each in ended))
            self._apply(changes)
        for each, names in zip(ended, unbound, strict=True):
            log.warning(
                "lease %s of %s ran out after %g s; unbound: %s",
                each.lease_id, each.holder, each.term_s, ", ".join(names) or "nothing",
            )  # fmt: skip
        self._owed = changes.after_dropping(self._owed)
        try:
            self._commit(Changes())
        except PersistStore as error:
            log.error("what ran out is unbound, but the store still has it: %s", error)
