"""The application of one server process, told by its parent where configuration and database are."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.applications import Starlette

from forms.app import application
from forms.configuration import read


def from_environment() -> Starlette:
    """The form system named by the environment."""
    return application(read(Path(os.environ["FORMS_CONFIGURATION"])), Path(os.environ["FORMS_DATABASE"]))
