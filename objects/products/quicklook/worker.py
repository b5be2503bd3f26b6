"""Draws pictures for a DPM, one after the other, with what processor and disk have left.

Run as a file. Each line of standard input is a ``PictureOrder``, each line of standard
output a ``PictureMade``. It ends with its input.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from idl_like_interfaces.declare import Value

NICE = 10


class PictureOrder(Value, frozen=True, kw_only=True):
    """A product whose picture shall stand beside it."""

    product: str


class PictureMade(Value, frozen=True, kw_only=True):
    """The picture is there; or why it is not."""

    error: str = ""


def main() -> None:
    """Draw what is ordered."""
    _stand_back()
    for line in sys.stdin.buffer:
        order = msgspec.json.decode(line, type=PictureOrder)
        sys.stdout.buffer.write(msgspec.json.encode(PictureMade(error=_draw(order))) + b"\n")
        sys.stdout.buffer.flush()


def _draw(order: PictureOrder) -> str:
    from objects.products.quicklook.tool import quicklook

    try:
        quicklook(Path(order.product))
    except Exception as error:  # noqa: BLE001 (a file that confuses it costs this picture only)
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def _stand_back() -> None:
    """Let everybody else go first: an acquisition never waits for a picture."""
    import psutil

    os.nice(NICE)
    with suppress(OSError, AttributeError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)


if __name__ == "__main__":
    main()
