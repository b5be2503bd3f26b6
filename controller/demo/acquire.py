"""The acquisition of the demonstration: start it, watch it, wait for its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from controller.demo.scratch import DETECTOR, ROOT, TELEMETRY
from controller.demo.show import PlainShow
from controller.failure import CommandFailed
from controller.progress import progress_of
from idl_like_interfaces.clients import Event, EventConsumer
from idl_like_interfaces.daqif import (
    STATUS_TOPIC,
    DaqState,
    DaqStatus,
    DaqSubstate,
    OcmDaqControl,
)
from idl_like_interfaces.documents import (
    FitsKeywordsSource,
    MergeTarget,
    MetadataSource,
    OlasOptions,
    OlasReceiver,
    PrimarySource,
    StartDaqV2Specification,
)
from idl_like_interfaces.events import EventChannel
from idl_like_interfaces.keywords import EsoKeyword, ValueKeyword
from idl_like_interfaces.mapping.coding import to_json

if TYPE_CHECKING:
    from nameserver.client import Names

OBSERVER = "obsorb demo"

_DEADLINE_S = 60.0
_READ_S = 0.25
_ASK_EVERY_S = 2.0


def specification(receiver: Path) -> StartDaqV2Specification:
    """Say what is to be acquired, and who gets the product."""
    return StartDaqV2Specification(
        sources=[
            PrimarySource(source_name=DETECTOR, rr_uri=f"{ROOT}/sources/{DETECTOR}/rec"),
            MetadataSource(source_name=TELEMETRY, rr_uri=f"{ROOT}/sources/{TELEMETRY}/daq"),
            FitsKeywordsSource(
                source_name="operator",
                keywords=[
                    # The dictionary has their comments.
                    ValueKeyword(name="OBSERVER", value=OBSERVER),
                    EsoKeyword(name="OBS NAME", value="First light"),
                ],
            ),
        ],
        merge_target=MergeTarget(source_name=DETECTOR),
        receivers=[OlasReceiver(path=str(receiver), options=OlasOptions(allow_symlink=False))],
    )


class Watcher:
    """Follows one acquisition by its events and shows each state once.

    Args:
        ocm: Is asked now and then, should events fail to come.
        consumer: Reads the topic of acquisition status.
        show: Shows each state.
    """

    def __init__(self, ocm: OcmDaqControl, consumer: EventConsumer, show: PlainShow) -> None:
        self._ocm = ocm
        self._consumer = consumer
        self._show = show
        self._started = self._asked = time.monotonic()
        self._shown: tuple[DaqState, DaqSubstate, bool] | None = None

    def step(self, id: str) -> DaqStatus | None:
        """Wait a moment for news; return the last status once the acquisition has ended.

        Raises:
            CommandFailed: It went wrong or took too long.
        """
        for status in self._heard(id):
            if self._shown != (status.state, status.substate, status.error):
                self._shown = (status.state, status.substate, status.error)
                self._show.status(status, progress_of(status.substate))
                _refuse_failure(status)
            if status.state is DaqState.COMPLETED:
                return status
        if time.monotonic() - self._started > _DEADLINE_S:
            raise CommandFailed(
                f"the acquisition {id} did not end within {_DEADLINE_S:g} s",
                remedy="see the log in the scratch folder",
            )
        return None

    def _heard(self, id: str) -> list[DaqStatus]:
        read = self._consumer.read(_READ_S)
        heard = [each.as_(DaqStatus) for each in read if isinstance(each, Event)]
        if heard:
            self._asked = time.monotonic()
        elif time.monotonic() - self._asked > _ASK_EVERY_S:
            # Only in a silence: an answer must not overtake events that are on their way.
            self._asked = time.monotonic()
            heard.append(self._ocm.get_status(id))
        return [each for each in heard if each.id == id]


def acquire(names: Names, receiver: Path, show: PlainShow, check: Callable[[], None]) -> DaqStatus:
    """Run one acquisition to its end and return its last status.

    Args:
        names: The name service.
        receiver: Folder that gets the product.
        show: Shows each state.
        check: Raises when it is no use to wait any longer.

    Raises:
        CommandFailed: It went wrong or took too long.
        RemoteError: It was refused.
    """
    ocm = names.narrow(f"{ROOT}/ocm/daq", OcmDaqControl, _DEADLINE_S)
    channel = names.narrow(f"{ROOT}/events", EventChannel)
    with EventConsumer(channel, [STATUS_TOPIC], name="obsorb demo", poll_s=_READ_S) as consumer:
        # Before the start: no state shall be missed.
        consumer.connect()
        show.begin()
        reply = ocm.start_daq_v2(to_json(specification(receiver)))
        watcher = Watcher(ocm, consumer, show)
        while True:
            check()
            if (status := watcher.step(reply.id)) is not None:
                return status


def _refuse_failure(status: DaqStatus) -> None:
    if status.error or status.substate is DaqSubstate.ABORTED:
        alert = status.alerts[0] if status.alerts else None
        raise CommandFailed(
            f"the acquisition {status.id} failed in {status.state}/{status.substate}: "
            f"{alert.description if alert else status.message}",
            cause=alert.cause if alert else "",
            remedy=(alert.remedy if alert else "") or "see the log in the scratch folder",
        )
