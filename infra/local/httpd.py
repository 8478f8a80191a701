"""A real HTTP server on 127.0.0.1 for the local gateway. Knows nothing of Egret, so that it can take its port first.

``chalice local`` waits for a delayed acknowledgement on every request of a connection; this server does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.local.gateway import Gateway

HOST = "127.0.0.1"
GATEWAY_MAX_BYTES = 10 * 1024 * 1024
IDLE_SECONDS = 60
Page = tuple[str, bytes]
Pages = Callable[[str], Page | None]
Note = Callable[[str, str, int], None]


class PortUnusable(Exception):
    """The port is taken, or not for us to take; the message says which."""


class LocalServer(ThreadingHTTPServer):
    """The server: Egret's API and, beside it, a few pages for people."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, pages: Pages, note: Note) -> None:
        self.pages = pages
        self.note = note
        self.gateway: Gateway | None = None
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise PortUnusable(getattr(error, "strerror", None) or error) from None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is not an error of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer
    protocol_version = "HTTP/1.1"
    server_version = "Egret"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS

    def _serve(self) -> None:
        body = self._read_body()
        if body is None:
            return
        page = self.server.pages(self.path) if self.command == "GET" else None
        if page is not None:
            self._send(200, {"Content-Type": page[0]}, page[1])
            return
        status, headers, content = self._gateway.answer(self.command, self.path, dict(self.headers), body)
        self.server.note(self.command, self.path, status)
        self._send(status, headers, content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - the base class names them so

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 - the base class calls it so
        """What the base class refuses by itself, in the one form; nothing of the request goes back."""
        if self.request_version in {"", "HTTP/0.9"}:
            self.request_version = self.protocol_version
        self._refuse(self._gateway.unreadable(code))

    def _read_body(self) -> bytes | None:
        """The body; None if it was refused (and the connection is to end)."""
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or self.headers.get("Transfer-Encoding"):
            self._refuse(self._gateway.no_length())
            return None
        if int(length) > GATEWAY_MAX_BYTES:
            self._refuse(self._gateway.too_large())
            return None
        return self.rfile.read(int(length))

    @property
    def _gateway(self) -> Gateway:
        assert self.server.gateway is not None, "the server answers only once it has its gateway"
        return self.server.gateway

    def _refuse(self, answered: tuple[int, dict[str, str], bytes]) -> None:
        self.close_connection = True
        status, headers, content = answered
        self._send(status, {**headers, "Connection": "close"}, content)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Requests are noted by ``note``."""
