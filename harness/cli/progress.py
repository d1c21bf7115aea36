"""The trial as it runs: one live line on a terminal, plain lines elsewhere.

The one idea: progress goes to standard error and never touches the measurement; a line a run is kept, the rest is overwritten.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from harness.cli.printing import count, duration, seconds
from harness.trial import events

if TYPE_CHECKING:
    from harness.store.records import RunRecord
    from harness.trial.events import Event, Watcher
    from harness.workspace.loader import ResolvedPilot

_PHASES = {
    "deploy": "deploying",
    "seed": "seeding",
    "warm_up": "warming up",
    "measure": "measuring",
    "follow_up": "following up",
    "audit": "auditing",
    "stop": "stopping",
}


@contextmanager
def watching(pilot: ResolvedPilot) -> Iterator[Watcher]:
    """A watcher for one trial, drawn as fits standard error."""
    live = sys.stderr.isatty()
    teller = Teller(pilot.id, live)
    try:
        yield teller.tell
    finally:
        teller.close()


class Teller:
    """Turns a trial's events into lines of at most 80 columns."""

    def __init__(self, pilot: str, live: bool) -> None:
        self._pilot, self._live = pilot, live
        self._rounds, self._done, self._arms = 0, 0, 2
        self._started = time.monotonic()
        self._run_started = self._started
        self._spent: list[float] = []
        self._drawn = ""

    def tell(self, event: Event) -> None:
        """Show one event."""
        match event:
            case events.TrialStarted():
                self._begin(event)
            case events.RunStarted():
                self._run_started = time.monotonic()
                self._draw(f"{self._where(event.round)} {event.arm} {event.system}: starting")
            case events.RunMoved():
                self._move(event)
            case events.RunEnded():
                self._spent.append(time.monotonic() - self._run_started)
                self._line(f"{self._where(event.round)} {event.run.arm}: {_summary(event.run)}")
            case events.RoundEnded():
                if event.record.valid:
                    self._done += 1
                else:
                    self._line(
                        f"{self._where(event.record.number)} invalid, is repeated: {event.record.reason}",
                        "yellow",
                    )

    def _begin(self, event: events.TrialStarted) -> None:
        self._rounds, self._done = event.rounds, event.committed
        self._arms = len(event.trial.arms)
        kind = "registered" if event.trial.registered else "exploratory"
        resumed = f", resumed after {count(event.committed, 'round')}" if event.committed else ""
        self._line(f"{self._pilot}: {kind} trial {event.trial.uid}, {count(event.rounds, 'round')}{resumed}")
        for reason in event.trial.document.get("exploratory_because", ()):
            self._line(f"  exploratory: {reason}", "yellow")

    def _where(self, number: int) -> str:
        return f"round {number}/{self._rounds}"

    def _move(self, event: events.RunMoved) -> None:
        p95 = f"p95 {seconds(event.p95)}" if event.p95 is not None else ""
        parts = [
            f"{self._where(event.round)} {event.arm}: {_PHASES.get(event.phase, event.phase)}",
            f"{event.sent} sent, {event.failed} failed" if event.sent else "",
            p95,
            self._left(event.round),
        ]
        self._draw(" · ".join(part for part in parts if part))

    def _left(self, number: int) -> str:
        if not self._spent:
            return ""
        runs = (self._rounds - number + 1) * self._arms - (len(self._spent) % self._arms)
        mean = sum(self._spent) / len(self._spent)
        return f"{duration(max(0.0, runs * mean - (time.monotonic() - self._run_started)))} left"

    def _draw(self, text: str) -> None:
        if not self._live:
            return
        text = text[:79]
        click.echo("\r" + text.ljust(len(self._drawn)), nl=False, err=True)
        self._drawn = text

    def _line(self, text: str, colour: str | None = None) -> None:
        self.close()
        click.echo(click.style(text, fg=colour) if colour else text, err=True)

    def close(self) -> None:
        """Wipe the live line."""
        if self._drawn:
            click.echo("\r" + " " * len(self._drawn) + "\r", nl=False, err=True)
            self._drawn = ""


def _summary(run: RunRecord) -> str:
    if run.reason and not run.values.get("journey_time_p95"):
        return f"{run.state.value.replace('_', ' ')}: {run.reason}"
    p95 = run.values.get("journey_time_p95")
    done = run.counts.get("completed", 0) + run.counts.get("refused", 0)
    ended = done + run.counts.get("failed", 0) + run.counts.get("abandoned", 0)
    parts = [
        f"p95 {'> ' if p95.censored else ''}{seconds(p95.value)}" if p95 else "too few journeys for a p95",
        f"{done} of {ended} done",
    ]
    cpu = run.values.get("cpu_per_journey")
    if cpu:
        parts.append(f"{seconds(cpu.value)} processor time a journey")
    broken = sum(check.violations for check in run.audit)
    if broken:
        parts.append(f"audit: {count(broken, 'violation')}")
    if run.state.value != "measured":
        parts.append(f"{run.state.value}: {run.reason}")
    return ", ".join(parts)
