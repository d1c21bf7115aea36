"""The block's API as clients meet it: answers as openapi.yaml says, errors as problems, limits kept."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from booking.app import application
from booking.book import initialise
from booking.configuration import configure
from commons_places import FOLDERS, ROOT
from ruamel.yaml import YAML

RELEASE = FOLDERS["booking"]
SCHEMA = json.loads((RELEASE / "configuration.schema.json").read_text())
OPENAPI = YAML(typ="safe").load((RELEASE / "openapi.yaml").read_text())
PEOPLE = [
    {"given_name": "Ann", "family_name": "O'Neill", "date_of_birth": "1990-04-03"},
    {"given_name": "Bo", "family_name": "Roy", "date_of_birth": "1988-12-01"},
]
DETAILS = {"people": PEOPLE, "contact": {"email": "ann@example.org", "telephone": ""}}


class Client:
    """Talks to the application in this process; every answer is held against openapi.yaml."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self._client, self._authority = client, {"Authorization": f"Bearer {key}"}

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return self._checked(await self._client.get(path, headers=self._authority, **options))

    async def post(self, path: str, body: Any, key: str | None = None, **options: Any) -> httpx.Response:
        headers = self._authority | {"Idempotency-Key": key or str(uuid.uuid4())} | options.pop("headers", {})
        return self._checked(await self._client.post(path, json=body, headers=headers, **options))

    def _checked(self, response: httpx.Response) -> httpx.Response:
        path = response.url.path
        operations = [
            found[response.request.method.lower()]
            for written, found in sorted(OPENAPI["paths"].items(), key=lambda item: "{" in item[0])
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", written), path)
            and response.request.method.lower() in found
        ]
        assert operations, f"openapi.yaml has no {response.request.method} {path}"
        described = operations[0]["responses"].get(str(response.status_code))
        assert described, f"openapi.yaml does not say that {path} may answer {response.status_code}"
        if "$ref" in described:
            described = OPENAPI["components"]["responses"][described["$ref"].rpartition("/")[2]]
        kind = response.headers["content-type"]
        schema = described["content"][kind]["schema"]
        jsonschema.Draft202012Validator({**schema, "components": OPENAPI["components"]}).validate(
            response.json()
        )
        return response


@pytest.fixture
def visit(tmp_path: Path, northmoor: dict[str, Any]) -> Callable[..., None]:
    """Runs a coroutine function of one client against a fresh system."""

    def run(story: Callable[[Client], Awaitable[None]], **changes: Any) -> None:
        configuration = configure(northmoor["booking"] | changes)
        initialise(tmp_path / "book.sqlite")

        async def main() -> None:
            app = application(configuration, tmp_path / "book.sqlite")
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://block") as client,
            ):
                await story(Client(client, configuration.trial_key))

        asyncio.run(main())

    return run


async def first_slot(client: Client, office: str = "eastgate") -> str:
    day = (await client.get(f"/v1/resources/{office}/days")).json()["days"][0]["day"]
    return (await client.get(f"/v1/resources/{office}/slots", params={"day": day})).json()["slots"][0][
        "start"
    ]


def test_a_booking_from_start_to_cancellation(visit: Callable[..., None]) -> None:
    async def story(client: Client) -> None:
        assert (await client.get("/health")).json()["status"] == "ok"
        assert (await client.get("/v1/service")).json()["people"]["minimum_age"] == 18
        offices = (await client.get("/v1/resources")).json()["resources"]
        assert [office["id"] for office in offices][:2] == ["town-hall", "eastgate"]
        start = await first_slot(client)
        assert (await client.post("/v1/eligibility", {"people": PEOPLE})).json() == {
            "eligible": True,
            "reasons": [],
        }
        held = (await client.post("/v1/bookings", {"resource": "eastgate", "start": start})).json()
        assert held["state"] == "held" and held["reference"].startswith("NRB")
        assert await first_slot(client) != start
        booked = (await client.post(f"/v1/bookings/{held['id']}/confirmation", DETAILS)).json()
        assert (booked["state"], booked["start"], booked["reference"]) == (
            "confirmed",
            start,
            held["reference"],
        )
        asked = {"reference": held["reference"].lower(), "family_name": "o'neill"}
        assert (await client.post("/v1/bookings/search", asked)).json()["id"] == held["id"]
        assert (await client.get(f"/v1/bookings/{held['id']}")).json() == booked
        gone = await client.post(f"/v1/bookings/{held['id']}/cancellation", {})
        assert gone.json()["state"] == "cancelled"
        assert await first_slot(client) == start
        assert (await client.post(f"/v1/bookings/{held['id']}/cancellation", {})).status_code == 409
        audited = (await client.get("/v1/audit/bookings")).json()
        assert [b["state"] for b in audited["bookings"]] == ["cancelled"] and audited["next"] is None

    visit(story)


def test_a_request_sent_twice_is_done_once(visit: Callable[..., None]) -> None:
    async def story(client: Client) -> None:
        wanted = {"resource": "eastgate", "start": await first_slot(client)}
        answers = await asyncio.gather(
            *(client.post("/v1/bookings", wanted, key="same-key") for _ in range(8))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        other = {"resource": "town-hall", "start": wanted["start"]}
        assert (await client.post("/v1/bookings", other, key="same-key")).status_code == 422
        assert len((await client.get("/v1/audit/bookings")).json()["bookings"]) == 1

    visit(story)


def test_who_may_not_book_is_told_so_before_and_cannot_confirm(visit: Callable[..., None]) -> None:
    young = [PEOPLE[0], PEOPLE[1] | {"date_of_birth": "2015-01-01"}]

    async def story(client: Client) -> None:
        answer = (await client.post("/v1/eligibility", {"people": young})).json()
        assert answer == {"eligible": False, "reasons": ["Person 2 must be 18 or over."]}
        held = await client.post("/v1/bookings", {"resource": "eastgate", "start": await first_slot(client)})
        refused = await client.post(
            f"/v1/bookings/{held.json()['id']}/confirmation", DETAILS | {"people": young}
        )
        assert refused.status_code == 422 and refused.json()["type"].endswith("not-eligible")

    visit(story)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/bookings", {"resource": "nowhere", "start": "2027-01-04T09:00:00+00:00"}, 404),
        ("/v1/bookings", {"resource": "eastgate", "start": "2027-01-04T09:00:00"}, 422),
        ("/v1/bookings", {"resource": "eastgate", "start": "1970-01-01T09:00:00+00:00"}, 422),
        ("/v1/bookings", {"resource": "eastgate", "start": "9999-12-31T23:59:59-14:00"}, 422),
        ("/v1/bookings", {"resource": "eastgate", "start": 7}, 422),
        ("/v1/bookings", {"resource": ["eastgate"], "start": None}, 422),
        ("/v1/bookings", {"resource": "eastgate", "state": "confirmed"}, 422),
        ("/v1/bookings", [], 422),
        ("/v1/bookings", "eastgate", 422),
        ("/v1/eligibility", {"people": PEOPLE[:1]}, 422),
        ("/v1/eligibility", {"people": [PEOPLE[0], {"given_name": "\u0000", "date_of_birth": []}]}, 422),
        ("/v1/eligibility", {"people": [PEOPLE[0], PEOPLE[1] | {"date_of_birth": "2999-01-01"}]}, 422),
        ("/v1/bookings/nothing/confirmation", DETAILS, 404),
        ("/v1/bookings/nothing/confirmation", DETAILS | {"contact": {"email": "nobody"}}, 422),
        ("/v1/bookings/nothing/cancellation", {}, 404),
        ("/v1/bookings/search", {"reference": "' OR 1=1 --", "family_name": "x"}, 404),
        ("/v1/import", {"bookings": [1]}, 422),
    ],
)
def test_what_cannot_be_used_is_refused_as_a_problem(
    visit: Callable[..., None], path: str, body: Any, status: int
) -> None:
    async def story(client: Client) -> None:
        answer = await client.post(path, body)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert (await client.get("/v1/audit/bookings")).json()["bookings"] == []

    visit(story)


def test_bodies_are_limited_in_kind_and_size(visit: Callable[..., None]) -> None:
    async def story(client: Client) -> None:
        raw = client._client
        key = {"Idempotency-Key": "12345678"}
        typed = key | {"Content-Type": "application/json"}

        async def chunks():
            for _ in range(200):
                yield b" " * 1024

        for content, headers, status in [
            (b"{}", key | {"Content-Type": "text/plain"}, 415),
            (b"{}", key, 415),
            (b'{"resource": NaN}', typed, 400),
            (b'{"a": 1, "a": 2}', typed, 400),
            (b"\xff", typed, 400),
            (b"[" * 10_000, typed, 400),
            (b" " * 20_000, typed, 413),
            (chunks(), typed, 413),
            (b"{}", {"Content-Type": "application/json"}, 422),
        ]:
            answer = await raw.post("/v1/bookings", content=content, headers=headers)
            assert answer.status_code == status, (content, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
        wanted = {"resource": "eastgate", "start": await first_slot(client)}
        assert (await raw.post("/v1/bookings", json=wanted)).status_code == 400
        assert (await raw.put("/v1/bookings")).headers["content-type"] == "application/problem+json"

    visit(story)


def test_audit_and_import_are_closed_without_the_key(visit: Callable[..., None]) -> None:
    async def open_story(client: Client) -> None:
        raw = client._client
        assert (await raw.get("/v1/audit/bookings")).status_code == 401
        assert (
            await raw.get("/v1/audit/bookings", headers={"Authorization": "Bearer é".encode()})
        ).status_code == 401
        assert (await client.get("/v1/audit/bookings", params={"limit": "0"})).status_code == 422
        assert (await client.get("/v1/audit/bookings", params={"after": "٣"})).status_code == 422

    visit(open_story)


def test_audit_and_import_are_not_there_when_no_key_is_configured(visit: Callable[..., None]) -> None:
    async def story(client: Client) -> None:
        assert (await client.get("/v1/audit/bookings")).status_code == 404
        assert (await client.post("/v1/import", {"bookings": []})).status_code == 404

    visit(story, trial_key="")


def test_the_page_is_served_and_asks_nothing_of_others(visit: Callable[..., None]) -> None:
    async def story(client: Client) -> None:
        for path, kind in [("/", "text/html"), ("/booking.js", "javascript"), ("/booking.css", "text/css")]:
            answer = await client._client.get(path)
            assert answer.status_code == 200 and kind in answer.headers["content-type"]
            assert "//" not in re.sub(
                r"^\s*//.*$|https?://[^\"]*w3.org[^\"]*", "", answer.text, flags=re.MULTILINE
            )
        assert (await client._client.get("/../book.py")).status_code == 404

    visit(story)


def test_parallel_clients_of_two_server_processes_leave_one_winner(serve: Callable[..., Any]) -> None:
    with serve("booking", workers=2) as server, httpx.Client(base_url=server.host) as client:
        day = client.get("/v1/resources/eastgate/days").json()["days"][0]["day"]
        start = client.get("/v1/resources/eastgate/slots", params={"day": day}).json()["slots"][0]["start"]

        def citizen(number: int) -> int:
            headers = {"Idempotency-Key": f"citizen-{number}"}
            body = {"resource": "eastgate", "start": start}
            return httpx.post(
                f"{server.host}/v1/bookings", json=body, headers=headers, timeout=20
            ).status_code

        with ThreadPoolExecutor(24) as threads:
            statuses = list(threads.map(citizen, range(24)))
        assert sorted(statuses) == [201] + [409] * 23


def test_northmoors_configuration_fits_the_schema_and_mistakes_do_not(northmoor: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.validate(northmoor["booking"])
    for wrong in (
        {"slot_minuets": 20},
        {"slot_minutes": 0},
        {"workers": 0},
        {"resources": []},
        {"people": {"most": 2}},
    ):
        assert not validator.is_valid(northmoor["booking"] | wrong), wrong


def test_every_default_of_the_schema_is_valid_itself() -> None:
    for name, part in SCHEMA["properties"].items():
        if "default" in part:
            jsonschema.Draft202012Validator({**part, "$defs": SCHEMA["$defs"]}).validate(part["default"])
        assert "default" in part or name in SCHEMA["required"], f"{name} has neither default nor requirement"


@pytest.mark.parametrize("name", ["booking", "forms"])
def test_requirements_are_pinned_with_hashes_and_name_no_index(name: str) -> None:
    text = (FOLDERS[name] / "requirements.txt").read_text()
    assert "://" not in text and "--index" not in text and "--find-links" not in text
    blocks = re.split(r"\n(?=[a-z])", text.strip())
    assert all(re.match(r"[a-z0-9-]+==[0-9.]+", block) and "--hash=sha256:" in block for block in blocks)


def test_publiccode_has_the_standards_mandatory_keys() -> None:
    # publiccode.yml standard 0.4, "Top-level keys": mandatory ones.
    code = YAML(typ="safe").load((ROOT / "pioneers/commons/booking/publiccode.yml").read_text())
    assert code["publiccodeYmlVersion"] == "0.4" and code["name"] and code["url"].startswith("https://")
    assert code["platforms"] and code["developmentStatus"] in {
        "concept",
        "development",
        "beta",
        "stable",
        "obsolete",
    }
    assert code["softwareType"].startswith("standalone/") and code["legal"]["license"] == "EUPL-1.2"
    english = code["description"]["en"]
    assert len(english["shortDescription"]) <= 150 and 150 <= len(english["longDescription"]) <= 10_000
    assert (
        english["features"]
        and code["maintenance"]["type"] == "internal"
        and code["maintenance"]["contacts"][0]["name"]
    )
    assert code["localisation"]["localisationReady"] is False and code["localisation"][
        "availableLanguages"
    ] == ["en"]
