"""How a coordinator works: what its settings come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from idl_like_interfaces.daqif import DaqState
from objects.acquisition.vocabulary import ANY, Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of one coordinator.

    Attributes:
        instrument_id: First part of every file id.
        dpm: Name or URI of the DPM's ``DpmDaqControl``.
        dpm_retry_s: Time between attempts to reach it.
        dpm_timeout_s: How long it may take to answer.
        source_timeout_s: How long a source may take to answer.
        vocabulary: Which keywords sources may give.
        stale_acquiring: Age at which an acquisition that still needs its sources is
            archived at a restart.
        stale_merging: The same for one that is with the DPM.
    """

    instrument_id: str
    dpm: str
    dpm_retry_s: float
    dpm_timeout_s: float
    source_timeout_s: float
    vocabulary: Vocabulary = ANY
    stale_acquiring: timedelta
    stale_merging: timedelta

    def oldest(self, state: DaqState) -> timedelta:
        """Return how old an acquisition may be at a restart, by its state."""
        return self.stale_acquiring if state is DaqState.ACQUIRING else self.stale_merging
