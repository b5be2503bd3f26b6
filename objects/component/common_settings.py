"""The settings that every component of an installation has, whatever its kind."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from idl_like_interfaces.declare import Value
from idl_like_interfaces.logs import LogLevel
from objects.component.config_path import ConfigPath


class CommonSettings(Value, frozen=True, kw_only=True):
    """What concerns the process of a component, not its work.

    Attributes:
        kind: What it is.
        log_level: The root level of its logs; empty: INFO. An option goes before it.
        log_properties: A file that sets the levels of named loggers; empty: none.
        request_port: Its objects are served at this port; 0: at any free one. They are found by name
            either way: a fixed port is for a firewall.
    """

    kind: str = ""
    log_level: LogLevel | None = None
    log_properties: ConfigPath = ""
    request_port: Annotated[int, Meta(ge=0, le=65535)] = 0


COMMON = frozenset(CommonSettings.__struct_fields__)
