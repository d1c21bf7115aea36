"""Pages in a real browser: accessibility, no request, one sheet for page one. Needs Chromium."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass

import pytest

from harness.reporting.pages import index_page, index_row, pilot_page
from harness.reporting.render import Renderer
from harness.reporting.view import TrialView, read_judgement

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KINDS = (
    "better",
    "worse",
    "two_candidates",
    "invalid",
    "exploratory",
    "findings",
    "hostile",
    "right_to_left",
    "very_long",
    "open",
    "not_ready",
)
AXED = ("better", "two_candidates", "invalid", "findings", "hostile", "not_ready", "open", "index")
ONE_SHEET = (
    "better",
    "worse",
    "equivalent",
    "no_worse",
    "inconclusive",
    "never_ready",
    "invalid",
    "two_candidates",
    "findings",
    "guardrail_broken",
    "exploratory",
    "open",
)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@dataclass(frozen=True)
class Site:
    folder: object

    def url(self, name: str) -> str:
        return (self.folder / f"{name}.html").as_uri()


@pytest.fixture(scope="module")
def site(tmp_path_factory, trials, reports):
    folder = tmp_path_factory.mktemp("pages")
    renderer = Renderer(reports / "templates", reports / "theme")
    rows = []
    for name in {*KINDS, *ONE_SHEET}:
        full = trials(name)
        view = TrialView(full, read_judgement(full))
        (folder / f"{name}.html").write_text(renderer.pilot(pilot_page(view, [full.trial])))
        rows.append(index_row(view, [full.trial], f"{name}.html"))
    (folder / "index.html").write_text(renderer.index(index_page(rows, "Example")))
    return Site(folder)


@pytest.fixture
def page(chromium):
    context = chromium.new_context()
    opened = context.new_page()
    yield opened
    context.close()


def violations(page):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=RULES).response
    assert len(found["passes"]) > 10
    return [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found["violations"]]


@pytest.fixture
def checked(chromium):
    # the policy of a page forbids scripts, axe's among them: it is switched off for the check alone
    context = chromium.new_context(bypass_csp=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", AXED)
def test_no_accessibility_violations(site, checked, name):
    checked.goto(site.url(name))
    checked.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = {}
    for width, scheme in ((320, "light"), (768, "light"), (1280, "light"), (1280, "dark")):
        checked.set_viewport_size({"width": width, "height": 900})
        checked.emulate_media(color_scheme=scheme)
        found[width, scheme] = violations(checked)
    assert found == {place: [] for place in found}


def test_the_accessibility_check_can_fail(site, checked):
    checked.goto(site.url("index"))
    checked.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert "image-alt" in [name for name, _ in violations(checked)]


@pytest.mark.parametrize("name", [*KINDS, "index"])
def test_nothing_is_asked_for_and_nothing_is_blocked(site, page, name):
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(site.url(name))
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if url != site.url(name) and not url.startswith("data:")] == []
    assert said == []


@pytest.mark.parametrize("name", KINDS)
def test_no_sideways_scrolling_on_a_narrow_screen(site, page, name):
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(site.url(name))
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("name", ONE_SHEET)
def test_page_one_fits_one_sheet(site, page, name, tmp_path):
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext on this machine: install the package poppler-utils")
    page.goto(site.url(name))
    pdf = tmp_path / "page.pdf"
    page.pdf(path=str(pdf), prefer_css_page_size=True)
    text = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True
    ).stdout
    sheets = text.split("\f")
    assert [i + 1 for i, sheet in enumerate(sheets) if re.search(r"^\s*For engineers", sheet, re.M)] == [2]
    size = subprocess.run(["pdfinfo", str(pdf)], capture_output=True, text=True, check=True).stdout
    assert "A4" in size


def test_the_keyboard_reaches_main_first(site, page):
    page.goto(site.url("better"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_forced_colours_keep_the_marks(site, chromium):
    context = chromium.new_context(forced_colors="active")
    page = context.new_page()
    page.goto(site.url("better"))
    assert page.locator(".chart-wide svg").first.is_visible()
    fills = page.evaluate(
        "[...document.querySelectorAll('.chart-wide svg text')].map(t => getComputedStyle(t).fill)"
    )
    assert len(set(fills)) == 1
    context.close()
