"""The root of the command line: its groups, its global options, its ways to end."""

from __future__ import annotations

import sys
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup
from typing_extensions import override

from controller.cli.lazy import Entry, LazyGroup, share_options
from controller.cli.options import (
    CertsOption,
    IdentityOption,
    JsonOption,
    NamesOption,
    OcmOption,
    PepOption,
    RepOption,
    RootOption,
    StatusOption,
    VersionOption,
)
from controller.cli.output import give_output_up, has_lost_output, print_note
from controller.failure import INTERRUPTED, REFUSED, CommandFailed, explain
from idl_like_interfaces.errors import RemoteError

ENTRIES = {
    "demo": Entry(
        module="controller.cli.demo",
        summary="Show everything at work in a scratch folder, with real frames.",
    ),
    "up": Entry(module="controller.cli.up", summary="Run an installation from a TOML file."),
    "serve": Entry(module="controller.cli.serve", summary="Run one component of an installation."),
    "sim": Entry(
        module="controller.cli.sim", summary="Run a simulated source, for training and tests."
    ),
    "import": Entry(
        module="controller.cli.import_", summary="Make configurations of the original ours."
    ),
    "names": Entry(
        module="controller.cli.names", summary="Look at the name service, change what is bound."
    ),
    "idl": Entry(
        module="controller.cli.idl",
        summary="Show interfaces, check that objects keep them, compare versions.",
    ),
    "events": Entry(module="controller.cli.events", summary="Look at the event channel."),
    "log": Entry(module="controller.cli.log", summary="Read the logs of all components."),
    "project": Entry(
        module="controller.cli.project",
        summary="See and set the project information and configurations.",
    ),
    "supervisor": Entry(
        module="controller.cli.supervisor",
        summary="See the processes of an installation, restart one.",
    ),
    "oldb": Entry(module="controller.cli.oldb", summary="Look into the online database, watch it."),
    "alarms": Entry(
        module="controller.cli.alarms", summary="See what is wrong, why, and what to do about it."
    ),
    "std": Entry(module="controller.cli.std", summary="Drive the state machine of a server."),
    "daq": Entry(module="controller.cli.daq", summary="Start, steer and watch acquisitions."),
    "run": Entry(module="controller.cli.run", summary="Begin, steer and end runs over loggers."),
    "merge": Entry(module="controller.cli.merge", summary="Merge FITS files without a server."),
    "fits": Entry(
        module="controller.cli.fits", summary="Verify that FITS files keep the standard."
    ),
    "stream": Entry(
        module="controller.cli.stream",
        summary="List, read, verify and recover event files.",
    ),
    "dictionary": Entry(
        module="controller.cli.dictionary",
        summary="Check keyword dictionaries, look keywords up in them.",
    ),
    "quicklook": Entry(
        module="controller.cli.quicklook", summary="Draw what is in a FITS file, as PNG."
    ),
    "top": Entry(module="controller.cli.top", summary="Show a live dashboard."),
    "certs": Entry(module="controller.cli.certs", summary="Make, list and withdraw certificates."),
    "audit": Entry(module="controller.cli.audit", summary="Read and verify the audit log."),
    "ledger": Entry(
        module="controller.cli.ledger",
        summary="Account for every event and log record; name who lost some.",
    ),
    "doctor": Entry(module="controller.cli.doctor", summary="Examine the health of all of it."),
}


DOTTED = ("std", "daq")
"""Groups whose verbs may be written with a dot, as scripts know them: ``daq.start``."""


SHARED = ("names", "root", "certs", "identity", "as_json")
"""Options that every group takes, before its verb or behind it."""


class RootGroup(LazyGroup):
    """The root group; turns expected errors into a text on stderr and an exit code."""

    entries = ENTRIES

    @override
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        is_new = cmd_name not in self.commands
        command = super().get_command(ctx, cmd_name)
        if is_new and isinstance(command, TyperGroup):
            share_options(self, command, SHARED)
        return command

    def _invoke(self, ctx: Any) -> Any:
        done = super().invoke(ctx)
        if ctx.invoked_subcommand is None:
            _watch_acquisitions(ctx)
        return done

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        return super().resolve_command(ctx, _undotted(args))

    @override
    def invoke(self, ctx: Any) -> Any:
        try:
            return self._invoke(ctx)
        except (RemoteError, CommandFailed) as error:
            print_note(explain(error))
            raise typer.Exit(_exit_code(error)) from error
        except KeyboardInterrupt as interrupt:
            raise typer.Exit(INTERRUPTED) from interrupt


def _watch_acquisitions(ctx: Any) -> None:
    """Do what ``obsorb daq --status`` does; without a command there is nothing else to do."""
    if not ctx.params["status"]:
        ctx.fail("Missing command.")
    from controller.cli.daq import watch
    from controller.cli.session import open_session

    watch(open_session(ctx.params))


def _undotted(args: list[str]) -> list[str]:
    group, dot, verb = args[0].partition(".") if args else ("", "", "")
    return [group, verb, *args[1:]] if dot and group in DOTTED else args


def _exit_code(error: RemoteError | CommandFailed) -> int:
    return error.exit_code if isinstance(error, CommandFailed) else REFUSED


app = typer.Typer(
    cls=RootGroup, no_args_is_help=True, invoke_without_command=True, rich_markup_mode=None
)


@app.callback()
def obsorb(  # noqa: PLR0913, PLR0917 (what all commands share)
    names: NamesOption = None,
    root: RootOption = None,
    certs: CertsOption = None,
    identity: IdentityOption = None,
    as_json: JsonOption = None,
    ocm: OcmOption = None,
    rep: RepOption = None,
    pep: PepOption = None,
    status: StatusOption = None,
    version: VersionOption = False,
) -> None:
    """Acquire, log and merge scientific data with remote objects found by name.

    Exit codes: 0 done, 1 refused or failed (see stderr), 2 wrong usage.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    try:
        typer.main.get_command(app)(args=arguments, prog_name="obsorb")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        if not has_lost_output(error):
            raise
        give_output_up(error)
        sys.exit(REFUSED)
