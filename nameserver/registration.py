"""Keeping the names of a component bound under one lease."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.errors import CommFailure, PersistStore, RemoteError
from idl_like_interfaces.naming import AlreadyBound, NoSuchLease, NotFound
from nameserver.lookup import Names

log = logging.getLogger(__name__)

LEASE_TERM_S = 6.0
LEASE_RENEWAL_S = 2.0

_FAREWELL_S = 1.0
_RENEWAL_DEADLINE_S = 3.0
"""A renewal that takes half the term helps nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An object to be registered: its full name, where it is and what it implements."""

    name: str
    uri: str
    interface: type


class Registration:
    """Keeps the names of a component bound under one lease.

    One thread claims, renews and releases at a time; ``release`` may come from another
    one and is final: a renewal that is under way then binds nothing any more.

    Args:
        names: The name service.
        holder: The component, for people.
        offers: Its objects.
        metadata: Goes with every name.
    """

    def __init__(
        self,
        names: Names,
        holder: str,
        offers: Sequence[Offer],
        metadata: dict[str, str],
        term_s: float = LEASE_TERM_S,
    ) -> None:
        self._names = names
        self._context = names.context_within(_RENEWAL_DEADLINE_S)
        self._holder = holder
        self._offers = list(offers)
        self._metadata = metadata
        self._term_s = term_s
        self._lease_id = ""
        self._turn = threading.Lock()
        self._is_released = False
        self._taken: set[str] = set()
        self.is_held = False

    def claim(self) -> None:
        """Take a lease and bind everything.

        A name whose object does not answer any more is taken over.

        Raises:
            AlreadyBound: A living object has one of the names; none is kept.
            CommFailure: The name server does not answer.
        """
        with self._turn:
            self._claim()

    def keep(self) -> None:
        """Renew the lease; when it has ended, claim again. A lost name server is logged."""
        with self._turn:
            if self._is_released:
                return
            try:
                if self._lease_id:
                    self._renew()
                else:
                    self._claim()
            except (CommFailure, PersistStore) as error:
                # The lease lives on: a full disk, or no leader yet, takes no name from us.
                self._note_lost(error)
            except RemoteError as error:
                self._note_lost(error)
                self._lease_id = ""

    def add(self, offer: Offer) -> None:
        """Bind one more object under the lease, now or as soon as the name server answers."""
        with self._turn:
            self._offers.append(offer)
        self.keep()

    def withdraw(self, offer: Offer) -> None:
        """Take the name from an object; a lost name server is logged."""
        with self._turn:
            self._offers.remove(offer)
            if self._is_released or not self._lease_id:
                return
            try:
                found = self._context.resolve(offer.name)
                if found.lease_id == self._lease_id:
                    self._context.unbind(offer.name)
            except NotFound:
                log.debug("%s was not bound any more", offer.name)
            except RemoteError as error:
                log.warning("%s is not unbound: %s", offer.name, error)

    def release(self) -> None:
        """Give the lease back for good; the names are gone.

        A lost name server does not matter: without renewals the lease runs out.
        """
        self._is_released = True
        if not self._turn.acquire(timeout=_FAREWELL_S):
            log.debug("a renewal of %s hangs: its lease will run out", self._holder)
            return
        try:
            self._give_back()
        finally:
            self._turn.release()

    def _claim(self) -> None:
        lease = self._context.grant_lease(self._holder, self._term_s)
        self._lease_id = lease.lease_id
        try:
            for offer in self._offers:
                if self._is_released:
                    break
                self._bind(offer)
        except RemoteError:
            self._give_back()
            raise
        if self._is_released:
            self._give_back()
        else:
            self.is_held = True

    def _give_back(self) -> None:
        lease_id, self._lease_id, self.is_held = self._lease_id, "", False
        if not lease_id:
            return
        # A name server that hangs must not hold up the end of a component.
        context = self._names.context_within(_FAREWELL_S)
        try:
            context.release_lease(lease_id)
        except RemoteError as error:
            log.debug("lease %s was not released: %s", lease_id, error)

    def _renew(self) -> None:
        try:
            lease = self._context.renew_lease(self._lease_id)
        except NoSuchLease:
            log.warning("the lease of %s had ended; taking a new one", self._holder)
            self._claim()
        else:
            if lease.name_count < len(self._offers):
                self._restore()
        if not self.is_held:
            log.info("the name server answers again")
        self.is_held = not self._is_released

    def _restore(self) -> None:
        """Bind again what somebody unbound; leave to others what they have taken over."""
        found = self._context.resolve_many([offer.name for offer in self._offers])
        for offer, each in zip(self._offers, found, strict=True):
            if self._is_released:
                return
            if each.binding is not None and each.binding.lease_id == self._lease_id:
                continue
            try:
                self._bind(offer)
            except AlreadyBound as taken:
                self._note_taken(offer.name, taken)
            else:
                self._taken.discard(offer.name)
                log.warning("%s was unbound or bound to nobody; bound it again", offer.name)

    def _note_taken(self, name: str, taken: AlreadyBound) -> None:
        if name not in self._taken:
            log.warning("%s lost a name: %s", self._holder, taken.message)
        self._taken.add(name)

    def _note_lost(self, error: RemoteError) -> None:
        if self.is_held:
            log.warning("the names of %s are not kept: %s", self._holder, error)
        self.is_held = False

    def _bind(self, offer: Offer) -> None:
        context = self._context
        self._make_contexts(offer.name)
        arguments: tuple[Any, ...] = (
            offer.name,
            offer.uri,
            interface_of(offer.interface).repository_id,
            self._metadata,
            self._lease_id,
        )
        try:
            context.bind(*arguments)
        except AlreadyBound as taken:
            if taken.uri and taken.uri != offer.uri and self._names.is_alive(taken.uri):
                raise AlreadyBound(
                    f"the name {offer.name} belongs to a living object at {taken.uri}",
                    name=offer.name,
                    uri=taken.uri,
                    cause="the component is running already, perhaps in another terminal",
                    remedy="end that one first, or give this one another name",
                ) from taken
            context.rebind(*arguments)

    def _make_contexts(self, name: str) -> None:
        parts = name.split("/")
        for depth in range(1, len(parts)):
            path = "/".join(parts[:depth])
            try:
                self._context.resolve(path)
            except NotFound:
                self._make_context(path)

    def _make_context(self, path: str) -> None:
        try:
            self._context.bind_new_context(path)
        except AlreadyBound:
            log.debug("context %s was made by another component just now", path)
