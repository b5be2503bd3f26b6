"""One file of a supplier's spool: a head, and a frame with CRC for each event."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from zlib import crc32

import msgspec

from idl_like_interfaces.events import Priority

SUFFIX = ".events"

Key: TypeAlias = str | tuple[str, Priority]
"""The topic of an event; with its priority if that is not the normal one."""

Entry: TypeAlias = tuple[Key, bytes]
"""An event as it waits: what goes into the batch beside its record, and the record."""

_MAGIC = b"OBSPOOL1"
# Behind the magic: up to which number the channel has the events, rewritten in place.
_MARK = struct.Struct("!QI")
_MARK_BODY = struct.Struct("!Q")
_HEAD = struct.Struct("!II")
_FRAME = struct.Struct("!II")
_KEY = struct.Struct("!BH")
_PRIORITIES = tuple(Priority)
_NORMAL = _PRIORITIES.index(Priority.NORMAL)


class Head(msgspec.Struct, frozen=True):
    """What all events of a file have in common: who, which start, and the first number."""

    source: str
    incarnation: str
    first: int


class NotASpool(ValueError):
    """The beginning of a file is damaged; nothing in it can be used."""


@dataclass(slots=True, kw_only=True)
class SpoolFile:
    """A file that is written, or that an earlier start has left.

    Attributes:
        path: Where it is.
        head: Its beginning.
        count: Events in it.
        size: Bytes.
        fd: Open while it is written; -1 afterwards.
    """

    path: Path
    head: Head
    count: int = 0
    size: int = 0
    fd: int = -1

    @property
    def last(self) -> int:
        """Number of the last event; ``first - 1`` when there is none."""
        return self.head.first + self.count - 1

    @classmethod
    def create(cls, path: Path, head: Head, acknowledged: int) -> SpoolFile:
        """Begin a file.

        Raises:
            OSError: It cannot be made; nothing is left of it.
        """
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        made = cls(path=path, head=head, fd=fd)
        text = msgspec.json.encode(head)
        try:
            made._write(_MAGIC + _mark(acknowledged) + _HEAD.pack(len(text), crc32(text)) + text)
        except OSError:
            made.remove()
            raise
        return made

    def append(self, entry: Entry) -> None:
        """Write an event; on return it survives a kill -9.

        Raises:
            OSError: It is not written; the file is as before.
        """
        self._write(_frame(entry))
        self.count += 1

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self.fd, data)
            while written < len(data):
                # The disk is nearly full: the next attempt takes the rest, or says so.
                written += os.write(self.fd, data[written:])
        except OSError:
            os.ftruncate(self.fd, self.size)
            os.lseek(self.fd, self.size, os.SEEK_SET)
            raise
        self.size += len(data)

    def mark(self, acknowledged: int) -> None:
        """Note up to which number the channel has the events.

        Raises:
            OSError: It cannot be written.
        """
        if self.fd >= 0:
            os.pwrite(self.fd, _mark(acknowledged), len(_MAGIC))
            return
        fd = os.open(self.path, os.O_WRONLY)
        try:
            os.pwrite(fd, _mark(acknowledged), len(_MAGIC))
        finally:
            os.close(fd)

    def seal(self) -> None:
        """Write no more."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def remove(self) -> None:
        """Delete it."""
        self.seal()
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is in a file of an earlier start.

    Attributes:
        file: The file, with what of it is whole.
        acknowledged: Up to this number the channel has the events.
        entries: All whole events, in order.
        cut: Bytes behind them, of an event that was being written, or damaged.
        is_damaged: It is more than the last one: whole bytes are wrong.
    """

    file: SpoolFile
    acknowledged: int
    entries: list[Entry] = field(repr=False)
    cut: int
    is_damaged: bool


def read_spool_file(path: Path) -> Found:
    """Read a file.

    Raises:
        NotASpool: Its head is damaged.
        OSError: It cannot be read.
    """
    data = path.read_bytes()
    head, begin = _head_of(data)
    entries: list[Entry] = []
    end = begin
    for entry, behind in _entries(data, begin):
        entries.append(entry)
        end = behind
    found = SpoolFile(path=path, head=head, count=len(entries), size=end)
    return Found(
        file=found,
        acknowledged=max(_acknowledged(data), 0),
        entries=entries,
        cut=len(data) - end,
        is_damaged=_is_whole_frame(data, end),
    )


def _head_of(data: bytes) -> tuple[Head, int]:
    begin = len(_MAGIC) + _MARK.size
    try:
        length, check = _HEAD.unpack_from(data, begin)
        text = data[begin + _HEAD.size :][:length]
        if not data.startswith(_MAGIC) or len(text) < length or crc32(text) != check:
            raise NotASpool("its head is damaged")
        return msgspec.json.decode(text, type=Head), begin + _HEAD.size + length
    except (struct.error, msgspec.DecodeError) as error:
        raise NotASpool(str(error)) from error


def _acknowledged(data: bytes) -> int:
    number, check = _MARK.unpack_from(data, len(_MAGIC))
    return int(number) if crc32(_MARK_BODY.pack(number)) == check else 0


def _entries(data: bytes, begin: int) -> Iterator[tuple[Entry, int]]:
    """Yield each whole event with the place behind it, up to the first that is not."""
    while len(data) - begin >= _FRAME.size:
        length, check = _FRAME.unpack_from(data, begin)
        end = begin + _FRAME.size + length
        body = data[begin + _FRAME.size : end]
        if len(body) < length or crc32(body) != check or length < _KEY.size:
            return
        yield _entry(body), end
        begin = end


def _is_whole_frame(data: bytes, begin: int) -> bool:
    """Tell whether something follows that has its length, and yet is no event."""
    if len(data) - begin < _FRAME.size:
        return False
    length, _ = _FRAME.unpack_from(data, begin)
    return begin + _FRAME.size + int(length) <= len(data)


def _entry(body: bytes) -> Entry:
    priority, length = _KEY.unpack_from(body)
    topic = body[_KEY.size : _KEY.size + length].decode()
    key: Key = topic if priority == _NORMAL else (topic, _PRIORITIES[priority])
    return key, body[_KEY.size + length :]


def _frame(entry: Entry) -> bytes:
    key, record = entry
    topic, priority = (key, _NORMAL) if isinstance(key, str) else _told(key)
    name = topic.encode()
    body = _KEY.pack(priority, len(name)) + name + record
    return _FRAME.pack(len(body), crc32(body)) + body


def _told(key: tuple[str, Priority]) -> tuple[str, int]:
    return key[0], _PRIORITIES.index(key[1])


def _mark(acknowledged: int) -> bytes:
    body = _MARK_BODY.pack(acknowledged)
    return body + struct.pack("!I", crc32(body))
