"""One metadata acquisition: what each command does in each state. Pure but for its samples.

==========  =========  =======================
command     Acquiring  Stopped, Aborted, Failed
==========  =========  =======================
stop        Stopped    refused
abort       Aborted    refused
==========  =========  =======================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from idl_like_interfaces.keywords import FitsKeyword
from idl_like_interfaces.metadaqif import (
    MetaDaqException,
    MetaDaqState,
    MetaDaqStatus,
    MetaDaqStopReply,
)
from objects.data_source.readiness import ID_RULE, is_usable_id
from objects.data_source.statistics import Series


@dataclass(slots=True, kw_only=True)
class MetadataAcquisition:
    """An acquisition, active or past.

    Attributes:
        id: Its id.
        path: Where its file will be; ``None``: it makes none.
        start_time: When it began.
        series: Its samples; dropped at its end.
        state: Its state.
        message: The reason when it failed.
        files: The finished files.
        keywords: What it adds to the product.
        end_sampling: Ends the periodic samples.
    """

    id: str
    path: Path | None
    start_time: datetime
    series: Series
    state: MetaDaqState = MetaDaqState.ACQUIRING
    message: str = ""
    files: list[str] = field(default_factory=list)
    keywords: list[FitsKeyword] = field(default_factory=list)
    end_sampling: Callable[[], None] = lambda: None

    @property
    def is_active(self) -> bool:
        """Tell whether it takes samples."""
        return self.state is MetaDaqState.ACQUIRING

    def ensure_active(self, wanted: str) -> None:
        """Refuse a command for one that has ended.

        Raises:
            MetaDaqException: It has.
        """
        if not self.is_active:
            raise MetaDaqException(
                f"{wanted} was wanted, but acquisition {self.id} is {self.state}",
                cause=self.message or "It has been ended by an earlier command.",
                remedy="Its status (get_daq_status) has what it made.",
                id=self.id,
            )

    def end(self, state: MetaDaqState, message: str = "") -> None:
        """End it; its samples are forgotten."""
        self.state = state
        self.message = message
        self.series = Series(0)

    def stop_reply(self) -> MetaDaqStopReply:
        """Return what it made."""
        return MetaDaqStopReply(id=self.id, files=list(self.files), keywords=list(self.keywords))

    def report(self) -> MetaDaqStatus:
        """Return its status."""
        return MetaDaqStatus(
            id=self.id,
            state=self.state,
            message=self.message,
            start_time=self.start_time,
            files=list(self.files),
            keywords=list(self.keywords),
        )


def check_start(id: str, active: int, most: int, *, used: bool) -> None:
    """Refuse an id that was used or cannot name a file, and more than can be kept up.

    Raises:
        MetaDaqException: Says which.
    """
    if not is_usable_id(id):
        raise MetaDaqException(
            f"{id!r} cannot be the id of an acquisition",
            cause="It names a file.",
            remedy=f"Use {ID_RULE}.",
            id=id,
        )
    if used:
        raise MetaDaqException(
            f"The id {id} was used before",
            cause="Each acquisition has an id of its own; it names the file.",
            remedy="Give another id, or none: the source makes one.",
            id=id,
        )
    if active >= most:
        raise MetaDaqException(
            f"Acquisition {id} was to start, but {active} are active",
            cause=f"The source accompanies at most {most} at a time.",
            remedy="Stop or abort those that were forgotten.",
            id=id,
        )
