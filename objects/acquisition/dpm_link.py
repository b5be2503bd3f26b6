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
        self._wake.set()

    def attend(self) -> None:
        """Hand over what waits, in the order of age, and ask for what is long unheard of."""
        acquisitions = self._acquisitions()
        self._forget_all_but({each.record.id for each in acquisitions})
        for acquisition in acquisitions:
            if acquisition.record.phase in (Phase.STOPPED, Phase.NOT_SCHEDULED):
                if not self._queue(acquisition):
                    # The others would wait for the same lost DPM, and lose their order.
                    return
            elif acquisition.record.phase in AT_DPM and self._is_silent(acquisition.record.id):
                self._note(acquisition.record.id)
                acquisition.refresh()
        self._afterwards()

    def hear(self, items: Sequence[Item]) -> None:
        """Take what the channel has delivered."""
        for item in items:
            if not isinstance(item, Event):
                # Something is missed, or may be: they are asked instead.
                self._heard.clear()
                self._wake.set()
                continue
            try:
                status = item.as_(DaqStatus)
            except BadParam as error:
                log.warning("an event of the DPM cannot be read: %s", error.message)
                continue
            if self._adopt(status):
                self._note(status.id)
            else:
                # It is asked for the truth at once.
                self._heard.pop(status.id, None)
                self._wake.set()

    def _queue(self, acquisition: Acquisition) -> bool:
        try:
            done = acquisition.queue()
        except DaqException as error:
            log.warning("%s", error.explain())
            return False
        if done:
            self._note(acquisition.record.id)
        return done

    def _is_silent(self, id: str) -> bool:
        heard = self._heard.get(id)
        return heard is None or self._clock.monotonic() - heard >= _ASK_AFTER_S

    def _note(self, id: str) -> None:
        self._heard[id] = self._clock.monotonic()

    def _forget_all_but(self, ids: set[str]) -> None:
        for id in set(self._heard) - ids:
            self._heard.pop(id, None)

    def _attend(self) -> None:
        while not self._end.is_set():
            self._wake.clear()
            try:
                self.attend()
            except Exception:
                log.exception("attending to the DPM has failed")
            self._wake.wait(self._retry_s)

    def _listen(self) -> None:
        while not self._end.is_set():
            try:
                self.hear(self._consumer.read(_READ_S))
            except Exception:
                log.exception("listening to the DPM has failed")
                self._end.wait(_READ_S)
