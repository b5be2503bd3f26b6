"""Matching of patterns that strangers give, where they can do no harm.

Python's ``re`` holds the interpreter while it matches, and a pattern of six characters
can keep it for years: a length limit or a lock do not help. So the matching is
done by a process of its own, one at a time, which is ended when it takes too long.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterable

MAX_LENGTH = 200
"""Characters of a pattern."""

DEADLINE_S = 5.0
"""For matching all names, with the start of the process."""

_one_at_a_time = threading.Lock()

# The limit on processor time ends it also when nobody is left who would.
_MATCHER = """\
import json, re, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (6, 6))
pattern, names = json.load(sys.stdin)
match = re.compile(pattern).match
json.dump([name for name in names if match(name)], sys.stdout)
"""


class PatternRefused(ValueError):
    """The pattern is malformed, too long or takes too long."""


def select_matching(
    pattern: str, names: Iterable[str], deadline_s: float | None = None
) -> set[str]:
    """Return the names whose beginning matches a regular expression (``re.match``).

    Args:
        pattern: What a stranger gave.
        names: Texts to match.
        deadline_s: ``None``: ``DEADLINE_S``.

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
    limit_s = DEADLINE_S if deadline_s is None else deadline_s
    try:
        with _one_at_a_time:
            done = subprocess.run(
                [sys.executable, "-I", "-S", "-c", _MATCHER],
                input=json.dumps([pattern, list(names)]),
                capture_output=True,
                check=True,
                text=True,
                timeout=limit_s,
            )
    except subprocess.TimeoutExpired as error:
        text = f"the regex {pattern!r} takes too long: matching was ended after {limit_s:g} s"
        raise PatternRefused(text) from error
    except (OSError, subprocess.CalledProcessError) as error:
        text = f"the regex could not be matched: {error}"
        raise PatternRefused(text) from error
    return set(json.loads(done.stdout))
