"""Rendering what a person wrote for a system: placeholders, and the configuration in its three ways.

The one idea: everything is decided before anything is started, and nothing passes through a shell.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.deploy.types import DeployError, DeployFault
from harness.workspace.models import ConfigurationDelivery

_PLACEHOLDER = re.compile(r"\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Placeholders:
    """What `{port}`, `{scratch}`, `{folder}`, `{configuration}`, `{python}` and `{bin}` stand for.

    `folder` is None for a system without files, `configuration` where no file was asked for.
    """

    port: int
    scratch: Path
    folder: Path | None
    configuration: Path | None
    python: Path
    bin: Path

    def fill(self, text: str, where: str) -> str:
        """The text with its placeholders replaced.

        `{{name}}` gives a literal `{name}`; other braces stay as they are. `where` names the place in errors.

        Raises:
            DeployError: COMMAND, an unknown placeholder, or one that has no value here.
        """
        values = vars(self)

        def value(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal is not None:
                return "{" + literal + "}"
            if name not in values:
                valid = ", ".join("{" + known + "}" for known in values)
                raise DeployError(
                    DeployFault.COMMAND,
                    f"{where}: unknown placeholder {{{name}}}; valid are {valid} "
                    f"(write {{{{{name}}}}} for a literal {{{name}}})",
                )
            if values[name] is None:
                advice = (
                    "give `configuration: file:` a name"
                    if name == "configuration"
                    else "give the system a `folder:`"
                )
                raise DeployError(
                    DeployFault.COMMAND, f"{where}: {{{name}}} has no value for this system; {advice}"
                )
            return str(values[name])

        return _PLACEHOLDER.sub(value, text)

    def fill_all(self, texts: Sequence[str], where: str) -> list[str]:
        """Each of the texts, filled. Raises DeployError as `fill` does."""
        return [self.fill(text, f"{where}[{number}]") for number, text in enumerate(texts)]


def configuration_file(delivery: ConfigurationDelivery, scratch: Path) -> Path | None:
    """Where the configuration file will be, None if none was asked for."""
    return None if delivery.file is None else scratch / delivery.file


def write_configuration(path: Path, configuration: Mapping[str, Any], owner: tuple[int, int] | None) -> None:
    """Write the configuration as JSON that only its owner can read (mode 0600). Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(_json(configuration, indent=2) + "\n")
    if owner is not None:
        os.chown(path, *owner)


def configuration_variables(prefix: str, configuration: Mapping[str, Any]) -> dict[str, str]:
    """`PREFIX_KEY` for each top-level key; lists and mappings as JSON, a null is left out.

    Raises:
        DeployError: COMMAND, two keys give one name, or a value cannot stand in an environment.
    """
    variables: dict[str, str] = {}
    for key, value in configuration.items():
        if value is None:
            continue
        name = f"{prefix.rstrip('_')}_{re.sub('[^A-Za-z0-9]', '_', key).upper()}"
        if name in variables:
            raise DeployError(
                DeployFault.COMMAND,
                f"configuration: two keys both become the variable {name} ({key!r} is one); rename one, "
                "or deliver the configuration as a file",
            )
        variables[name] = _text(key, value)
    return variables


def configuration_arguments(configuration: Mapping[str, Any]) -> list[str]:
    """`--key value` for each top-level key; lists and mappings as JSON, a null is left out.

    A value that begins with a hyphen is written `--key=value`, so that it cannot pass for another option.
    """
    arguments: list[str] = []
    for key, value in configuration.items():
        if value is None:
            continue
        text = _text(key, value)
        arguments += [f"--{key}={text}"] if text.startswith("-") else [f"--{key}", text]
    return arguments


def _text(key: str, value: Any) -> str:
    text = value if isinstance(value, str) else _json(value)
    if "\0" in text:
        raise DeployError(
            DeployFault.COMMAND,
            f"configuration: {key!r} holds a null character, which no variable or argument can carry; "
            "remove it, or deliver the configuration as a file",
        )
    return text


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, sort_keys=True, allow_nan=False, default=str)
