"""Whatever stands in any file of a workspace, reading it gives faults and never another exception."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.workspace.faults import WorkspaceError
from harness.workspace.loader import Workspace

_SPLICES = st.binary(max_size=6) | st.sampled_from(
    [
        b"\n",
        b": ",
        b"- ",
        b"[",
        b"}",
        b'"',
        b"../",
        b"@",
        b"&a ",
        b"*a",
        b"\xff",
        b"~",
        b"null",
        b"-1",
        b"1e99",
        b"\x00",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_change_of_any_file_gives_a_workspace_with_faults_or_without(
    shared_town: Any, data: st.DataObject
) -> None:
    name = data.draw(
        st.sampled_from(
            [
                shared_town.pilot,
                shared_town.body,
                shared_town.block,
                shared_town.scenario,
                shared_town.schema,
                shared_town.book,
                "scenarios/desk/journeys.py",
            ]
        )
    )
    path = shared_town.root / name
    sound = path.read_bytes()
    start = data.draw(st.integers(0, len(sound)))
    content = sound[:start] + data.draw(_SPLICES) + sound[start + data.draw(st.integers(0, 5)) :]
    try:
        path.write_bytes(content)
        space = Workspace.read(shared_town.root)
        for fault in space.faults:
            assert str(fault).isprintable()
            assert fault.line >= 0
        for pilot in space.pilots:
            try:
                assert len(space.pilot(pilot).protocol_hash) == 64
            except WorkspaceError as error:
                assert error.faults
    finally:
        path.write_bytes(sound)
