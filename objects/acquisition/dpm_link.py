"""The coordinator's ear and mouth towards the DPM: hands over, listens, asks when in doubt."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from idl_like_interfaces.accounts import Account
from idl_like_interfaces.clients import Event, EventConsumer, Item
from idl_like_interfaces.daqif import INTERNAL_STATUS_TOPIC, DaqException, DaqStatus
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.events import EventChannel
from objects.acquisition.acquisition import Acquisition
from objects.acquisition.states import AT_DPM, Phase
from objects.component.clock import Clock

log = logging.getLogger("daq.ocm.manager")

_READ_S = 1.0
_ASK_AFTER_S = 5.0
_WAITING = (Phase.STOPPED, Phase.NOT_SCHEDULED)
_LOOK_S = 1.0
"""Whom to ask is seen so often, however seldom a lost DPM is tried."""


class DpmLink:
    """Two threads: one hands over and asks, one listens to the DPM's events.

    The events are fast, the status call is the truth: it is used after a gap, at the
    start, and for an acquisition of which nothing was heard for some seconds.

    Args:
        acquisitions: Those in progress, oldest first.
        adopt: Takes the DPM's news; tells whether it knows what to make of it.
        afterwards: Called whenever all others have been attended to.
        channel: Where the DPM publishes.
        clock: The time.
        retry_s: Time between attempts to hand over while the DPM is away.
        name: Of the coordinator, for the channel's statistics.
    """

    def __init__(
        self,
        *,
        acquisitions: Callable[[], Sequence[Acquisition]],
        adopt: Callable[[DaqStatus], bool],
        afterwards: Callable[[], None],
        channel: EventChannel,
        clock: Clock,
        retry_s: float,
        name: str,
    ) -> None:
        self._acquisitions = acquisitions
        self._adopt = adopt
        self._afterwards = afterwards
        self._clock = clock
        self._retry_s = retry_s
        self._consumer = EventConsumer(channel, [INTERNAL_STATUS_TOPIC], name=f"{name} (DPM)")
        self._heard: dict[str, float] = {}
        self._hand_over_at = 0.0
        self._is_hurried = threading.Event()
        self._wake = threading.Event()
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._attend, name=f"{name} to DPM", daemon=True),
            threading.Thread(target=self._listen, name=f"{name} from DPM", daemon=True),
        ]

    def start(self) -> None:
        """Begin to hand over and to listen."""
        for thread in self._threads:
            thread.start()

    def accounts(self) -> list[Account]:
        """Return what became of the events that it hears."""
        return self._consumer.accounts()

    def close(self, timeout_s: float = 3.0) -> None:
        """End both; one that waits for a lost peer may outlive this."""
        self._end.set()
        self._wake.set()
        deadline = time.monotonic() + timeout_s
        self._consumer.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))

    def nudge(self) -> None:
        """Say that an acquisition waits to be handed over."""
        self._is_hurried.set()
        self._wake.set()

    def attend(self) -> None:
        """Hand over what waits, in the order of age, and ask for what is long unheard of."""
        is_due = self._is_hurried.is_set() or time.monotonic() >= self._hand_over_at
        # Before it is seen who waits, so that nobody who comes now is overlooked.
        self._is_hurried.clear()
        acquisitions = self._acquisitions()
        self._forget_all_but({each.record.status.file_id for each in acquisitions})
        if is_due and not self._hand_over(acquisitions):
            return
        for acquisition in acquisitions:
            file_id = acquisition.record.status.file_id
            if acquisition.record.phase in AT_DPM and self._is_silent(file_id):
                self._note(file_id)
                acquisition.refresh()
        self._afterwards()

    def hear(self, items: Sequence[Item]) -> None:
        """Take what the channel has delivered."""
        for item in items:
            if not isinstance(item, Event):
                # Something is missed, or may be.
                self._doubt_all()
                continue
            try:
                status = item.as_(DaqStatus)
            except BadParam as error:
                log.warning("an event of the DPM cannot be read: %s", error.message)
                continue
            if self._adopt(status):
                self._note(status.file_id)
            else:
                # It is asked for the truth at once.
                self._heard.pop(status.file_id, None)
                self._wake.set()

    def _doubt_all(self) -> None:
        """Let all be asked for the truth at once."""
        self._heard.clear()
        self._wake.set()

    def _hand_over(self, acquisitions: Sequence[Acquisition]) -> bool:
        """Hand over what waits, oldest first; tell whether the DPM is there."""
        waiting = [each for each in acquisitions if each.record.phase in _WAITING]
        # The others would wait for the same lost DPM, and lose their order.
        is_there = all(self._queue(each) for each in waiting)
        self._hand_over_at = time.monotonic() + self._retry_s
        return is_there

    def _queue(self, acquisition: Acquisition) -> bool:
        try:
            done = acquisition.queue()
        except DaqException as error:
            log.warning("%s", error.explain())
            return False
        if done:
            self._note(acquisition.record.status.file_id)
        return done

    def _is_silent(self, file_id: str) -> bool:
        heard = self._heard.get(file_id)
        return heard is None or self._clock.monotonic() - heard >= _ASK_AFTER_S

    def _note(self, file_id: str) -> None:
        self._heard[file_id] = self._clock.monotonic()

    def _forget_all_but(self, file_ids: set[str]) -> None:
        for file_id in set(self._heard) - file_ids:
            self._heard.pop(file_id, None)

    def _attend(self) -> None:
        while not self._end.is_set():
            self._wake.clear()
            try:
                self.attend()
            except Exception:
                log.exception("attending to the DPM has failed")
            self._wake.wait(min(self._retry_s, _LOOK_S))

    def _listen(self) -> None:
        while not self._end.is_set():
            try:
                self.hear(self._consumer.read(_READ_S))
            except Exception:
                log.exception("listening to the DPM has failed")
                # What it has told besides is lost.
                self._doubt_all()
                self._end.wait(_READ_S)
