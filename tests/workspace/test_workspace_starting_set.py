from __future__ import annotations

from pathlib import Path

import pytest

from harness.workspace import starting_set
from harness.workspace.faults import WorkspaceError
from harness.workspace.loader import Workspace, find_root
from harness.workspace.starting_set import initialise

REPOSITORY = Path(__file__).parents[2]


def test_a_new_workspace_is_sound_and_holds_nothing_that_was_made(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "group"
    written = initialise(target)
    assert written == sorted(path for path in target.rglob("*") if path.is_file())
    assert {path.relative_to(target).parts[0] for path in written} == {
        ".gitignore",
        "scenarios",
        "pioneers",
        "reports",
    }
    assert not [path for path in written if "__pycache__" in path.parts or path.suffix == ".pyc"]
    assert (target / ".gitignore").read_text().split("\n")[1:3] == [".harness/", "reports/site/"]
    assert (target / "pioneers/programme.yaml").read_bytes() == (
        REPOSITORY / "pioneers/programme.yaml"
    ).read_bytes()
    assert find_root(target, {}) == target.resolve()
    assert set(Workspace.open(target).pilots) == set(Workspace.open(REPOSITORY).pilots)


def test_a_new_workspace_has_the_same_hashes_as_the_one_it_came_from(tmp_path: Path) -> None:
    initialise(tmp_path / "group")
    here, there = Workspace.open(REPOSITORY), Workspace.open(tmp_path / "group")
    for name in here.pilots:
        assert here.pilot(name).protocol_hash == there.pilot(name).protocol_hash


def test_an_empty_folder_will_do_and_a_full_one_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes").write_text("mine")
    with pytest.raises(WorkspaceError, match="not empty"):
        initialise(tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes"]
    (tmp_path / "empty").mkdir()
    assert initialise(tmp_path / "empty")


def test_a_file_or_a_path_below_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(WorkspaceError, match="new or an empty folder"):
            initialise(target)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(WorkspaceError, match="no folder"):
        initialise(tmp_path / "dangling")


def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "site-packages" / "harness"
    package.mkdir(parents=True)
    monkeypatch.setattr(starting_set, "files", lambda _name: package)
    return package


def test_an_installed_wheel_brings_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = _installed(tmp_path, monkeypatch)
    for folder in ("scenarios/x/__pycache__", "pioneers/y", "reports/theme", "reports/site"):
        (package / "starting_set" / folder).mkdir(parents=True)
        (package / "starting_set" / folder / "file.yaml").write_text("a: 1\n")
    written = initialise(tmp_path / "group")
    assert [str(path.relative_to(tmp_path / "group")) for path in written] == [
        ".gitignore",
        "pioneers/y/file.yaml",
        "reports/theme/file.yaml",
    ]


def test_an_installation_without_one_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(tmp_path, monkeypatch)
    with pytest.raises(WorkspaceError, match="install the harness anew"):
        initialise(tmp_path / "group")
