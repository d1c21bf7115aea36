"""Citizens of `booking/v1`: the booking block's own page in a browser, which speaks the block's API."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from citizens import (
    ATTEMPTS,
    CHECK,
    CHOOSE,
    FIND,
    FIRST_PERSON,
    SECOND_PERSON,
    START,
    AppointmentCitizen,
    authority,
)
from keeping import Kept, examine
from wishes import Person, Wish, earlier_slots, pick

from harness.load import Audit, JourneyRecord, Refused, Response, SystemUnderTest


class BookingCitizen(AppointmentCitizen):
    """Uses the booking block's own page, which speaks its API."""

    abstract = False
    interface = "booking/v1"
    recognise_path = "/v1/resources"

    def make(self, wish: Wish) -> str:
        """Book; the reference."""
        self.note(email=wish.email)
        offices = self._open()
        self.think(*START)
        self.think(*FIRST_PERSON)
        self.think(*SECOND_PERSON)
        people = [
            {"given_name": p.given_name, "family_name": p.family_name, "date_of_birth": p.born.isoformat()}
            for p in (wish.first, wish.second)
        ]
        with self.step("give details"):
            if not self._ok(self._write("/v1/eligibility", {"people": people}))["eligible"]:
                raise Refused("not eligible")
        self.think(*CHOOSE)
        office = pick(offices, wish.office)["id"]
        with self.step("choose an office"):
            days = self._days(office)
        self.think(*CHOOSE)
        day = pick(days, wish.day)
        with self.step("choose a day"):
            slots = self._slots(office, day)
        for attempt in range(ATTEMPTS):
            self.think(*CHOOSE)
            if not slots:
                with self.step("choose another day"):
                    day = pick(self._days(office), self.random.random())
                    slots = self._slots(office, day)
                continue
            start = pick(slots, wish.time if attempt == 0 else self.random.random())
            with self.step("choose a time"):
                held = self._write("/v1/bookings", {"resource": office, "start": start})
                if held.status_code == 409:
                    slots = self._slots(office, day)
            if held.status_code != 409:
                break
        else:
            self.fail("no time left", f"{ATTEMPTS} times in turn were taken by others")
        hold = self._ok(held, 201)
        self.think(*CHECK)
        with self.step("check and send"):
            answer = self._write(
                f"/v1/bookings/{hold['id']}/confirmation",
                {"people": people, "contact": {"email": wish.email, "telephone": ""}},
            )
            booking = self._ok(answer)
            if (booking["resource"], booking["start"], booking["state"]) != (office, start, "confirmed"):
                self.fail("booked something else", str(booking))
        return self.booked(wish, booking["reference"], office, start)

    def give_back(self, reference: str, owner: Person) -> None:
        """Cancel."""
        self._open()
        self.think(*START)
        self.think(*FIND)
        with self.step("find my appointment"):
            found = self._ok(
                self._write("/v1/bookings/search", {"reference": reference, "family_name": owner.family_name})
            )
        self.think(*CHECK)
        with self.step("cancel it"):
            cancelled = self._ok(self._write(f"/v1/bookings/{found['id']}/cancellation", {}))
            if cancelled["state"] != "cancelled":
                self.fail("not cancelled", str(cancelled))

    def _open(self) -> list[dict[str, Any]]:
        """What a browser fetches to show the page."""
        with self.step("open the page"):
            for path in ("/", "/booking.css", "/booking.js", "/v1/service"):
                self.expect(self.get(path), 200)
            offices: list[dict[str, Any]] = self._ok(self.get("/v1/resources"))["resources"]
        return offices

    def _days(self, office: str) -> list[str]:
        days = [
            item["day"] for item in self._ok(self.get(f"/v1/resources/{office}/days"))["days"] if item["free"]
        ]
        if not days:
            self.fail("no day left", office)
        return days

    def _slots(self, office: str, day: str) -> list[str]:
        answer = self.get(f"/v1/resources/{office}/slots", params={"day": day})
        return [item["start"] for item in self._ok(answer)["slots"]]

    def _write(self, path: str, body: Mapping[str, Any]) -> Response:
        return self.post(path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})

    def _ok(self, response: Response, status: int = 200) -> Any:
        return self.expect(response, status).json()

    @classmethod
    def seed(cls, system: SystemUnderTest) -> None:
        """Import the appointments made earlier: none without the system's trial key (plain Locust)."""
        if not system.configuration.get("trial_key"):
            return
        slots = sorted(_free_of_booking(system, length=None))
        starts = {(office, start[:16]): start for office, start in slots}
        made = earlier_slots(system, list(starts))
        couple = [{"given_name": "Alex", "family_name": "Smith", "date_of_birth": "1981-06-18"}]
        bookings = [
            {
                "reference": earlier.reference,
                "resource": office,
                "start": starts[office, start],
                "people": [
                    {
                        "given_name": earlier.owner.given_name,
                        "family_name": earlier.owner.family_name,
                        "date_of_birth": earlier.owner.born.isoformat(),
                    },
                    *couple,
                ],
                "contact": {"email": earlier.email},
            }
            for earlier, office, start in made
        ]
        headers = authority(system) | {"Idempotency-Key": str(uuid.uuid4())}
        system.expect(system.post("/v1/import", json={"bookings": bookings}, headers=headers), 201)
        cls.earlier = len(made)

    @classmethod
    def audit(cls, system: SystemUnderTest, journeys: Sequence[JourneyRecord]) -> Audit:
        """Read every booking and every free slot over the block's API, and examine them."""
        kept: list[Kept] = []
        after: int | None = 0
        while after is not None:
            path = "/v1/audit/bookings"
            page = system.expect(
                system.get(path, params={"after": after, "limit": 5000}, headers=authority(system)), 200
            ).json()
            for item in page["bookings"]:
                first = (item["people"] or [{"given_name": "", "family_name": ""}])[0]
                name, state = f"{first['given_name']} {first['family_name']}", item["state"]
                slot = (item["resource"], item["start"][:16])
                kept.append(
                    Kept(
                        item["reference"],
                        *slot,
                        name,
                        item["email"] or "",
                        state == "confirmed",
                        state in ("held", "confirmed"),
                    )
                )
            after = page["next"]
        return examine(kept, _free_of_booking(system), journeys, cls.earlier)


def _free_of_booking(system: SystemUnderTest, length: int | None = 16) -> set[tuple[str, str]]:
    """Every slot the block offers: office and start."""
    free = set()
    for office in system.expect(system.get("/v1/resources"), 200).json()["resources"]:
        service = system.expect(system.get("/v1/service"), 200).json()
        first, last = date.fromisoformat(service["first_day"]), date.fromisoformat(service["last_day"])
        while first <= last:
            until = min(first + timedelta(days=90), last)
            answer = system.get(
                f"/v1/resources/{office['id']}/slots",
                params={"from": first.isoformat(), "to": until.isoformat()},
            )
            free |= {
                (office["id"], slot["start"][:length]) for slot in system.expect(answer, 200).json()["slots"]
            }
            first = until + timedelta(days=1)
    return free
