"""How a name server talks to the other one."""

from __future__ import annotations

import socket

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.mapping import narrow, release
from idl_like_interfaces.mapping.context import current_caller, serving
from idl_like_interfaces.naming import NamingContext
from idl_like_interfaces.replication import (
    OBJECT_ID,
    ChangeSet,
    NameReplica,
    Standpoint,
)
from nameserver.changeover import reference_of

_ANSWER_S = 0.75
_COPY_S = 20.0
"""Nothing is acknowledged meanwhile, but an operator can end the wait."""

_CONTEXT_S = 3.0


class PeerLink(Closing):
    """The other name server, as far as it can be reached; usable from any thread.

    Args:
        address: Host and port of it.

    Attributes:
        address: As given.
        context: Its root context.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        replica = reference_of(address, OBJECT_ID)
        self._quick = narrow(replica, NameReplica, deadline_s=_ANSWER_S)
        self._slow = narrow(replica, NameReplica, deadline_s=_COPY_S)
        self.context = narrow(reference_of(address), NamingContext, deadline_s=_CONTEXT_S)

    def hello(self, own: Standpoint) -> Standpoint:
        """Say where we stand and hear where it stands.

        Raises:
            RemoteError: It does not answer, or not as a name server with a peer does.
        """
        return self._quick.hello(own)

    def append(self, session: str, number: int, changes: ChangeSet) -> None:
        """Hand over a change; it takes its time, whatever the client's deadline leaves.

        A client in a hurry must not bring the follower into doubt.

        Raises:
            NotFollowing: It does not follow in the present session.
            RemoteError: It may have the change or not.
        """
        with serving(None, current_caller()):
            self._quick.append(session, number, changes)

    def offer(self, session: str, part: int, content: ChangeSet) -> None:
        """Hand over a part of a copy.

        Raises:
            RemoteError: It does not take it.
        """
        self._slow.offer(session, part, content)

    def adopt(self, leader: Standpoint, session: str, parts: int) -> None:
        """Have it make the copy its own state.

        Raises:
            NotFollowing: It does not.
            RemoteError: It may have done so or not.
        """
        self._slow.adopt(leader, session, parts)

    def is_refused(self) -> bool:
        """Tell whether its port refuses a connection: nobody listens, on a host that lives."""
        try:
            with socket.create_connection(self.address, timeout=_ANSWER_S, all_errors=True):
                return False
        except ExceptionGroup as several:
            return all(isinstance(each, ConnectionRefusedError) for each in several.exceptions)
        except OSError:
            return False

    @override
    def close(self) -> None:
        for stub in (self._quick, self._slow, self.context):
            release(stub)
