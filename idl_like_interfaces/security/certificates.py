"""What a certificate says: who, which role, where it serves, until when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from idl_like_interfaces.declare import Role, UtcTime, Value
from idl_like_interfaces.security.refusals import NoCertificate
from idl_like_interfaces.security.roles import ROLE_URI, role_in

SOON = timedelta(days=30)
"""Before the end of a certificate in which a warning is given."""


class Validity(StrEnum):
    """How a certificate stands."""

    VALID = "valid"
    EXPIRES_SOON = "expires soon"
    EXPIRED = "expired"
    NOT_YET = "not yet valid"
    REVOKED = "revoked"


class Certificate(Value, frozen=True, kw_only=True):
    """A certificate in short.

    Attributes:
        name: Common name: who it is.
        role: What it states; None: it states none.
        hosts: Where it may serve; empty: it may only call.
        serial: Hexadecimal.
        since: Valid from.
        until: Valid to.
        validity: How it stands now.
    """

    name: str
    role: Role | None
    hosts: list[str]
    serial: str
    since: UtcTime
    until: UtcTime
    validity: Validity


def role_uri(role: Role) -> str:
    """Return the alternative name of a subject that states a role."""
    return f"{ROLE_URI}{role}"


def read_certificate(path: Path) -> x509.Certificate:
    """Read a PEM file.

    Raises:
        NoCertificate: It is missing, cannot be read, or is something else.
    """
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise NoCertificate(
            f"the certificate {path} cannot be read: {error.strerror}",
            path=str(path),
            remedy="make one with `obsorb certs issue NAME`, or give the right folder with "
            "--certs DIR or $OBSORB_CERTS",
        ) from error
    except ValueError as error:
        raise NoCertificate(
            f"{path} is no certificate in PEM form: {error}",
            path=str(path),
            remedy="take the file from your backup, or issue a new one",
        ) from error


def describe(
    certificate: x509.Certificate,
    revoked: Collection[int] = (),
    now: datetime | None = None,
) -> Certificate:
    """Say in short what a certificate says."""
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    names = _alternative_names(certificate)
    return Certificate(
        name=str(common[0].value) if common else "",
        role=role_in(names.get_values_for_type(x509.UniformResourceIdentifier)) if names else None,
        hosts=_hosts(names) if names else [],
        serial=f"{certificate.serial_number:x}",
        since=certificate.not_valid_before_utc,
        until=certificate.not_valid_after_utc,
        validity=_validity(certificate, revoked, now or datetime.now(UTC)),
    )


def _validity(certificate: x509.Certificate, revoked: Collection[int], now: datetime) -> Validity:
    if certificate.serial_number in revoked:
        return Validity.REVOKED
    if now < certificate.not_valid_before_utc:
        return Validity.NOT_YET
    left = certificate.not_valid_after_utc - now
    if left <= timedelta(0):
        return Validity.EXPIRED
    return Validity.EXPIRES_SOON if left < SOON else Validity.VALID


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return None
    return found.value


def _hosts(names: x509.SubjectAlternativeName) -> list[str]:
    addresses = [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]
