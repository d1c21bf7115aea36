"""Pages as HTML: every kind of trial reads correctly, nothing escapes, nothing is asked for."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from harness.judge.results import Verdict
from harness.reporting.errors import ReportError
from harness.reporting.pages import index_page, index_row, pilot_page, told
from harness.reporting.render import MARKER, Renderer
from harness.reporting.view import TrialView, read_judgement
from harness.store.records import TrialState

EXPECTED = {
    "better": Verdict.BETTER,
    "worse": Verdict.WORSE,
    "much_worse": Verdict.WORSE,
    "equivalent": Verdict.EQUIVALENT,
    "no_worse": Verdict.NO_WORSE,
    "inconclusive": Verdict.INCONCLUSIVE,
    "never_ready": Verdict.NO_DATA,
    "one_round": Verdict.NO_DATA,
    "invalid": Verdict.INVALID,
    "zero_baseline": Verdict.INVALID,
}


class Page(HTMLParser):
    """Tags in order, with what a browser would fetch and the ids that are linked to."""

    VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if dict(attrs).get("id"):
            self.ids.append(dict(attrs)["id"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def renderer(reports):
    return Renderer(reports / "templates", reports / "theme")


def page_of(full, trials=None):
    return pilot_page(TrialView(full, read_judgement(full)), trials or [full.trial])


@pytest.fixture(scope="module")
def html_of(trials, renderer):
    return lambda name: renderer.pilot(page_of(trials(name)))


def names(specs_module=None):
    from pathlib import Path

    source = (Path(__file__).parent / "conftest.py").read_text()
    return re.findall(r'^    "(\w+)": Spec\(', source, re.M)


@pytest.mark.parametrize("name", names())
def test_every_page_is_well_formed_and_self_contained(html_of, name):
    html = html_of(name)
    page = Page(html)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    tags = [tag for tag, _ in page.tags]
    assert "script" not in tags
    for tag, attributes in page.tags:
        assert not any(key.startswith("on") for key in attributes)
        assert "style" not in attributes
        if "src" in attributes:
            pytest.fail(f"{tag} fetches {attributes['src']}")
        target = attributes.get("href")
        if target is not None:
            assert target in ("data:,", "data.csv", "data.json", "../../index.html") or target[1:] in page.ids
        for reference in (attributes.get("aria-labelledby") or "").split():
            assert reference in page.ids
    assert "@import" not in html
    assert "url(" not in html
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    assert tags.count("main") == 1
    assert len(html.encode()) <= 250_000
    assert "signific" not in page.words.lower()
    assert "must-not-be-published" not in html


@pytest.mark.parametrize(("name", "verdict"), EXPECTED.items())
def test_the_verdict_is_the_first_thing_said(trials, html_of, name, verdict):
    page = page_of(trials(name))
    assert page.board.candidates[0].verdict is verdict
    words = Page(html_of(name)).words
    assert page.board.candidates[0].finding in words
    assert words.index(page.board.candidates[0].verdict_word) < words.index("Guardrails")


def test_worse_is_said_in_the_first_sentence(trials):
    for name in ("worse", "much_worse", "guardrail_broken"):
        assert "is worse than" in page_of(trials(name)).board.candidates[0].finding


def test_a_better_primary_does_not_hide_a_broken_rule(trials):
    found = page_of(trials("invariant_broken")).board.candidates[0]
    assert found.verdict is Verdict.BETTER
    assert "but correctness broke its guardrail" in found.finding
    assert found.recommended_word == "Stop"


def test_no_finding_no_claim(trials):
    for name in ("never_ready", "invalid", "zero_baseline", "one_round"):
        found = page_of(trials(name)).board.candidates[0]
        assert found.human is None
        assert found.recommended_word == "Not proven"
        assert "nothing is claimed" in found.confidence
    for name in ("open", "abandoned"):
        assert page_of(trials(name)).board is None


def test_an_invalid_trial_shows_no_figures_on_page_one(trials, html_of):
    page = page_of(trials("invalid"))
    assert page.board.key_rows == ()
    assert page.board.forests == ()
    assert {g.meaning for g in page.board.guardrails} == {"The trial is invalid."}
    words = Page(html_of("invalid")).words
    board, _ = words.split("For engineers", 1)
    assert board.count("the generator was late") == 1
    assert "an invalid trial has no result" in words


def test_notices_come_before_the_finding(trials, html_of):
    words = Page(html_of("exploratory")).words
    assert words.index("Exploratory: a quick look") < words.index("The finding")
    assert "The rounds were set by --rounds." in words
    assert "None: an exploratory trial is no basis for a decision." in words
    assert "The rule would recommend" in words
    words = Page(html_of("invalid")).words
    assert words.index("This trial is invalid") < words.index("The finding")
    assert "This trial has not finished: 2 of 2 rounds are in" in Page(html_of("open")).words


def test_invented_bodies_are_marked(html_of, make_trial, renderer):
    assert Page(html_of("better")).words.count("illustrative") >= 3
    full = make_trial(rounds=3)
    document = dict(full.trial.document)
    document["programme"] = {**document["programme"], "illustrative": False}
    document["body"] = {**document["body"], "illustrative": False}
    real = replace(full, trial=replace(full.trial, document=document))
    words = Page(renderer.pilot(page_of(real))).words.lower()
    assert "invented" not in words


def test_hostile_names_are_text(html_of):
    html = html_of("hostile")
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_policy_allows_the_style_and_nothing_else(html_of):
    html = html_of("better")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)[1].replace(
        "&#39;", "'"
    )
    style = re.search(r"<style>(.*?)</style>", html, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.split("; ")[0] == "default-src 'none'"
    assert f"style-src 'sha256-{digest}'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert MARKER in html


def test_the_page_is_the_same_bytes_again(trials, renderer):
    full = trials("better")
    assert renderer.pilot(page_of(full)) == renderer.pilot(page_of(full))


def test_key_figures_carry_range_and_evidence(trials):
    rows = {r.metric: r for r in page_of(trials("better")).board.key_rows}
    assert set(rows) == {
        "Journey time, 95th percentile",
        "Cost per successful outcome",
        "Completion rate",
        "Correctness",
    }
    assert rows["Cost per successful outcome"].evidence == "assumed"
    assert rows["Journey time, 95th percentile"].evidence == "measured"
    assert all(f.range for f in rows["Cost per successful outcome"].figures)
    unknown = {r.metric: r for r in page_of(trials("unpriced")).board.key_rows}["Cost per successful outcome"]
    assert [f.text for f in unknown.figures] == ["not known", "not known"]


def test_a_censored_figure_is_a_bound(trials):
    rows = {r.metric: r for r in page_of(trials("abandoned_journeys")).board.key_rows}
    assert rows["Journey time, 95th percentile"].figures[1].text.startswith(">")


def test_two_candidates_each_have_their_finding(trials):
    found = page_of(trials("two_candidates")).board
    assert [c.label for c in found.candidates] == ["booking@1.0.0", "booking@1.1.0"]
    assert "97.5% interval" in found.candidates[0].finding
    assert len(found.forests) == 2
    assert all(len(r.figures) == 3 and len(r.changes) == 2 for r in found.key_rows)


def test_trials_before_are_counted(trials, make_trial):
    chosen = trials("better").trial
    earlier = [
        make_trial(judge=False, rounds=1, registered=False, uid="e1").trial,
        make_trial(judge=False, rounds=1, state=TrialState.ABANDONED, uid="a1").trial,
        make_trial(judge=False, rounds=1, uid="r1").trial,
    ]
    later = make_trial(judge=False, rounds=1, registered=False, uid="e2").trial
    found = page_of(trials("better"), [*earlier, chosen, later]).board.trials_before
    assert (
        found == "Before this one came one exploratory trial, one abandoned trial and one concluded "
        "registered trial. One trial began after it."
    )


def test_open_findings_blocking_first(trials):
    found = page_of(trials("findings"))
    assert [f.blocking for f in found.board.open_findings] == [True, False, False]
    assert found.board.more_findings == 2
    assert len(found.engineers.findings) == 6


def test_a_blocking_finding_recorded_since_is_said(trials):
    late = replace(trials("better"), findings=trials("findings").findings)
    page = page_of(late)
    assert page.board.candidates[0].recommended_word == "Adopt"
    assert "did not count" in page.notices[0].heading
    assert page_of(trials("findings")).board.candidates[0].recommended_word == "Iterate"
    assert [n.kind for n in page_of(trials("findings")).notices] == ["illustrative"]


def test_a_failed_step_ranks_slowest(trials):
    rows = {(r[0], r[1]): r for r in page_of(trials("abandoned_journeys")).engineers.steps.rows}
    confirm = rows["confirm", "booking@1.0.0"]
    assert int(confirm[3]) > 0
    assert confirm[5].startswith(">")
    assert not rows["confirm", "registrar-forms"][5].startswith(">")


def test_which_trial_is_told(make_trial):
    def trial(uid, **changes):
        return make_trial(judge=False, rounds=1, uid=uid, **changes).trial

    old, new = trial("r1"), trial("r2")
    quick, late = trial("e1", registered=False), trial("e2", registered=False)
    running = trial("o1", state=TrialState.OPEN)
    broken = trial("i1", state=TrialState.INVALID)
    gone = trial("a1", state=TrialState.ABANDONED)
    assert told([]) is None
    assert told([old, new, late, running]).uid == "r2"
    assert told([old, broken]).uid == "i1"
    assert told([quick, late, running]).uid == "e2"
    assert told([gone, running]).uid == "o1"
    assert told([gone]).uid == "a1"


def test_run_flow_names_what_was_left_out(trials):
    flow = page_of(trials("repeated")).engineers.flow
    assert [s.text for s in flow] == [
        "Planned: eight rounds of two systems each: 16 runs",
        "Run: ten attempts at rounds, 20 runs".replace("ten", "10"),
        "Valid: eight rounds, 16 runs",
        "Judged on the primary metric: eight rounds",
    ]
    assert [t.split(" left out")[0] for t in flow[1].left_out] == ["Round 3, attempt 1", "Round 6, attempt 1"]
    unready = page_of(trials("not_ready")).engineers.flow[2]
    assert "not ready in two rounds" in unready.left_out[0]


def test_engineers_see_every_failed_check(trials):
    engineers = page_of(trials("repeated")).engineers
    assert {row[2] for row in engineers.checks_failed.rows} == {"Generator lateness"}
    assert len(engineers.checks_failed.rows) == 2


def test_schedules_are_the_same_for_both_systems(trials):
    rows = page_of(trials("better")).engineers.schedules.rows
    assert {row[2] for row in rows} == {"yes"}
    assert len({row[1] for row in rows}) == 8


def test_an_old_judgement_is_said_not_shown(trials, renderer):
    old = replace(trials("better"), judgement={"format": 0, "verdict": "faster"})
    page = page_of(old)
    assert page.board is None
    assert "another version" in page.notices[0].heading
    assert "There is no finding yet" in Page(renderer.pilot(page)).words


def test_a_document_of_nothing_still_makes_a_page(trials, renderer):
    full = trials("better")
    bare = replace(
        full, trial=replace(full.trial, document={"pilot": 3, "protocol": "x", "demand": []}, machine={})
    )
    words = Page(renderer.pilot(page_of(bare))).words
    assert "not recorded" in words


def test_the_index_lists_every_candidate(trials, renderer):
    rows = []
    for name in ("worse", "two_candidates", "open", "exploratory"):
        full = trials(name)
        rows.append(
            index_row(TrialView(full, read_judgement(full)), [full.trial], f"northmoor/{name}/index.html")
        )
    html = renderer.index(index_page(rows, "Example"))
    page = Page(html)
    assert page.open == []
    assert "Not judged" in page.words
    assert "Exploratory." in page.words
    assert page.words.count("booking@1.1.0") == 1
    assert "four pilots, four judged candidates: 2 better and 2 worse" in page.words.lower()
    assert "No trial has been run yet" in Page(renderer.index(index_page([], "Example"))).words


def test_a_block_of_a_template_can_be_replaced(trials, reports, tmp_path):
    (tmp_path / "pilot.html").write_text(
        '{% extends "standard/pilot.html" %}{% block guardrails %}<p>Ours & only ours.</p>{% endblock %}'
    )
    html = Renderer(tmp_path, reports / "theme").pilot(page_of(trials("better")))
    assert "Ours & only ours." in html
    assert "Must not get worse" not in html
    assert "Before and after" in html


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (
            "{% extends 'standard/pilot.html' %}{% block guardrails %}{{ page.nothing }}{% endblock %}",
            "nothing",
        ),
        ("{% extends 'standard/pilot.html' %}\n{% block guardrails %}{% if %}{% endblock %}", ":2: "),
        ("<!doctype html><p>{{ page.question }}</p>", "security policy"),
        (
            "{% extends 'standard/pilot.html' %}{% block main %}{{ ''.__class__.__mro__ }}{% endblock %}",
            "unsafe",
        ),
    ],
)
def test_a_faulty_template_is_named(trials, reports, tmp_path, template, said):
    (tmp_path / "pilot.html").write_text(template)
    with pytest.raises(ReportError, match=r"pilot\.html") as raised:
        Renderer(tmp_path, reports / "theme").pilot(page_of(trials("better")))
    assert said in str(raised.value)


def test_a_theme_cannot_end_its_element(reports, tmp_path):
    (tmp_path / "theme.css").write_text("p{} </style><script>alert(1)</script>")
    with pytest.raises(ReportError, match="theme"):
        Renderer(reports / "templates", tmp_path)
