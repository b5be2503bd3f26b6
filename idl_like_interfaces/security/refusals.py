"""What is refused of keys, certificates and the audit log, before any call is made."""

from __future__ import annotations

from idl_like_interfaces.errors import SystemRefusal


class KeyNotSafe(
    SystemRefusal, PermissionError, repository_id="IDL:obsorb/security/KeyNotSafe:1.0"
):
    """A file or folder of keys could be read or changed by somebody else; it is not used.

    Attributes:
        path: Which.
    """

    path: str


class NoCertificate(
    SystemRefusal, LookupError, repository_id="IDL:obsorb/security/NoCertificate:1.0"
):
    """A certificate, its key or its authority is missing, cannot be read, or has expired.

    Attributes:
        path: The file or folder in which it was looked for.
    """

    path: str


class AlreadyIssued(
    SystemRefusal, FileExistsError, repository_id="IDL:obsorb/security/AlreadyIssued:1.0"
):
    """A file of that name exists and is not overwritten.

    Attributes:
        path: Which.
    """

    path: str


class AuditRefused(SystemRefusal, OSError, repository_id="IDL:obsorb/security/AuditRefused:1.0"):
    """The audit log cannot be used as it must be.

    Attributes:
        path: The file or folder.
    """

    path: str
