"""A front desk for tests: takes a name, does a stated amount of real work (key derivation), keeps the name.

Faults come from its configuration: `exit` ends at once, `deaf` never gets ready, `die_after: N` ends after N visits,
`lose: true` forgets every fifth name, `hang: true` answers no visit.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT, CONFIGURATION = int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
NAMES: list[str] = []
LOCK = threading.Lock()
NEVER = threading.Event()


class Desk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Or an answer sent in two parts waits 40 ms for the first one's acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self, status: int, data: object) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        if CONFIGURATION.get("deaf"):
            return self.answer(503, {"ready": False})
        if self.path == "/names":
            return self.answer(200, NAMES)
        return self.answer(200, {"desk": True})

    def do_POST(self) -> None:
        name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["name"]
        if CONFIGURATION.get("hang"):
            NEVER.wait()
        with LOCK:
            hashlib.pbkdf2_hmac("sha256", name.encode(), b"desk", 500 * CONFIGURATION["work"])
            if not (CONFIGURATION.get("lose") and len(NAMES) % 5 == 4):
                NAMES.append(name)
            if len(NAMES) >= CONFIGURATION.get("die_after", float("inf")):
                os._exit(7)
        self.answer(201, {"name": name})

    def log_message(self, *args: object) -> None:
        pass


if CONFIGURATION.get("exit"):
    sys.exit("the desk is closed")
ThreadingHTTPServer(("127.0.0.1", PORT), Desk).serve_forever()
