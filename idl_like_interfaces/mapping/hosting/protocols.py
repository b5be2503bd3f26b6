"""What the transport asks of who understands messages, and nothing more."""

from __future__ import annotations

from typing import Protocol

from idl_like_interfaces.mapping.hosting.headers import Unwelcome
from idl_like_interfaces.mapping.hosting.peer import Peer
from idl_like_interfaces.mapping.hosting.replies import Reply
from idl_like_interfaces.mapping.message import Message
from idl_like_interfaces.waiting import Parked


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
