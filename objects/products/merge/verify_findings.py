"""A finding of the verification, before it is known in which file it is."""

from __future__ import annotations

from dataclasses import dataclass

from idl_like_interfaces.fits_report import FitsSeverity


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found, and what to do about it; fields as in ``FitsFinding``."""

    severity: FitsSeverity
    message: str
    cause: str = ""
    remedy: str = ""


def error(message: str, *, cause: str = "", remedy: str = "") -> Found:
    """Make a finding that is against the standard."""
    return Found(severity=FitsSeverity.ERROR, message=message, cause=cause, remedy=remedy)


def warning(message: str, *, cause: str = "", remedy: str = "") -> Found:
    """Make a finding that is legal, or harmless."""
    return Found(severity=FitsSeverity.WARNING, message=message, cause=cause, remedy=remedy)
