"""Commands of who has lost control meanwhile are refused."""

from __future__ import annotations

from idl_like_interfaces.event_logger import Fenced
from objects.logger_stream.failure import SafeJournal
from objects.logger_stream.memory import Seen


def check_fence(fence: int, safe: SafeJournal) -> None:
    """Do nothing when a command may be followed; remember the newest fence.

    Args:
        fence: With which it came; 0: by hand.
        safe: Of the logger.

    Raises:
        Fenced: A newer one was seen, or run control has a run here.
        PersistStore: A newer one cannot be remembered.
    """
    memory = safe.journal.memory
    if fence > memory.fence:
        safe.write(Seen(fence=fence))
    if fence == 0:
        _check_by_hand(safe)
    elif fence < memory.fence:
        raise Fenced(
            f"control has changed hands: the command has fence {fence}, the newest is {memory.fence}",
            fence=fence,
            newest=memory.fence,
            cause="somebody else has taken control of the runs",
            remedy="take control again, and look at the runs before the next command",
        )


def _check_by_hand(safe: SafeJournal) -> None:
    memory = safe.journal.memory
    started = sorted(number for number, run in memory.runs.items() if run.began.fence)
    if started:
        raise Fenced(
            f"run {started[0]} was started by run control: it cannot be commanded by hand",
            fence=0,
            newest=memory.fence,
            cause="a command without the fence of a control lease",
            remedy="give the command to run control (obsorb run)",
        )
