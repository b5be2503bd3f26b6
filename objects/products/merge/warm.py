"""A merger that stays: it makes one product after the other, as it is told to.

Run as a file. Each line of standard input is a ``MergeJob``; the answer is what
``obsorb merge --json`` would print, and then a ``MergeEnded``. It ends with its input.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from idl_like_interfaces.merging import MergeMessage
from objects.products.merge.orders import MergeEnded, MergeJob
from objects.products.merge.tool import merge

_STDERR = 2


def main() -> None:
    """Do the jobs that come."""
    for line in sys.stdin.buffer:
        job = msgspec.json.decode(line, type=MergeJob)
        with _complaining_into(job.log):
            code = merge(
                job.specification,
                root=Path(job.root),
                outfile=Path(job.outfile),
                in_place=job.in_place,
                on_message=_say,
            )
        _say(MergeEnded(code=code))


def _say(what: MergeMessage | MergeEnded) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


@contextmanager
def _complaining_into(path: str) -> Iterator[None]:
    """Let standard error, also that of libraries, go to the end of a file."""
    own = os.dup(_STDERR)
    try:
        with Path(path).open("ab", buffering=0) as file:
            os.dup2(file.fileno(), _STDERR)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(own, _STDERR)
        os.close(own)


if __name__ == "__main__":
    main()
