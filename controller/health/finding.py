"""What an examination found."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """How it is; a note is no failure."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report.

    Attributes:
        subject: What was examined.
        verdict: How it is.
        found: What was found.
        cause: Of what is bad: the probable cause.
        remedy: Of what is bad: what to do.
    """

    subject: str
    verdict: Verdict = Verdict.GOOD
    found: str
    cause: str = ""
    remedy: str = ""


def bad(subject: str, found: str, *, cause: str, remedy: str) -> Finding:
    """Make a finding of something that fails."""
    return Finding(subject=subject, verdict=Verdict.BAD, found=found, cause=cause, remedy=remedy)
