"""When a process that died is started again (a pure decision)."""

from __future__ import annotations

from dataclasses import dataclass, field

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
WINDOW_S = 60.0
ALARMING_DEATHS = 5
SLOW_WINDOW_S = 600.0
SLOW_ALARMING_DEATHS = 10
"""What dies some time after each start never dies often enough within a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPlan:
    """What to do about a death.

    Attributes:
        delay_s: Start it again after so long.
        recent_deaths: Deaths within the last minute, this one included.
        all_deaths: The same within the last ten minutes.
        is_alarming: Tell somebody: it dies again and again.
    """

    delay_s: float
    recent_deaths: int
    all_deaths: int
    is_alarming: bool


@dataclass(slots=True)
class RestartPolicy:
    """Doubles the delay with each death of the last minute: 0.5 s, 1 s ... 30 s."""

    _deaths: tuple[float, ...] = field(default=())

    def plan(self, now: float) -> RestartPlan:
        """Decide about a death.

        Args:
            now: Monotonic time of the death, s.
        """
        self._deaths = (*(each for each in self._deaths if now - each < SLOW_WINDOW_S), now)
        count, all_deaths = self.recent(now), len(self._deaths)
        return RestartPlan(
            delay_s=min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** (count - 1)),
            recent_deaths=count,
            all_deaths=all_deaths,
            is_alarming=count >= ALARMING_DEATHS or all_deaths >= SLOW_ALARMING_DEATHS,
        )

    def recent(self, now: float) -> int:
        """Return how many deaths there were within the last minute."""
        return sum(now - each < WINDOW_S for each in self._deaths)
