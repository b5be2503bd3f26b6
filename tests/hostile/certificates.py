"""Certificates for the tests of TLS: right ones and all kinds of wrong ones.

Each is a PEM file of key and certificate, made when it is asked for.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """Signs certificates."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _issue(
    subject: str, signer: Authority | None, begin: datetime, end: datetime
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = signer.certificate.subject if signer else _name(subject)
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    )
    return key, builder.sign(signer.key if signer else key, hashes.SHA256())


def authority(name: str) -> Authority:
    """Make a certificate authority."""
    now = datetime.now(UTC)
    return Authority(*_issue(name, None, now - _DAY, now + _DAY))


def _write(path: Path, key: ec.EllipticCurvePrivateKey, *certificates: x509.Certificate) -> None:
    pem = serialization.Encoding.PEM
    text = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + b"".join(each.public_bytes(pem) for each in certificates)
    path.touch(mode=0o600)
    path.write_bytes(text)


def write_all(folder: Path) -> None:
    """Write ``authority``, ``server``, ``client`` and the wrong ones of a client."""
    now = datetime.now(UTC)
    ours, foreign = authority("ours"), authority("foreign")
    (folder / "authority.pem").write_bytes(
        ours.certificate.public_bytes(serialization.Encoding.PEM)
    )
    for name in ("server", "client"):
        _write(folder / f"{name}.pem", *_issue(name, ours, now - _DAY, now + _DAY))
    _write(folder / "expired.pem", *_issue("client", ours, now - 2 * _DAY, now - _DAY))
    _write(folder / "early.pem", *_issue("client", ours, now + _DAY, now + 2 * _DAY))
    _write(folder / "foreign.pem", *_issue("client", foreign, now - _DAY, now + _DAY))
    _write(folder / "own.pem", *_issue("client", None, now - _DAY, now + _DAY))


def server_context(folder: Path) -> ssl.SSLContext:
    """Return the context of a server that wants certificates of our authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "server.pem")
    context.load_verify_locations(folder / "authority.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(folder: Path) -> ssl.SSLContext:
    """Return the context of a client with a right certificate."""
    context = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    context.load_cert_chain(folder / "client.pem")
    return context
