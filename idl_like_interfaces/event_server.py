"""Where the events come in: collector/routers send messages, and learn what is safe."""

from __future__ import annotations

from typing import Annotated, Protocol

from msgspec import Meta

from idl_like_interfaces.declare import Role, Seconds, Value, interface, operation
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.octets import OctetBlocks

SenderId = Annotated[int, Meta(ge=1, le=(1 << 63) - 1)]
SenderName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_.:-]+(?!\n)$",
        max_length=64,
        description="letters, digits, _ . : and -, at most 64",
    ),
]

MOST_MESSAGES = 65_536
"""Messages of one batch."""

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of one batch, frames included."""


class SenderIdentity(Value, frozen=True, kw_only=True):
    """Who sends (D0 question Q4).

    Attributes:
        name: Its name, the same after each start, e.g. ``cr1``.
        incarnation: Of this start; stands in each of its messages as ``sender``.
        host: Where it runs.
        pid: Its process.
        acknowledged: The last message of which it knows that it is durable; 0: none.
        last: Of this start the last message that there will ever be; None: more may come.
            Who says it can be restarted without anybody having to suspect a gap.
    """

    name: SenderName
    incarnation: SenderId
    host: str = ""
    pid: int = 0
    acknowledged: Annotated[int, Meta(ge=0)] = 0
    last: Annotated[int, Meta(ge=0)] | None = None


class Acknowledgement(Value, frozen=True, kw_only=True):
    """How far a sender's messages have come. All up to these numbers, without a hole.

    Attributes:
        accepted: Every target stream has taken them (a stop in good order loses none).
        durable: They are synced to the disk: no crash of anything loses them.
        is_busy: Not all of the batch was accepted in time: send the rest again.
        is_paused: The logger takes none at the moment, and says why in ``reason``: wait.
        reason: Why, e.g. ``paused by run control``; empty: all is well.
        refused: Messages of the batch that were taken out (damaged, of another type, of no
            run): they count as accepted, and are told in the logger's status.
    """

    accepted: int
    durable: int
    is_busy: bool = False
    is_paused: bool = False
    reason: str = ""
    refused: int = 0


class Gap(Value, frozen=True, kw_only=True):
    """Messages that will never come.

    Attributes:
        first: Sequence of the first.
        last: Of the last.
        reason: Why the sender has them no more, e.g. ``spool full``.
    """

    first: int
    last: int
    reason: str


class UnknownSender(RemoteError, LookupError, repository_id="IDL:obsorb/logger/UnknownSender:1.0"):
    """The logger has not been greeted by this start of the sender; say ``hello`` first.

    Attributes:
        sender: The incarnation.
    """

    sender: int


class Superseded(RemoteError, RuntimeError, repository_id="IDL:obsorb/logger/Superseded:1.0"):
    """A later start of the sender of this name has said hello: this one is over for the logger.

    Attributes:
        sender: The incarnation that is over.
        successor: The one that has taken its place.
    """

    sender: int
    successor: int


class OutOfSequence(RemoteError, ValueError, repository_id="IDL:obsorb/logger/OutOfSequence:1.0"):
    """A batch begins behind the message that is awaited; nothing was taken.

    Attributes:
        expected: The sequence that is awaited.
        found: With which the batch begins.
    """

    expected: int
    found: int


@interface("IDL:obsorb/logger/EventServer:1.0")
class EventServer(Protocol):
    """Takes the events of all senders of one logger (``obs/logger/<n>/events``).

    It is there from INIT on. Messages of a sender arrive in the order of their sequence. One
    that was accepted already is dropped as a duplicate, so that a batch may always be sent
    again; a hole is refused unless it is told by ``declare_gap``.
    """

    @operation(Superseded, idempotent=True, role=Role.OPERATOR)
    def hello(self, sender: SenderIdentity) -> Acknowledgement:
        """Say who sends; the answer says behind which message to go on.

        An older incarnation of the same name has ended: what of it was missing is a gap.

        Raises:
            Superseded: It is such an older one itself.
            BadParam: The incarnation is that of a sender of another name.
        """

    @operation(UnknownSender, Superseded, OutOfSequence, idempotent=True, role=Role.OPERATOR)
    def send(
        self, sender: int, first: int, messages: OctetBlocks, timeout_s: Seconds = 5.0
    ) -> Acknowledgement:
        """Take a batch of framed messages (see ``event_message``), each block one or more.

        Args:
            sender: The incarnation of who sends.
            first: Sequence of the first message.
            messages: Framed messages, one behind the other.
            timeout_s: How long to wait at most until the queues of all target streams have
                taken them (back-pressure); then ``is_busy`` is true, and ``accepted`` says
                which were taken.

        Raises:
            UnknownSender: It has not said hello to this start of the logger.
            Superseded: A later start of it has said hello.
            OutOfSequence: Messages between the accepted ones and ``first`` are missing.
            BadParam: The frames do not fit the bytes, or the batch is too large; nothing was taken.
        """

    @operation(UnknownSender, Superseded, idempotent=True, role=Role.OPERATOR)
    def await_durable(self, sender: int, beyond: int, timeout_s: Seconds) -> Acknowledgement:
        """Return as soon as more than ``beyond`` messages are durable, or the time is over (long-poll).

        Raises:
            UnknownSender: It has not said hello to this start of the logger.
            Superseded: A later start of it has said hello.
        """

    @operation(UnknownSender, Superseded, OutOfSequence, idempotent=True, role=Role.OPERATOR)
    def declare_gap(self, sender: int, gap: Gap) -> Acknowledgement:
        """Say that messages will never come; it is noted in the run and its files.

        Raises:
            UnknownSender: It has not said hello to this start of the logger.
            Superseded: A later start of it has said hello.
            OutOfSequence: It does not begin with the message that is awaited.
        """
