"""Runs the command line in this process."""

from __future__ import annotations

from typing import Any

from typer.testing import CliRunner, Result

from controller.cli.app import app


def obsorb(*arguments: str, input: str | None = None) -> Result:
    """Run a command; its exit code, stdout and stderr are in the result."""
    return CliRunner().invoke(app, arguments, input=input)


def ok(*arguments: str, input: str | None = None) -> str:
    """Run a command that must succeed and return its stdout."""
    result = obsorb(*arguments, input=input)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def refused(*arguments: str, code: int = 1) -> str:
    """Run a command that must fail with an exit code and return its stderr."""
    result = obsorb(*arguments)
    assert result.exit_code == code, (result.output, result.exception)
    assert "Traceback" not in result.output
    return result.stderr


def document(*arguments: str) -> Any:
    """Run a command with ``--json`` and return the document that it prints."""
    import json

    return json.loads(ok(*arguments, "--json"))
