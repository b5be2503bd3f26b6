"""What a program of an installation needs to serve securely, made from ``[security]``."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from typing_extensions import override

from idl_like_interfaces.closing import Closing
from idl_like_interfaces.security.audit_log import AuditLog
from idl_like_interfaces.security.credentials import credentials_of
from idl_like_interfaces.security.guard import AccessGuard
from idl_like_interfaces.security.settings import ABSENT, AuditMode, SecurityTable

log = logging.getLogger(__name__)

AUDIT = "audit"
"""Folder of the audit logs, below the data root."""


class Protection(Closing):
    """Contexts, guard and audit log of one process.

    Args:
        table: The table ``[security]``.
        process: Name of the process; its certificate may have this name.
        incarnation: This start of it.
        audit_folder: Of the audit logs.
        audit_name: Of its own one; default: that of the process. One log has one writer.

    Attributes:
        server: Context of what it serves; ``None``: no TLS.
        client: Context of the calls that it makes; ``None``: no TLS.
        guard: Of its objects; ``None``: everybody may do everything.
        host: Name or address on which it listens.
        insecure: Other hosts are served without TLS.

    Raises:
        NoCertificate: It has none that can be used.
        KeyNotSafe: Others could read its key.
        AuditRefused: The audit log cannot be opened.
    """

    def __init__(
        self,
        table: SecurityTable,
        process: str,
        incarnation: str,
        audit_folder: Path | None,
        *,
        audit_name: str = "",
    ) -> None:
        self.server: ssl.SSLContext | None = None
        self.client: ssl.SSLContext | None = None
        self.host = table.host
        self.insecure = table.insecure
        if table.certs:
            own = credentials_of(Path(table.certs), process, table.identity)
            self.server, self.client = own.server_context(), own.client_context()
        elif table.insecure:
            log.warning(
                "%s serves other hosts WITHOUT TLS: everybody who reaches it can read "
                "everything and is a %s; the network must be trusted",
                process,
                table.network_role,
            )
        self._audit: AuditLog | None = None
        if table.audit is not AuditMode.OFF and audit_folder is not None:
            self._audit = AuditLog(audit_folder, audit_name or process, incarnation)
        self.guard: AccessGuard | None = None
        if table != ABSENT:
            required = table.audit is AuditMode.REQUIRED
            self.guard = AccessGuard(
                table.policy,
                self._audit,
                is_required=required,
                with_tls=self.server is not None,
            )

    @override
    def close(self) -> None:
        """End the audit log."""
        if self._audit is not None:
            self._audit.close()
