"""A command group that imports a subcommand when it is used, and not before."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup
from typing_extensions import override


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where a subcommand is found, and the line that the group's help shows of it.

    Attributes:
        module: Has the Typer application ``app``.
        summary: One line of help.
    """

    module: str
    summary: str


class LazyGroup(TyperGroup):
    """A group over a table; help is printed from the table without an import.

    Attributes:
        entries: The subcommands by name, in the order of the help.
    """

    entries: dict[str, Entry] = {}

    @override
    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.entries)

    @override
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in self.entries and cmd_name not in self.commands:
            self.commands[cmd_name] = _load(cmd_name, self.entries[cmd_name])
        return self.commands.get(cmd_name)

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        # Typer suggests from the loaded commands only; a typing error must not load all.
        if args and args[0] not in self.entries and not args[0].startswith("-"):
            ctx.fail(self._no_such_command(args[0]))
        return super().resolve_command(ctx, args)

    @override
    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.entries.items()])

    def _no_such_command(self, name: str) -> str:
        from difflib import get_close_matches

        close = " or ".join(repr(each) for each in get_close_matches(name, self.entries))
        hint = f" Did you mean {close}?" if close else ""
        return f"No such command {name!r}.{hint}"


def group(*, runs_alone: bool = False) -> typer.Typer:
    """Make an application for a group of commands.

    Args:
        runs_alone: Without a command its callback runs; else it prints its help.
    """
    return typer.Typer(
        no_args_is_help=not runs_alone,
        invoke_without_command=runs_alone,
        rich_markup_mode=None,
        add_completion=False,
    )


def single() -> typer.Typer:
    """Make an application for a command without verbs."""
    return typer.Typer(rich_markup_mode=None, add_completion=False)


def share_options(above: Any, group_: Any, names: Sequence[str]) -> None:
    """Let a group take options of the group above, too: before its verb.

    They do not stand in its help, which would say them once more.
    """
    own = {each.name for each in group_.params}
    added = [copy(each) for each in above.params if each.name in names and each.name not in own]
    for each in added:
        each.hidden = True
    group_.params = [*group_.params, *added]
    callback, known = group_.callback, frozenset(each.name for each in added)

    def run(**arguments: Any) -> Any:
        return callback(**{key: each for key, each in arguments.items() if key not in known})

    group_.callback = run if callback else None


def _load(name: str, entry: Entry) -> Any:
    command = typer.main.get_command(import_module(entry.module).app)
    command.name = name
    return command
