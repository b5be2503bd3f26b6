"""Accounts: what each hop got from each source, what it passed on, and what it lost.

A *hop* is a place through which events or log records go: a supplier, the channel, each
consumer, each writer. Of each source (in each of its incarnations) it keeps an account, for
which at each moment holds::

    taken = passed + in_flight + the sum of the drops whose count is known

The channel keeps for each source one account of its intake, and one more for each consumer: an
event is lost only to those consumers that had not read it yet. What a hop was never given
because one before it lost it is ``missing``, and in none of the other figures.

All numbers of items are the source's own: 1, 2, 3, ... in its incarnation.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, TypeAlias

from idl_like_interfaces.declare import Seconds, UtcTime, Value, interface, operation


class HopKind(StrEnum):
    """What a hop is, in the order in which items pass them."""

    SUPPLIER = "supplier"
    CHANNEL = "channel"
    CONSUMER = "consumer"
    WRITER = "writer"


class Flow(StrEnum):
    """What flows."""

    EVENTS = "events"
    LOG = "log"


FOLDED = "folded"
"""The reason of a drop that is no loss: another log record stands for these."""


class Drop(Value, frozen=True, kw_only=True):
    """Items that a hop lost, or was never given.

    Attributes:
        reason: Why: a ``GapReason``, ``spool`` (the sender's own was full), ``refused``,
            ``folded`` (log records that another one stands for) or ``closed`` (the hop ended,
            or who should read went away).
        count: How many; -1 when nobody can know.
        first: The source's number of the first that is known to be among them; 0: unknown.
        last: The same of the last.
    """

    reason: str
    count: int
    first: int = 0
    last: int = 0


class Account(Value, frozen=True, kw_only=True):
    """What a hop did with the items of one incarnation of a source.

    Attributes:
        hop: Its name: ``obs/ocm`` of a supplier, ``obs/events`` of the channel, the name of a
            consumer or writer.
        kind: What it is.
        flow: What flows.
        source: Who produced the items.
        incarnation: Start of the source.
        taken: Items that the hop was given, or, of a supplier, that were produced. Of the
            channel with ``to``: those that match the consumer's filters.
        passed: Items that the next hop has acknowledged, that a writer has stored, or, of the
            channel's intake, that it keeps for its consumers.
        in_flight: Items that wait, or are on their way.
        drops: What was lost here.
        first: Number of the first item that it was given; 0: none yet.
        last: Number of the last.
        to: The consumer, when this is what the channel does for one; else empty.
        hop_incarnation: Start of the hop: of a component, an epoch of the channel.
        subscription: Of a consumer, and with ``to``: under which one it reads.
        is_over: The subscription has ended. In good order: what the consumer had not read is in
            none of the figures; else it is dropped (``closed``).
        missing: What it was never given though later items came.
        repeated: Items that it was given again and passed over; in none of the other figures.
    """

    hop: str
    kind: HopKind
    flow: Flow
    source: str
    incarnation: str
    taken: int
    passed: int
    in_flight: int
    drops: list[Drop] = []
    first: int = 0
    last: int = 0
    to: str = ""
    hop_incarnation: str = ""
    subscription: str = ""
    is_over: bool = False
    missing: list[Drop] = []
    repeated: int = 0


Accounts: TypeAlias = list[Account]


@interface("IDL:obsorb/accounts/Accountant:1.0")
class Accountant(Protocol):
    """Keeps accounts of one or several hops."""

    @operation(idempotent=True)
    def get_accounts(self) -> Accounts:
        """Return all accounts; of incarnations that ended long ago they may be gone."""


class Verdict(StrEnum):
    """How it stands with the items of a source at a hop."""

    BALANCED = "balanced"
    """Nothing was lost."""
    LOST = "lost"
    """The hop lost items, and says how many and why."""
    IN_DOUBT = "in doubt"
    """Nobody can know how many (a hop died, or has forgotten)."""
    UNEXPLAINED = "unexplained"
    """The figures do not fit each other: a hop lost items and does not say so."""


class Line(Value, frozen=True, kw_only=True):
    """A line of the ledger.

    Attributes:
        account: As the hop last said it.
        seen: When it said so.
        is_stale: The hop could not be asked since.
        verdict: How it stands.
        text: Why, in words; empty when it is balanced.
    """

    account: Account
    seen: UtcTime
    is_stale: bool
    verdict: Verdict
    text: str = ""


class Balance(Value, frozen=True, kw_only=True):
    """The ledger.

    Attributes:
        time: When it was made.
        lines: By source, incarnation, and in the order in which items pass the hops.
        silent: Who could not be asked, by name, and why.
    """

    time: UtcTime
    lines: list[Line]
    silent: dict[str, str] = {}


@interface("IDL:obsorb/accounts/Ledger:1.0")
class Ledger(Protocol):
    """Collects the accounts of all hops, and keeps those of hops that are gone."""

    @operation(idempotent=True)
    def get_balance(self, source: str = "**", max_age_s: Seconds = 0.0) -> Balance:
        """Return the lines of the sources whose name matches a glob.

        Args:
            source: As a topic filter.
            max_age_s: Ask the hops again when what is known is older.

        Raises:
            BadParam: The glob is malformed.
        """
