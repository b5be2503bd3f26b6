"""The table ``[security]`` of an installation file."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from idl_like_interfaces.declare import Role, Value
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.security.roles import Policy, Rule


class AuditMode(StrEnum):
    """What is done about the audit log.

    ``required``: what would be recorded is refused while the log cannot be written.
    """

    OFF = "off"
    ON = "on"
    REQUIRED = "required"


class RuleTable(Value, frozen=True, kw_only=True):
    """One ``[[security.rules]]``."""

    object: str = "**"
    operation: str = "*"
    role: Role


class SecurityTable(Value, frozen=True, kw_only=True):
    """The table ``[security]``.

    Attributes:
        certs: Folder of the certificates, relative to the file's folder; empty: no TLS.
        identity: Certificate of every program that has none of its own name.
        host: Name or address on which the components listen.
        insecure: Serve other hosts without TLS.
        local_role: Role of callers on the loopback interface without TLS.
        network_role: Role of callers from elsewhere without TLS.
        audit: Keep an audit log; without it: ``on`` when the file has this table.
        roles: Of callers, by the name in their certificate.
        rules: Change the least role of operations; the first that fits counts.
    """

    certs: str = ""
    identity: Annotated[str, Meta(min_length=1)] = "components"
    host: Annotated[str, Meta(min_length=1)] = "localhost"
    insecure: bool = False
    local_role: Role = Role.ADMIN
    network_role: Role = Role.OBSERVER
    audit: AuditMode = AuditMode.ON
    roles: dict[str, Role] = {}
    rules: list[RuleTable] = []

    @property
    def policy(self) -> Policy:
        """What it says about callers and operations."""
        return Policy(
            roles=self.roles,
            rules=[
                Rule(object=each.object, operation=each.operation, role=each.role)
                for each in self.rules
            ],
            local=self.local_role,
            network=self.network_role,
        )

    def below(self, folder: Path) -> SecurityTable:
        """Return it with its folder of certificates taken from another folder."""
        if not self.certs:
            return self
        return msgspec.structs.replace(self, certs=str(folder / Path(self.certs).expanduser()))


ABSENT = SecurityTable(audit=AuditMode.OFF)
"""What holds for an installation file without the table."""


def read_security(file: Path) -> SecurityTable:
    """Read the table of an installation file; the rest of the file is not looked at.

    Raises:
        BadParam: The file cannot be read, or a field of the table is wrong.
    """
    try:
        plain: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadParam(
            f"the installation file {file} cannot be read: {error}",
            field="security",
            remedy="give the path of a TOML file that you may read",
        ) from error
    if "security" not in plain:
        return ABSENT
    try:
        table = msgspec.convert(plain["security"], SecurityTable)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        where = f"security{path.rstrip('`')}"
        raise BadParam(
            f"{where}: {text}", field=where, remedy="correct the field in the installation file"
        ) from error
    return table.below(file.resolve().parent)
