"""``obsorb project``: who does what for which project, and the configurations of components."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from controller.cli.lazy import group
from controller.cli.project_config import config
from controller.cli.session import Session, addressed
from controller.cli.who import ByOption, who
from idl_like_interfaces.project import Preset, ProjectChange, ProjectInformation, ProjectService

if TYPE_CHECKING:
    from nameserver.client import Names

app = group()
app.add_typer(config, name="config")

ExpectOption: TypeAlias = Annotated[
    int,
    typer.Option(
        "--expect", metavar="VERSION", min=0, help="Refuse when it has another version by now."
    ),
]
LimitOption: TypeAlias = Annotated[
    int, typer.Option("--limit", min=1, max=1000, help="The newest so many.")
]
BeforeOption: TypeAlias = Annotated[
    int, typer.Option("--before", metavar="VERSION", min=0, help="Only older ones.")
]


@app.callback()
def project() -> None:
    """See and set the project information, which every writer puts into its files."""


@app.command()
@addressed
def show(
    session: Session,
    version: Annotated[int, typer.Option("--version", min=0, help="An earlier one.")] = 0,
) -> None:
    """Show the present project information, or an earlier version of it."""
    with session.connect() as client:
        found = _service(session, client).get(version)
    session.emit(found, information_text(found))


@app.command("set")
@addressed
def set_project(
    session: Session,
    project: Annotated[
        str | None, typer.Option("--project", metavar="TEXT", help="Name or id of the project.")
    ] = None,
    operator: Annotated[
        str | None, typer.Option("--operator", metavar="TEXT", help="Who is responsible now.")
    ] = None,
    flight: Annotated[
        str | None, typer.Option("--flight", metavar="TEXT", help="Flight, night or programme.")
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option(
            "--context",
            metavar="NAME=TEXT",
            help="An entry of the context; NAME= removes it. May be given again.",
        ),
    ] = None,
    comment: Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why.")] = "",
    by: ByOption = "",
    expect: ExpectOption = 0,
) -> None:
    """Change the project information; what is not given stays as it is."""
    change = ProjectChange(
        project=project,
        operator=operator,
        flight=flight,
        context=dict(map(_entry, context or [])),
        comment=comment,
    )
    if change == ProjectChange():
        message = "give at least one of --project, --operator, --flight, --context, --comment"
        raise typer.BadParameter(message)
    with session.connect() as client:
        found = _service(session, client).set(change, who(by), expect)
    session.emit(found, information_text(found))


@app.command()
@addressed
def history(session: Session, limit: LimitOption = 20, before: BeforeOption = 0) -> None:
    """List the versions, the newest first, with what each of them has changed."""
    with session.connect() as client:
        # One more, to say what the oldest that is shown has changed.
        found = _service(session, client).history(min(limit + 1, 1000), before)
    lines = [history_line(new, old) for new, old in pairwise([*found, None]) if new is not None]
    session.emit(found[:limit], "\n".join(lines[:limit]))


@app.command()
@addressed
def presets(session: Session) -> None:
    """List what a session may begin with; what is taken first stands first."""
    with session.connect() as client:
        found = _service(session, client).presets()
    session.emit(found, "\n".join(map(preset_line, found)) or "there are none")


def information_text(found: ProjectInformation) -> str:
    """Say the project information, a line for each value."""
    lines = [f"{name:<12} {text or '-'}" for name, text in _values(found).items()]
    comment = f": {found.comment}" if found.comment else ""
    by = f" by {found.changed_by}" if found.changed_by else ""
    lines.append(f"version {found.version}, {found.changed:%Y-%m-%d %H:%M:%S} UTC{by}{comment}")
    return "\n".join(lines)


def history_line(new: ProjectInformation, old: ProjectInformation | None) -> str:
    """Say what a version has changed; ``old``: the one before, None when it is not known."""
    before, after = _values(old) if old is not None else {}, _values(new)
    changes = [
        f"{name}={after.get(name) or '-'}"
        for name in [*after, *(each for each in before if each not in after)]
        if after.get(name, "") != before.get(name, "")
    ]
    comment = f"  ({new.comment})" if new.comment else ""
    return (
        f"{new.version:>5}  {new.changed:%Y-%m-%d %H:%M:%S}  {new.changed_by or '-':<16}  "
        f"{', '.join(changes) or 'nothing changed'}{comment}"
    )


def preset_line(each: Preset) -> str:
    """Say a preset and where it comes from."""
    since = f", since {each.since:%Y-%m-%d %H:%M} UTC" if each.since else ""
    return f"{each.field:<16} {each.value:<32} {each.origin}{since}"


def _values(found: ProjectInformation) -> dict[str, str]:
    own = {"project": found.project, "operator": found.operator, "flight": found.flight}
    return own | {f"context.{name}": text for name, text in sorted(found.context.items())}


def _entry(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        message = f"--context: {text!r} is not NAME=TEXT"
        raise typer.BadParameter(message)
    return name, value


def _service(session: Session, client: Names) -> ProjectService:
    return client.narrow(session.path("project"), ProjectService)
