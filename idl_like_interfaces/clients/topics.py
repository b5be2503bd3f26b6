"""What a topic is made of."""

from __future__ import annotations

import re

from idl_like_interfaces.event_errors import InvalidTopic

LONGEST = 255

# Everything printable but the separator and what means something in a filter.
_COMPONENT = r"[^\s/*?\x00-\x1f\x7f\ud800-\udfff]+"
_TOPIC = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")

_seen: set[str] = set()
_MOST_SEEN = 10_000


def check_topic(topic: str) -> None:
    """Refuse a text that is not a path such as ``daq/status``.

    Raises:
        InvalidTopic: It is empty, longer than 255 characters, has an empty component,
            blanks, control characters, or ``*`` or ``?``.
    """
    if topic in _seen:
        return
    if len(topic) > LONGEST or _TOPIC.fullmatch(topic) is None:
        raise InvalidTopic(
            f"{shortened(topic)!r} is not a topic",
            topic=shortened(topic),
            cause=f"a topic is a path such as 'daq/status' of at most {LONGEST} characters, "
            "without blanks, '*' and '?', and with no empty component",
            remedy="correct the topic",
        )
    if len(_seen) < _MOST_SEEN:
        _seen.add(topic)


def shortened(text: str) -> str:
    """Return a text as it may stand in a message."""
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
