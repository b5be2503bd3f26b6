"""The settings of an event logger."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from idl_like_interfaces.event_logger import StreamParameters

_Label = Annotated[str, Meta(max_length=255)]


class LoggerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Configuration of an event logger.

    Attributes:
        number: Its place below ``logger`` in the name service (``obs/logger/<number>/control``);
            empty: the digits at the end of the component's name, ``0`` without.
        event_port: Port of the event server, unless INIT gives one; 0: any free one.
        alarm_service: Name of the alarm service, unless INIT gives one; empty: the installation's.
        event_channel: Name of the channel for its status, likewise.
        run_control: Name or URI of run control; empty: the installation's.
        volumes: Folders for files, by preference, unless a configuration gives others; relative:
            below the data root; none: ``<component>/runs``.
        defaults: Defaults of all streams, below those of INIT and CONFIG.
        resume_alone: After a crash runs go on at once, also when run control does not answer.
        most_streams: Streams of all active runs together; each has a thread.
    """

    number: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]*(?!\n)$", max_length=64)] = ""
    event_port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    alarm_service: _Label = ""
    event_channel: _Label = ""
    run_control: _Label = ""
    volumes: list[Annotated[str, Meta(min_length=1)]] = []
    defaults: StreamParameters = StreamParameters()
    resume_alone: bool = False
    most_streams: Annotated[int, Meta(ge=1, le=65_536)] = 4096


def number_of(settings: LoggerSettings, component: str) -> str:
    """Return the place of a logger in the name service."""
    digits = component[len(component.rstrip("0123456789")) :]
    return settings.number or digits or "0"
