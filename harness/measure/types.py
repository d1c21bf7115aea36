"""What is measured about a system and its machine, as plain types."""

from __future__ import annotations

from dataclasses import dataclass


class MeasureError(Exception):
    """A window could not be measured. The message says what was found and what to do."""


@dataclass(frozen=True)
class ResourceUse:
    """What a system's whole process tree used between the two ends of a window.

    Processor time in seconds, memory as proportional set size in bytes, traffic in bytes; None where this
    machine cannot tell. `method` names the counters used and how fine they are. On the loopback interface
    every byte is sent once and received once, whoever's it is, so `network_received` and `network_sent` are
    the same figure: all that passed between the generator and the system, both ways. `window` is the seconds
    between the two readings; `opened_late` and `closed_late` how long after its due moment each was taken.
    `memory_samples` is how often memory was read.
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
    opened_late: float = 0.0
    closed_late: float = 0.0
    memory_samples: int = 0


@dataclass(frozen=True)
class MachineUse:
    """What the machine did in the window. Shares are of all its processors together (0 to 1).

    `other_share` is what neither the system, the generator nor the harness used: other work that spoils a
    measurement. `steal_share` is time the hypervisor gave to others.
    """

    processors: int
    busy_share: float
    system_share: float
    generator_share: float
    harness_share: float
    other_share: float
    steal_share: float
