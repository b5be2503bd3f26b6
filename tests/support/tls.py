"""Handshakes of TLS in memory, and certificates that are wrong in one way each."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from idl_like_interfaces.security.files import make_folder, write_private


@dataclass(frozen=True, slots=True)
class Met:
    """How a handshake ended: what each side refused, and what it knows of the other."""

    client: str
    server: str
    peer_of_server: dict[str, object]


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, host: str = "localhost") -> Met:
    """Shake hands until both sides are done or refuse; then exchange an octet."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    at_server = server.wrap_bio(to_server, to_client, server_side=True)
    at_client = client.wrap_bio(to_client, to_server, server_hostname=host)
    sides = {"client": at_client, "server": at_server}
    refused = {"client": "", "server": ""}
    for _ in range(10):
        for name, side in sides.items():
            refused[name] = refused[name] or _step(side)
    if not any(refused.values()):
        at_server.write(b"x")
        assert at_client.read(1) == b"x"
    peer = at_server.getpeercert() if not refused["server"] else None
    return Met(refused["client"], refused["server"], dict(peer or {}))


def _step(side: ssl.SSLObject) -> str:
    try:
        side.do_handshake()
        side.read(1)
    except ssl.SSLWantReadError:
        return ""
    except ssl.SSLError as error:
        return str(error)
    return ""


def self_signed(folder: Path, name: str, *, days: int = 1, issuer: Path | None = None) -> None:
    """Write ``NAME.crt`` and ``NAME.key`` that no authority vouches for.

    Args:
        folder: Made when it is missing.
        name: Common name.
        days: Valid for; negative: it has expired.
        issuer: Folder of an authority that signs it after all.
    """
    make_folder(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, by = key, subject
    if issuer is not None:
        loaded = serialization.load_pem_private_key((issuer / "ca.key").read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        signer = loaded
        by = x509.load_pem_x509_certificate((issuer / "ca.crt").read_bytes()).subject
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("localhost"),
                    x509.UniformResourceIdentifier("urn:obsorb:role:admin"),
                ]
            ),
            critical=False,
        )
        .sign(signer, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    write_private(folder / f"{name}.crt", made.public_bytes(pem), replace=True)
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(folder / f"{name}.key", private, replace=True)


def context_of(folder: Path, name: str, authority: Path) -> ssl.SSLContext:
    """Return a client's context without the checks that ours makes beforehand."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority / "ca.crt")
    if name:
        context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    return context
