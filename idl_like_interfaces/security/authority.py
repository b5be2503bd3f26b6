"""The private certificate authority of an installation: a folder with a few files.

``ca.key`` and ``ca.crt`` are the authority, ``NAME.key`` and ``NAME.crt`` somebody's key
and certificate, ``ca.crl`` (made when the first is withdrawn) the list of withdrawn ones.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from idl_like_interfaces.declare import Role
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.security.certificates import (
    Certificate,
    describe,
    read_certificate,
    role_uri,
)
from idl_like_interfaces.security.files import check_private, make_folder, write_private
from idl_like_interfaces.security.refusals import AlreadyIssued, NoCertificate
from idl_like_interfaces.security.roles import LOCAL

AUTHORITY = "ca"
REVOKED = "ca.crl"

CA_DAYS = 3650
DAYS = 365

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names that each host gives itself; every certificate of a server has them."""

_SKEW = timedelta(minutes=5)
"""Clocks of other hosts may be behind by so much."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9-]+)*")


class Authority:
    """Issues and withdraws certificates.

    Args:
        folder: With ``ca.key`` and ``ca.crt``.

    Raises:
        NoCertificate: There is no authority.
        KeyNotSafe: Others could read its key.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        check_private(folder / f"{AUTHORITY}.key")
        self._certificate = read_certificate(folder / f"{AUTHORITY}.crt")
        self._key = _read_key(folder / f"{AUTHORITY}.key")

    @classmethod
    def init(
        cls, folder: Path, name: str = "obsorb", days: int = CA_DAYS, *, force: bool = False
    ) -> Authority:
        """Make a new authority in a folder of its own.

        Args:
            folder: Made when it is missing.
            name: For people, e.g. that of the installation.
            days: How long it is valid.
            force: Replace an authority that is there; what it issued is then worthless.

        Raises:
            AlreadyIssued: There is one.
            KeyNotSafe: Others can enter the folder.
            BadParam: The name or the days are none.
        """
        _check_name(name)
        make_folder(folder)
        if not force and (folder / f"{AUTHORITY}.key").exists():
            raise AlreadyIssued(
                f"{folder} has an authority already",
                path=str(folder),
                remedy="issue certificates with it, give another --dir, or replace it with "
                "--force: then every certificate must be issued anew",
            )
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(f"{name} authority")
        builder = (
            _builder(subject, subject, key, days)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(is_authority=True), critical=True)
        )
        made = builder.sign(key, hashes.SHA256())
        write_private(folder / f"{AUTHORITY}.key", _pem_of_key(key), replace=force)
        write_private(folder / f"{AUTHORITY}.crt", _pem(made), replace=force)
        (folder / REVOKED).unlink(missing_ok=True)
        return cls(folder)

    def issue(
        self,
        name: str,
        role: Role,
        hosts: Sequence[str] = (),
        days: int = DAYS,
        *,
        force: bool = False,
    ) -> Certificate:
        """Make a key and a certificate.

        Args:
            name: Who it is for: a person, a component or a host.
            role: What it may do, unless the installation file says otherwise.
            hosts: Host names and addresses under which it serves; none: it only calls.
            days: How long it is valid; never longer than the authority.
            force: Replace what was issued under the name (which remains valid).

        Raises:
            AlreadyIssued: There is one of that name.
            BadParam: The name, a host or the days are none.
        """
        _check_name(name)
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._certificate_for(key, name, role, hosts, days)
        if not force and (self.folder / f"{name}.crt").exists():
            raise AlreadyIssued(
                f"a certificate for {name} was issued already",
                path=str(self.folder / f"{name}.crt"),
                remedy="use it, take another name, or make a new one with --force",
            )
        write_private(self.folder / f"{name}.key", _pem_of_key(key), replace=force)
        write_private(self.folder / f"{name}.crt", _pem(made), replace=force)
        return describe(made)

    def revoke(self, serial: int) -> None:
        """Withdraw a certificate: write its number into the list ``ca.crl``."""
        now = datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(now - _SKEW)
            # The list is given out by hand: one that ran out would lock out everybody.
            .next_update(self._certificate.not_valid_after_utc)
            .add_extension(_key_of_issuer(self._key), critical=False)
        )
        for each in self.revoked() | {serial}:
            entry = x509.RevokedCertificateBuilder().serial_number(each).revocation_date(now)
            builder = builder.add_revoked_certificate(entry.build())
        made = builder.sign(self._key, hashes.SHA256())
        write_private(
            self.folder / REVOKED, made.public_bytes(serialization.Encoding.PEM), replace=True
        )

    def revoked(self) -> set[int]:
        """Return the numbers of the certificates that were withdrawn."""
        return revoked_in(self.folder)

    def _certificate_for(
        self,
        key: ec.EllipticCurvePrivateKey,
        name: str,
        role: Role,
        hosts: Sequence[str],
        days: int,
    ) -> x509.Certificate:
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(role_uri(role))]
        if hosts:
            # Who only calls must not be able to pose as a server to others.
            uses.append(ExtendedKeyUsageOID.SERVER_AUTH)
            names += [_general_name(each) for each in dict.fromkeys((*LOOPBACK, *hosts))]
        ca = self._certificate
        return (
            _builder(_subject(name), ca.subject, key, days, ca.not_valid_after_utc)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(is_authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(_key_of_issuer(self._key), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def issued(folder: Path) -> list[Certificate]:
    """Describe the certificates in a folder, by name; the authority's own is not among them.

    Raises:
        NoCertificate: There is no such folder, or a file in it is no certificate.
    """
    if not folder.is_dir():
        raise NoCertificate(
            f"there is no folder {folder}",
            path=str(folder),
            remedy="make an authority with `obsorb certs init`, or give --dir or $OBSORB_CERTS",
        )
    revoked = revoked_in(folder)
    files = sorted(folder.glob("*.crt"))
    return [describe(read_certificate(f), revoked) for f in files if f.stem != AUTHORITY]


def revoked_in(folder: Path) -> set[int]:
    """Return the numbers in the list of withdrawn certificates of a folder, if it has one."""
    with suppress(FileNotFoundError):
        listed = x509.load_pem_x509_crl((folder / REVOKED).read_bytes())
        return {each.serial_number for each in listed}
    return set()


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name in (AUTHORITY, LOCAL):
        raise BadParam(
            f"{name!r} cannot be the name of a certificate",
            field="name",
            remedy="give up to 64 letters, digits, `.`, `_` or `-`, and neither `ca` nor `local`",
        )


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    days: int,
    latest: datetime | None = None,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    if not 0 < days <= 2 * CA_DAYS:
        raise BadParam(
            f"a certificate cannot be valid for {days} days",
            field="days",
            remedy=f"give 1 to {2 * CA_DAYS}",
        )
    until = now + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(min(until, latest) if latest else until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_of_issuer(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if not _HOST.fullmatch(host):
            raise BadParam(
                f"{host!r} is neither the name nor the address of a host",
                field="host",
                remedy="give e.g. --host daq1.example.org or --host 192.0.2.7, without a port",
            ) from None
        return x509.DNSName(host)


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise NoCertificate(
            f"{path} is no key that can be used: {error}",
            path=str(path),
            remedy="take the file from your backup, or make a new authority",
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise NoCertificate(
            f"{path} is no key of an elliptic curve",
            path=str(path),
            cause="it was made by another program",
            remedy="issue certificates with that program, or make an authority of your own",
        )
    return key


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
