"""Which components have fallen silent: decided from heartbeats and a clock that never jumps."""

from __future__ import annotations

from dataclasses import dataclass

from idl_like_interfaces.announcements import ComponentState, Heartbeat

SILENT_S = 3.0
"""A component that has not beaten for so long is silent, unless its settings say otherwise."""

DEAF_S = 1.6
"""When nobody beats for so long, we did not hear: all get their period anew.

More than the time between two heartbeats, and with that time less than ``SILENT_S``.
"""

MOST_SUPERVISED = 10_000


@dataclass(slots=True, kw_only=True)
class Pulse:
    """What is known of one component.

    Attributes:
        period_s: It is silent when it has not beaten for so long.
        heard_at: When it beat last, or may be taken as having done so.
        incarnation: Its start; empty until it has beaten.
        state: What it said last.
        is_silent: It was said to be silent.
        is_expected: It must beat: it did not say that it stops.
        is_doubtful: What a former start of the service said of it may hold still.
    """

    period_s: float
    heard_at: float
    incarnation: str = ""
    state: ComponentState = ComponentState.STARTED
    is_silent: bool = False
    is_expected: bool = True
    is_doubtful: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Beaten:
    """What a heartbeat tells.

    Attributes:
        note: A change of state for the history; empty: nothing new.
        is_back: It was, or may have been, silent before.
        is_new_start: It was started anew since its last heartbeat.
    """

    note: str = ""
    is_back: bool = False
    is_new_start: bool = False


class Heartbeats:
    """Supervises all that have beaten once, and those of a list also before.

    Silence is measured up to the last heartbeat of *anybody*: while the channel is away, or
    we are, nobody beats and nobody becomes silent. The service's own heart is one of them.

    Args:
        listed: Components that must run, with the time after which they are silent, at
            least ``SILENT_S``.
        now: Monotonic time.
    """

    def __init__(self, listed: dict[str, float], now: float) -> None:
        self._listed = listed
        self._heard_at = now
        self.pulses = {
            source: Pulse(period_s=period_s, heard_at=now) for source, period_s in listed.items()
        }

    def restore(self, source: str, incarnation: str, state: ComponentState, now: float) -> None:
        """Go on with what a former start of the service knew."""
        pulse = self._pulse(source, now)
        pulse.incarnation, pulse.state = incarnation, state
        pulse.is_expected = state is not ComponentState.STOPPED

    def beat(self, source: str, heartbeat: Heartbeat, now: float) -> Beaten:
        """Take a heartbeat."""
        if now - self._heard_at > DEAF_S:
            for each in self.pulses.values():
                each.heard_at = now
        self._heard_at = now
        is_first = source not in self.pulses or not self.pulses[source].incarnation
        pulse = self._pulse(source, now)
        is_new_start = not is_first and pulse.incarnation != heartbeat.incarnation
        was, is_back = pulse.state, pulse.is_silent or pulse.is_doubtful
        pulse.heard_at, pulse.is_silent, pulse.is_doubtful = now, False, False
        pulse.incarnation, pulse.state = heartbeat.incarnation, heartbeat.state
        pulse.is_expected = heartbeat.state is not ComponentState.STOPPED
        note = _note(source, heartbeat, None if is_first else was, is_new_start=is_new_start)
        return Beaten(note=note, is_back=is_back, is_new_start=is_new_start)

    def fallen_silent(self) -> list[str]:
        """Return those that have fallen silent since the last question."""
        found = []
        for source, pulse in self.pulses.items():
            is_late = self._heard_at - pulse.heard_at >= pulse.period_s
            if is_late and pulse.is_expected and not pulse.is_silent:
                pulse.is_silent = True
                found.append(source)
        return found

    def forget(self, source: str) -> None:
        """Supervise it no more until it beats again; of a listed one the period begins anew."""
        if source in self._listed:
            pulse = self.pulses[source]
            pulse.heard_at, pulse.is_silent = self._heard_at, False
        else:
            self.pulses.pop(source, None)

    @property
    def silent(self) -> list[str]:
        """Those that are silent now."""
        return sorted(source for source, pulse in self.pulses.items() if pulse.is_silent)

    def _pulse(self, source: str, now: float) -> Pulse:
        if source not in self.pulses:
            if len(self.pulses) >= MOST_SUPERVISED:
                self._make_room()
            period_s = self._listed.get(source, SILENT_S)
            self.pulses[source] = Pulse(period_s=period_s, heard_at=now)
        return self.pulses[source]

    def _make_room(self) -> None:
        others = (each for each in self.pulses if each not in self._listed)
        oldest = min(others, key=lambda each: self.pulses[each].heard_at, default=None)
        if oldest is not None:
            del self.pulses[oldest]


def _note(
    source: str, heartbeat: Heartbeat, was: ComponentState | None, *, is_new_start: bool
) -> str:
    if was is None:
        return f"{source} is {heartbeat.state}"
    if is_new_start:
        return f"{source} is {heartbeat.state}, started anew (it was {was})"
    return "" if heartbeat.state is was else f"{source} is {heartbeat.state} (it was {was})"
