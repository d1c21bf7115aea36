"""A small threaded HTTP server whose faults the tests choose: by path, or for everybody at once."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import threading
from collections.abc import Callable

LARGE = 17 * 1024 * 1024


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


class Counter:
    """`gate` open: answers at once; closed: every request waits for it. `hits` counts requests by path."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.hits: dict[str, int] = {}
        self.stalled = False
        self.on_request: Callable[[int], None] = lambda number: None
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.host = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def requests(self) -> int:
        return sum(self.hits.values())

    def stall(self, seconds: float) -> None:
        self.gate.clear()
        threading.Timer(seconds, self.gate.set).start()

    def die(self) -> None:
        """Gone like a killed process: nobody listens, every connection is closed."""
        self._over.set()
        self.gate.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            reader = connection.makefile("rb")
            while line := reader.readline():
                path = line.split()[1].decode()
                headers = dict(_header(entry) for entry in iter(reader.readline, b"\r\n"))
                reader.read(int(headers.get("content-length", "0")))
                with self._lock:
                    self.hits[path] = self.hits.get(path, 0) + 1
                    number = self.requests
                self.on_request(number)
                self.gate.wait()
                if not self._respond(connection, path, headers):
                    break
            reader.close()
        with self._lock:
            self._open.discard(connection)

    def _respond(self, connection: socket.socket, path: str, headers: dict[str, str]) -> bool:
        """Answer; False closes the connection."""
        if path == "/greet":
            known = "visited=yes" in headers.get("cookie", "")
            connection.sendall(
                answer(b"known" if known else b"new", "200 OK", "Set-Cookie: visited=yes; Path=/")
            )
        elif path == "/redirected":
            connection.sendall(answer(b"", "302 Found", "Location: /ok"))
        elif path == "/elsewhere":
            connection.sendall(answer(b"", "302 Found", f"Location: http://localhost:{self.port}/ok"))
        elif path == "/loop":
            connection.sendall(answer(b"", "302 Found", "Location: /loop"))
        elif path in _ANSWERS:
            connection.sendall(_ANSWERS[path])
            return path not in _LAST
        elif path == "/reset":
            # no time to linger: closing sends a reset
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        elif path == "/closed":
            return False
        elif path == "/silent":
            self._over.wait()
            return False
        elif path == "/endless-headers":
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not self._over.is_set():
                connection.sendall(b"X-More: " + b"x" * 4000 + b"\r\n")
        elif path == "/endless-body":
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not self._over.is_set():
                connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        else:
            connection.sendall(answer(b"no such page", "404 Not Found"))
        return True


_ANSWERS = {
    "/ok": answer(b'{"ok": true}', "200 OK", "Content-Type: application/json"),
    "/refuse": answer(b"not eligible", "403 Forbidden"),
    "/error": answer(b"out of order", "500 Internal Server Error"),
    "/gzip": answer(gzip.compress(b"x" * 5000), "200 OK", "Content-Encoding: gzip"),
    "/garbage": b"\x00\xff\x16\x03 this is no HTTP\r\n\r\n",
    "/truncated": answer(b"x" * 100)[:-50],
    "/bad-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    "/not-gzip": answer(b"plain", "200 OK", "Content-Encoding: gzip"),
    "/odd-encoding": answer(b"plain", "200 OK", "Content-Encoding: rot13"),
    "/bomb": answer(gzip.compress(bytes(LARGE)), "200 OK", "Content-Encoding: gzip"),
    "/huge": answer(bytes(LARGE)),
    "/not-json": answer(b"<p>sorry</p>", "200 OK", "Content-Type: text/html; charset=punycode"),
    "/json-list": answer(b"[1]"),
    "/json-object": answer(b'{"a": 1}'),
    "/bad-location": answer(b"", "302 Found", "Location: http://[::1"),
}
_LAST = ("/garbage", "/truncated", "/bad-chunk", "/huge")


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode("latin-1").partition(":")
    return name.strip().lower(), value.strip()
