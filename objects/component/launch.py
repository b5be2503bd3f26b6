"""Becomes another program that ends when its parent dies: ``launch.py PARENT_PID PROGRAM ...``.

Run as a file by the supervisor, with nothing imported but the standard library. The
kernel keeps the wish over ``execv``, so that any program can be a child of this kind.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Ask the kernel for a signal at the parent's death, then become the program."""
    parent, program, *rest = arguments
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # Had it died just before, nobody would send the signal.
    if os.getppid() != int(parent):
        sys.exit(f"process {parent}, which wanted {program}, has died")
    os.execv(program, [program, *rest])  # noqa: S606 (a program of ours, no shell)


if __name__ == "__main__":
    main(sys.argv[1:])
