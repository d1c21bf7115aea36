"""Whether a run was a fair measurement: the checks of docs/method.md, "Validity", each as data.

The one idea: a run is invalid for what the *generator or the machine* did (late, out of processor time, load not sent, other
work on the machine), never for what the system did; a slow or failing system is a result.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.load.result import LoadResult
from harness.measure.types import MachineUse
from harness.store.records import Check

_BEARS_P99 = 100  # journeys from which a 99th percentile says more than the single latest one


@dataclass(frozen=True)
class Limits:
    """Where a run stops being valid. Loosening any makes a trial exploratory.

    `lateness` seconds between intended and actual start (99th percentile, the 95th below 100 journeys);
    `generator_cpu` share of one core; `delivered` least share of the schedule sent or shed; `other_work` and
    `steal` shares of all processors; `mix` largest share of journeys by which the started mix may depart from
    the planned one.
    """

    lateness: float = 0.025
    generator_cpu: float = 0.85
    delivered: float = 0.99
    other_work: float = 0.15
    steal: float = 0.10
    mix: float = 0.01


def checks(result: LoadResult, machine: MachineUse | None, limits: Limits) -> tuple[Check, ...]:
    """Every validity check of one run; a run is valid when all passed."""
    health = result.health
    percent = 99 if result.lateness.count >= _BEARS_P99 else 95
    lateness = result.lateness.percentile(percent) or 0.0
    delivered = (result.sent + result.shed) / result.scheduled if result.scheduled else 0.0
    started = sum(result.started_mix.values())
    departed = sum(
        abs(result.started_mix.get(name, 0) - planned) for name, planned in result.planned_mix.items()
    )
    departure = max(0, departed - result.shed) / started if started else 0.0
    found = [
        Check(
            "generator_lateness",
            lateness <= limits.lateness,
            f"{percent}% of journeys were started within {lateness * 1000:.1f} ms of their intended time",
            f"{limits.lateness * 1000:g} ms",
            "the generator could not keep up: lower the demand, or run on a machine with more cores",
        ),
        Check(
            "generator_cpu",
            health.cpu_share <= limits.generator_cpu,
            f"the generator used {health.cpu_share:.0%} of a core",
            f"{limits.generator_cpu:.0%} of a core",
            "the generator was short of processor time: lower the demand, or run on a machine with more cores",
        ),
        Check(
            "load_delivered",
            delivered >= limits.delivered,
            f"{delivered:.1%} of the scheduled arrivals were sent or shed",
            f"{limits.delivered:.0%}",
            "the asked load was not put on the system: look at the generator's log of this run",
        ),
        Check(
            "mix_as_planned",
            departure <= limits.mix,
            f"the mix of journeys started departs from the plan by {departure:.1%}",
            f"{limits.mix:.0%}",
            "journeys of one kind were lost before they started: look at the generator's log of this run",
        ),
    ]
    if machine is not None:
        found += [
            Check(
                "machine_quiet",
                machine.other_share <= limits.other_work,
                f"other work used {machine.other_share:.1%} of the machine's processors",
                f"{limits.other_work:.0%}",
                "end the other work on this machine, or run the trial when it is quiet",
            ),
            Check(
                "machine_not_stolen",
                machine.steal_share <= limits.steal,
                f"the hypervisor gave {machine.steal_share:.1%} of the machine's processors to others",
                f"{limits.steal:.0%}",
                "the virtual machine's host is busy: run on another machine or at another time",
            ),
        ]
    return tuple(found)
