"""Keywords about which sources said different things, kept beside the log of the merger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from idl_like_interfaces.daq_contributions import MOST_TOLD, StoryCollision, StorySide
from idl_like_interfaces.declare import Value
from idl_like_interfaces.merging import (
    CollisionSide,
    KeywordCollision,
    MergeMessage,
    MergeMessageType,
)
from objects.component.atomic import write_json_atomic

COLLISIONS = "logs/collisions.json"

_LOSERS, _LONGEST = 3, 80
"""Of each collision a story tells so many losers, of each value so many characters."""


class Collisions(Value, frozen=True, kw_only=True):
    """What ``collisions.json`` has.

    Attributes:
        told: Those that the merger told one by one.
        omitted: How many there were beyond.
    """

    told: list[KeywordCollision] = []
    omitted: int = 0


def keep_collisions(folder: Path, messages: Sequence[MergeMessage]) -> None:
    """Write what a merger told into the folder of its acquisition; nothing, if that is nothing.

    Raises:
        OSError: It cannot be written.
    """
    contents = [m.content for m in messages if m.type is MergeMessageType.COLLISION]
    told = [each.collision for each in contents if each.collision is not None]
    omitted = sum(each.omitted for each in contents)
    if told:
        write_json_atomic(folder / COLLISIONS, Collisions(told=told, omitted=omitted))
    else:
        (folder / COLLISIONS).unlink(missing_ok=True)  # of a merge before this one


def story_of_collisions(folder: Path) -> tuple[list[StoryCollision], int]:
    """Return the collisions of the last merge, and how many there are beyond."""
    try:
        found = msgspec.json.decode((folder / COLLISIONS).read_bytes(), type=Collisions)
    except (OSError, msgspec.MsgspecError):
        return [], 0  # there was no merge yet, or it is of an earlier version
    told = [_story(each) for each in found.told[:MOST_TOLD]]
    return told, found.omitted + len(found.told) - len(told)


def _story(found: KeywordCollision) -> StoryCollision:
    losers = found.losers[:_LOSERS]
    return StoryCollision(
        keyword=found.keyword,
        winner=_side(found.winner),
        losers=[_side(each) for each in losers],
        more_losers=found.more_losers + len(found.losers) - len(losers),
    )


def _side(found: CollisionSide) -> StorySide:
    cut = found.value if len(found.value) <= _LONGEST else f"{found.value[:_LONGEST]}..."
    return StorySide(source=found.source, value=cut)
