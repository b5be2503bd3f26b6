"""What did not get here."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from idl_like_interfaces.logs import LogBatch, LogLevel, LogRecord
from objects.messaging.log_loss import NEVER_CAME, find_loss, tell_loss

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def batch(first: int, lost: int = 0, why: str = "") -> LogBatch:
    """Return a batch of one record."""
    record = LogRecord(time=NOON, level=LogLevel.INFO, component="ocm", logger="daq", text="x")
    return LogBatch(
        component="ocm", incarnation="i1", first=first, records=[record], lost=lost, why=why
    )


@pytest.mark.parametrize(
    ("first", "lost", "expected", "found"),
    [
        (1, 0, None, None),
        (1, 0, 1, None),
        (7, 0, None, None),  # of a sender that the store does not know, nothing is concluded
        (7, 2, None, (2, 5, 6)),
        (7, 9, None, (9, 1, 6)),  # folded ones: more than there are numbers
        (7, 0, 4, (3, 4, 6)),
        (7, 3, 4, (3, 4, 6)),
        (7, 50, 4, (50, 4, 6)),
        (7, 1, 4, (3, 4, 6)),  # the numbers are believed, if they say more
        (7, 2, 7, (2, 5, 6)),  # refused ones that were numbered before
    ],
)
def test_what_is_missing_is_found(
    first: int, lost: int, expected: int | None, found: tuple[int, int, int] | None
) -> None:
    """By what the sender says, and by its numbers."""
    loss = find_loss(batch(first, lost), expected)
    assert (loss and (loss.count, loss.first, loss.last)) == found


def test_the_reason_is_the_sender_s() -> None:
    """If it gives one."""
    given = find_loss(batch(7, 3, "its spool was full"), 4)
    silent = find_loss(batch(7), 4)
    assert given is not None
    assert silent is not None
    assert (given.why, silent.why) == ("its spool was full", NEVER_CAME)


@pytest.mark.parametrize(
    ("first", "text"),
    [(5, "1 log record of ocm lost (number 4"), (7, "3 log records of ocm lost (4 to 6")],
)
def test_a_loss_is_told(first: int, text: str) -> None:
    """As a warning of the log service."""
    loss = find_loss(batch(first), 4)
    assert loss is not None
    told = tell_loss(loss, "log", NOON)
    assert told.text.startswith(text)
    assert (told.component, told.level, told.time) == ("log", LogLevel.WARNING, NOON)
