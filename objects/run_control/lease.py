"""The control lease: one commands at a time, and the fence tells the writers who was last (pure).

Whoever lost it without knowing so carries an older fence: writers refuse his commands.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from idl_like_interfaces.declare import Value
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.run_control import Control, ControlHeld, NotInControl
from objects.component.clock import Clock

SHORTEST_S, LONGEST_S = 1.0, 3600.0
_LONGEST_NAME = 255


class Grant(Value, frozen=True, kw_only=True):
    """The lease as it is kept: its token only as a digest.

    Attributes:
        holder: Who; empty: nobody.
        place: From where.
        fence: Grows at each change of hands, also over restarts.
        term_s: How long it lasts without renewal.
        secret: SHA-256 of the token.
    """

    holder: str = ""
    place: str = ""
    fence: int = 0
    term_s: float = 15.0
    secret: str = ""


class Lease:
    """Decides who has control. Not thread-safe: its owner has a lock.

    Args:
        clock: The time.
        grant: As it was kept; whoever had control has a full term again after a restart.
        keep: Stores a grant before it counts.
    """

    def __init__(self, clock: Clock, grant: Grant, keep: Callable[[Grant], None]) -> None:
        self._clock = clock
        self._grant = grant
        self._keep = keep
        self._until = clock.monotonic() + grant.term_s

    @property
    def fence(self) -> int:
        """The newest fence."""
        return self._grant.fence

    @property
    def is_held(self) -> bool:
        """Tell whether somebody has control."""
        return bool(self._grant.holder) and self._clock.monotonic() < self._until

    def shown(self, token: str = "") -> Control:
        """Return it as everybody may see it; with its token for who has just taken it."""
        if not self.is_held:
            return Control(fence=self._grant.fence)
        grant = self._grant
        return Control(
            holder=grant.holder,
            place=grant.place,
            fence=grant.fence,
            until=self._ends(),
            token=token,
        )

    def take(self, holder: str, place: str, term_s: float, *, is_forced: bool) -> Control:
        """Give control to somebody.

        Raises:
            ControlHeld: Somebody has it, and it is not forced.
            BadParam: An argument is none.
        """
        _check(holder, term_s)
        if self.is_held and not is_forced:
            raise self._held()
        token = secrets.token_urlsafe(24)
        grant = Grant(
            holder=holder,
            place=place,
            fence=self._grant.fence + 1,
            term_s=term_s,
            secret=_digest(token),
        )
        self._keep(grant)
        self._grant = grant
        self._until = self._clock.monotonic() + term_s
        return self.shown(token)

    def renew(self, token: str) -> Control:
        """Begin the term anew.

        Raises:
            NotInControl: The token is not that of the lease.
        """
        self.check(token)
        self._until = self._clock.monotonic() + self._grant.term_s
        return self.shown()

    def release(self, token: str) -> bool:
        """Give it back; return whether it was had."""
        if not self._is_token(token):
            return False
        grant = replace(self._grant, holder="", place="", secret="")
        self._keep(grant)
        self._grant = grant
        return True

    def check(self, token: str) -> str:
        """Return the holder whose token this is.

        Raises:
            NotInControl: It is nobody's, or not any more.
        """
        if self._is_token(token):
            return self._grant.holder
        holder = self._grant.holder if self.is_held else ""
        raise NotInControl(
            f"you do not have control; {holder or 'nobody'} has"
            + (f" ({self._grant.place})" if holder and self._grant.place else ""),
            cause="control ended without renewal, was released, or somebody took it away",
            remedy="take control again (obsorb run take), by --force if you must",
            holder=holder,
        )

    def _is_token(self, token: str) -> bool:
        return self.is_held and hmac.compare_digest(_digest(token), self._grant.secret)

    def _ends(self) -> datetime:
        left = max(0.0, self._until - self._clock.monotonic())
        return self._clock.utc() + timedelta(seconds=left)

    def _held(self) -> ControlHeld:
        grant, until = self._grant, self._ends().isoformat()
        return ControlHeld(
            f"{grant.holder} has control{f' at {grant.place}' if grant.place else ''}",
            cause=f"it was not released, and is renewed or lasts until {until}",
            remedy=f"ask {grant.holder} to release it, wait, or take it away by --force",
            holder=grant.holder,
            place=grant.place,
            until=until,
        )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _check(holder: str, term_s: float) -> None:
    if not holder.strip() or len(holder) > _LONGEST_NAME or not holder.isprintable():
        raise BadParam(
            "operator: it must be a text of one line, at most 255 characters",
            field="operator",
            remedy="say who takes control",
        )
    if not SHORTEST_S <= term_s <= LONGEST_S:
        raise BadParam(
            f"term_s: {term_s} is not {SHORTEST_S:g} to {LONGEST_S:g} seconds",
            field="term_s",
            remedy="take a term within these bounds, and renew it",
        )
