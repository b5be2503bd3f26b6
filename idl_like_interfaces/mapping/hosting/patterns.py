"""Matching of patterns that strangers give, where they can do no harm.

Python's ``re`` holds the interpreter while it matches, and a pattern of six characters
can keep it for years: a length limit or a lock do not help. So the matching is
done by a process of its own, one at a time, which is ended when it takes too long.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable

MAX_LENGTH = 200
"""Characters of a pattern."""

LIMIT_S = 1.0
"""Processor time for matching all names. No time of the clock: a host with much to do gives
the matcher little of it."""

PATIENCE_S = 20.0
"""After this time the matcher is ended, whatever it got."""

MOST_AT_ONCE = 2
"""Patterns that are matched or wait for their turn; more are refused, so that they do not
take all threads of the server."""

_one_at_a_time = threading.Lock()
_admitted = threading.BoundedSemaphore(MOST_AT_ONCE)

# The kernel ends it by the timer, also when nobody is left who would. It gives way to
# everybody else: who calls meanwhile shall not notice.
_MATCHER = """\
import json, os, re, signal, sys
os.nice(19)
limit_s, pattern, names = json.load(sys.stdin)
signal.signal(signal.SIGPROF, signal.SIG_DFL)
signal.setitimer(signal.ITIMER_PROF, limit_s)
match = re.compile(pattern).match
json.dump([name for name in names if match(name)], sys.stdout)
"""


class PatternRefused(ValueError):
    """The pattern is malformed, too long or takes too long, or there are too many."""


def select_matching(pattern: str, names: Iterable[str], limit_s: float | None = None) -> set[str]:
    """Return the names whose beginning matches a regular expression (``re.match``).

    Args:
        pattern: What a stranger gave.
        names: Texts to match.
        limit_s: Processor time for all of them; ``None``: ``LIMIT_S``.

    Raises:
        PatternRefused: With the reason.
    """
    if len(pattern) > MAX_LENGTH:
        text = f"the regex has {len(pattern)} characters, {MAX_LENGTH} are allowed"
        raise PatternRefused(text)
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        text = f"invalid regex: {error}"
        raise PatternRefused(text) from error
    if not _admitted.acquire(blocking=False):
        text = f"{MOST_AT_ONCE} regexes are being matched: try again, or list by a prefix"
        raise PatternRefused(text)
    try:
        return _matched(pattern, names, LIMIT_S if limit_s is None else limit_s)
    finally:
        _admitted.release()


def _matched(pattern: str, names: Iterable[str], limit_s: float) -> set[str]:
    try:
        with _one_at_a_time:
            done = subprocess.run(
                [sys.executable, "-I", "-S", "-c", _MATCHER],
                input=json.dumps([limit_s, pattern, list(names)]),
                capture_output=True,
                check=True,
                text=True,
                timeout=PATIENCE_S,
            )
    except subprocess.TimeoutExpired as error:
        raise _takes_too_long(pattern) from error
    except subprocess.CalledProcessError as error:
        if error.returncode == -signal.SIGPROF:
            raise _takes_too_long(pattern) from error
        text = f"the regex could not be matched: {error}"
        raise PatternRefused(text) from error
    except OSError as error:
        text = f"the regex could not be matched: {error}"
        raise PatternRefused(text) from error
    return set(json.loads(done.stdout))


def _takes_too_long(pattern: str) -> PatternRefused:
    return PatternRefused(f"the regex {pattern!r} takes too long: matching was ended")
