"""``obsorb serve``: one component in the foreground."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from controller.cli.db_host import DbHostOption, mirrored_to
from controller.cli.endpoints import address_of, port_of
from controller.cli.lazy import single
from controller.cli.options import NamesOption
from controller.cli.output import print_line, print_note
from controller.cli.tools import load_tool, log_to_stderr, run_tool

app = single()

ConfigOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--config",
        "-c",
        metavar="PATH",
        help="The installation file, looked for over the folders of $CFGPATH when it is relative.",
    ),
]


@app.command()
def serve(  # noqa: PLR0913, PLR0917 (the options of the original's servers)
    installation: Annotated[
        str | None, typer.Argument(metavar="FILE", help="Installation file (TOML).")
    ] = None,
    component: Annotated[
        str | None, typer.Argument(metavar="COMPONENT", help="Its name in the installation.")
    ] = None,
    config: ConfigOption = None,
    proc_name: Annotated[
        str | None, typer.Option("--proc-name", "-n", metavar="NAME", help="The component.")
    ] = None,
    names: NamesOption = None,
    db_host: DbHostOption = None,
    level: Annotated[
        str | None,
        typer.Option(
            "--level", "--log-level", "-l", help="Lowest level that is logged; default INFO."
        ),
    ] = None,
    workspace: Annotated[
        str | None, typer.Option("--workspace", metavar="DIR", help="Its setting workspace.")
    ] = None,
    poll_once: Annotated[
        bool, typer.Option("--poll-once", help="A dpm: end when nothing is left to do.")
    ] = False,
    rr_uri: Annotated[
        str | None,
        typer.Option("--rr-uri", metavar="ENDPOINT", help="Serve its objects at this port."),
    ] = None,
    ps_uri: Annotated[
        str | None, typer.Option("--ps-uri", metavar="ENDPOINT", help="Taken, and not needed.")
    ] = None,
) -> None:
    """Run one component of an installation until Ctrl-C.

    Without --names it looks for the name server where the file says. An option goes before the
    file, the file before the environment.
    """
    file, name = _target([each for each in (installation, component) if each], config, proc_name)
    log_to_stderr(level or "INFO")
    wishes: dict[str, Any] = {"names": names, "settings": _settings(workspace, poll_once=poll_once)}
    if level:
        wishes["log_level"] = level.upper()
    if rr_uri:
        wishes["port"] = port_of(rr_uri, "--rr-uri")
    if ps_uri:
        address_of(ps_uri, "--ps-uri", "ps")
        print_note(f"--ps-uri {ps_uri} is not needed: events go to the channel, found by name")
    with mirrored_to(db_host):
        run_tool("serve", file, name, on_message=print_line, **wishes)


def configured(config: str) -> Path:
    """Return the installation file that ``--config`` means.

    Raises:
        BadParam: There is none.
    """
    found: Path = load_tool("find_config")(config, field="--config", beside=Path.cwd())
    return found


def _target(given: list[str], config: str | None, proc_name: str | None) -> tuple[Path, str]:
    """Return file and component, from arguments or from the options of the original."""
    wanted = [] if config else ["FILE"]
    wanted += [] if proc_name else ["COMPONENT"]
    if len(given) != len(wanted):
        missing = wanted[len(given) :]
        text = f"Missing argument {missing[0]!r}." if missing else f"What is {given[-1]!r}?"
        raise typer.BadParameter(text + " FILE or --config, then COMPONENT or --proc-name")
    rest = iter(given)
    file = configured(config) if config else Path(next(rest))
    return file, proc_name or next(rest)


def _settings(workspace: str | None, *, poll_once: bool) -> dict[str, Any]:
    settings: dict[str, Any] = {"workspace": workspace} if workspace else {}
    return settings | ({"poll_once": True} if poll_once else {})
