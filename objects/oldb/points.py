"""What is kept under a key, and which writes change it: decided here, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec

from idl_like_interfaces.clients.oldb_values import encode_value
from idl_like_interfaces.oldb import DataPoint, DataWrite, Quality

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A key as the store has it; a removed one stays for a while, lest a late write bring it back.

    Attributes:
        key: The key.
        value: As JSON.
        said: Quality that its source gave it.
        quality: The same, or ``suspect`` while nobody can say whether it still holds.
        time_us: When its source says it was so, microseconds since 1970.
        source: Who wrote it.
        incarnation: Its start.
        number: Its own number of the write; 0: it does not count.
        revision: Number of the change; 0: the store gives it one.
        is_removed: The key exists no longer.
    """

    key: str
    value: bytes
    said: Quality
    quality: Quality
    time_us: int
    source: str
    incarnation: str
    number: int
    revision: int = 0
    is_removed: bool = False

    def as_point(self) -> DataPoint:
        """Return it as it is published and read."""
        return DataPoint(
            key=self.key,
            value=msgspec.json.decode(self.value),
            quality=self.quality,
            time=_EPOCH + self.time_us * _MICROSECOND,
            source=self.source,
            incarnation=self.incarnation,
            revision=self.revision,
            is_removed=self.is_removed,
        )


def microseconds(time: datetime) -> int:
    """Return an aware time as microseconds since 1970 UTC."""
    return (time - _EPOCH) // _MICROSECOND


def changes_of(
    source: str,
    incarnation: str,
    writes: Iterable[DataWrite],
    kept: Mapping[str, Kept],
    *,
    is_trusted: bool = True,
) -> list[Kept]:
    """Decide what a batch of writes changes, in its order, one change for each key.

    Args:
        source: Who writes.
        incarnation: Its start.
        writes: Checked values.
        kept: What is there under their keys.
        is_trusted: The source lives; else its values are suspect at once.
    """
    found = dict(kept)
    changed: dict[str, Kept] = {}
    for write in writes:
        new = _made(source, incarnation, write, is_trusted=is_trusted)
        if _is_change(found.get(write.key), new):
            found[write.key] = new
            changed.pop(write.key, None)
            changed[write.key] = new
    return list(changed.values())


def _made(source: str, incarnation: str, write: DataWrite, *, is_trusted: bool) -> Kept:
    return Kept(
        key=write.key,
        value=encode_value(None if write.is_removed else write.value),
        said=write.quality,
        quality=judged(write.quality, is_trusted=is_trusted),
        time_us=microseconds(write.time),
        source=source,
        incarnation=incarnation,
        number=write.number,
        is_removed=write.is_removed,
    )


def _is_change(old: Kept | None, new: Kept) -> bool:
    if old is None:
        return not new.is_removed
    if old.is_removed and new.is_removed:
        return False
    if (old.source, old.incarnation) != (new.source, new.incarnation):
        # A clock may have been set back between two starts: the later start is newer.
        return True
    if old.number and new.number:
        return new.number > old.number
    if new.time_us == old.time_us:
        return not old.is_removed and _differs(old, new)
    return new.time_us > old.time_us


def _differs(old: Kept, new: Kept) -> bool:
    return (old.value, old.said, old.is_removed) != (new.value, new.said, new.is_removed)


def judged(said: Quality, *, is_trusted: bool) -> Quality:
    """Return how far a value may be trusted that its source gave a quality."""
    return Quality.SUSPECT if said is Quality.OK and not is_trusted else said


def rejudged(points: Iterable[Kept], living: str | None) -> list[Kept]:
    """Return those points of one source whose quality changes, as they become.

    Args:
        points: All that stands of it.
        living: The start of it that lives; ``None``: none.
    """
    changed = []
    for each in points:
        quality = judged(each.said, is_trusted=each.incarnation in ("", living))
        if quality is not each.quality:
            changed.append(replace(each, quality=quality, revision=0))
    return changed
