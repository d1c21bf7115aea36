"""A scenario's `journeys.py` looked at without running it: does it hold what scenario.yaml names?

The one idea: journeys are code that only the generator's own process may run; a name that stands nowhere
in the code can be told without running it, and before anything is deployed.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from harness.workspace.faults import Fault

LARGEST = 1024 * 1024
"""Bytes a Python file of a scenario may hold."""


@dataclass(frozen=True)
class Code:
    """What a scenario's Python files hold: names of methods, those marked as journeys, and texts."""

    methods: frozenset[str]
    journeys: frozenset[str]
    texts: frozenset[str]


def read(folder: Path, root: Path) -> tuple[Code | None, list[Fault]]:
    """The code of a scenario's folder, None with faults when any of it does not parse."""
    methods: set[str] = set()
    journeys: set[str] = set()
    texts: set[str] = set()
    faults = []
    for path in sorted(folder.glob("*.py")):
        file = path.relative_to(root).as_posix()
        tree, fault = _parse(path, file)
        if fault is not None:
            faults.append(fault)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                methods.add(node.name)
                if any(_is_journey(decorator) for decorator in node.decorator_list):
                    journeys.add(node.name)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
    return (None if faults else Code(frozenset(methods), frozenset(journeys), frozenset(texts))), faults


def _parse(path: Path, file: str) -> tuple[ast.Module | None, Fault | None]:
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return None, Fault(file, 1, 1, "no file, or a very large one", "a Python file", "shorten it")
        return ast.parse(path.read_bytes(), filename=file), None
    except SyntaxError as error:
        return None, Fault(
            file, error.lineno or 1, error.offset or 1, error.msg, "Python", "correct the code there"
        )
    except (ValueError, RecursionError, MemoryError, OSError) as error:
        return None, Fault(file, 1, 1, f"code that cannot be read ({error})", "Python", "correct the code")


def _is_journey(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = (
        called.attr
        if isinstance(called, ast.Attribute)
        else called.id
        if isinstance(called, ast.Name)
        else ""
    )
    return name == "journey"
