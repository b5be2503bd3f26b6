"""The command ``obsorb-nameserver``."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from typing_extensions import override

from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.mapping import make_incarnation, use_tls
from idl_like_interfaces.naming import DEFAULT_PORT
from idl_like_interfaces.security.protection import Protection
from idl_like_interfaces.security.settings import ABSENT, read_security
from nameserver.server import NameServer
from nameserver.stores import Durability

PROCESS = "nameserver"
"""Name of its certificate, and of its audit log if nobody says another."""

_LEVELS = ("debug", "info", "warning", "error")
_MAX_PORT = 65535
_ENDING = (signal.SIGTERM, signal.SIGINT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a name server until SIGTERM or SIGINT.

    Returns:
        0 after an orderly end, 1 when it cannot start (2, of argparse, for wrong usage).
    """
    options = _parsed(arguments)
    _log_to_stderr(options.log_level)
    # Blocked before any thread starts, so that they wait for us even while we open the store.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        with (
            _protection(options) as protection,
            NameServer(
                options.host,
                options.port,
                options.store,
                Durability(options.durable),
                peer=options.peer,
                lead=options.lead,
                protection=protection,
            ) as server,
        ):
            _say(f"name server: {server.host}:{server.port}")
            signal.sigwait(_ENDING)
    except RemoteError as error:
        sys.stderr.write(f"obsorb-nameserver: {error.explain()}\n")
        return 1
    return 0


def _protection(options: argparse.Namespace) -> Protection:
    """Make certificate, roles and audit log; calls to a peer use the certificate too."""
    table = read_security(options.security) if options.security else ABSENT
    if options.certs:
        table = msgspec.structs.replace(table, certs=str(options.certs))
    if options.identity:
        table = msgspec.structs.replace(table, identity=options.identity)
    if options.insecure:
        table = msgspec.structs.replace(table, insecure=True)
    made = Protection(
        table, PROCESS, make_incarnation(), options.audit, audit_name=options.audit_name
    )
    use_tls(made.client)
    return made


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.peer == (options.host, options.port):
        parser.error("argument --peer: that is this name server itself; give the other one")
    if options.lead and options.peer is None:
        parser.error("argument --lead: it takes --peer; without one a name server always leads")
    return options


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Tells the defaults that say something."""

    @override
    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, False):
            return action.help
        return super()._get_help_string(action)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="obsorb-nameserver",
        description="Run a name server until SIGTERM or Ctrl-C. "
        "Its first line on standard output is 'name server: HOST:PORT'.",
        formatter_class=_Help,
    )
    parser.add_argument(
        "--host", default="localhost", help="name or address; beyond loopback it takes --certs"
    )
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="0: any free port")
    parser.add_argument(
        "--store",
        type=_store,
        default="memory",
        metavar="PATH|memory",
        help="file that keeps the names over a restart; it and its folder are made if missing",
    )
    parser.add_argument(
        "--durable",
        choices=[each.value for each in Durability],
        default=Durability.POWER.value,
        help="what an acknowledged change in the file survives: kill -9, or loss of power too",
    )
    parser.add_argument(
        "--peer",
        type=_peer,
        metavar="HOST:PORT",
        help="the other name server of a pair, which has this one as its peer: "
        "one leads, the other follows and takes over",
    )
    parser.add_argument(
        "--lead",
        action="store_true",
        help="with --peer: lead without having heard the other one; only when it is dead",
    )
    _add_security(parser)
    parser.add_argument(
        "--log-level", choices=_LEVELS, default="info", help="least level on standard error"
    )
    return parser


def _add_security(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--certs",
        type=Path,
        metavar="DIR",
        help="serve with TLS: folder of the certificates (`obsorb certs`)",
    )
    parser.add_argument(
        "--identity", metavar="NAME", help=f"certificate to use when there is no {PROCESS}.crt"
    )
    parser.add_argument(
        "--insecure", action="store_true", help="serve an address beyond loopback without TLS"
    )
    parser.add_argument(
        "--security",
        type=Path,
        metavar="FILE",
        help="take certificates, roles and rules from [security] of an installation file",
    )
    parser.add_argument(
        "--audit", type=Path, metavar="DIR", help="folder of the audit log; with --security"
    )
    parser.add_argument(
        "--audit-name",
        default=PROCESS,
        metavar="NAME",
        help="name of the audit log; two name servers with the same folder need two",
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _MAX_PORT:
        message = f"{text!r} is not a port: a number from 0 to {_MAX_PORT}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _peer(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= _MAX_PORT:
        message = f"{text!r} is not an address: HOST:PORT"
        raise argparse.ArgumentTypeError(message)
    return host, int(port)


def _store(text: str) -> Path | None:
    """Return the path of the store; ``None`` for one in memory (``./memory`` is a file)."""
    return None if text == "memory" else Path(text).expanduser()
