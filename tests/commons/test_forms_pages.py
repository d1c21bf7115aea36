"""The form system as a browser meets it, from start to cancellation, and what it refuses on the way."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from forms.app import application
from forms.configuration import configure
from forms.database import initialise

FIRST = {
    "given_name": "Ann <i>", "family_name": "O'Neill",
    "email": "a@example.org", "email_again": "a@example.org",
    "date_of_birth-day": "3", "date_of_birth-month": "4", "date_of_birth-year": "1990", "telephone": "",
}  # fmt: skip
OTHER = {
    "other_given_name": "Bo", "other_family_name": "Roy",
    "other_date_of_birth-day": "1", "other_date_of_birth-month": "12", "other_date_of_birth-year": "1988",
}  # fmt: skip


class Wellformed(HTMLParser):
    """Complains about unclosed elements, repeated ids, inputs without a label, links that lead nowhere."""

    EMPTY = frozenset({"meta", "link", "input", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.asked: list[str] = []
        self.linked: list[str] = []
        assert text.startswith('<!doctype html>\n<html lang="en">')
        self.feed(text)
        self.close()
        assert self.open == []
        assert len(self.ids) == len(set(self.ids)), self.ids
        assert set(self.asked) <= self.labelled
        assert set(self.linked) <= set(self.ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert len(found) == len(attrs)
        if "id" in found:
            self.ids.append(found["id"] or "")
        if tag == "label" and "for" in found:
            self.labelled.add(found["for"] or "")
        if (
            tag in ("input", "select", "textarea")
            and found.get("type") != "hidden"
            and "label" not in self.open
        ):
            self.asked.append(found["id"] or "")
        if tag == "a" and (found["href"] or "").startswith("#"):
            self.linked.append((found["href"] or "")[1:])
        if tag == "form":
            assert "p" not in self.open
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


class Browser:
    """A browser that keeps cookies, follows redirects and looks at every page it is given."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client, self.page = client, httpx.Response(200)

    async def get(self, path: str) -> httpx.Response:
        return self._seen(await self.client.get(path))

    async def send(self, **typed: str) -> httpx.Response:
        """Send the form of the page in front of us."""
        action = re.search(r'<form method="post" action="([^"]+)"', self.page.text)
        token = re.search(r'name="token" value="([^"]+)"', self.page.text)
        assert action and token, self.page.text
        return self._seen(await self.client.post(action[1], data={"token": token[1], **typed}))

    async def choose(self, place: int = 0) -> httpx.Response:
        """Choose one of the options of the page in front of us."""
        name = re.search(r'<select id="(\w+)"', self.page.text)
        assert name, self.page.text
        return await self.send(**{name[1]: self.options()[place]})

    def options(self) -> list[str]:
        return re.findall(r'<option value="([^"]+)">', self.page.text)

    def faults(self) -> list[str]:
        return [unescape(text) for text in re.findall(r'<li><a href="#\w+">([^<]+)</a></li>', self.page.text)]

    def _seen(self, page: httpx.Response) -> httpx.Response:
        Wellformed(page.text)
        self.page = page
        return page

    async def as_far_as(self, name: str) -> httpx.Response:
        """Fill in all pages in front of the one named."""
        await self.get("/start")
        await self.send()
        for page in ("your-details", "other-person", "office", "day", "time", "check", "done"):
            if page == name:
                return self.page
            if page in ("office", "day", "time"):
                await self.choose()
            else:
                await self.send(**{"your-details": FIRST, "other-person": OTHER}.get(page, {}))
        raise AssertionError(name)

    async def book(self) -> str:
        await self.as_far_as("done")
        assert self.page.url.path == "/done"
        found = re.search(r'id="reference">([^<]+)<', self.page.text)
        assert found
        return found[1]


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def visit(tmp_path: Path, northmoor: dict[str, Any]) -> Callable[..., None]:
    """Runs a coroutine function that is given `browser()`, the clock and the database's path."""

    def run(story: Callable[..., Awaitable[None]], **changes: Any) -> None:
        configuration = configure(northmoor["forms"] | changes)
        database, clock = tmp_path / "forms.sqlite", Clock()
        initialise(database, configuration, date.today(), time.time())
        transport = httpx.ASGITransport(application(configuration, database, clock))

        def browser() -> Browser:
            return Browser(
                httpx.AsyncClient(transport=transport, base_url="http://forms", follow_redirects=True)
            )

        asyncio.run(story(browser, clock, database))

    return run


async def export(browser: Browser, name: str) -> list[dict[str, str]]:
    answer = await browser.client.get(
        f"/staff/{name}.csv", headers={"Authorization": "Bearer northmoor-trial-only"}
    )
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_a_booking_from_start_to_cancellation(visit: Callable[..., None]) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen = browser()
        page = await citizen.as_far_as("check")
        assert "Ann &lt;i&gt;" in page.text and "O&#39;Neill" in page.text
        assert (await citizen.send()).url.path == "/done"
        reference = re.search(r'id="reference">([^<]+)<', citizen.page.text)[1]
        assert (await citizen.get("/form/check")).url.path == "/done"
        [row] = await export(citizen, "export")
        assert (row["reference"], row["state"], row["given_name"]) == (reference, "made", "Ann <i>")
        slot = (row["office"], row["day"], row["time"])
        given = [r for r in await export(citizen, "diary") if r["reference"]]
        assert [(r["office"], r["day"], r["time"], r["reference"]) for r in given] == [(*slot, reference)]

        other = browser()
        await other.get("/cancel")
        await other.send(reference=reference, name="Roy")
        assert other.faults() == ["There is no appointment of this reference and name"]
        assert (await other.send(reference=reference.lower(), name="o'neill")).url.path == "/cancel/check"
        assert (await other.send()).url.path == "/cancel/done"
        assert [row["state"] for row in await export(other, "export")] == ["cancelled"]
        assert not [r for r in await export(other, "diary") if r["reference"]]
        await other.get("/cancel")
        assert (await other.send(reference=reference, name="O'Neill")).url.path == "/cancel"

    visit(story)


def test_every_page_is_a_post_then_a_redirect_then_a_get(visit: Callable[..., None]) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen = browser()
        await citizen.as_far_as("time")
        await citizen.choose()
        [sent] = citizen.page.history
        assert (sent.request.method, sent.status_code, citizen.page.request.method) == ("POST", 303, "GET")

    visit(story)


def test_mistakes_are_shown_beside_what_was_typed(visit: Callable[..., None]) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen = browser()
        await citizen.as_far_as("your-details")
        wrong = {
            "email_again": "b@example.org",
            "date_of_birth-day": "31",
            "family_name": " ",
            "telephone": "call me",
        }
        page = await citizen.send(**FIRST | wrong)
        assert citizen.faults() == [
            "Enter last name",
            "Date of birth must be a real date",
            "Type your email address again: this is not the same",
            "Telephone number must look like 020 7946 0958",
        ]
        assert 'value="Ann &lt;i&gt;"' in page.text and 'value="31"' in page.text
        assert (await citizen.send(**FIRST)).url.path == "/form/other-person"

    visit(story)


def test_who_is_too_young_is_refused_and_has_no_appointment(visit: Callable[..., None]) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen = browser()
        await citizen.as_far_as("other-person")
        page = await citizen.send(**OTHER | {"other_date_of_birth-year": str(date.today().year - 17)})
        assert page.url.path == "/refused" and "18 or over" in page.text
        assert (await citizen.get("/form/check")).url.path == "/start"
        assert await export(citizen, "export") == []

    visit(story)


def test_nobody_gets_to_a_page_before_those_in_front_of_it(visit: Callable[..., None]) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen = browser()
        assert (await citizen.get("/form/check")).status_code == 403
        await citizen.as_far_as("other-person")
        for name in ("office", "time", "check"):
            assert (await citizen.get(f"/form/{name}")).url.path == "/form/other-person"
        assert (await citizen.get("/form/nothing")).status_code == 404

    visit(story)


@pytest.mark.parametrize("path", ["/start", "/form/check", "/cancel", "/cancel/check"])
@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_a_form_without_the_sessions_token_is_refused(
    visit: Callable[..., None], path: str, token: str | None
) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen = browser()
        await citizen.as_far_as("check")
        typed = {} if token is None else {"token": token}
        assert (await citizen.client.post(path, data=typed or {"x": "y"})).status_code == 403
        assert await export(citizen, "export") == []

    visit(story)


def test_the_token_of_another_session_is_refused(visit: Callable[..., None]) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen, other = browser(), browser()
        await citizen.as_far_as("check")
        await other.as_far_as("check")
        citizen.page = other.page
        assert (await citizen.send()).status_code == 403

    visit(story)


def test_a_form_left_alone_for_too_long_is_lost(visit: Callable[..., None]) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen = browser()
        await citizen.as_far_as("check")
        clock.ahead = 21 * 60
        assert (await citizen.send()).status_code == 403
        await browser().get("/start")
        connection = sqlite3.connect(database)
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
        connection.close()

    visit(story)


def test_the_loser_of_a_slot_chooses_again(visit: Callable[..., None]) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        slow, quick = browser(), browser()
        await slow.as_far_as("check")
        await quick.book()
        assert (await slow.send()).url.path == "/form/time"
        assert slow.faults() == ["This time has just been taken. Choose another."]
        await slow.choose()
        assert (await slow.send()).url.path == "/done"
        rows = await export(slow, "export")
        assert len({(row["office"], row["day"], row["time"]) for row in rows}) == len(rows) == 2

    visit(story)


def test_a_form_is_bounded_in_kind_and_size(visit: Callable[..., None]) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen = browser()
        await citizen.as_far_as("your-details")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for content, headers, status in [
            (b"{}", {"Content-Type": "application/json"}, 415),
            (b"a=" + b"x" * 70_000, form, 413),
            (b"&".join(b"a%d=1" % n for n in range(400)), form, 400),
            (b"a=%ff", form, 400),
            ("a=é".encode(), form, 400),
        ]:
            answer = await citizen.client.post("/form/your-details", content=content, headers=headers)
            assert answer.status_code == status
            Wellformed(answer.text)

    visit(story)


def test_pages_keep_to_themselves(visit: Callable[..., None]) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen = browser()
        page = await citizen.get("/start")
        assert (
            "httponly" in page.headers["set-cookie"].lower()
            and "samesite=lax" in page.headers["set-cookie"].lower()
        )
        assert page.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in page.headers["content-security-policy"]

    visit(story)


def test_staff_pages_ask_for_the_key_and_show_the_nightly_report(visit: Callable[..., None]) -> None:
    key = {"Authorization": "Bearer northmoor-trial-only"}

    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen = browser()
        await citizen.book()
        for method, path in [
            ("GET", "report"),
            ("GET", "export.csv"),
            ("GET", "diary.csv"),
            ("POST", "nightly"),
            ("POST", "import"),
        ]:
            assert (await citizen.client.request(method, f"/staff/{path}")).status_code == 401
        before = await citizen.client.get("/staff/report", headers=key)
        assert "0 forms" in before.text
        assert (await citizen.client.post("/staff/nightly", headers=key)).status_code == 204
        after = await citizen.client.get("/staff/report", headers=key)
        Wellformed(after.text)
        assert "1 forms" in after.text and after.text.count("<td>1</td>") == 1
        clock.ahead = 86400 * 3
        diary = len(await export(citizen, "diary"))
        await citizen.client.post("/staff/nightly", headers=key)
        assert len(await export(citizen, "diary")) > diary

    visit(story)


def test_staff_pages_are_closed_without_a_key(visit: Callable[..., None]) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        assert (
            await browser().client.get("/staff/report", headers={"Authorization": "Bearer "})
        ).status_code == 404

    visit(story, trial_key="")


def test_an_import_is_taken_whole_or_not_at_all(visit: Callable[..., None]) -> None:
    headers = {"Authorization": "Bearer northmoor-trial-only", "Content-Type": "text/csv"}

    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen = browser()
        free = (await export(citizen, "diary"))[:3]

        def written(*rows: tuple[str, dict[str, str]]) -> bytes:
            lines = [f"{ref},{r['office']},{r['day']},{r['time']},=Ann,Lee" for ref, r in rows]
            return "\n".join(["reference,office,day,time,given_name,family_name", *lines]).encode()

        async def load(content: bytes) -> int:
            return (await citizen.client.post("/staff/import", content=content, headers=headers)).status_code

        nowhere = free[0] | {"office": "nowhere"}
        assert await load(written(("A", free[0]), ("B", nowhere))) == 422
        assert await load(written(("A", free[0]), ("A", free[1]))) == 422
        assert await load(written(("A", free[0]), ("B", free[0]))) == 422
        assert await load(b"\xff\n") == 422
        assert await load(b'office,reference\n,,,\n"') == 422
        assert await export(citizen, "export") == []
        assert await load(written(("A", free[0]), ("B", free[1]))) == 201
        assert await load(written(("C", free[1]))) == 422
        rows = await export(citizen, "export")
        assert [(row["reference"], row["given_name"]) for row in rows] == [("A", "'=Ann"), ("B", "'=Ann")]

    visit(story)


def test_a_form_without_a_diary_is_only_sent_in(visit: Callable[..., None]) -> None:
    async def story(browser: Callable[[], Browser], clock: Clock, database: Path) -> None:
        citizen = browser()
        await citizen.get("/start")
        await citizen.send()
        await citizen.send(what="Green bin", where="1 High Street")
        assert (await citizen.send()).url.path == "/done"
        assert [row["what"] for row in await export(citizen, "export")] == ["Green bin"]
        assert (await citizen.client.get("/cancel")).status_code == 404

    fields = [
        {"name": "what", "label": "Which bin?", "kind": "choice", "options": ["Green bin", "Black bin"]},
        {"name": "where", "label": "Where?", "kind": "long_text"},
    ]
    visit(
        story,
        diary=None,
        pages=[{"name": "bin", "title": "Missed bin", "fields": fields}],
        name_fields=["what"],
    )


def test_parallel_browsers_of_two_server_processes_leave_one_winner(serve: Callable[..., Any]) -> None:
    async def ready(host: str) -> tuple[dict[str, str], str]:
        async with httpx.AsyncClient(base_url=host, follow_redirects=True, timeout=20) as client:
            citizen = Browser(client)
            page = await citizen.as_far_as("check")
            token = re.search(r'name="token" value="([^"]+)"', page.text)
            assert token
            return dict(client.cookies), token[1]

    with serve("forms", workers=2) as server:
        waiting = [asyncio.run(ready(server.host)) for _ in range(8)]

        def submit(citizen: tuple[dict[str, str], str]) -> str:
            cookies, token = citizen
            client = httpx.Client(base_url=server.host, cookies=cookies, timeout=30)
            with client:
                return client.post("/form/check", data={"token": token}).headers["location"]

        with ThreadPoolExecutor(16) as threads:
            # Each of them clicks twice: the second click must not book again.
            where = list(threads.map(submit, waiting + waiting))
        assert set(where) <= {"/done", "/form/time"}
        connection = sqlite3.connect(server.database)
        assert connection.execute("SELECT count(*) FROM diary WHERE submission IS NOT NULL").fetchone() == (
            1,
        )
        assert connection.execute("SELECT count(*) FROM submissions").fetchone() == (1,)
        connection.close()
