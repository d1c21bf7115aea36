"""What machine this is, so that a figure is never read without knowing where it was measured.

The one idea: only facts that a stranger may know; the machine's id is a hash over hardware facts, so that two
trials can be told to be of one kind of machine while no host name or serial number is published.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any

_GIB = 1 << 30
_CONTAINER_MARKS = {"/.dockerenv": "docker", "/run/.containerenv": "podman"}


def describe() -> dict[str, Any]:
    """Facts of this machine as JSON-ready data; None where it does not tell.

    `memory` in bytes, `load_1min` as the kernel gives it, `virtual` a hint ("container: docker", "virtual
    machine: KVM"), `machine_id` 16 hexadecimal digits, the same for machines of the same hardware.
    """
    cpu = _cpu()
    memory = _memory()
    hardware = {
        "architecture": platform.machine(),
        "cpu": cpu,
        "cores": os.cpu_count(),
        # The kernel keeps a little for itself, a different little after each update.
        "memory_gib": None if memory is None else round(memory / _GIB),
        "product": _read("/sys/class/dmi/id/product_name"),
    }
    return {
        "cpu": cpu["model"],
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "memory": memory,
        "architecture": platform.machine(),
        "kernel": f"{platform.system()} {platform.release()}",
        "distribution": _distribution(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "virtual": _virtual(),
        "load_1min": _load(),
        "machine_id": hashlib.sha256(json.dumps(hardware, sort_keys=True).encode()).hexdigest()[:16],
    }


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(errors="replace").strip() or None
    except OSError:
        return None


def _cpu() -> dict[str, str | None]:
    wanted = {
        "model name": "model",
        "Model": "model",
        "cpu family": "family",
        "model": "number",
        "stepping": "stepping",
    }
    facts: dict[str, str | None] = {"model": None}
    for line in (_read("/proc/cpuinfo") or "").splitlines():
        name, _, value = line.partition(":")
        if not line.strip() and facts["model"]:
            break
        key = wanted.get(name.strip())
        if key is not None and not facts.get(key):
            facts[key] = value.strip()
    facts["model"] = facts["model"] or platform.processor() or None
    return facts


def _memory() -> int | None:
    for line in (_read("/proc/meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return None


def _distribution() -> str | None:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return None


def _virtual() -> str | None:
    for mark, name in _CONTAINER_MARKS.items():
        if Path(mark).exists():
            return f"container: {name}"
    control = _read("/proc/1/cgroup") or ""
    for name in ("kubepods", "docker", "lxc"):
        if name in control:
            return f"container: {name}"
    flags = next(
        (line for line in (_read("/proc/cpuinfo") or "").splitlines() if line.startswith("flags")), ""
    )
    if "hypervisor" in flags.split():
        maker = _read("/sys/class/dmi/id/sys_vendor") or _read("/sys/hypervisor/type") or "unknown maker"
        return f"virtual machine: {maker}"
    return None


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None
