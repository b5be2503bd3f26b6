"""Why two programs did not agree on TLS, in words for whoever has to mend it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Distrust:
    """What went wrong, the probable cause, and what to do."""

    message: str
    cause: str
    remedy: str


NEEDS_TLS = "this object speaks TLS only"
"""What a server with TLS answers to a greeting in clear."""

IN_CLEAR = Distrust(
    "the server speaks TLS only",
    "the installation runs with certificates, and this program shows none",
    "give the folder of your certificate with --certs DIR or $OBSORB_CERTS",
)

_OWN = "compare with `obsorb certs list`; see the log of the server; have one issued with "
_ISSUE = _OWN + "`obsorb certs issue`"

_ALERTS = {
    "CERTIFICATE_REQUIRED": Distrust(
        "the server wants a certificate and was shown none",
        "this program has none, or it is not for callers",
        "give the folder of yours with --certs DIR or $OBSORB_CERTS",
    ),
    "UNKNOWN_CA": Distrust(
        "the server does not know the authority of our certificate",
        "the certificate is of another installation, or self-signed",
        _ISSUE,
    ),
    "CERTIFICATE_EXPIRED": Distrust(
        "the server says that our certificate has expired",
        "certificates are valid for a limited time, and clocks must agree",
        _ISSUE,
    ),
    "CERTIFICATE_REVOKED": Distrust(
        "the server says that our certificate was withdrawn",
        "it is on the list of withdrawn certificates",
        "ask whoever runs the installation for a new one",
    ),
    "BAD_CERTIFICATE": Distrust(
        "the server refuses our certificate", "it is damaged or not for callers", _ISSUE
    ),
}
"""By a part of the alert that OpenSSL reports."""


def server_refused(error: OSError) -> Distrust:
    """Explain what came instead of a server's greeting."""
    reason = getattr(error, "reason", None) or ""
    for alert, found in _ALERTS.items():
        if alert in reason:
            return found
    return Distrust(
        f"the server ended the connection after the handshake of TLS: {_short(error)}",
        "it refuses our certificate, or is just ending",
        "see the log of the server; compare with `obsorb certs list`",
    )


def no_handshake(error: OSError) -> Distrust:
    """Explain why the handshake itself failed at a client."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Distrust(
            f"its certificate is not accepted: {error.verify_message}",
            "another authority issued it, it has expired, or it is for another host",
            "take `ca.crt` of the same installation; have the server's certificate issued with "
            "--host and the name that you call it by",
        )
    if isinstance(error, TimeoutError):
        return Distrust(
            "it does not answer the handshake of TLS",
            "another program has the port, or the host is overloaded",
            "check the address",
        )
    return Distrust(
        f"it does not speak TLS: {_short(error)}",
        "the installation runs without TLS, or another program has the port",
        "leave out --certs and $OBSORB_CERTS, or run the installation with certificates",
    )


def client_refused(error: object) -> str:
    """Say in a line for the log of a server why a client was refused."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    reason = getattr(error, "reason", None) or ""
    if "PEER_DID_NOT_RETURN_A_CERTIFICATE" in reason:
        return "it shows no certificate"
    if "ALERT" in reason:
        return f"it does not accept ours: {reason.lower().replace('_', ' ')}"
    return _short(error)


def _short(error: object) -> str:
    reason = getattr(error, "reason", None)
    return reason.lower().replace("_", " ") if isinstance(reason, str) else str(error)
