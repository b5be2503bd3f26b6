"""``obsorb certs``: the commands over the authority."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.controller.running import document, obsorb, ok, refused


@pytest.fixture
def folder(tmp_path: Path) -> str:
    made = str(tmp_path / "certs")
    ok("certs", "init", "--dir", made)
    return made


def test_an_authority_is_made_by_one_command(tmp_path: Path) -> None:
    """And never replaced by accident."""
    made = str(tmp_path / "certs")
    assert "ca.key" in ok("certs", "init", "--dir", made)
    before = (tmp_path / "certs" / "ca.key").read_bytes()
    assert "remedy: " in refused("certs", "init", "--dir", made)
    assert (tmp_path / "certs" / "ca.key").read_bytes() == before


def test_the_folder_of_the_environment_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that everything else takes too."""
    monkeypatch.setenv("OBSORB_CERTS", str(tmp_path / "mine"))
    ok("certs", "init")
    assert (tmp_path / "mine" / "ca.key").exists()


def test_the_list_tells_role_end_and_hosts(folder: str) -> None:
    """As text and as JSON; what ends soon is warned of."""
    ok("certs", "issue", "alice", "--role", "operator", "--days", "10", "--dir", folder)
    ok("certs", "issue", "ocm", "--role", "engineer", "--host", "h.example.org", "--dir", folder)
    alice, ocm = document("certs", "list", "--dir", folder)
    assert (alice["name"], alice["role"], alice["validity"]) == (
        "alice",
        "operator",
        "expires soon",
    )
    assert ocm["hosts"][:2] == ["localhost", "h.example.org"]
    result = obsorb("certs", "list", "--dir", folder)
    assert "alice            operator  expires soon" in result.stdout
    assert "warning: alice expires soon" in result.stderr
    assert "ocm " not in result.stderr


def test_what_was_made_is_told_as_json(tmp_path: Path) -> None:
    """Of an authority its name and folder, of a certificate what the list tells of it."""
    made = str(tmp_path / "certs")
    assert document("certs", "init", "--dir", made) == {"name": "obsorb", "folder": made}
    issued = document("certs", "issue", "alice", "--role", "operator", "--dir", made)
    assert [issued] == document("certs", "list", "--dir", made)


def test_a_person_is_an_observer_unless_it_is_said(folder: str) -> None:
    """The least role."""
    assert " observer " in ok("certs", "issue", "bob", "--dir", folder)


def test_a_certificate_is_withdrawn_by_name_or_number(folder: str) -> None:
    """The number reaches one that was replaced."""
    ok("certs", "issue", "alice", "--dir", folder)
    (first,) = document("certs", "list", "--dir", folder)
    ok("certs", "issue", "alice", "--force", "--dir", folder)
    ok("certs", "revoke", "alice", "--serial", first["serial"], "--dir", folder)
    assert document("certs", "list", "--dir", folder)[0]["validity"] == "valid"
    assert "is withdrawn" in ok("certs", "revoke", "alice", "--dir", folder)
    assert document("certs", "list", "--dir", folder)[0]["validity"] == "revoked"


@pytest.mark.parametrize("arguments", [["nobody"], ["alice", "--serial", "xyz"]])
def test_what_is_not_there_cannot_be_withdrawn(folder: str, arguments: list[str]) -> None:
    """It points to the list."""
    assert "obsorb certs list" in refused("certs", "revoke", *arguments, "--dir", folder)


def test_a_wrong_folder_is_told(tmp_path: Path) -> None:
    """With the command that makes one."""
    for verb in (["list"], ["issue", "a"], ["revoke", "a"]):
        assert "obsorb certs init" in refused("certs", *verb, "--dir", str(tmp_path / "nothing"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """With a remedy, whoever runs it."""
    (tmp_path / "file").touch()
    assert "remedy: give a folder" in refused(
        "certs", "init", "--dir", str(tmp_path / "file" / "c")
    )
