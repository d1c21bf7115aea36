"""From the ledger's trials to page models: which trial a pilot's page tells, and what stands around it.

The one idea: a pilot's page tells its latest concluded registered trial; exploratory and abandoned ones are
counted on it, never hidden, and are told themselves only where there is nothing better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.judge.results import ArmJudgement, Verdict
from harness.reporting.board import Before, board, notices
from harness.reporting.effects import effect_text
from harness.reporting.model import IndexCandidate, IndexPage, IndexRow, Notice, PilotPage
from harness.reporting.record import engineers
from harness.reporting.view import TrialView
from harness.reporting.words import (
    RECOMMENDED_WORDS,
    VERDICT_WORDS,
    clean,
    listed,
    metric_title,
    metric_words,
    plural,
    sentence,
)
from harness.store.records import TrialRecord, TrialState

_CONCLUDED = (TrialState.FINISHED, TrialState.INVALID)
_STATE_WORDS = {
    TrialState.OPEN: "not finished",
    TrialState.FINISHED: "finished",
    TrialState.ABANDONED: "abandoned",
    TrialState.INVALID: "found invalid",
}


def told(trials: Sequence[TrialRecord]) -> TrialRecord | None:
    """The trial that a pilot's page tells, of trials in the order they began; None without any.

    The latest concluded registered trial, else the latest concluded exploratory one, else the latest that
    is open, else the latest abandoned.
    """
    preferences: tuple[Callable[[TrialRecord], bool], ...] = (
        lambda t: t.registered and t.state in _CONCLUDED,
        lambda t: t.state in _CONCLUDED,
        lambda t: t.state is TrialState.OPEN,
    )
    for wanted in preferences:
        found = [t for t in trials if wanted(t)]
        if found:
            return found[-1]
    return trials[-1] if trials else None


def before(trials: Sequence[TrialRecord], chosen: TrialRecord) -> Before:
    """What came before the chosen trial and after it, of trials in the order they began."""
    uids = [t.uid for t in trials]
    place = uids.index(chosen.uid) if chosen.uid in uids else 0
    earlier = trials[:place]
    return Before(
        exploratory=sum(not t.registered and t.state is not TrialState.ABANDONED for t in earlier),
        abandoned=sum(t.state is TrialState.ABANDONED for t in earlier),
        registered=sum(t.registered and t.state in _CONCLUDED for t in earlier),
        later=max(0, len(trials) - place - 1) if chosen.uid in uids else 0,
    )


def pilot_page(view: TrialView, trials: Sequence[TrialRecord]) -> PilotPage:
    """The page of one pilot from the trial it tells and all its trials."""
    trial = view.full.trial
    planned = view.number("protocol", "rounds")
    names = view.names("after")
    told_board = board(view, before(trials, trial))
    found = notices(view, round(planned) if planned else None)
    if view.illustrative:
        found = (
            *found,
            Notice(
                "illustrative", f"Illustrative: {names.body} is invented, and so are its volumes and costs"
            ),
        )
    summary = told_board.candidates[0].finding if told_board else (found[0].heading if found else "")
    return PilotPage(
        pilot=clean(trial.pilot),
        question=view.text("pilot", "question", default=f"What did the trial of {clean(trial.pilot)} show?"),
        programme=view.text("programme", "programme", default="Pioneer programme", longest=80),
        body=names.body,
        service=names.service,
        facts=_facts(view),
        notices=found,
        board=told_board,
        engineers=engineers(view),
        summary=summary,
        illustrative=view.illustrative,
        registered=trial.registered,
    )


def _facts(view: TrialView) -> tuple[tuple[str, str], ...]:
    trial = view.full.trial
    kind = "registered" if trial.registered else "exploratory"
    rounds = plural(len(view.full.valid_rounds), "valid round")
    after = [a for a in view.arms if a.arm != "before"]
    old = next((a for a in view.arms if a.arm == "before"), None)
    facts = [("Service", f"{view.names('after').service}, {view.names('after').body}")]
    if old is not None:
        facts.append(("Before", f"{view.label('before')} ({clean(old.title, 90)})"))
    facts += [("After", f"{view.label(a.arm)} ({clean(a.title, 90)})") for a in after]
    facts.append(("Trial", f"{kind}, {_state(trial)}, {rounds}"))
    return tuple(facts)


def _state(trial: TrialRecord) -> str:
    if trial.finished_at is None:
        return f"begun on {trial.started_at:%-d %B %Y}, {_STATE_WORDS[trial.state]}"
    return f"{_STATE_WORDS[trial.state]} on {trial.finished_at:%-d %B %Y}"


def index_row(view: TrialView, trials: Sequence[TrialRecord], href: str) -> IndexRow:
    """One pilot's line on the index page."""
    trial = view.full.trial
    kind = "registered" if trial.registered else "exploratory"
    return IndexRow(
        pilot=clean(trial.pilot),
        href=href,
        question=view.text("pilot", "question", default=clean(trial.pilot)),
        body=view.names("after").body,
        candidates=tuple(_index_candidate(view, a) for a in (view.judgement.arms if view.judgement else ())),
        trial=f"{kind}, {_state(trial)}",
        counted=_counted(trials),
        registered=trial.registered,
        illustrative=view.illustrative,
    )


def _index_candidate(view: TrialView, judged: ArmJudgement) -> IndexCandidate:
    primary, given = judged.primary, judged.recommendation.recommended
    effect = effect_text(primary, metric_words(primary.metric).times_word)
    return IndexCandidate(
        label=view.label(judged.arm),
        verdict=primary.verdict,
        verdict_word=VERDICT_WORDS[primary.verdict],
        effect=f"{metric_title(primary.metric)}: {effect.short}" if effect else "no effect can be given",
        recommended=given,
        recommended_word=RECOMMENDED_WORDS[given],
    )


def _counted(trials: Sequence[TrialRecord]) -> str:
    registered = sum(t.registered for t in trials)
    return f"{registered} registered, {len(trials) - registered} exploratory"


def index_page(rows: Sequence[IndexRow], programme: str) -> IndexPage:
    """The index of every pilot, grouped by body in the order of names."""
    bodies: dict[str, list[IndexRow]] = {}
    for row in sorted(rows, key=lambda r: (r.body.casefold(), r.pilot)):
        bodies.setdefault(row.body, []).append(row)
    return IndexPage(
        programme=programme,
        bodies=tuple((body, tuple(found)) for body, found in bodies.items()),
        summary=_summary(rows),
        illustrative=any(row.illustrative for row in rows),
    )


def _summary(rows: Sequence[IndexRow]) -> str:
    if not rows:
        return "No trial has been run yet."
    verdicts = [c.verdict for row in rows for c in row.candidates]
    groups = (
        ("better", (Verdict.BETTER,)),
        ("equivalent or no worse", (Verdict.EQUIVALENT, Verdict.NO_WORSE)),
        ("worse", (Verdict.WORSE,)),
        ("without a finding", (Verdict.INCONCLUSIVE, Verdict.NO_DATA, Verdict.INVALID)),
    )
    said = [(sum(v in wanted for v in verdicts), word) for word, wanted in groups]
    text = listed([f"{n} {word}" for n, word in said if n])
    pilots = plural(len(rows), "pilot")
    return sentence(f"{pilots}, {plural(len(verdicts), 'judged candidate')}: {text}" if verdicts else pilots)
