"""The process under attack: an object, the same behind TLS, a name server."""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack
from pathlib import Path

from idl_like_interfaces.mapping import ObjectAdapter
from idl_like_interfaces.mapping.hosting.limits import Limits
from nameserver.server import NameServer
from tests.hostile.certificates import server_context
from tests.hostile.child import requests, say, settle
from tests.hostile.target import OBJECT_ID, Target, TargetServant

SHORT = Limits(connections=400, kept_bytes=64 << 20, handshake_s=0.5, message_s=0.7, reply_s=0.7)
"""The bounds in the fast tests: what takes ten seconds else, or thousands, takes a second."""


def main() -> None:
    """Serve until standard input is closed; print where first."""
    folder, limits = Path(sys.argv[1]), SHORT if sys.argv[2:] == ["short"] else Limits()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    settle(0)
    servant = TargetServant()
    with ExitStack() as open_:
        plain = open_.enter_context(ObjectAdapter(limits=limits))
        uri = plain.activate(servant, Target, OBJECT_ID)
        tls = open_.enter_context(ObjectAdapter(limits=limits, tls=server_context(folder)))
        tls.activate(servant, Target, OBJECT_ID)
        names = open_.enter_context(NameServer(port=0))
        say(
            uri=uri, port=plain.port, tls_port=tls.port, names_port=names.port, folder=str(folder),
            object_id=uri.removeprefix("PYRO:").rpartition("@")[0],
        )  # fmt: skip
        for _ in requests():
            say(load=str(plain.load()))


if __name__ == "__main__":
    main()
