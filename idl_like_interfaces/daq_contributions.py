"""What the story of an acquisition tells of its parts: sources, files, keywords, receivers."""

from __future__ import annotations

from idl_like_interfaces.declare import Value

MOST_TOLD = 100
"""A story tells so many files of a source, past alerts and collisions one by one."""


class StoryFile(Value, frozen=True, kw_only=True):
    """A file.

    Attributes:
        path: ``/path`` or ``host:/path``.
        size_bytes: Its size now; None: it is not there, or on another host.
    """

    path: str
    size_bytes: int | None = None


class StorySource(Value, frozen=True, kw_only=True):
    """What one source did for an acquisition.

    Attributes:
        name: Its name there.
        kind: ``primarySource``, ``metadataSource``, ``fitsFile`` or ``fitsKeywords``.
        reference: Name or URI of a source that was started; empty for the others.
        state: What it does, e.g. ``active``, ``ended``; empty where there is nothing to do.
        answer: What it answered last, in its own words.
        files: What it made, the first ``MOST_TOLD``.
        more_files: How many there are beyond.
        keywords: How many it contributes besides those in its files.
    """

    name: str
    kind: str
    reference: str = ""
    state: str = ""
    answer: str = ""
    files: list[StoryFile] = []
    more_files: int = 0
    keywords: int = 0


class StorySide(Value, frozen=True, kw_only=True):
    """What one source says about a keyword; the value as FITS text, cut when it is long."""

    source: str
    value: str


class StoryCollision(Value, frozen=True, kw_only=True):
    """Sources that say different things about one keyword.

    Attributes:
        keyword: Its name, ``ESO INS TEMP`` for a ``HIERARCH ESO`` one.
        winner: What is in the product.
        losers: What is not, in descending priority.
        more_losers: How many there are beyond.
    """

    keyword: str
    winner: StorySide
    losers: list[StorySide]
    more_losers: int = 0


class StoryReceiver(Value, frozen=True, kw_only=True):
    """Who was to get the product.

    Attributes:
        place: The file there, ``/path`` or ``host:/path``.
        is_delivered: It was delivered.
        detail: How it stands there now, or why it could not be delivered.
    """

    place: str
    is_delivered: bool
    detail: str = ""
