"""Acquisition control (``daqif``): OCM coordinates, DPM makes the data product."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import field

from idl_like_interfaces.daq_contributions import (
    StoryCollision,
    StoryFile,
    StoryReceiver,
    StorySource,
)
from idl_like_interfaces.declare import Finite, Role, Seconds, UtcTime, Value, interface, operation
from idl_like_interfaces.errors import RemoteError

STATUS_TOPIC = "daq/status"
"""Every change of an acquisition, body ``DaqStatus`` (OCM)."""

INTERNAL_STATUS_TOPIC = "internal/daq/status"
"""Every change in the DPM, body ``DaqStatus``, for the OCM."""

STORAGE_TOPIC = "dpm/storage"
"""Space on the DPM's disk, body ``StorageStatus``."""


class DaqState(StrEnum):
    """State of an acquisition."""

    UNDEFINED = "StateUndefined"
    ACQUIRING = "StateAcquiring"
    MERGING = "StateMerging"
    COMPLETED = "StateCompleted"


class DaqSubstate(StrEnum):
    """Substate of an acquisition; Aborting exists in two states."""

    UNDEFINED = "Undefined"
    NOT_STARTED = "NotStarted"
    STARTING = "Starting"
    ACQUIRING = "Acquiring"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    ABORTING = "Aborting"
    NOT_SCHEDULED = "NotScheduled"
    SCHEDULED = "Scheduled"
    COLLECTING = "Collecting"
    MERGING = "Merging"
    RELEASING = "Releasing"
    COMPLETED = "Completed"
    ABORTED = "Aborted"


class AlertSeverity(StrEnum):
    """How much an alert matters; Error needs somebody to act before it goes on."""

    ERROR = "Error"
    WARNING = "Warning"
    INFO = "Info"


class DaqAlert(Value, frozen=True, kw_only=True):
    """A condition of an acquisition; gone from the list when it is over.

    Attributes:
        id: Identifies the condition within the acquisition.
        severity: How much it matters.
        description: What was found.
        cause: Probable cause.
        remedy: What to do.
        time: When it was set or changed.
    """

    id: str
    severity: AlertSeverity
    description: str
    cause: str = ""
    remedy: str = ""
    time: UtcTime


class DaqReply(Value, frozen=True, kw_only=True):
    """The acquisition, and whether it has issues (see its status)."""

    id: str
    error: bool


class DaqStatus(Value, frozen=True, kw_only=True):
    """An acquisition.

    Attributes:
        id: Its id.
        file_id: ``{instrument}.{YYYY-MM-DDThh:mm:ss.sss}``; the archive name without
            its suffix.
        state: Its state.
        substate: Its substate.
        timestamp: Of the last change, seconds since 1970 UTC.
        error: An alert of severity Error is active.
        message: The active alerts, a JSON array of texts ``severity: description``; ``[]`` without.
        result: Absolute path of the product; empty before there is one.
        alerts: The active alerts.
        start_time: When its primary sources were told to begin; None: at once.
    """

    id: str
    file_id: str = field(name="fileId")
    state: DaqState
    substate: DaqSubstate
    timestamp: Finite
    error: bool = False
    message: str = "[]"
    result: str = ""
    alerts: list[DaqAlert] = []
    start_time: UtcTime | None = field(default=None, name="startTime")


DaqStatuses: TypeAlias = list[DaqStatus]


class AwaitDaqReply(Value, frozen=True, kw_only=True):
    """Answer of ``await_daq_state``.

    Attributes:
        timeout: Neither was the state reached nor did it become impossible.
        status: At the moment of entry, or now.
    """

    timeout: bool
    status: DaqStatus


class StorageStatus(Value, frozen=True, kw_only=True):
    """Space on a disk in bytes: capacity >= free >= available (to us)."""

    capacity: int
    free: int
    available: int


class StoryState(Value, frozen=True, kw_only=True):
    """A stay in a state.

    Attributes:
        state: The state.
        substate: The substate.
        entered: When it was entered.
        duration_s: How long it was there; None: it is there still, or for ever.
    """

    state: DaqState
    substate: DaqSubstate
    entered: UtcTime
    duration_s: Seconds | None = None


class StoryAlert(Value, frozen=True, kw_only=True):
    """An alert, active or past; of the past ones the last ``MOST_TOLD``.

    Attributes:
        alert: As it was.
        cleared: When it was over, or changed; None: it is active.
    """

    alert: DaqAlert
    cleared: UtcTime | None = None


class ProductStory(Value, frozen=True, kw_only=True):
    """How the DPM made a product.

    Attributes:
        status: Its status there.
        states: The stays in its states, oldest first.
        files: What was to be merged, where it came from, in the order of the merge; the
            first ``MOST_TOLD``.
        more_files: How many there are beyond.
        alerts: Oldest first.
        collisions: Of its last merge.
        more_collisions: How many there are beyond.
        receivers: Who was to get the product.
        product: The product; None: there is none.
        digest: Of the product.
        picture: Path of its picture; empty: there is none.
        picture_note: Why there is none; empty: it is there, or there is no product.
    """

    status: DaqStatus
    states: list[StoryState] = []
    files: list[StoryFile] = []
    more_files: int = 0
    alerts: list[StoryAlert] = []
    collisions: list[StoryCollision] = []
    more_collisions: int = 0
    receivers: list[StoryReceiver] = []
    product: StoryFile | None = None
    digest: str = ""
    picture: str = ""
    picture_note: str = ""


class DaqStory(Value, frozen=True, kw_only=True):
    """Everything that is known of one acquisition.

    Attributes:
        status: Its status.
        coordinator: Name of the coordinator that made it.
        created: When that was.
        states: The stays in its states, oldest first.
        sources: In descending priority of the merge.
        keywords: How many the client has given.
        alerts: Oldest first, those of the DPM too as far as the coordinator heard of them.
        making: How its product was made; None: the DPM does not have it, or cannot be asked.
        making_note: Why that is None.
    """

    status: DaqStatus
    coordinator: str
    created: UtcTime
    states: list[StoryState] = []
    sources: list[StorySource] = []
    keywords: int = 0
    alerts: list[StoryAlert] = []
    making: ProductStory | None = None
    making_note: str = ""


class DaqException(RemoteError, repository_id="IDL:obsorb/daqif/DaqException:3.1"):
    """A command for an acquisition failed.

    Attributes:
        id: The acquisition; empty when none was made.
    """

    id: str


@interface("IDL:obsorb/daqif/OcmDaqControl:3.2")
class OcmDaqControl(Protocol):
    """Coordinates acquisitions over their data sources (M 13.1).

    Commands are refused with ``DaqException`` while the server is not Operational.
    Every operation that names an unknown acquisition raises ``DaqException``.
    """

    @operation(DaqException)
    def start_daq(
        self,
        id: str = "",
        file_prefix: str = "",
        prim_sources: str = "",
        meta_sources: str = "",
        properties: str = "",
    ) -> DaqReply:
        """Start an acquisition; the reply comes when every source has acknowledged.

        Args:
            id: Empty: one is made.
            file_prefix: Before the name of the result file.
            prim_sources: ``name@rrUri`` items, separated by blanks.
            meta_sources: The same for metadata sources.
            properties: JSON text of ``StartDaqV1Properties``; empty: defaults.

        Raises:
            DaqException: An argument is malformed or names nothing (no acquisition
                was made), or a source failed to start: everything that was
                started is aborted; the acquisition is Aborted with error true or,
                if a source would not obey, stays in Aborting.
        """

    @operation(DaqException)
    def start_daq_v2(self, specification: str) -> DaqReply:
        """Start an acquisition from a JSON text of ``StartDaqV2Specification``.

        Raises:
            DaqException: As ``start_daq``.
        """

    @operation(DaqException)
    def stop_daq(self, id: str) -> DaqReply:
        """Stop all sources and collect what they made; replies in Stopped.

        Raises:
            DaqException: Not in Acquiring or Stopping, or every source failed;
                it stays in Stopping and may be stopped again. When only some
                failed the reply has error true and it stays in Stopping too.
        """

    @operation(DaqException)
    def force_stop_daq(self, id: str) -> DaqReply:
        """Stop whatever the sources answer; those that fail contribute no data.

        Raises:
            DaqException: Not in Acquiring or Stopping.
        """

    @operation(DaqException)
    def abort_daq(self, id: str) -> DaqReply:
        """Abort and discard; forwarded to the DPM once that has the acquisition.

        Raises:
            DaqException: It has ended, or something failed to abort: it stays in
                Aborting and may be aborted again. From Scheduled on, also when
                the DPM cannot be reached (its state is unchanged then).
        """

    @operation(DaqException)
    def force_abort_daq(self, id: str) -> DaqReply:
        """Abort whatever the sources or the DPM answer.

        Raises:
            DaqException: It has ended.
        """

    @operation(DaqException)
    def update_keywords(self, id: str, keywords: str) -> DaqReply:
        """Add or replace keywords of the product, all of them or none.

        Args:
            id: The acquisition.
            keywords: JSON text of an array of ``FitsKeyword``.

        Raises:
            DaqException: The text is malformed, or the acquisition is past
                Stopping; no keyword was changed.
        """

    @operation(DaqException, long_poll=True, idempotent=True)
    def await_daq_state(
        self, id: str, state: DaqState, substate: DaqSubstate, timeout_s: Finite
    ) -> AwaitDaqReply:
        """Wait until the acquisition enters a state, or cannot enter it any more.

        The reply shows the status at the moment of entry, even if the acquisition
        has gone on since.

        Raises:
            DaqException: The timeout is not above 0, the pair is no state, or the
                acquisition has ended without having been in it.
        """

    @operation(DaqException, idempotent=True)
    def get_status(self, id: str) -> DaqStatus:
        """Return the status; of an ended one the most recent of that id.

        Raises:
            DaqException: There is none of that id.
        """

    @operation(DaqException, idempotent=True)
    def get_daq_status(self, id: str) -> DaqStatus:
        """Another name of ``get_status``.

        Raises:
            DaqException: There is none of that id.
        """

    @operation(idempotent=True)
    def get_active_list(self) -> DaqStatuses:
        """Return all acquisitions that are not in StateCompleted, oldest first."""

    @operation(DaqException)
    def retry_merge_daq(self, id: str) -> None:
        """Let an acquisition that is stuck in StateMerging go on, or its silent merger begin anew.

        Raises:
            DaqException: Not in StateMerging, or the DPM cannot be reached.
        """

    @operation(DaqException, idempotent=True)
    def get_story(self, id: str) -> DaqStory:
        """Tell everything about an acquisition, active or ended.

        The DPM is asked for its part; while it is away the story lacks that and says so.

        Raises:
            DaqException: There is none of that id.
        """


@interface("IDL:obsorb/daqif/DpmDaqControl:3.2")
class DpmDaqControl(Protocol):
    """Queues acquisitions and makes their data products (M 13.3).

    Every operation that names an unknown acquisition raises ``DaqException``.
    """

    @operation(DaqException, idempotent=True, role=Role.OPERATOR)
    def queue_daq(self, specification: str) -> DaqReply:
        """Take responsibility for an acquisition; it survives a crash from here on.

        Args:
            specification: JSON text of ``DpSpecification``. Queueing the same
                again answers as the first time.

        Raises:
            DaqException: The text is malformed, or another specification is
                queued under that id; nothing was queued.
        """

    @operation(DaqException)
    def abort_daq(self, id: str) -> DaqReply:
        """Abort and discard; a running merge is ended by a signal.

        Raises:
            DaqException: It has ended.
        """

    @operation(DaqException, idempotent=True)
    def get_daq_status(self, id: str) -> DaqStatus:
        """Return the status of an acquisition, queued or ended.

        Raises:
            DaqException: It was never queued.
        """

    @operation(DaqException, idempotent=True)
    def get_story(self, id: str) -> ProductStory:
        """Tell how the product of an acquisition was made, queued or ended.

        Raises:
            DaqException: It was never queued.
        """

    @operation(idempotent=True)
    def get_active_daqs(self) -> DaqStatuses:
        """Return the acquisitions that have not ended, in the order of the queue."""

    @operation(DaqException)
    def retry_merge_daq(self, id: str) -> None:
        """Let an acquisition that is stuck with an error go on.

        A merger of which the alert ``merge/silent`` tells is ended, and merging begins anew.

        Raises:
            DaqException: It has ended.
        """


@interface("IDL:obsorb/daqif/DpmControl:3.1")
class DpmControl(Protocol):
    """The DPM server itself (M 13.2)."""

    @operation(idempotent=True)
    def query_storage_status(self) -> StorageStatus:
        """Return the space on the disk of the workspace."""

    @operation(role=Role.ENGINEER)
    def exit(self) -> str:
        """Answer, then end the server in good order."""
