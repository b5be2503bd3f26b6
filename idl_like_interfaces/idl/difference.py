"""Differences of two descriptions, and what each of them means for clients of the older one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from idl_like_interfaces.declare import Value


class Weight(StrEnum):
    """What a difference asks of the version, from the least to the most."""

    NOTE = "note"
    """Nothing: it is not seen on the wire."""
    MINOR = "minor"
    """A newer minor version: clients of the older one work as before."""
    MAJOR = "major"
    """A new major version: clients of the older one would fail."""


class Verdict(StrEnum):
    """What all differences come to."""

    IDENTICAL = "identical"
    COMPATIBLE = "compatible"
    INCOMPATIBLE = "incompatible"


class Difference(Value, frozen=True, kw_only=True):
    """One difference.

    Attributes:
        path: Where, e.g. ``start_daq.id`` or ``get_status -> DaqStatus.alerts``.
        weight: What it asks of the version.
        why: What is different and whom it concerns.
    """

    path: str
    weight: Weight
    why: str

    def text(self) -> str:
        """Say it in one line."""
        return f"{self.path}: {self.why}" if self.path else self.why


def verdict_of(differences: Iterable[Difference]) -> Verdict:
    """Sum up differences; notes alone count as identical."""
    weights = {each.weight for each in differences}
    if Weight.MAJOR in weights:
        return Verdict.INCOMPATIBLE
    return Verdict.COMPATIBLE if Weight.MINOR in weights else Verdict.IDENTICAL
