"""Becomes another program that dies when its parent does, however that ends.

Run by path with ``python -I -S``; arguments: the parent's process id, then the command.
(A ``preexec_fn`` could do the same, but is not safe in a process with threads.)
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for the signal, then become the command."""
    parent, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        sys.exit(255)  # it died before the kernel knew
    os.execvp(command[0], command)  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    main()
