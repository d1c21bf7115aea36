"""The programme that the repository itself carries is sound."""

from __future__ import annotations

from pathlib import Path

from harness.workspace.loader import Workspace

REPOSITORY = Path(__file__).parents[2]


def test_every_file_of_the_repository_is_sound_and_every_pilot_resolves() -> None:
    space = Workspace.read(REPOSITORY)
    assert [str(fault) for fault in space.faults] == []
    assert space.pilots
    for name in space.pilots:
        pilot = space.pilot(name)
        assert len(pilot.arms) >= 2
        assert pilot.rate > 0
        assert all(arm.interface in pilot.scenario.interfaces for arm in pilot.arms)
