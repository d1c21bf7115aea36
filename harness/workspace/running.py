"""How a system runs: what stands under a manifest's `run:` key.

The one idea: `run:` holds exactly one deployer by name, each with a model of its own, so that a manifest
cannot carry another deployer's settings by accident.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from harness.workspace.forms import (
    FileName,
    Name,
    Prefix,
    PythonVersion,
    Text,
    UrlPath,
    UserName,
    Variable,
    Whole,
    YesNo,
)
from harness.workspace.quantities import Day, PositiveDuration

BRANCH = "<"
"""What a union's branch begins with in a validation error's location: no key of a file does."""


class Model(BaseModel):
    """Base of all: strict about keys, immutable once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PinnedEnvironment(Model):
    """An isolated Python environment made from pinned requirements with hashes."""

    requirements: Text = Field(
        description="File of pinned requirements with hashes, relative to the system's folder and inside it"
    )
    exclude_newer: Day | None = Field(
        None, description="Date ceiling: no distribution published after this day is considered"
    )
    python: PythonVersion | None = Field(
        None, description="Python version, such as '3.11'; else the harness's own"
    )


def _kind_of_environment(value: Any) -> str:
    return f"{BRANCH}pinned" if isinstance(value, (dict, PinnedEnvironment)) else f"{BRANCH}harness"


Environment = Annotated[
    Annotated[Literal["harness"], Tag(f"{BRANCH}harness")]
    | Annotated[PinnedEnvironment, Tag(f"{BRANCH}pinned")],
    Discriminator(_kind_of_environment),
]


class PrepareStep(Model):
    """One command run before the system starts (initialise, migrate), with its own log and deadline."""

    name: Name = Field(description="What the step is called in logs")
    command: Annotated[list[Text], Field(min_length=1)] = Field(
        description="The command and its arguments; no shell is involved"
    )
    deadline: PositiveDuration = Field(30.0, description="How long it may take (30s)")


class Readiness(Model):
    """When the system counts as ready: GET `path` answers `status` before `deadline` has passed."""

    path: UrlPath = Field("/", description="Path to ask for (/)")
    status: Annotated[Whole, Field(ge=100, le=599)] = Field(200, description="Status that means ready (200)")
    deadline: PositiveDuration = Field(20.0, description="How long it may take to get ready (20s)")


class ConfigurationDelivery(Model):
    """How the validated configuration reaches the system; any of the three, together or none."""

    file: FileName | None = Field(
        None,
        description="Written as JSON under this name in the run's scratch folder: {configuration}",
    )
    environment: Prefix | None = Field(
        None, description="Each top-level key as an environment variable: this prefix and the key in capitals"
    )
    arguments: YesNo = Field(False, description="Each top-level key as `--key value` at the command's end")


class ProcessRun(Model):
    """`run: {process: …}`: a command in an environment of its own.

    Placeholders in `command`, `prepare` and `variables`: `{port}`, `{scratch}`, `{folder}`, `{configuration}`
    (its file), `{python}` (its interpreter), `{bin}` (its scripts). No shell is involved.
    """

    environment: Environment = Field(
        "harness", description="The harness's own environment, or an isolated one from pinned requirements"
    )
    prepare: list[PrepareStep] = Field([], description="Commands run once before the system starts, in order")
    command: Annotated[list[Text], Field(min_length=1)] = Field(
        description="The command that serves; {port}, {scratch}, {folder}, {python} … are filled in"
    )
    variables: dict[Variable, str] = Field(
        {}, description="Environment variables, with the same placeholders"
    )
    configuration: ConfigurationDelivery = Field(
        ConfigurationDelivery(), description="How the configuration reaches the system"
    )
    ready: Readiness = Field(Readiness(), description="When the system counts as ready")
    port: Annotated[Whole, Field(ge=1, le=65535)] | None = Field(
        None, description="A fixed port; else a free one"
    )
    run_as: UserName | None = Field(
        None, description="The user to run as when the harness was started as root"
    )
    stop_within: PositiveDuration = Field(
        5.0, description="How long it may take to stop before it is killed (5s)"
    )


class Run(Model):
    """Where a system runs: exactly one deployer."""

    process: ProcessRun = Field(description="A command on this machine")
