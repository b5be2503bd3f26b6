"""The HTTP server that Prometheus reads from."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any

from typing_extensions import override

from idl_like_interfaces.closing import Closing

log = logging.getLogger(__name__)

MOST_REQUESTS = 8
"""At the same time; who comes then finds the door shut."""

_REQUEST_S = 5.0
"""A request that takes longer makes room for another one."""

_CLOSING_S = 0.1
"""So often it looks whether it is to end."""

_TEXT = "text/plain; charset=utf-8"
_INDEX = b"obsorb: the calls of all objects are at /metrics\n"

Exposition = Callable[[str], tuple[str, bytes]]
"""Takes the header ``Accept`` and returns content type and content."""


class Endpoint(Closing):
    """Answers ``GET /metrics``; a context manager.

    Args:
        host: Address to listen on.
        port: 0: any free one.
        expose: Makes the content.

    Attributes:
        address: Where it listens.

    Raises:
        OSError: It cannot listen there.
    """

    def __init__(self, host: str, port: int, expose: Exposition) -> None:
        self._server = _Server((host, port), expose)
        self.address: tuple[str, int] = self._server.server_address[:2]  # type: ignore[assignment]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_CLOSING_S,), name="metrics"
        )
        self._thread.start()

    @override
    def close(self) -> None:
        """Take no more requests and hang up."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False
    request_queue_size = 32

    def __init__(self, address: tuple[str, int], expose: Exposition) -> None:
        self.expose = expose
        self._lock = threading.Lock()
        self._began: dict[Any, float] = {}
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        if self._has_room():
            with self._lock:
                self._began[request] = time.monotonic()
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    @override
    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._began[request]

    def _has_room(self) -> bool:
        """Tell whether one more request may be served; when not, end those that drip."""
        with self._lock:
            if len(self._began) < MOST_REQUESTS:
                return True
            now = time.monotonic()
            for request, began in self._began.items():
                if now - began > _REQUEST_S:
                    _hang_up(request)
            return False

    @override
    def server_close(self) -> None:
        with self._lock:
            for request in self._began:
                _hang_up(request)
        super().server_close()

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        log.warning("a request from %s was not answered: %s", client_address, sys.exc_info()[1])


def _hang_up(request: Any) -> None:
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    timeout = _REQUEST_S
    server: _Server

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/metrics":
                self._send(HTTPStatus.OK, *self.server.expose(self.headers.get("Accept", "")))
            case "/":
                self._send(HTTPStatus.OK, _TEXT, _INDEX)
            case _:
                self._send(HTTPStatus.NOT_FOUND, _TEXT, _INDEX)

    def _send(self, status: HTTPStatus, content_type: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @override
    def version_string(self) -> str:
        return "obsorb"

    @override
    def log_message(self, format: str, *args: Any) -> None:
        log.debug("%s: " + format, self.address_string(), *args)  # noqa: G003 (as it is handed over)
