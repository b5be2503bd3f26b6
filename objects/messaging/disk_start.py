"""Starting with a journal that was left behind: whether its epoch goes on, and with what."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from idl_like_interfaces.event_errors import InvalidCursor
from objects.messaging.cursor import parse_cursor
from objects.messaging.disk_recovery import (
    Content,
    Found,
    combine,
    cut_torn,
    judge_ends,
    read_segment,
)
from objects.messaging.journal_folder import CURSORS, STATE, JournalFolder
from objects.messaging.segment_bodies import (
    State,
    Times,
    UnreadableBody,
    decode_cursors,
    decode_state,
)
from objects.messaging.segments import Kind, mark_of
from objects.messaging.storage import DurableCursor, Recovered

log = logging.getLogger(__name__)

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a journal begins with: ``recovered``, and the files in which it stands."""

    recovered: Recovered
    contents: list[Content]


def boot_id() -> str:
    """Return what differs for each start of the host; empty where that cannot be known."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def read_journal(folder: JournalFolder, times: Times) -> Start | None:
    """Read what a folder holds; ``None``: a new epoch must begin.

    What is damaged is put aside, what belongs to an epoch that has ended is renamed.

    Raises:
        OSError: The folder cannot be read or changed.
    """
    with _without_gc():
        contents = [read_segment(path, times) for path in folder.segments()]
    found = combine(contents)
    state = _state(folder)
    reason = _why_not(found, state)
    if found is None or state is None or reason:
        _put_aside_damaged(folder, contents)
        _end_epoch(folder, contents, reason)
        return None
    durables = _durables(folder, found)
    last = max(found.last, state.last or 0, *_seen(durables, found.checkpoint.epoch))
    judge_ends(found, last)
    for content in found.contents:
        cut_torn(content)
    _put_aside_damaged(folder, found.contents)
    _tell(found, last)
    folder.retire([each.path for each in found.foreign])
    recovered = Recovered(
        checkpoint=found.checkpoint,
        chunks=found.chunks,
        forgotten=found.forgotten,
        last=last,
        durables=durables,
    )
    return Start(recovered=recovered, contents=found.contents)


@contextmanager
def _without_gc() -> Iterator[None]:
    """Make many objects that all stay: looking for garbage among them takes half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _state(folder: JournalFolder) -> State | None:
    record = folder.read(STATE, Kind.STATE)
    try:
        return None if record is None else decode_state(record)
    except UnreadableBody as fault:
        log.error("%s tells nothing: %s", folder.path / STATE, fault)
        return None


def _why_not(found: Found | None, state: State | None) -> str:
    """Say why the epoch of a journal cannot go on; empty: it can."""
    if found is None:
        return "none of its files has a checkpoint that can be read"
    if state is None or state.epoch != found.checkpoint.epoch:
        return "events may have been accepted that are not on disk"
    if state.last is None and not state.synced and state.boot != (boot_id() or None):
        return "the host was restarted, and events were not synced to the disk (journal_sync)"
    return ""


def _end_epoch(folder: JournalFolder, contents: list[Content], reason: str) -> None:
    folder.remove(folder.path / STATE)
    folder.remove(folder.path / CURSORS)
    if contents:
        log.warning(
            "%s: a new epoch begins, since %s; the files are kept as *.old", folder.path, reason
        )
        folder.retire([each.path for each in contents])


def _durables(folder: JournalFolder, found: Found) -> list[DurableCursor]:
    """Return the durable subscriptions; those of the checkpoint when there are no newer ones."""
    record = folder.read(CURSORS, Kind.CURSORS)
    if record is None or record.label.mark != mark_of(found.checkpoint.epoch):
        return found.checkpoint.durables
    try:
        return decode_cursors(record)
    except UnreadableBody as fault:
        log.error("%s tells nothing: %s", folder.path / CURSORS, fault)
        return found.checkpoint.durables


def _seen(durables: list[DurableCursor], epoch: str) -> list[int]:
    """Return up to which events somebody has read: so many there were."""
    seen = []
    for durable in durables:
        try:
            position = parse_cursor(durable.cursor)
        except InvalidCursor:
            continue
        if position.epoch == epoch:
            seen.append(position.place.furthest)
    return seen


def _put_aside_damaged(folder: JournalFolder, contents: list[Content]) -> None:
    for content in contents:
        if content.faults:
            log.error(
                "%s is damaged (%s): %d batches of it can be read; it is kept as *.damaged",
                content.path,
                "; ".join(content.faults[:5]),
                len(content.chunks),
            )
            folder.put_aside(content.path)


def _tell(found: Found, last: int) -> None:
    for first, upto in found.holes(last):
        log.error("events %d to %d are missing in the journal", first, upto)
    log.info(
        "the journal goes on in epoch %s behind event %d; %d batches in %d files were read",
        found.checkpoint.epoch,
        last,
        len(found.chunks),
        len(found.contents),
    )
