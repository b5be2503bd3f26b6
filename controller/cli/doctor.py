"""``obsorb doctor``: what is well and what is not, with cause and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from controller.cli.lazy import single
from controller.cli.session import Session, addressed
from controller.health.finding import Finding, Verdict

app = single()

_MARKS = {Verdict.GOOD: ("ok  ", "green"), Verdict.NOTE: ("note", "yellow")}
_BAD = ("FAIL", "red")


@app.command()
@addressed
def doctor(
    session: Session,
    data_root: Annotated[
        Path | None, typer.Option("--data-root", help="Also examine the space of this folder.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Examine only what is installed here.")
    ] = False,
) -> None:
    """Examine the installation, its names and services; exit code 1 when something fails."""
    from controller.health.installed import examine_installed
    from controller.health.place import examine_clock, examine_space

    findings = [*examine_installed(), examine_clock()]
    if data_root is not None:
        findings.append(examine_space(data_root))
    if not offline:
        from controller.health.services import examine_services
        from controller.health.trust import examine_certificate

        findings.append(examine_certificate(session.certs, session.identity))
        findings += examine_services(session.names, session.root)
    if session.as_json:
        session.emit(findings, "")
    else:
        _print(findings)
    if any(each.verdict is Verdict.BAD for each in findings):
        raise typer.Exit(1)


def _print(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for each in findings:
        mark, style = _MARKS.get(each.verdict, _BAD)
        console.print(Text.assemble((mark, style), f" {each.subject}: {each.found}"))
        if each.cause:
            console.print(Text(f"       cause: {each.cause}"))
        if each.remedy:
            console.print(Text(f"       remedy: {each.remedy}"))
