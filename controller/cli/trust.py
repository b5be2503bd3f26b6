"""The certificate with which the command line calls, if it has one."""

from __future__ import annotations

import os

FOLDER, IDENTITY = "OBSORB_CERTS", "OBSORB_IDENTITY"


def use_own_certificate(folder: str | None, identity: str | None) -> None:
    """Call with TLS from now on when a folder of certificates is given or in the environment.

    Raises:
        NoCertificate: It has none that can be used, or it is not clear which is meant.
        KeyNotSafe: Others could read the key.
    """
    if not (folder or os.environ.get(FOLDER)):
        return
    from idl_like_interfaces.mapping import use_tls
    from idl_like_interfaces.security.credentials import find_credentials

    own = find_credentials(folder, identity)
    if own is not None:
        use_tls(own.client_context())
