"""The configuration keys of daqOcmServer and daqDpmServer, and what they are here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

_ENDPOINT = re.compile(r"(?:zpb\.(?:rr|ps)://)?(?P<address>[\w.\-]+:\d+)/?")


class Server(StrEnum):
    """Whose configuration it is."""

    OCM = "ocm"
    DPM = "dpm"


class Type(StrEnum):
    """What a value must be."""

    TEXT = "a text"
    NUMBER = "a whole number, 0 or more"
    LIST = "a list of texts"
    ENDPOINT = "an endpoint such as zpb.rr://127.0.0.1:12081/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of the original.

    Attributes:
        type: What its value must be.
        target: Where it goes, ``TABLE.SETTING``; empty: it has no counterpart.
        why: What takes its place, or what is different; empty: it means the same.
    """

    type: Type = Type.TEXT
    target: str = ""
    why: str = ""


_PUBLISHED = "events go to the event channel, which is found by name"
_FILE = "a file of ours holds levels of named loggers only"

_COMMON: Mapping[str, Key] = {
    "dataroot": Key(target="installation.data_root"),
    "log_properties": Key(target="component.log_properties", why=_FILE),
    "pub_endpoint": Key(type=Type.ENDPOINT, why=_PUBLISHED),
    "daq/workspace": Key(target="component.workspace"),
}

OCM_KEYS: Mapping[str, Key] = {
    "instrument_id": Key(target="component.instrument_id"),
    **_COMMON,
    "req_endpoint": Key(
        type=Type.ENDPOINT,
        target="name_server.address",
        why="the one address that clients must know is that of the name server",
    ),
    "daq/stale_acquiring_hours": Key(type=Type.NUMBER, target="component.stale_acquiring_hours"),
    "daq/stale_merging_hours": Key(type=Type.NUMBER, target="component.stale_merging_hours"),
    "dictionaries": Key(type=Type.LIST, target="component.dictionaries"),
    "dpm/req_endpoint": Key(
        type=Type.ENDPOINT, why="the DPM is found by name, the setting dpm: obs/dpm/dpm/daq"
    ),
    "dpm/pub_endpoint": Key(type=Type.ENDPOINT, why=_PUBLISHED),
    "dpm/timeout_sec": Key(type=Type.NUMBER, target="component.dpm_timeout_s"),
    "dpm/retry_interval_sec": Key(type=Type.NUMBER, target="component.dpm_retry_s"),
    "sm_scxml": Key(why="the state machine is part of the program"),
    "oldb_uri_prefix": Key(why="keys begin with the name of the component, e.g. ocm/std/state"),
    "oldb_conn_timeout": Key(type=Type.NUMBER, why="nobody waits for the online database"),
    "db_timeout_sec": Key(type=Type.NUMBER, why="nobody waits for the online database"),
}

DPM_KEYS: Mapping[str, Key] = {
    **_COMMON,
    "workspace": Key(target="component.workspace"),
    "req_endpoint": Key(
        type=Type.ENDPOINT, target="component.request_port", why="clients find it by name"
    ),
    "limits/daq": Key(type=Type.NUMBER, target="component.limits_daq"),
    "limits/merge": Key(type=Type.NUMBER, target="component.limits_merge"),
    "limits/net_receive": Key(type=Type.NUMBER, target="component.limits_net_receive"),
    "limit/net_receive": Key(type=Type.NUMBER, target="component.limits_net_receive"),
    "limits/net_send": Key(type=Type.NUMBER, target="component.limits_net_send"),
    "bin_merge": Key(target="component.bin_merge", why="empty is the merger of obsorb"),
    "bin_rsync": Key(target="component.bin_rsync"),
}

KEYS: Mapping[Server, Mapping[str, Key]] = {Server.OCM: OCM_KEYS, Server.DPM: DPM_KEYS}

ORIGINAL_MERGER = "daqDpmMerge"


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def _address(text: str) -> str:
    match = _ENDPOINT.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return match["address"]


READERS: Mapping[Type, Callable[[str], str | int]] = {
    Type.TEXT: str,
    Type.NUMBER: _number,
    Type.ENDPOINT: _address,
}
"""How a single value is read; ``ValueError``: it is of another type."""
