"""The child process that puts the load: `python -m harness.load.generator`, started by `driver`.

The one idea: it lives exactly as long as it is wanted. It imports Locust while the system is still deployed,
takes one plan from its standard input, and ends at once when told to (TERM), when its parent dies, or when
that input closes.

Spoken over two pipes: one line of JSON comes in (`{"plan": path, "result": path}`), lines go out on the
descriptor given by `--progress` (`ready`, `progress`, `done`, `error`). Standard output and error are the
scenario's own and go to a log.
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_LONGEST = 4000  # characters of an error's message


def main() -> None:
    """Take one plan and carry it out."""
    parser = argparse.ArgumentParser(description="One run's load; started by the harness, not by hand.")
    parser.add_argument("--progress", type=int, required=True, metavar="DESCRIPTOR")
    parser.add_argument("--parent", type=int, required=True, metavar="PID")
    arguments = parser.parse_args()
    _guard(arguments.parent)
    os.set_inheritable(arguments.progress, False)
    os.set_blocking(arguments.progress, False)

    import gevent
    from gevent.os import make_nonblocking, nb_read

    from harness.load.plan import Plan
    from harness.load.running import Run, RunError

    def say(message: dict[str, Any]) -> None:
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            if message["event"] == "progress":  # under 4096 bytes: a pipe takes it whole or not at all
                with suppress(BlockingIOError):  # the driver is busy; progress may be lost, load may not wait
                    os.write(arguments.progress, line)
                return
            os.set_blocking(arguments.progress, True)
            while line:
                line = line[os.write(arguments.progress, line) :]
            os.set_blocking(arguments.progress, False)
        except BrokenPipeError:
            os._exit(1)

    def orders() -> bytes:
        read = b""
        while not read.endswith(b"\n"):
            more = nb_read(0, 65536)
            if not more:
                os._exit(0)
            read += more
        return read

    def last_while_wanted() -> None:
        while nb_read(0, 65536):
            pass
        os._exit(1)

    make_nonblocking(0)
    say({"event": "ready"})
    order = json.loads(orders())
    gevent.spawn(last_while_wanted)
    try:
        plan = Plan.from_json(json.loads(Path(order["plan"]).read_text()))
        Run(plan, Path(order["result"]), say).carry_out()
    except RunError as error:
        message = {"kind": error.kind, "message": str(error)[:_LONGEST], "has_result": error.has_result}
        say({"event": "error", **message})
    else:
        say({"event": "done"})
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # at once: greenlets, threads and atexit hooks of a scenario are of no further use


def _guard(parent: int) -> None:
    """Die with the parent, leave Ctrl-C to it, say where we are when asked, and open as many sockets as
    allowed.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.register(signal.SIGUSR1, all_threads=False)
    with suppress(ValueError, OSError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
