"""With which certificate this program calls, and whether anything is served in clear."""

from __future__ import annotations

from collections.abc import Iterable

from controller.health.finding import Finding, Verdict, bad
from idl_like_interfaces.hosts import is_loopback


def examine_certificate(folder: str | None, identity: str | None) -> Finding:
    """Examine the certificate of whoever runs the command."""
    from idl_like_interfaces.security.certificates import Validity, describe, read_certificate
    from idl_like_interfaces.security.credentials import find_credentials

    own = find_credentials(folder, identity)
    if own is None:
        return Finding(
            subject="certificate", verdict=Verdict.NOTE, found="none: calls go without TLS"
        )
    path = own.folder / f"{own.name}.crt"
    found = describe(read_certificate(path))
    text = f"{found.name}, {found.role or 'no role'}, valid until {found.until:%Y-%m-%d}"
    if found.validity is Validity.VALID:
        return Finding(subject="certificate", found=text)
    return bad(
        "certificate",
        f"{text}: {found.validity}",
        cause="certificates are valid for a limited time",
        remedy="have a new one issued: `obsorb certs issue NAME --force`",
    )


def examine_exposure(uris: Iterable[str], *, is_secure: bool) -> list[Finding]:
    """Examine whether objects are served to other hosts without TLS."""
    hosts = {uri.rpartition("@")[2].rpartition(":")[0].strip("[]") for uri in uris}
    exposed = sorted(host for host in hosts if host and not is_loopback(host))
    if is_secure or not exposed:
        return []
    return [
        bad(
            "exposure",
            f"objects are served in clear at {', '.join(exposed)}",
            cause="the installation runs with `insecure`: everybody who reaches it can read all",
            remedy="make certificates (`obsorb certs init`) and name them in [security]",
        )
    ]
