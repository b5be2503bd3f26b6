"""The commands that are thin shells over tools: ``merge``, ``up``, ``serve``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controller.cli.merge import message_text
from controller.cli.tools import load_tool
from controller.failure import CommandFailed
from idl_like_interfaces.daqif import AlertSeverity
from idl_like_interfaces.merging import MergeContent, MergeMessage, MergeMessageType
from tests.unit.controller.running import obsorb, ok, refused

KEYWORDS_ONLY = {
    "id": "a",
    "target": {"fileId": "F"},
    "sources": [{"type": "fitsKeywords", "sourceName": "k", "keywords": []}],
}
MISSING_SOURCE = {
    "id": "a",
    "target": {"fileId": "F"},
    "sources": [{"type": "fitsFile", "sourceName": "k", "location": "missing.fits"}],
}


def specification(folder: Path, content: object) -> str:
    """Write a specification and return its path."""
    file = folder / "specification.json"
    file.write_text(json.dumps(content) if not isinstance(content, str) else content)
    return str(file)


@pytest.mark.spec("ESO-145")
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (KEYWORDS_ONLY, 0),
        ("{", 101),
        ({"id": "a", "unknown": 1}, 102),
        (MISSING_SOURCE, 110),
    ],
)
def test_merge_ends_with_the_code_of_the_merger(tmp_path: Path, content: object, code: int) -> None:
    """Also as JSON: one document a line, and the last says the same."""
    file = specification(tmp_path, content)
    assert obsorb("merge", file).exit_code == code
    (tmp_path / "F.fits").unlink(missing_ok=True)
    result = obsorb("merge", file, "--json")
    assert result.exit_code == code
    *others, last = (json.loads(line) for line in result.stdout.splitlines())
    assert [each["type"] for each in others] == ([] if code else ["progress"])
    assert last["type"] == ("error" if code else "result")
    assert last["content"].get("code", 0) == code


def test_merge_without_specification_ends_with_100(tmp_path: Path) -> None:
    """And says so on stderr."""
    assert "missing.json" in refused("merge", str(tmp_path / "missing.json"), code=100)


def test_merge_passes_its_options(tmp_path: Path) -> None:
    """Root, name of the product, log file; a dry run writes no product."""
    file = specification(tmp_path, KEYWORDS_ONLY)
    root = tmp_path / "root"
    root.mkdir()
    options = ("--root", str(root), "-o", "product.fits", "-l", "merge.log")
    ok("merge", file, *options, "--dry-run")
    assert not (root / "product.fits").exists()
    assert "product.fits" in ok("merge", file, *options)
    assert (root / "product.fits").is_file()
    assert (root / "merge.log").is_file()


def test_merge_prints_its_version() -> None:
    """As scripts that know the original ask for it."""
    assert ok("merge", "--version").startswith("obsorb ")


def test_message_of_the_merger_is_said_in_words() -> None:
    """What it is, of which source, how far, and what to do."""
    alert = MergeMessage(
        type=MergeMessageType.ALERT,
        timestamp=datetime(2026, 3, 1, tzinfo=UTC),
        content=MergeContent(
            message="primary data is not merged",
            severity=AlertSeverity.WARNING,
            source="dcs1",
            cause="it has pixels in its primary HDU",
            remedy="record extensions",
        ),
    )
    assert message_text(alert).splitlines() == [
        "Warning: [dcs1] primary data is not merged",
        "cause: it has pixels in its primary HDU",
        "remedy: record extensions",
    ]


@pytest.mark.parametrize("command", [["up", "FILE"], ["serve", "FILE", "ocm"]])
@pytest.mark.parametrize("content", [None, "[installation", '[component.x]\nkind = "nothing"'])
def test_wrong_installation_file_is_refused(
    tmp_path: Path, command: list[str], content: str | None
) -> None:
    """Missing, not TOML, or of an unknown kind: message and remedy, exit code 1."""
    file = tmp_path / "installation.toml"
    if content is not None:
        file.write_text(content)
    error = refused(*(str(file) if each == "FILE" else each for each in command))
    assert error.startswith("error: ")
    assert "remedy: " in error


def test_serve_refuses_an_unknown_component(tmp_path: Path) -> None:
    """And names those that there are."""
    file = tmp_path / "installation.toml"
    file.write_text('[component.log]\nkind = "log"')
    assert "choose one of log" in refused("serve", str(file), "ocm")


def test_unknown_level_is_a_usage_error(tmp_path: Path) -> None:
    """Before anything is started."""
    refused("serve", str(tmp_path / "x"), "ocm", "--level", "LOUD", code=2)


def test_missing_tool_is_explained() -> None:
    """When the installation of the package is not complete."""
    with pytest.raises(CommandFailed, match="no tool 'juggle'"):
        load_tool("juggle")
