"""Own key and certificate as the contexts that TLS works with, at both ends."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from idl_like_interfaces.security.files import check_private
from idl_like_interfaces.security.refusals import NoCertificate

FOLDER_VARIABLE = "OBSORB_CERTS"
IDENTITY_VARIABLE = "OBSORB_IDENTITY"

_AUTHORITY = "ca"
_REVOKED = "ca.crl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A certificate, its key, and the authority that both sides trust.

    Attributes:
        folder: With ``ca.crt``, ``NAME.crt``, ``NAME.key`` and perhaps ``ca.crl``.
        name: Which certificate is ours.
    """

    folder: Path
    name: str

    def server_context(self) -> ssl.SSLContext:
        """Return the context of a server: each client must show a certificate.

        Raises:
            NoCertificate: A file is missing, wrong or has expired, or may only call.
            KeyNotSafe: Others could read the key.
        """
        self._check(is_server=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        # A resumed session would keep a certificate alive that was withdrawn since.
        context.num_tickets = 0
        return self._loaded(context)

    def client_context(self) -> ssl.SSLContext:
        """Return the context of a client: the server must be who its address says.

        Raises:
            NoCertificate: A file is missing, wrong or has expired.
            KeyNotSafe: Others could read the key.
        """
        self._check(is_server=False)
        # Checks the host name, and that the certificate may serve.
        return self._loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def _check(self, *, is_server: bool) -> None:
        from idl_like_interfaces.security.certificates import Validity, describe, read_certificate

        check_private(self._key)
        read_certificate(self._authority)
        path = self.folder / f"{self.name}.crt"
        found = describe(read_certificate(path))
        if found.validity is Validity.EXPIRED:
            raise NoCertificate(
                f"the certificate {path} has expired on {found.until:%Y-%m-%d}",
                path=str(path),
                cause="certificates are valid for a limited time",
                remedy=f"issue a new one: `obsorb certs issue {self.name} --force`, "
                "with the role and hosts of the old one",
            )
        if is_server and not found.hosts:
            raise NoCertificate(
                f"the certificate {path} names no host, so nobody would accept it from a server",
                path=str(path),
                cause="it was issued without --host, for somebody who only calls",
                remedy=f"issue it with the name of this host: "
                f"`obsorb certs issue {self.name} --role engineer --host HOST --force`",
            )

    @property
    def _key(self) -> Path:
        return self.folder / f"{self.name}.key"

    @property
    def _authority(self) -> Path:
        return self.folder / f"{_AUTHORITY}.crt"

    def _loaded(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        path = self.folder / f"{self.name}.crt"
        try:
            context.load_cert_chain(path, self._key)
            context.load_verify_locations(self._authority)
            if (self.folder / _REVOKED).exists():
                context.load_verify_locations(self.folder / _REVOKED)
                context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        except (ssl.SSLError, OSError) as error:
            raise NoCertificate(
                f"the certificate {path} cannot be used: {error}",
                path=str(path),
                cause="certificate and key are not of one pair, or a file is damaged",
                remedy="take both from the same `obsorb certs issue`",
            ) from error
        return context


def find_credentials(folder: str | None = None, identity: str | None = None) -> Credentials | None:
    """Find one's own: options, else $OBSORB_CERTS and $OBSORB_IDENTITY; None: no TLS.

    Args:
        folder: Of the certificates.
        identity: Name of the certificate; may be left out when the folder has one only.

    Raises:
        NoCertificate: It is not clear which certificate is meant, or there is none.
    """
    folder = folder or os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return None
    path = Path(folder).expanduser()
    name = identity or os.environ.get(IDENTITY_VARIABLE) or _only_one(path)
    return Credentials(folder=path, name=name)


def credentials_of(folder: Path, *names: str) -> Credentials:
    """Return those of the first name that the folder has a certificate of, or of the last."""
    name = next((each for each in names if (folder / f"{each}.crt").exists()), names[-1])
    return Credentials(folder=folder, name=name)


def _only_one(folder: Path) -> str:
    names = sorted(each.stem for each in folder.glob("*.crt") if each.stem != _AUTHORITY)
    if len(names) == 1:
        return names[0]
    raise NoCertificate(
        f"{folder} has {len(names) or 'no'} certificates: which one is yours?"
        if names
        else f"{folder} has no certificate of anybody",
        path=str(folder),
        cause="" if names else "it is not a folder of `obsorb certs`, or nothing was issued",
        remedy=f"choose with --identity or ${IDENTITY_VARIABLE}: {', '.join(names)}"
        if names
        else "give the right folder, or issue one: `obsorb certs issue NAME`",
    )
