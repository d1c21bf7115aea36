"""`harness run PILOT…`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.errors import known
from harness.cli.places import emit, json_option, ledger, root, shown, workspace

if TYPE_CHECKING:
    from harness.store.ledger import Ledger
    from harness.trial.conduct import Outcome, Overrides
    from harness.trial.errors import Exit
    from harness.trial.run import Places
    from harness.workspace.faults import Fault
    from harness.workspace.loader import ResolvedPilot


def _seconds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    from pydantic import TypeAdapter, ValidationError

    from harness.workspace.quantities import Duration

    try:
        return TypeAdapter(Duration).validate_python(value)
    except ValidationError:
        raise click.BadParameter(f"{value!r}: a duration with its unit, such as 5s or 500ms") from None


@click.command(epilog="Example: harness run registrar-appointments --rounds 2 --measure 5s")
@click.argument("pilots", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every pilot of the workspace.")
@click.option("--body", help="Every pilot of one body.")
@click.option(
    "--dry-run", is_flag=True, help="Say what would be deployed, how many journeys, how long; deploy nothing."
)
@click.option("--resume", is_flag=True, help="Go on with an interrupted trial.")
@click.option("--abandon", is_flag=True, help="Close an interrupted trial and start afresh.")
@click.option("--rounds", type=click.IntRange(1, 500), help="A quick look: this many rounds (exploratory).")
@click.option("--warm-up", callback=_seconds, help="A quick look: warm-up, such as 2s (exploratory).")
@click.option("--measure", callback=_seconds, help="A quick look: window, such as 5s (exploratory).")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="The trial's seed (exploratory).")
@click.option(
    "--allow-busy",
    is_flag=True,
    help="Keep rounds although other work keeps this machine busy (exploratory).",
)
@click.option("--strict", is_flag=True, help="Exit 4 when a verdict is inconclusive, too.")
@json_option
def command(
    pilots: tuple[str, ...],
    every: bool,
    body: str | None,
    dry_run: bool,
    resume: bool,
    abandon: bool,
    rounds: int | None,
    warm_up: float | None,
    measure: float | None,
    seed: int | None,
    allow_busy: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """Run PILOTS (names or files): deploy, load, collect, judge, store, report.

    Under a registered protocol a run is a registered trial; otherwise, and with any option that changes the
    protocol, it is exploratory and says so wherever it is shown. Ctrl-C keeps every finished round: `--resume`
    goes on.
    """
    from harness.trial.conduct import Overrides
    from harness.trial.run import Places
    from harness.workspace.faults import WorkspaceError

    if sum((bool(pilots), every, body is not None)) != 1:
        raise click.UsageError("name pilots, or --all, or --body NAME (see `harness list pilots`)")
    if resume and abandon:
        raise click.UsageError(
            "--resume goes on with the interrupted trial, --abandon closes it: one of them"
        )
    if measure is not None and measure <= 0:
        raise click.BadParameter("a window above zero", param_hint="--measure")
    space = workspace()
    names = pilots or tuple(n for n in space.pilots if every or n.split("/")[0] == body)
    if not names:
        raise click.UsageError(f"no pilots of body {body!r}" if body else "the workspace has no pilots")
    resolved: list[ResolvedPilot] = []
    faults: list[Fault] = []
    for name in names:
        try:
            resolved.append(space.pilot(name))
        except WorkspaceError as error:
            faults += error.faults
    if faults:
        raise WorkspaceError(tuple(dict.fromkeys(faults)))
    overrides = Overrides(rounds, warm_up, measure, seed, allow_busy)
    home = root()
    with ledger(home) as book:
        if dry_run:
            return _dry_run(resolved, book, overrides, as_json)
        return _run_all(resolved, book, Places(home), overrides, resume, abandon, strict, as_json)


def _dry_run(resolved: list[ResolvedPilot], book: Ledger, overrides: Overrides, as_json: bool) -> int:
    from harness.cli.printing import duration
    from harness.trial.conduct import check
    from harness.trial.forecast import forecast

    rows = [forecast(pilot, check(pilot, overrides), book, overrides) for pilot in resolved]
    if as_json:
        emit([row.to_json() for row in rows])
        return 0
    for row in rows:
        click.echo(
            click.style(row.pilot, bold=True)
            + f" · {row.kind}"
            + (f" ({row.because})" if row.because else "")
        )
        for arm in row.arms:
            click.echo(f"  {arm.arm:8} {arm.system}, {arm.interface}; environment {arm.environment}")
        click.echo(
            f"  {row.rounds} rounds × {len(row.arms)} arms, {row.demand}: {row.rate:g} journeys/s, "
            f"about {row.journeys_an_arm} journeys an arm in the windows"
        )
        click.echo(f"  about {duration(row.seconds_least)}, at most {duration(row.seconds_most)} a pass")
    return 0


def _run_all(
    resolved: list[ResolvedPilot],
    book: Ledger,
    places: Places,
    overrides: Overrides,
    resume: bool,
    abandon: bool,
    strict: bool,
    as_json: bool,
) -> int:
    from harness.cli.commands.report_command import build
    from harness.trial.errors import Exit, worst

    codes: list[Exit] = []
    results: list[dict[str, Any]] = []
    for pilot in resolved:
        try:
            outcome = _run_one(pilot, book, places, overrides, resume, abandon)
        except Exception as error:
            if len(resolved) == 1:
                raise
            click.echo(f"{pilot.id}:", err=True)
            codes.append(Exit(known(error)))  # the other pilots are run all the same
            continue
        codes.append(_tell(book, outcome, strict, as_json, results))
    index = build(places.root, book)
    pages = {p.id: index.parent / p.id / "index.html" for p in resolved}
    if as_json:
        emit([{**row, "report": str(pages[row["pilot"]])} for row in results])
    else:
        for page in pages.values():
            if page.exists():
                click.echo(_link(page))
    return int(worst(codes))


def _link(page: Path) -> str:
    return f"report: {shown(page)}"


def _run_one(
    pilot: ResolvedPilot, book: Ledger, places: Places, overrides: Overrides, resume: bool, abandon: bool
) -> Outcome:
    from harness.cli.progress import watching
    from harness.trial import conduct

    with watching(pilot) as watch:
        return conduct.conduct(
            pilot, book, places, overrides=overrides, resume=resume, start_afresh=abandon, watch=watch
        )


def _tell(book: Ledger, outcome: Outcome, strict: bool, as_json: bool, results: list[dict[str, Any]]) -> Exit:
    """Print (or collect) one pilot's outcome; its exit code."""
    from pydantic import TypeAdapter

    from harness.judge.results import TrialJudgement
    from harness.trial.judging import exit_code

    code = exit_code(outcome.judgement, strict=strict)
    if as_json:
        judged = TypeAdapter(TrialJudgement).dump_python(outcome.judgement, mode="json")
        trial = outcome.trial
        results.append(
            {
                "pilot": trial.pilot,
                "trial": trial.uid,
                "registered": trial.registered,
                "state": trial.state.value,
                "reason": trial.state_reason,
                "exit_code": int(code),
                "judgement": judged,
            }
        )
    else:
        from harness.cli.printing import print_outcome

        print_outcome(book.load(outcome.trial.uid), outcome.judgement)
    return code
