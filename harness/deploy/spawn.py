"""Starting one command of a deployment: scrubbed environment, own session, right user, recorded.

The one idea: between fork and exec the child itself joins the control group and writes its id into the entry
file, so there is no moment at which it could run, fork or be orphaned unrecorded.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.deploy.control_group import ControlGroup
from harness.deploy.processes import TOKEN_VARIABLE
from harness.deploy.types import DeployError, DeployFault

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class User:
    """The user a system runs as, when that is not this process's own."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Place:
    """Where a deployment's commands run: scripts folder (first on the PATH), home, user, records."""

    bin: Path
    scratch: Path
    token: str
    entry: Path
    cgroup: ControlGroup | None
    user: User | None


def user_for(run_as: str | None) -> tuple[User | None, tuple[str, ...]]:
    """The user to switch to (None: stay), and notes on who the system runs as.

    Raises:
        DeployError: COMMAND, there is no such user.
    """
    root = os.geteuid() == 0
    if run_as is None:
        return None, ("ran as root because run_as is not set",) if root else ()
    try:
        entry = pwd.getpwnam(run_as)
    except KeyError:
        raise DeployError(
            DeployFault.COMMAND,
            f"run_as: {run_as} is not a user of this machine; name one that is, or leave run_as out",
        ) from None
    if entry.pw_uid == os.geteuid():
        return None, ()
    if not root:
        own = _own_name()
        return None, (f"ran as {own} and not as {run_as}, because the harness was not started as root",)
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return User(entry.pw_name, entry.pw_uid, entry.pw_gid, groups), ()


def check_reach(user: User, places: Mapping[str, Path]) -> None:
    """See as that user whether each place (described by its key) can be read and entered.

    Raises:
        DeployError: COMMAND, naming the place, the user and the first folder on the way that bars it.
    """
    test = shutil.which("test", path=_SYSTEM_PATH)
    if test is None:
        return
    for what, place in places.items():
        if _may(user, test, place):
            continue
        target = place.absolute()
        barred = next((p for p in reversed(target.parents) if not _may(user, test, p)), target)
        raise DeployError(
            DeployFault.COMMAND,
            f"run_as: {user.name} cannot reach {what} at {place}: {barred} is closed to that user; "
            "move it to where that user may read, open that folder (chmod o+x), or leave run_as out",
        )


def _may(user: User, test: str, place: Path) -> bool:
    done = subprocess.run(
        [test, "-x", str(place)],
        user=user.uid,
        group=user.gid,
        extra_groups=user.groups,
        cwd="/",
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0


def environment_for(place: Place, variables: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a command: nothing of ours but what is named here, and `variables` over it."""
    home = str(place.scratch)
    return {
        "PATH": f"{place.bin}:{_SYSTEM_PATH}",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HOME": home,
        "TMPDIR": home,
        # The system's folder is read only, also to an interpreter that would leave its compiled files there.
        "PYTHONDONTWRITEBYTECODE": "1",
        **variables,
        TOKEN_VARIABLE: place.token,
    }


def start(
    command: Sequence[str], place: Place, *, variables: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Start a command in the scratch folder, output to `log`, leading a session of its own.

    Raises:
        DeployError: COMMAND, it cannot be executed.
    """
    environment = environment_for(place, variables)
    user = place.user
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("ab", buffering=0))
        entry = os.open(place.entry, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        stack.callback(os.close, entry)
        joining = -1
        if place.cgroup is not None:
            with contextlib.suppress(OSError):
                joining = place.cgroup.open_for_joining()
                stack.callback(os.close, joining)
        try:
            return subprocess.Popen(
                command,
                cwd=place.scratch,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                close_fds=True,
                umask=0o022,
                user=None if user is None else user.uid,
                group=None if user is None else user.gid,
                extra_groups=None if user is None else user.groups,
                preexec_fn=_recorder(entry, joining),
            )
        except (OSError, ValueError) as error:
            raise DeployError(DeployFault.COMMAND, _cannot_start(command, place, error)) from None


def _recorder(entry: int, joining: int) -> Callable[[], None]:
    def record() -> None:
        if joining >= 0:
            with contextlib.suppress(OSError):
                os.write(joining, b"0")
        # pid and start time are fields 1 and 22; the name between brackets is this interpreter's
        with open("/proc/self/stat", "rb") as file:  # noqa: PTH123 - as little as possible after a fork
            text = file.read()
        os.write(entry, b"%d %s\n" % (os.getpid(), text[text.rindex(b")") + 2 :].split()[19]))

    return record


def _cannot_start(command: Sequence[str], place: Place, error: Exception) -> str:
    name = command[0]
    if isinstance(error, FileNotFoundError):
        if "/" in name and Path(name).exists():
            return (
                f"command {name} names an interpreter in its first line that is not there; check its #! line"
            )
        return (
            f"command {name} was found neither in {place.bin} nor on the PATH ({_SYSTEM_PATH}); "
            "check `command` and `environment`"
        )
    if isinstance(error, PermissionError):
        who = place.user.name if place.user else _own_name()
        return f"{who} may not execute {name}, or not enter {place.scratch}; check the rights, or run_as"
    return f"command {name} cannot be started: {error}"


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.geteuid()}"
