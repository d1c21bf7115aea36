# ruff: noqa: E501 - tables of whole sentences
"""Files between each other: what is found, what is refused, what a pilot is resolved into."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.workspace.faults import WorkspaceError
from harness.workspace.loader import Workspace, find_root


def test_a_sound_workspace_has_no_fault(town: Any) -> None:
    space = Workspace.open(town.root)
    assert list(space.pilots) == ["town/desk", "town/screen"]
    assert list(space.blocks) == ["desk"]
    assert list(space.bodies) == ["town"]
    assert list(space.scenarios) == ["desk"]
    assert space.programme is not None
    assert space.programme.currency == "GBP"


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("pilot", "service: requests", "service: request", '3:10: found "request", which is not there; expected a service of town; did you mean "requests"?'),
        ("pilot", "scenario: desk", "scenario: deks", '4:11: found "deks", which is not there; expected a folder of scenarios; did you mean "desk"?'),
        ("pilot", "before: paper-desk", "before: papr-desk", '5:9: found "papr-desk", which is not there; expected a system of town; did you mean "paper-desk"?'),
        ("pilot", "desk@1.0.0", "desk@1.2.0", '7:12: found "desk@1.2.0", which is not there; expected a release in pioneers/commons; did you mean "desk@1.1.0"?'),
        ("pilot", "desk@1.0.0", "licensing@1.0.0", '7:12: found "licensing@1.0.0", which is not there; expected a release in pioneers/commons; there is: desk@1.0.0, desk@1.1.0'),
        ("pilot", "pilot: desk", "pilot: counter", '1:8: found "counter"; expected desk, the name of its file; write pilot: desk, or rename the file'),
        ("pilot", "multiple: 30", "multiple: 9e9", "13:40: found a demand of 300,000,000 arrivals a second; expected at most 20,000; lower the demand"),
        ("body", "body: town", "body: city", '1:7: found "city"; expected town, the name of its folder; write body: town, or rename the folder'),
        ("body", "turn_to: phone", "turn_to: fone", '15:30: found "fone", which is not there; expected a channel of requests; did you mean "phone"?'),
        ("body", "town/systems/paper", "town/systems/papers", '20:13: found "town/systems/papers", which is not there; expected a folder in pioneers; did you mean "paper"?'),
        ("body", "town/systems/paper", "../../../../etc", '20:13: found "../../../../etc", which leads out of the workspace; expected a path inside the workspace; move the files inside'),
        ("body", "town/systems/paper", "/etc", '20:13: found "/etc", which leads out of the workspace; expected a path inside the workspace; move the files inside'),
        ("body", "folder: town/systems/paper", 'folder: "a\\0b"', '20:13: found "a\\x00b"; expected a path; correct the path'),
        ("body", "interfaces: [desk/v2]", "interfaces: [desk/v2]\n    configuration_schema: a.json", '27:27: found "a.json" of a system without folder:; expected folder: beside it; add folder: with the folder of its files'),
        ("block", "requirements: requirements.txt", "requirements: requirement.txt", '13:37: found "requirement.txt", which is not there; expected a file in pioneers/commons/desk/releases/1.0.0; did you mean "requirements.txt"?'),
        ("block", "requirements: requirements.txt", "requirements: ../../block.yaml", '13:37: found "../../block.yaml", which leads out of the system\'s folder; expected a path inside the system\'s folder; move the files inside'),
        ("block", "configuration.schema.json", "config.schema.json", '10:27: found "config.schema.json", which is not there; expected a file in pioneers/commons/desk/releases/1.0.0; did you mean "configuration.schema.json"?'),
        ("scenario", "ask_again:", "ask_agan:", '7:3: found the journey ask_agan, which is not in journeys.py; expected the name of a method marked @journey; did you mean "ask_again"?'),
        ("scenario", "[desk/v1, desk/v2]", "[desk/v1, desk/v2, desk/v3]", '4:32: found desk/v3, which no citizen in journeys.py speaks; expected an interface that is spoken; did you mean "desk/v2"?'),
    ],
)  # fmt: skip
def test_each_name_that_leads_nowhere_is_told_with_the_nearest(
    town: Any, file: str, old: str, new: str, expected: str
) -> None:
    name = getattr(town, file)
    town.change(name, old, new)
    assert town.printed() == [f"{name}:{expected}"]


def test_a_system_that_does_not_speak_the_scenarios_interface_is_refused(town: Any) -> None:
    town.change(town.scenario, "[desk/v1, desk/v2]", "[desk/v1]")
    assert town.printed() == [
        "pioneers/town/pilots/screen.yaml:7:13: found screen-desk, which speaks desk/v2; expected a system that speaks "
        "desk/v1, as scenario desk does; choose another scenario or another system"
    ]


def test_every_fault_of_every_file_comes_in_one_go_sorted(town: Any) -> None:
    town.change(town.pilot, "rounds: 6", "rounds: many")
    town.change(town.pilot, "warm_up: 2s", "warmup: 2s")
    town.change(town.body, "share: 60%", "share: 60")
    town.change(town.body, "kind: town council", "kind: town council\nkind: again")
    town.change(town.block, "released: 2026-02-05", "released: .nan")
    town.change(town.book, ",900,", ",nan,")
    town.change(town.scenario, "weight: 3", "weight: -3")
    town.write("pioneers/programme.yaml", "programme: [\n")
    town.write("scenarios/desk/journeys.py", "class (:\n")
    with pytest.raises(WorkspaceError) as refused:
        Workspace.open(town.root)
    assert [(f.path, f.line, f.column) for f in refused.value.faults] == [
        (town.block, 17, 15),
        ("pioneers/programme.yaml", 2, 1),
        (town.body, 4, 1),
        (town.body, 12, 23),
        (town.book, 2, 46),
        (town.pilot, 15, 11),
        (town.pilot, 16, 3),
        ("scenarios/desk/journeys.py", 1, 7),
        (town.scenario, 6, 17),
    ]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("pioneers/programme.yaml", "no such file; expected the file of the programme"),
        ("pioneers/town/body.yaml", "no such file; expected the file of the body"),
        ("pioneers/commons/desk/block.yaml", "no such file; expected the file of the block"),
        ("scenarios/desk/scenario.yaml", "no such file; expected the file of the scenario"),
        ("scenarios/desk/journeys.py", "no such file; expected the scenario's journeys"),
    ],
)
def test_a_missing_file_is_told(town: Any, file: str, expected: str) -> None:
    (town.root / file).unlink()
    assert any(line.startswith(f"{file}: found {expected}") for line in town.printed())


def test_files_named_yml_are_not_passed_over_in_silence(town: Any) -> None:
    (town.root / town.pilot).rename(town.root / "pioneers/town/pilots/desk.yml")
    assert town.printed() == [
        "pioneers/town/pilots/desk.yml: found a file that ends in .yml; expected one that ends in .yaml; rename it"
    ]


def test_links_out_of_the_workspace_are_refused_wherever_they_stand(town: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.yaml").write_text("pilot: secret\n")
    (town.root / "pioneers/town/pilots/secret.yaml").symlink_to(outside / "secret.yaml")
    (town.root / "pioneers/town/systems/paper/keys").symlink_to(outside / "secret.yaml")
    (town.root / "pioneers/elsewhere").symlink_to(outside)
    (town.root / "pioneers/town/systems/away").symlink_to(outside)
    town.change(town.body, "interfaces: [desk/v2]", "interfaces: [desk/v2]\n    folder: town/systems/away")
    printed = town.printed()
    assert [line.split(" found ")[1].split(";")[0] for line in printed] == [
        "in it keys, a link out of the workspace",
        '"town/systems/away", which leads out of the workspace',
        "a link out of the workspace",
    ]
    assert not any("secret:" in line for line in printed)


def test_a_link_within_the_workspace_is_followed_and_a_loop_is_not(town: Any) -> None:
    (town.root / "pioneers/town/systems/paper/other.py").symlink_to(town.root / "scenarios/desk/journeys.py")
    assert town.printed() == []
    (town.root / "pioneers/town/systems/paper/loop.py").symlink_to("loop.py")
    assert ["loop.py" in line for line in town.printed()] == [True]


def test_what_is_no_file_is_never_waited_for(town: Any) -> None:
    pipe = town.root / "pioneers/town/pilots/pipe.yaml"
    os.mkfifo(pipe)
    os.mkfifo(town.root / "pioneers/town/systems/paper/pipe")
    assert [line.split(" found ")[1].split(";")[0] for line in town.printed()] == [
        "in it pipe, which is no file",
        "something that is no file",
    ]


# ── one pilot ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pilot_is_resolved_into_all_that_its_trial_needs(town: Any) -> None:
    pilot = Workspace.open(town.root).pilot("town/desk")
    assert (pilot.id, pilot.path, pilot.rate) == ("town/desk", town.pilot, 1.0)
    assert pilot.demand_text == "30 times Town Council's peak hour (120 an hour)"
    assert pilot.service.title == "Requests"
    assert pilot.scenario_folder == town.root / "scenarios/desk"
    before, after = pilot.arms
    assert (before.arm, before.system.label, before.interface) == ("before", "paper-desk", "desk/v1")
    assert (after.arm, after.system.label, after.system.title) == ("after", "desk@1.0.0", "Front desk 1.0.0")
    assert before.system.folder == town.root / "pioneers/town/systems/paper"
    assert before.system.configuration == {"colour": "blue"}
    assert after.system.configuration == {
        "organisation": "Town",
        "slot_minutes": 20,
        "language": "english",
        "window": {"opens": 7, "closes": 91},
        "counters": [{"id": "one", "open": True}, {"id": "two", "open": False}],
    }
    assert [line.function for line in pilot.open_book] == ["Licence", "Calls, taken", "Hosting"]
    assert pilot.locate(("protocol", "primary", "margin")) == (18, 39)
    assert pilot.locate(("after", 0)) == (7, 5)


def test_arms_are_named_in_their_order_and_speak_the_scenarios_first_interface(town: Any) -> None:
    town.change(town.pilot, "demand:", "  - system: screen-desk\n  - block: desk@1.1.0\ndemand:")
    pilot = Workspace.open(town.root).pilot("desk")
    assert [(arm.arm, arm.interface) for arm in pilot.arms] == [
        ("before", "desk/v1"),
        ("after", "desk/v1"),
        ("after-2", "desk/v2"),
        ("after-3", "desk/v1"),
    ]


def test_a_demand_written_as_a_rate_says_what_it_is_of_the_peak_hour(town: Any) -> None:
    pilot = Workspace.open(town.root).pilot("screen")
    assert pilot.rate == 10
    assert pilot.demand_text == "10 a second, 300 times Town Council's peak hour (120 an hour)"


def test_open_book_lines_of_other_services_stay_out(town: Any) -> None:
    start = town.root / town.body
    service = (
        "  other:\n    title: Other\n    annual_volume: 5\n    peak_hour: 1\n    volume_source: x\nsystems:"
    )
    start.write_text(start.read_text().replace("systems:", service))
    town.change(town.book, "requests,Hosting", "other,Hosting")
    assert len(Workspace.open(town.root).pilot("desk").open_book) == 2


@pytest.mark.parametrize(
    "name", ["desk", "town/desk", "pioneers/town/pilots/desk.yaml", "absolute", "relative"]
)
def test_a_pilot_goes_by_id_by_name_and_by_file(
    town: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(town.root / "pioneers")
    written = {"absolute": str(town.root / town.pilot), "relative": "town/pilots/desk.yaml"}.get(name, name)
    assert town.read().pilot(written).id == "town/desk"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("dsk", 'did you mean "desk"?'),
        ("town/dsk", 'did you mean "town/desk"?'),
        ("pioneers/town/body.yaml", "there is: town/desk, town/screen"),
        ("nul\0", "there is: desk, screen, town/desk, town/screen"),
        ("", "there is: desk, screen, town/desk, town/screen"),
    ],
)
def test_an_unknown_pilot_is_refused_with_the_nearest(town: Any, name: str, advice: str) -> None:
    with pytest.raises(WorkspaceError) as refused:
        town.read().pilot(name)
    assert [fault.advice for fault in refused.value.faults] == [advice]


def test_a_name_that_two_bodies_share_is_not_guessed(town: Any) -> None:
    town.write(
        "pioneers/city/body.yaml", (town.root / town.body).read_text().replace("body: town", "body: city")
    )
    town.write("pioneers/city/pilots/desk.yaml", (town.root / town.pilot).read_text())
    space = Workspace.open(town.root)
    with pytest.raises(WorkspaceError, match="write city/desk or town/desk"):
        space.pilot("desk")
    assert space.pilot("city/desk").body.body == "city"


def test_a_fault_stops_only_the_pilots_that_use_its_file(town: Any) -> None:
    town.change(town.pilot, "rounds: 6", "rounds: many")
    space = town.read()
    assert len(space.faults) == 1
    assert space.pilot("screen").id == "town/screen"
    with pytest.raises(WorkspaceError) as refused:
        space.pilot("desk")
    assert refused.value.faults == space.faults
    assert list(space.pilots) == ["town/screen"]


@pytest.mark.parametrize(
    ("file", "stopped"),
    [("block", ["desk"]), ("schema", ["desk"]), ("body", ["desk", "screen"]), ("book", ["desk", "screen"]), ("scenario", ["desk", "screen"])],
)  # fmt: skip
def test_which_pilots_a_broken_file_stops(town: Any, file: str, stopped: list[str]) -> None:
    town.write(getattr(town, file), "{")
    space = town.read()
    refused = []
    for name in ("desk", "screen"):
        try:
            space.pilot(name)
        except WorkspaceError as error:
            assert error.faults
            refused.append(name)
    assert refused == stopped


def test_nobody_is_blamed_for_naming_a_file_that_has_faults_of_its_own(town: Any) -> None:
    for file in (town.block, town.body, town.scenario):
        town.write(file, "{")
    assert {fault.path for fault in town.faults()} == {town.block, town.body, town.scenario}


# ── hashes ──────────────────────────────────────────────────────────────────────────────────────────────────


def _hash(town: Any) -> str:
    hashed: str = Workspace.open(town.root).pilot("desk").protocol_hash
    return hashed


def test_the_protocol_document_survives_json_and_its_hash_is_stable(town: Any) -> None:
    pilot = Workspace.open(town.root).pilot("desk")
    document = pilot.protocol_document()
    assert json.loads(json.dumps(document)) == document
    assert pilot.protocol_hash == _hash(town)
    assert len(pilot.protocol_hash) == 64


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("pilot", "question: Is", "question: Was"),
        ("pilot", "rounds: 6", "rounds: 7"),
        ("pilot", "margin: 10%", "margin: 11%"),
        ("pilot", "organisation: Town", "organisation: Town!"),
        ("pilot", "multiple: 30", "multiple: 31"),
        ("body", "peak_hour: 120", "peak_hour: 121"),
        ("body", "colour: blue", "colour: red"),
        ("body", "command: [\"{python}\", paper.py]", "command: [\"{python}\", paper.py, -v]"),
        ("body", "cpu_hour: {low: 1", "cpu_hour: {low: 0"),
        ("book", "900,1000", "901,1000"),
        ("scenario", "weight: 3", "weight: 4"),
        ("schema", '"default": 20', '"default": 30'),
        ("block", "--port, \"{port}\"]\n  1.1.0", "--port, \"{port}\", -v]\n  1.1.0"),
    ],
)  # fmt: skip
def test_whatever_could_bend_the_result_changes_the_hash(town: Any, file: str, old: str, new: str) -> None:
    first = _hash(town)
    town.change(getattr(town, file), old, new)
    assert _hash(town) != first


def test_the_bytes_of_files_count_and_what_is_made_from_them_does_not(town: Any) -> None:
    first = _hash(town)
    release = "pioneers/commons/desk/releases/1.0.0"
    town.write(f"{release}/__pycache__/desk.cpython-311.pyc", b"x")
    town.write(f"{release}/desk.pyc", b"x")
    town.write(f"{release}/.git/HEAD", b"x")
    town.write("scenarios/desk/__pycache__/journeys.pyc", b"x")
    assert _hash(town) == first
    town.write(f"{release}/desk.py", "print(1)\n")
    second = _hash(town)
    town.write(f"{release}/requirements.txt", "starlette==1.0.1\n")
    third = _hash(town)
    town.write("scenarios/desk/journeys.py", (town.root / "scenarios/desk/journeys.py").read_text() + "\n")
    assert len({first, second, third, _hash(town)}) == 4


def test_words_about_a_pilot_and_other_releases_leave_the_hash_alone(town: Any) -> None:
    first = _hash(town)
    town.change(town.pilot, "demand:", "changes: [Citizens see another page.]\ndemand:")
    town.change(town.block, "changes: Faster.", "changes: Much faster.")
    town.change(town.block, "changes: First release.", "changes: The first release.")
    assert _hash(town) == first


def test_files_cannot_run_together_into_the_same_hash(town: Any) -> None:
    release = "pioneers/commons/desk/releases/1.0.0"
    town.write(f"{release}/a", "bc")
    first = _hash(town)
    (town.root / release / "a").unlink()
    town.write(f"{release}/ab", "c")
    assert _hash(town) != first


# ── roots ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_root_is_the_nearest_folder_upwards_or_the_one_that_is_named(town: Any, tmp_path: Path) -> None:
    assert find_root(town.root / "pioneers/town", {}) == town.root
    assert find_root(town.root / town.pilot, {}) == town.root
    assert find_root(tmp_path, {"HARNESS_WORKSPACE": str(town.root)}) == town.root


def test_no_root_says_to_make_one(town: Any, tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="harness init"):
        find_root(tmp_path, {})
    with pytest.raises(WorkspaceError, match="HARNESS_WORKSPACE"):
        find_root(town.root, {"HARNESS_WORKSPACE": str(tmp_path)})
    with pytest.raises(WorkspaceError, match="harness init"):
        Workspace.read(tmp_path)


def test_the_loader_is_light() -> None:
    code = (
        "import sys, harness.workspace.loader, harness.workspace.schema\n"
        "heavy = {'jsonschema', 'numpy', 'scipy', 'sqlalchemy', 'locust', 'gevent', 'jinja2', 'click', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
