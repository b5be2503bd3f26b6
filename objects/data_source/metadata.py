"""What a metadata source samples: the part that an own telemetry brings.

A subclass of ``MetadataSource`` names its columns and returns one number for each of
them; everything else (when, the file, the keywords, the commands) is done for it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from idl_like_interfaces.keywords import EsoKeyword, FitsKeyword
from objects.data_source.statistics import Statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One quantity.

    Attributes:
        name: Of the table's column: letters, digits, underscores.
        unit: As the FITS standard writes it, e.g. ``K`` or ``byte/s``; empty: a number.
        comment: What it is.
        keyword: ESO keyword whose MIN, MAX and MEAN the acquisition gets, e.g.
            ``GEN HOST LOAD``; empty: none.
    """

    name: str
    unit: str = ""
    comment: str = ""
    keyword: str = ""


class MetadataSource(ABC):
    """Where telemetry comes from. All calls come from one thread at a time.

    Several acquisitions may be active at once; each gets samples of its own.

    Attributes:
        extension: EXTNAME of the table.
        period_s: Seconds between samples; there is one more at the begin and at the end.
        columns: What ``sample`` returns, in this order; none: no file is made.
    """

    extension: str = "METADATA"
    period_s: float = 1.0
    columns: Sequence[Column] = ()

    def ensure_ready(self, id: str) -> None:  # noqa: B027 (a hook; most need none)
        """Check that samples can be taken, and prepare, for an acquisition.

        Raises:
            SourceNotReady: They cannot.
        """

    @abstractmethod
    def sample(self) -> Sequence[float]:
        """Return a number for each column; NaN for what cannot be read just now.

        Raises:
            Exception: Any error ends the acquisition as Failed, with its text as reason.
        """

    def keywords(self, statistics: Sequence[Statistics]) -> list[FitsKeyword]:
        """Return what goes into the primary header of the product.

        Args:
            statistics: Of each column, over all samples.
        """
        return [
            keyword
            for column, values in zip(self.columns, statistics, strict=True)
            if column.keyword
            for keyword in _summary(column, values)
        ]

    def ensure_stopped(self, id: str) -> None:  # noqa: B027 (a hook; most need none)
        """Release what ``ensure_ready`` took for an acquisition."""


def _summary(column: Column, values: Statistics) -> list[FitsKeyword]:
    if not values.count:
        return []
    what = column.comment or column.name
    unit = f"[{column.unit}] " if column.unit else ""
    return [
        EsoKeyword(
            name=f"{column.keyword} {name}", value=value, comment=f"{unit}{name.lower()} of {what}"
        )
        for name, value in (("MIN", values.least), ("MAX", values.most), ("MEAN", values.mean))
    ]
