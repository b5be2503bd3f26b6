"""What a merger that stays is told, and how it ends each answer."""

from __future__ import annotations

from pathlib import Path

from idl_like_interfaces.declare import Value

PROGRAM = Path(__file__).with_name("warm.py")
"""The merger that stays; not imported, since a DPM shall not carry numpy."""


class MergeJob(Value, frozen=True, kw_only=True):
    """One product to be made.

    Attributes:
        specification: Absolute path of the specification.
        root: Where relative paths begin.
        outfile: Absolute path of the product.
        log: File at whose end its standard error goes meanwhile.
        in_place: The target is the caller's own and may become the product.
    """

    specification: str
    root: str
    outfile: str
    log: str
    in_place: bool = False


class MergeEnded(Value, frozen=True, kw_only=True):
    """The last line of an answer.

    Attributes:
        code: What the exit code of ``obsorb merge`` would be.
    """

    code: int
