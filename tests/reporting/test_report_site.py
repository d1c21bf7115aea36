"""The site from a real ledger: what is written, what is left alone, what is refused."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace

import pytest

from harness.reporting.errors import ReportError
from harness.reporting.site import build, split
from harness.store.ledger import Ledger
from harness.store.records import FindingRecord, TrialState


def store(ledger, full):
    """Write a made-up trial as a real one is written."""
    ledger.begin(
        replace(full.trial, state=TrialState.OPEN, finished_at=None, state_reason=None, deviations=())
    )
    for record in full.rounds:
        ledger.commit_round(full.trial.uid, record)
    if full.trial.state is not TrialState.OPEN:
        ledger.conclude(
            full.trial.uid,
            full.trial.state,
            full.trial.state_reason,
            full.trial.finished_at,
            full.trial.deviations,
        )
    if full.judgement is not None:
        ledger.save_judgement(full.trial.uid, full.judgement)


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def folders(reports):
    return reports / "templates", reports / "theme"


def snapshot(folder):
    return {
        p.relative_to(folder): (p.read_bytes(), p.stat().st_mtime_ns)
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_a_site_from_a_ledger(ledger, folders, tmp_path, trials, make_trial):
    store(ledger, make_trial(rounds=2, registered=False, uid="quick"))
    store(ledger, trials("better"))
    store(ledger, make_trial(rounds=2, registered=False, uid="later"))
    store(ledger, make_trial(rounds=4, uid="other", pilot="southport/missed-bin"))
    ledger.add_finding(
        FindingRecord(
            uid="f1",
            pilot="northmoor/registrar-appointments",
            trial=None,
            text="Letters came back.",
            source="front desk",
            blocking=True,
            opened_at=trials("better").trial.started_at,
        )
    )
    out = tmp_path / "site"
    index = build(ledger, out, *folders)
    assert index == out / "index.html"
    assert {str(p) for p in snapshot(out)} == {
        "index.html",
        *(
            f"{pilot}/{name}"
            for pilot in ("northmoor/registrar-appointments", "southport/missed-bin")
            for name in ("index.html", "data.json", "data.csv")
        ),
    }
    text = index.read_text()
    assert 'href="northmoor/registrar-appointments/index.html"' in text
    assert "1 registered, 2 exploratory" in text
    page = (out / "northmoor/registrar-appointments/index.html").read_text()
    assert "Letters came back." in page
    assert "one exploratory trial and no abandoned trials" in page
    assert "20261120T093000Z-7f3a" in page


def test_data_beside_the_page_is_every_value_of_every_run(ledger, folders, tmp_path, trials):
    full = trials("repeated")
    store(ledger, full)
    build(ledger, tmp_path / "site", *folders)
    folder = tmp_path / "site/northmoor/registrar-appointments"
    with (folder / "data.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = [
        (record.number, record.attempt, record.valid, run.arm, name, value.value)
        for record in full.rounds
        for run in record.runs
        for name, value in sorted(run.values.items())
    ]
    found = [
        (int(r["round"]), int(r["attempt"]), r["valid"] == "true", r["arm"], r["metric"], float(r["value"]))
        for r in rows
    ]
    assert sorted(found) == sorted(expected)
    assert {r["unit"] for r in rows if r["metric"] == "journey_time_p95"} == {"seconds"}
    data = json.loads((folder / "data.json").read_text())
    assert len(data["rows"]) == len(rows)
    assert data["judgement"] == json.loads(json.dumps(full.judgement))
    assert "must-not-be-published" not in (folder / "data.json").read_text()


def test_building_again_changes_nothing(ledger, folders, tmp_path, trials):
    store(ledger, trials("better"))
    build(ledger, tmp_path / "site", *folders)
    before = snapshot(tmp_path / "site")
    build(ledger, tmp_path / "site", *folders)
    assert snapshot(tmp_path / "site") == before


def test_a_new_trial_replaces_the_page_and_keeps_strangers_files(
    ledger, folders, tmp_path, trials, make_trial
):
    store(ledger, make_trial(rounds=2, registered=False, uid="quick"))
    out = tmp_path / "site"
    build(ledger, out, *folders)
    stranger = out / "northmoor" / "registrar-appointments" / "minutes.pdf"
    stranger.write_bytes(b"theirs")
    store(ledger, trials("worse"))
    build(ledger, out, *folders)
    assert stranger.read_bytes() == b"theirs"
    assert "is worse than" in (out / "northmoor/registrar-appointments/index.html").read_text()


@pytest.mark.parametrize("name", ["index.html", "data.json", "data.csv"])
def test_somebody_elses_file_is_never_overwritten(ledger, folders, tmp_path, trials, name):
    store(ledger, trials("better"))
    mine = tmp_path / "site/northmoor/registrar-appointments" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("<html>the council's own page</html>")
    with pytest.raises(ReportError, match="was not made by the harness"):
        build(ledger, tmp_path / "site", *folders)
    assert mine.read_text() == "<html>the council's own page</html>"


def test_a_link_out_of_the_site_is_refused(ledger, folders, tmp_path, trials):
    store(ledger, trials("better"))
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "northmoor").symlink_to(outside)
    with pytest.raises(ReportError, match="leads out of"):
        build(ledger, tmp_path / "site", *folders)
    assert list(outside.rglob("*.html")) == []


def test_a_linked_page_is_not_written_through(ledger, folders, tmp_path, trials):
    store(ledger, trials("better"))
    build(ledger, tmp_path / "site", *folders)
    page = tmp_path / "site/northmoor/registrar-appointments/index.html"
    target = tmp_path / "precious"
    target.write_text(page.read_text())
    page.unlink()
    page.symlink_to(target)
    with pytest.raises(ReportError, match="plain file"):
        build(ledger, tmp_path / "site", *folders)


@pytest.mark.parametrize(
    "pilot",
    ["../x", "x/../y", "/etc/x", "a/b/c", "a", "A/b", "a/", ".a/b", "a/b\n", "a\\b/c", "a/" + "b" * 64],
)
def test_a_name_that_is_no_name_makes_no_path(pilot):
    with pytest.raises(ReportError, match="body/pilot"):
        split(pilot)


def test_nothing_to_tell_is_a_page_too(ledger, folders, tmp_path):
    assert "No trial has been run yet" in build(ledger, tmp_path / "site", *folders).read_text()


@pytest.mark.skipif(os.geteuid() == 0 and not os.path.exists("/proc/version"), reason="needs /proc")  # noqa: PTH110
def test_a_folder_that_cannot_be_made(ledger, folders, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ReportError, match="choose a folder"):
        build(ledger, tmp_path / "file" / "site", *folders)


def test_nothing_is_left_aside(ledger, folders, tmp_path, trials):
    store(ledger, trials("hostile"))
    build(ledger, tmp_path / "site", *folders)
    assert not [p for p in (tmp_path / "site").rglob("*") if p.name.startswith(".")]
