"""The options by which alarms are chosen."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, TypeAlias

import typer

from idl_like_interfaces.alarms import AlarmFilter, Column, Severity

IdsArgument: TypeAlias = Annotated[
    list[int] | None, typer.Argument(metavar="[ID]...", help="Numbers of alarms, as listed.")
]
AllOption: TypeAlias = Annotated[
    bool, typer.Option("--all", help="All that the options choose, instead of numbers.")
]

_GLOB = "a glob; with ! in front: not these. May be repeated."
_FILTERS: dict[str, Any] = {
    "name": Annotated[
        list[str] | None, typer.Option("--name", metavar="GLOB", help=f"Of the condition: {_GLOB}")
    ],
    "object": Annotated[
        list[str] | None,
        typer.Option("--object", metavar="GLOB", help=f"What it is about: {_GLOB}"),
    ],
    "subsystem": Annotated[
        list[str] | None, typer.Option("--subsystem", metavar="GLOB", help=f"Which: {_GLOB}")
    ],
    "system": Annotated[
        list[str] | None, typer.Option("--system", metavar="GLOB", help=f"System id: {_GLOB}")
    ],
    "attribute": Annotated[
        list[str] | None, typer.Option("--attribute", metavar="GLOB", help=f"Of it: {_GLOB}")
    ],
    "severity": Annotated[
        Severity | None,
        typer.Option("--severity", case_sensitive=False, help="At least so bad."),
    ],
    "column": Annotated[
        list[Column] | None,
        typer.Option("--column", case_sensitive=False, help="Where it stands; may be repeated."),
    ],
    "negate": Annotated[
        bool | None,
        typer.Option("--not", help="Exactly those that the other options would not choose."),
    ],
}


def filtered(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a filter; it gets them as ``filter``."""

    @functools.wraps(function)
    def command(*positional: Any, **arguments: Any) -> None:
        chosen = {name: arguments.pop(name) for name in _FILTERS}
        function(*positional, filter=_filter(chosen), **arguments)

    signature = inspect.signature(function, eval_str=True)
    own = [each for each in signature.parameters.values() if each.name != "filter"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=type_)
        for name, type_ in _FILTERS.items()
    ]
    del command.__wrapped__
    command.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]
    return command


def _filter(chosen: dict[str, Any]) -> AlarmFilter:
    return AlarmFilter(
        names=chosen["name"] or [],
        objects=chosen["object"] or [],
        attributes=chosen["attribute"] or [],
        subsystems=chosen["subsystem"] or [],
        system_ids=chosen["system"] or [],
        severity=chosen["severity"] or Severity.INFO,
        columns=chosen["column"] or [],
        negate=bool(chosen["negate"]),
    )


_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_span(text: str) -> float:
    """Read a time span such as ``90s``, ``10m``, ``2h``, ``1d``; return seconds.

    Raises:
        typer.BadParameter: It is none.
    """
    found = _SPAN.fullmatch(text)
    try:
        if found is not None:
            return timedelta(**{_UNITS[found[2]]: float(found[1])}).total_seconds()
    except OverflowError:
        pass
    message = f"--for: {text!r} is no time span such as 90s, 10m, 2h or 1d"
    raise typer.BadParameter(message)
