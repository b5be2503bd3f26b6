"""Which log records did not get here, and how the log service says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from idl_like_interfaces.logs import LogBatch, LogLevel, LogRecord

LOSS_LOGGER = "log.losses"
"""The logger of the log service's own records about what was lost."""

NEVER_CAME = "they never came, and nobody has said why"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Records of one incarnation that were lost before they got here.

    Attributes:
        component: Whose.
        incarnation: Of which start.
        count: How many; folded ones count for those they stood for.
        first: The component's own number of the first.
        last: The same of the last.
        why: Why, in words.
    """

    component: str
    incarnation: str
    count: int
    first: int
    last: int
    why: str


def find_loss(batch: LogBatch, expected: int | None) -> Loss | None:
    """Return what is missing before a batch that is new; ``None``: nothing.

    Args:
        batch: It came.
        expected: The number that should come next; ``None``: nothing is known of this
            incarnation, which may have been sending to a store that is no more.
    """
    missing = 0 if expected is None else batch.first - expected
    count = max(missing, batch.lost)
    if count <= 0:
        return None
    return Loss(
        component=batch.component,
        incarnation=batch.incarnation,
        count=count,
        first=max(1, batch.first - (missing or batch.lost)),
        last=max(1, batch.first - 1),
        why=batch.why or ("they were dropped before they got here" if batch.lost else NEVER_CAME),
    )


def tell_loss(loss: Loss, service: str, time: datetime) -> LogRecord:
    """Return the log service's own record about a loss.

    Args:
        loss: What was lost.
        service: Name of the log service as a component.
        time: Where in the history it belongs.
    """
    what = "1 log record" if loss.count == 1 else f"{loss.count} log records"
    which = f"number {loss.first}" if loss.first == loss.last else f"{loss.first} to {loss.last}"
    return LogRecord(
        time=time,
        level=LogLevel.WARNING,
        component=service,
        logger=LOSS_LOGGER,
        text=f"{what} of {loss.component} lost ({which} of its start {loss.incarnation}): {loss.why}",
    )
