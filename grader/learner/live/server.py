"""A page on loopback for one browser: its address has a token, and whoever else asks gets nothing.

Three addresses under the token: the page; `events`, a stream that tells its version at every change; `act`,
to which the page posts what was clicked. Host and Origin have to be ours: so no name that is made to lead
here, and no page of another origin, gets further than a 404.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from grader.core.errors import swallowed
from grader.reports.pages.html import policy

ADDRESS = "127.0.0.1"
LONGEST = 4096  # bytes of what the page posts
STALE = 20.0  # seconds in which a request must come, and after which a stream says that it is there

Page = Callable[[], str]
Act = Callable[[str, str], str]  # what was clicked, of which item; what to say of it

HEADERS = {
    "Content-Security-Policy": f"{policy(live=True)}; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Server(ThreadingHTTPServer):
    """Serves from threads of its own; use it as a context manager. At its end the pages are told."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = False  # on Windows it would let another have the port too

    def __init__(self, page: Page, act: Act) -> None:
        super().__init__((ADDRESS, 0), Handler)
        self.page, self.act = page, act
        self.token = secrets.token_urlsafe(24)
        self.own = f"{ADDRESS}:{self.server_address[1]}"
        self.version, self.ended = 0, False
        self.changed = threading.Condition()
        self.streams: set[Any] = set()  # the connections of the pages that listen

    @property
    def url(self) -> str:
        return f"http://{self.own}/{self.token}/"

    def __enter__(self) -> Server:
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.tell(ended=True)
        self.shutdown()
        self.server_close()

    def server_bind(self) -> None:
        """Without a look for the machine's name, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore

    def tell(self, ended: bool = False) -> None:
        """The page has changed; from any thread."""
        with self.changed:
            self.version += 1
            self.ended = ended
            self.changed.notify_all()

    def newer(self, seen: int) -> tuple[int, bool]:
        """Wait for another version than `seen`; the version, and whether it was the last."""
        with self.changed:
            self.changed.wait_for(lambda: self.version != seen or self.ended, STALE)
            return self.version, self.ended

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing is printed: a browser that went away is no error."""
        swallowed("an answer to the page")


class Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = STALE
    server_version, sys_version = "grader", ""

    def do_GET(self) -> None:
        name = self._asked()
        if name == "":
            self._answer(200, "text/html; charset=utf-8", self.server.page().encode("utf-8", "replace"))
        elif name == "events":
            self._events()
        else:
            self._answer(404)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self._asked(posted=True) != "act" or not length.isdecimal() or int(length) > LONGEST:
            self._answer(404)
            return
        try:
            told = json.loads(self.rfile.read(int(length)))
            what, item = str(told["do"]), str(told["item"])
        except (ValueError, KeyError, TypeError, RecursionError):
            self._answer(400)
            return
        said = self.server.act(what, item)
        self._answer(200, "text/plain; charset=utf-8", said.encode("utf-8", "replace"))

    def _asked(self, posted: bool = False) -> str | None:
        """What of ours is asked for; None where somebody else asks."""
        told, here = self.headers, f"http://{self.server.own}"
        origin = told.get_all("Origin") or ([] if posted else [here])
        if told.get_all("Host") != [self.server.own] or origin != [here]:
            return None
        if told.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return None
        root, _, name = self.path.removeprefix("/").partition("/")
        return name if hmac.compare_digest(root.encode(), self.server.token.encode()) else None

    def _answer(self, code: int, kind: str = "text/plain", body: bytes = b"") -> None:
        self.send_response(code)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _events(self) -> None:
        """The page's version, at once and at every change."""
        server, seen = self.server, -1
        self.send_response(200)
        for name, value in {**HEADERS, "Content-Type": "text/event-stream"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"retry: 500\n\n")
        server.streams.add(self.connection)
        ended = False
        with contextlib.suppress(OSError):
            while not ended:
                seen, ended = server.newer(seen)
                self.wfile.write(b"event: end\ndata:\n\n" if ended else f"data: {seen}\n\n".encode())
        server.streams.discard(self.connection)

    def log_message(self, *_: object) -> None:
        """Nothing: the terminal is the learner's."""
