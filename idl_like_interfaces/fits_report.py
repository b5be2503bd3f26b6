"""What is found in a FITS file whose structure is verified."""

from __future__ import annotations

from enum import StrEnum

from idl_like_interfaces.declare import Document

FINDINGS_TOLD = 100
"""Findings that a report has at most; it counts the others."""


class FitsSeverity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"


class FitsFinding(Document, frozen=True, kw_only=True):
    """Something in a file that is not as it should be.

    Attributes:
        severity: An error is against the FITS standard; a warning is legal, or harmless.
        hdu: Which one it is in, 0 is the primary HDU.
        label: What it is called, e.g. ``extension 4 (SCI,2)``.
        message: What was found, and what was wanted.
        cause: The probable cause; empty when the message says it all.
        remedy: What to do; empty when the message says it all.
    """

    severity: FitsSeverity
    hdu: int
    label: str
    message: str
    cause: str = ""
    remedy: str = ""


class FitsReport(Document, frozen=True, kw_only=True):
    """What was found in a file.

    Attributes:
        path: The file.
        hdus: HDUs that could be told apart.
        errors: Findings of that severity.
        warnings: Findings of that severity.
        findings: In the order of the file, the first ``FINDINGS_TOLD``.
        headers_only: No data were read.
    """

    path: str
    hdus: int
    errors: int
    warnings: int
    findings: list[FitsFinding]
    headers_only: bool = False
