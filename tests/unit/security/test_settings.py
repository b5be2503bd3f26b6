"""The table ``[security]``: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from idl_like_interfaces.declare import Role
from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.security.roles import Rule
from idl_like_interfaces.security.settings import ABSENT, AuditMode, read_security

FULL = """
[security]
certs = "certs"
audit = "required"
[security.roles]
"alice" = "operator"
[[security.rules]]
object = "obs/ocm/*"
operation = "exit"
role = "admin"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "it.toml"
    file.write_text(text)
    return file


def test_the_table_is_read(tmp_path: Path) -> None:
    """The folder is taken from the file's, the rules in their order."""
    table = read_security(write(tmp_path, FULL))
    assert table.certs == str(tmp_path / "certs")
    assert table.audit is AuditMode.REQUIRED
    assert table.policy.roles == {"alice": Role.OPERATOR}
    assert table.policy.rules == [Rule(object="obs/ocm/*", operation="exit", role=Role.ADMIN)]


def test_without_the_table_nothing_changes(tmp_path: Path) -> None:
    """No TLS, no audit log, everybody on loopback may do everything."""
    table = read_security(write(tmp_path, "[installation]\nname = 'a'\n"))
    assert table == ABSENT
    assert table.policy.local is Role.ADMIN


def test_an_empty_table_switches_the_audit_on(tmp_path: Path) -> None:
    """Who writes the table wants to be able to look things up."""
    assert read_security(write(tmp_path, "[security]\n")).audit is AuditMode.ON


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("[security]\ncert = 'x'", "security"),
        ("[security]\naudit = true", "security.audit"),
        ("[security]\nlocal_role = 'king'", "security.local_role"),
        ("[security.roles]\nalice = 'king'", "security.roles[...]"),
        ("[[security.rules]]\nobject = 'x'", "security.rules[0]"),
        ("[security]\nidentity = ''", "security.identity"),
        ("not toml", "security"),
    ],
)
def test_a_mistake_names_its_field(tmp_path: Path, text: str, field: str) -> None:
    """A wrong right must never be read as none."""
    with pytest.raises(BadParam) as caught:
        read_security(write(tmp_path, text))
    assert caught.value.field == field


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """It is not the same as a file without the table."""
    with pytest.raises(BadParam, match="cannot be read"):
        read_security(tmp_path / "nothing.toml")
