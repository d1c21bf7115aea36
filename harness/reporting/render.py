"""From page models to HTML: the Jinja environment, the theme inlined, the Content-Security-Policy.

The one idea: a page is one file that asks for nothing else; its policy allows exactly the one style sheet
it carries, by hash, and no script at all. Everything is escaped; only our own SVG is markup.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from harness.reporting.errors import ReportError
from harness.reporting.model import IndexPage, PilotPage

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

MARKER = '<meta name="generator" content="pioneer harness">'
"""Stands in the head of every page, so that a later build knows the file as its own."""


class Renderer:
    """Renders pages with a workspace's templates and theme.

    A template that is not in `templates` is taken from the harness's own set; one that is there may extend
    that set's as `standard/pilot.html` and replace single blocks.

    Raises:
        ReportError: the theme is missing or could end its own style element.
    """

    def __init__(self, templates: Path, theme: Path) -> None:
        self._templates = templates
        self._environment = _environment(templates)
        style = _style(theme)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        from markupsafe import Markup

        self._environment.globals["style"] = Markup(style)  # noqa: S704 - the theme is the programme's own file, checked above
        self._environment.globals["policy"] = (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
            f"form-action 'none'"
        )
        self._environment.globals["policy_hash"] = digest

    def pilot(self, page: PilotPage) -> str:
        """A pilot's page."""
        return self._render("pilot.html", page=page, to_root="../../")

    def index(self, page: IndexPage) -> str:
        """The index of all pilots."""
        return self._render("index.html", page=page, to_root="")

    def _render(self, name: str, **values: object) -> str:
        from jinja2 import TemplateError, TemplateSyntaxError

        try:
            text = self._environment.get_template(name).render(**values)
        except TemplateSyntaxError as error:
            raise ReportError(
                f"{error.filename or name}:{error.lineno}: {error.message}; mend this template, "
                f"then build the report again"
            ) from error
        except TemplateError as error:
            raise ReportError(
                f"{self._templates / name}: {error}; compare it with the harness's own template of that name"
            ) from error
        if MARKER not in text[:4096] or "Content-Security-Policy" not in text[:4096]:
            raise ReportError(
                f"{self._templates}: {name} renders a page without the generator mark or the "
                f"security policy of base.html; "
                "keep the block `head` as it is, or call super() in it"
            )
        return text


def _environment(templates: Path) -> SandboxedEnvironment:
    from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    standard = FileSystemLoader(shipped() / "templates")
    return SandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(templates), standard, PrefixLoader({"standard": standard})]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def shipped() -> Path:
    """The harness's own `reports` folder: beside the program in a checkout, inside the package when
    installed.
    """
    package = Path(__file__).resolve().parents[1]
    installed = package / "starting_set" / "reports"
    return installed if installed.is_dir() else package.parent / "reports"


def _style(theme: Path) -> str:
    path = theme / "theme.css"
    if not path.is_file():
        path = shipped() / "theme" / "theme.css"
    try:
        style = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(
            f"{path}: the theme could not be read ({error}); expected a style sheet in UTF-8"
        ) from error
    if "</" in style or "<!--" in style:
        raise ReportError(
            f"{path}: found “</” or “<!--” in the theme, which would end the page's style element; "
            f"take it out"
        )
    return style
