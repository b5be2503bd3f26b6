"""Endpoints of ESO's middleware (``zpb.rr://HOST:PORT/``), where they can mean something here.

An endpoint of the original is the address at which a server is reached. Here objects are found by
name, so the one address that a client must know is that of the name server: that is what the
endpoint of a request means to a client. To a server it is the port of its objects.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

from controller.cli.output import print_note
from idl_like_interfaces.errors import BadParam

REQUEST_VARIABLE = "OCM_REQUEST_EP"

_ENDPOINT = re.compile(r"zpb\.(?P<kind>rr|ps)://(?P<address>[^/]*)/?(?P<service>.*)")
_HERE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 (a name, not a bind)


class Wherefore(NamedTuple):
    """What was said of where the OCM is: its name server, or its name."""

    names: str | None = None
    ocm: str | None = None


def address_of(text: str, field: str, kind: str = "rr") -> str:
    """Return ``HOST:PORT`` of an endpoint, or the text itself when it is of that form.

    Args:
        text: ``zpb.rr://HOST:PORT/`` or ``HOST:PORT``.
        field: Option or variable that says so.
        kind: ``rr`` for requests, ``ps`` for what is published.

    Raises:
        BadParam: It is neither, of the other kind, or with a service behind it.
    """
    match = _ENDPOINT.fullmatch(text.strip())
    if match is not None and match["kind"] != kind:
        raise _wrong(text, field, f"is not of the kind zpb.{kind}", f"give zpb.{kind}://HOST:PORT")
    if match is not None and match["service"]:
        raise _wrong(
            text,
            field,
            f"names the service {match['service']}",
            f"give it without: zpb.{kind}://{match['address']}/; services are found by name",
        )
    from nameserver.client import parse_addresses

    address = match["address"] if match is not None else text.strip()
    if "@" in address:
        remedy = f"give zpb.{kind}://HOST:PORT or HOST:PORT of the name server"
        raise _wrong(text, field, "is not the address of a name server", remedy)
    parse_addresses(address, field)
    return address


def where_is_ocm(options: Mapping[str, Any]) -> Wherefore:
    """Read ``--rep``, else ``$OCM_REQUEST_EP`` where nothing of ours says where the names are.

    Raises:
        BadParam: It cannot be understood, or ``--names`` says something as well.
    """
    if given := options.get("rep"):
        if _is_name(given):
            return Wherefore(ocm=given.strip("/"))
        if options.get("names"):
            raise _wrong(
                given, "--rep", "and --names both say where the names are", "give one of them"
            )
        return Wherefore(names=address_of(given, "--rep"))
    from nameserver.client import ENVIRONMENT

    of_ours = options.get("names") or os.environ.get(ENVIRONMENT)
    said = os.environ.get(REQUEST_VARIABLE, "")
    if of_ours or not said:
        return Wherefore()
    if _is_name(said):
        return Wherefore(ocm=said.strip("/"))
    return Wherefore(names=address_of(said, f"${REQUEST_VARIABLE}"))


def where_are_events(given: str | None) -> str | None:
    """Read ``--pep``: the name of the event channel; of an endpoint say that it is not needed.

    Raises:
        BadParam: It is neither.
    """
    if not given:
        return None
    if _is_name(given):
        return given.strip("/")
    address_of(given, "--pep", "ps")
    print_note(f"--pep {given} is not needed: the event channel is found by name")
    return None


def port_of(text: str, field: str) -> int:
    """Return the port of an endpoint at which a server of this host shall be reached.

    Raises:
        BadParam: It is no endpoint, or one of another host.
    """
    from nameserver.client import parse_address

    host, port = parse_address(address_of(text, field), field)
    if host.strip("[]") in _HERE | {socket.gethostname(), socket.getfqdn()}:
        return port
    raise _wrong(
        text,
        field,
        "is of another host",
        "give localhost; on which address a server listens says the table [security]",
    )


def _is_name(text: str) -> bool:
    return ":" not in text and "/" in text


def _wrong(text: str, field: str, what: str, remedy: str) -> BadParam:
    return BadParam(f"{field}: {text!r} {what}", field=field, remedy=remedy)
