"""Faults that a simulated source has on purpose, for training and for tests of who drives it."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from idl_like_interfaces.errors import BadParam, RemoteError, Transient

log = logging.getLogger(__name__)

Say = Callable[[str], None]
Refusal = Callable[[str], RemoteError]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong, by the names of commands.

    Attributes:
        late_s: Every command is begun so many seconds late.
        refuse: These are refused.
        hang: These are never answered.
        die: The process is killed when one of these comes.
    """

    late_s: float = 0.0
    refuse: Collection[str] = ()
    hang: Collection[str] = ()
    die: Collection[str] = ()

    def check(self, known: Collection[str]) -> None:
        """Refuse names that are no commands of the source.

        Raises:
            BadParam: One of them is not known.
        """
        for fault in ("refuse", "hang", "die"):
            for name in getattr(self, fault):
                if name not in known:
                    raise BadParam(
                        f"{fault}: the source has no command {name!r}",
                        field=fault,
                        remedy=f"take one of {', '.join(known)}",
                    )


class Trouble:
    """Lets commands meet the faults.

    Args:
        faults: What goes wrong.
        refusal: Makes the refusal that the source's interface declares.
        say: Is told of each fault.
    """

    def __init__(self, faults: Faults, refusal: Refusal, say: Say) -> None:
        self._faults = faults
        self._refusal = refusal
        self._say = say
        self._is_over = threading.Event()

    def end(self) -> None:
        """Let everything go on that is late or hangs."""
        self._is_over.set()

    def meet(self, command: str) -> None:
        """Do to a command what is to go wrong with it, before it is carried out.

        Raises:
            RemoteError: It is refused; or the simulator ends while it hangs.
        """
        faults = self._faults
        if command in faults.die:
            self._say(f"{command}: the simulator dies now, as it was told to")
            os.kill(os.getpid(), signal.SIGKILL)
        if command in faults.hang:
            self._say(f"{command}: is never answered, as it was told to")
            self._is_over.wait()
            raise Transient("the simulator ends", remedy="start it again")
        if faults.late_s:
            self._is_over.wait(faults.late_s)
        if command in faults.refuse:
            self._say(f"{command}: is refused, as it was told to")
            raise self._refusal(f"{command} is refused: the simulator was told to do so")
