"""The alerts of an acquisition in one text: what ``DaqStatus.message`` says, of whichever server."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from idl_like_interfaces.daqif import DaqAlert


def as_text(alerts: Iterable[DaqAlert]) -> str:
    """Say the alerts in one line: a JSON array of texts, ``[]`` without any."""
    told = [f"{each.severity.value}: {each.description}" for each in alerts]
    return msgspec.json.encode(told).decode()
