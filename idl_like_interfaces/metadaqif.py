"""Metadata sources (``metadaqif.MetaDaq``): they accompany acquisitions.

The state names are ours: the published description has none (ESO-DAQ 2.2).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from idl_like_interfaces.declare import UtcTime, Value, interface, operation
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.keywords import FitsKeyword


class MetaDaqState(StrEnum):
    """State of a metadata acquisition."""

    NOT_STARTED = "NotStarted"
    ACQUIRING = "Acquiring"
    STOPPED = "Stopped"
    ABORTED = "Aborted"
    FAILED = "Failed"


class MetaDaqReply(Value, frozen=True, kw_only=True):
    """The id of the acquisition."""

    id: str


class MetaDaqStopReply(Value, frozen=True, kw_only=True):
    """What was acquired.

    Attributes:
        id: The acquisition.
        files: FITS files, closed and readable, ``/path`` or ``host:/path``.
        keywords: For the primary header of the product.
    """

    id: str
    files: list[str] = []
    keywords: list[FitsKeyword] = []


class MetaDaqStatus(Value, frozen=True, kw_only=True):
    """An acquisition, active or past.

    Attributes:
        id: Its id.
        state: Its state.
        message: The reason when it failed.
        start_time: When it began.
        files: As in ``MetaDaqStopReply``, once stopped.
        keywords: As in ``MetaDaqStopReply``, once stopped.
    """

    id: str
    state: MetaDaqState
    message: str = ""
    start_time: UtcTime | None = None
    files: list[str] = []
    keywords: list[FitsKeyword] = []


class MetaDaqException(RemoteError, repository_id="IDL:obsorb/metadaqif/DaqException:1.0"):
    """The command failed.

    Attributes:
        id: The acquisition that was named.
    """

    id: str


@interface("IDL:obsorb/metadaqif/MetaDaq:1.0")
class MetaDaq(Protocol):
    """A source that adds keywords and files to acquisitions; it never ends by itself."""

    @operation(MetaDaqException)
    def start_daq(self, id: str = "") -> MetaDaqReply:
        """Begin to acquire.

        Args:
            id: Echoed in the reply; empty: the source makes a unique one.

        Raises:
            MetaDaqException: The id was used before, or the source is not able to
                acquire; nothing was started.
        """

    @operation(MetaDaqException)
    def stop_daq(self, id: str) -> MetaDaqStopReply:
        """End an acquisition and return what it made.

        Raises:
            MetaDaqException: There is none of that id, it is not active, or its
                data could not be finished (it is Failed then).
        """

    @operation(MetaDaqException)
    def abort_daq(self, id: str) -> MetaDaqReply:
        """End an acquisition and discard all that it acquired.

        Raises:
            MetaDaqException: There is none of that id, or it is not active.
        """

    @operation(MetaDaqException, idempotent=True)
    def get_daq_status(self, id: str) -> MetaDaqStatus:
        """Return the status of an acquisition, active or one of the last 100.

        Raises:
            MetaDaqException: There is none of that id.
        """
