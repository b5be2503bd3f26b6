"""What a command works with: the addressed installation and the form of its output."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from controller.cli.endpoints import Wherefore, where_are_events, where_is_ocm
from controller.cli.options import (
    DEFAULT_ROOT,
    CertsOption,
    IdentityOption,
    JsonOption,
    NamesOption,
    OcmOption,
    PepOption,
    RepOption,
    RootOption,
    StatusOption,
)
from controller.cli.output import print_json, print_line
from controller.cli.trust import use_own_certificate
from controller.failure import CommandFailed
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.naming import OBJECT_ID

if TYPE_CHECKING:
    from nameserver.client import Names, Where

NAME_SERVICE = f"PYRO:{OBJECT_ID}@"

_NO_TLS = "no TLS with "
"""So begins what says by itself why the two sides do not trust each other."""

P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The options that commands share.

    Attributes:
        names: Address of the name server as given; None: look further.
        root: Root context of the installation's names.
        ocm: Context of the OCM's objects.
        events: Name of the event channel; empty: ``ROOT/events``.
        as_json: Print JSON.
        with_status: Print status samples to stderr.
        certs: Folder of certificates as given; None: as the environment says.
        identity: Which of them, in the same way.
    """

    names: str | None = None
    root: str = DEFAULT_ROOT
    ocm: str = f"{DEFAULT_ROOT}/ocm"
    events: str = ""
    as_json: bool = False
    with_status: bool = False
    certs: str | None = None
    identity: str | None = None

    @contextmanager
    def connect(self) -> Iterator[Names]:
        """Reach the name service; everything else is found there."""
        from nameserver.client import Names, name_server_address

        address = name_server_address(self.names)
        with Names(address) as names:
            try:
                yield names
            except Transient as error:
                if NAME_SERVICE not in error.message or error.message.startswith(_NO_TLS):
                    raise
                raise _without_name_server(address, error) from error

    def path(self, name: str) -> str:
        """Return the full name of something in the installation."""
        return f"{self.root}/{name}"

    def emit(self, value: Any, text: str) -> None:
        """Print a result: the value as JSON, or the text."""
        if self.as_json:
            print_json(value)
        elif text:
            print_line(text)


def open_session(options: dict[str, Any]) -> Session:
    """Make a session from parsed options; what is missing has its default."""
    use_own_certificate(options.get("certs"), options.get("identity"))
    root = options.get("root") or DEFAULT_ROOT
    # Only commands to an OCM take the endpoints of the original.
    said = where_is_ocm(options) if "rep" in options else Wherefore()
    return Session(
        names=options.get("names") or said.names,
        root=root,
        ocm=options.get("ocm") or said.ocm or f"{root}/ocm",
        events=where_are_events(options.get("pep")) or "",
        as_json=bool(options.get("as_json")),
        with_status=bool(options.get("status")),
        certs=options.get("certs"),
        identity=options.get("identity"),
    )


def _without_name_server(where: Where, error: Transient) -> CommandFailed:
    from nameserver.client import show_addresses

    return CommandFailed(
        f"the name server {show_addresses(where)} cannot be reached: {error.message.rpartition(': ')[2]}",
        cause="it is not running, or it is elsewhere",
        remedy="start an installation with `obsorb up FILE`, or give --names HOST:PORT",
    )


_COMMON = {
    "names": NamesOption,
    "root": RootOption,
    "certs": CertsOption,
    "identity": IdentityOption,
    "as_json": JsonOption,
}
_OF_OCM = {
    **_COMMON,
    "ocm": OcmOption,
    "rep": RepOption,
    "pep": PepOption,
    "status": StatusOption,
}


def addressed(function: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """Give a command the shared options; it gets them as its first argument."""
    return _with_options(function, _COMMON)


def addressed_to_ocm(function: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """As ``addressed``, with the options that choose and watch an OCM."""
    return _with_options(function, _OF_OCM)


def _with_options(
    function: Callable[Concatenate[Session, P], None], options: dict[str, Any]
) -> Callable[..., None]:
    def command(**arguments: Any) -> None:
        shared = {name: arguments.pop(name) for name in options}
        # Typer passes by keyword what the signature below declares.
        functools.partial(function, open_session(shared))(**arguments)  # type: ignore[call-arg]

    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=type_)
        for name, type_ in options.items()
    ]
    command.__name__ = function.__name__
    command.__doc__ = function.__doc__
    command.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in [*own, *added]}
    return command
