"""The golden examples of docs/reference/wire.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "wire.md"

_BLOCK = re.compile(r"<!-- golden: (?P<name>[a-z-]+) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)


def golden_text(name: str) -> str:
    """Return the text of an example."""
    blocks = {found["name"]: found["text"] for found in _BLOCK.finditer(PAGE.read_text())}
    return blocks[name]


def golden(name: str) -> Any:
    """Return a JSON example."""
    return json.loads(golden_text(name))


def octets_of(text: str) -> bytes:
    """Read hexadecimal digits, blanks between them as one likes."""
    return bytes.fromhex("".join(text.split()))
