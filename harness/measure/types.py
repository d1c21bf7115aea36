"""What is measured about a system and its machine, as plain types."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ResourceUse:
    """What a system's whole process tree used between the two ends of a window.

    Processor time in seconds, memory as proportional set size in bytes, traffic in bytes; None where this machine cannot
    tell. `method` names the counters used.
    """

    window: float
    cpu_seconds: float
    memory_mean: float | None
    memory_peak: float | None
    disk_read: float | None
    disk_written: float | None
    network_received: float | None
    network_sent: float | None
    processes_peak: int
    method: str


@dataclass(frozen=True)
class MachineUse:
    """What the machine did in the window. Shares are of all its processors together (0 to 1).

    `other_share` is what neither the system, the generator nor the harness used: other work that spoils a measurement.
    `steal_share` is time the hypervisor gave to others.
    """

    processors: int
    busy_share: float
    system_share: float
    generator_share: float
    harness_share: float
    other_share: float
    steal_share: float
