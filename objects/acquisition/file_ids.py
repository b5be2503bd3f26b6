"""File ids: unique as long as one coordinator has its instrument id to itself."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

_MILLISECOND = timedelta(milliseconds=1)


class FileIds:
    """Makes ``{instrument}.{YYYY-MM-DDThh:mm:ss.sss}``; the caller sees to it that one at a time asks."""

    def __init__(self, instrument_id: str) -> None:
        self._instrument_id = instrument_id
        self._last: datetime | None = None

    def next(self, now: datetime, used: Collection[str]) -> str:
        """Return one for now; two in one millisecond are told apart by the next one.

        Args:
            now: The time.
            used: Those of an earlier start of the process count, too: its clock may have
                been ahead.
        """
        time = now.replace(microsecond=now.microsecond // 1000 * 1000)
        if self._last is not None:
            time = max(time, self._last + _MILLISECOND)
        while (file_id := self._at(time)) in used:
            time += _MILLISECOND
        self._last = time
        return file_id

    def _at(self, time: datetime) -> str:
        text = time.replace(tzinfo=None).isoformat(timespec="milliseconds")
        return f"{self._instrument_id}.{text}"
