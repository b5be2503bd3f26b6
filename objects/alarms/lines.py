"""What stands on a line of the alarm log, and how a line is told from a damaged one.

A line is a JSON document ``{"crc":"<8 hexadecimal digits>","line":{…}}``, where the CRC-32
is that of the octets of the inner document. So any tool for JSON lines reads the log.
"""

from __future__ import annotations

import zlib

import msgspec

from idl_like_interfaces.alarms import Alarm, HistoryEntry
from idl_like_interfaces.announcements import ComponentState
from objects.alarms.condition import Flags
from objects.alarms.rates import Tally

_HEAD = b'{"crc":"'
_MIDDLE = b'","line":'
_TAIL = b"}\n"
_BEGIN = len(_HEAD) + 8 + len(_MIDDLE)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm and what decides beside."""

    alarm: Alarm
    flags: Flags


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far the reports of a component's start were taken.

    Attributes:
        source: Who reports.
        incarnation: Its start.
        last: Number of the last report.
        hole: Number of the first report behind the newest hole; 0: there was none, or all
            that holds was reported since.
    """

    source: str
    incarnation: str
    last: int
    hole: int = 0


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """The last known state of a component."""

    source: str
    incarnation: str
    state: ComponentState
    is_forgotten: bool = False


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that the service knows; the first line of each file.

    Attributes:
        next_number: Of the next line of the history.
        next_id: Of the next alarm.
        known: The alarms.
        marks: Of all components that report.
        beats: Of all components that beat.
        tally: How often alarms came.
        lost: Reports that components had to drop.
    """

    next_number: int = 1
    next_id: int = 1
    known: list[Known] = []
    marks: list[Mark] = []
    beats: list[Beat] = []
    tally: Tally = msgspec.field(default_factory=Tally)
    lost: int = 0


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the file; what it has is to be done when it is read.

    Attributes:
        entry: Of the history; with its alarm.
        alarm: As it is now, when there is no entry.
        flags: Of the alarm.
        began: A condition began: count it.
        mark: How far a component's reports were taken.
        lost: Reports that were lost on the way, to be added.
        beat: The state of a component.
        snapshot: All that is known.
    """

    entry: HistoryEntry | None = None
    alarm: Alarm | None = None
    flags: Flags | None = None
    began: bool = False
    mark: Mark | None = None
    lost: int = 0
    beat: Beat | None = None
    snapshot: Snapshot | None = None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Line)


def encode_line(line: Line) -> bytes:
    """Return a line with its check and its end."""
    inner = _ENCODER.encode(line)
    return b"%b%08x%b%b%b" % (_HEAD, zlib.crc32(inner), _MIDDLE, inner, _TAIL)


def decode_line(octets: bytes) -> Line | None:
    """Read a line, with or without its end; ``None``: it is damaged."""
    octets = octets.rstrip(b"\n")
    inner = octets[_BEGIN:-1]
    head = b"%b%08x%b" % (_HEAD, zlib.crc32(inner), _MIDDLE)
    if octets[:_BEGIN] != head or octets[-1:] != b"}":
        return None
    try:
        return _DECODER.decode(inner)
    except (msgspec.DecodeError, RecursionError):
        return None
