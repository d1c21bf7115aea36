"""Citizens of `forms/v1`: pages filled in one after the other and sent as a browser sends them.

The one idea: a citizen answers whatever the page in front of them asks, by the name of the question; a
page that asks something nobody can answer is a failure of the system, not of the scenario.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from html import unescape

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

_TOKEN = re.compile(r'<input type="hidden" name="token" value="([^"]*)">')
_ACTION = re.compile(r'<form method="post" action="([^"]*)"')
_INPUT = re.compile(r'<(?:input|select|textarea) [^>]*?\bname="([^"]*)"')
_OPTION = re.compile(r'<option value="([^"]*)">([^<]*)</option>')
_FAULT = re.compile(r'<li><a href="#[^"]*">([^<]*)</a></li>')
_REFERENCE = re.compile(r'id="reference">([^<]*)<')


class FormsCitizen(AppointmentCitizen):
    """Fills in the form system's pages, one after the other, as a browser sends them."""

    abstract = False
    interface = "forms/v1"
    recognise_path = "/start"

    def make(self, wish: Wish) -> str:
        """Book; the reference."""
        self.note(email=wish.email)
        answers = self._answers(wish)
        page = self._open()
        self.think(*START)
        with self.step("start now"):
            page = self._send(page, {})
        for thought in (FIRST_PERSON, SECOND_PERSON):
            self.think(*thought)
            with self.step("give details"):
                page = self._send(page, answers)
                if page.url.endswith("/refused"):
                    raise Refused("not eligible")
        self.think(*CHOOSE)
        office = pick(self._options(page), wish.office)[0]
        with self.step("choose an office"):
            page = self._send(page, {"office": office})
        self.think(*CHOOSE)
        day = pick(self._options(page), wish.day)[0]
        with self.step("choose a day"):
            page = self._send(page, {"day": day})
        for attempt in range(ATTEMPTS):
            self.think(*CHOOSE)
            if page.url.endswith("/form/time") and not self._options(page, least=0):
                with self.step("choose another day"):
                    page = self.expect(self.get("/form/day"), 200)
            if page.url.endswith("/form/day"):
                day = pick(self._options(page), self.random.random())[0]
                with self.step("choose another day"):
                    page = self._send(page, {"day": day})
                continue
            row, start = pick(self._options(page), wish.time if attempt == 0 else self.random.random())
            with self.step("choose a time"):
                page = self._send(page, {"time": row})
            if not page.url.endswith("/form/check"):
                continue  # taken meanwhile: the page lists what is left
            self.think(*CHECK)
            with self.step("check and send"):
                page = self._send(page, {})
            if page.url.endswith("/done"):
                break
        else:
            self.fail("no time left", f"{ATTEMPTS} times in turn were taken by others")
        return self.booked(wish, self._found(_REFERENCE, page), office, f"{day}T{start}")

    def give_back(self, reference: str, owner: Person) -> None:
        """Cancel."""
        self._open()
        self.think(*START)
        with self.step("ask to cancel"):
            page = self.expect(self.get("/cancel"), 200)
        self.think(*FIND)
        with self.step("find my appointment"):
            page = self._send(page, {"reference": reference, "name": owner.family_name})
            if not page.url.endswith("/cancel/check"):
                self.fail("not found", reference)
        self.think(*CHECK)
        with self.step("cancel it"):
            page = self._send(page, {})
            if not page.url.endswith("/cancel/done") or reference not in page.text:
                self.fail("not cancelled", page.url)

    def _open(self) -> Response:
        with self.step("open the page"):
            page = self.expect(self.get("/start"), 200)
            self.expect(self.get("/static.css"), 200)
        return page

    def _send(self, page: Response, answers: Mapping[str, str]) -> Response:
        """Fill in what the page asks and send it; the page that follows."""
        action = unescape(self._found(_ACTION, page))
        filled = {"token": unescape(self._found(_TOKEN, page))}
        for name in dict.fromkeys(_INPUT.findall(page.text)):
            if name != "token":
                if name not in answers:
                    self.fail("unknown question", name)
                filled[name] = answers[name]
        following = self.expect(self.post(action, data=filled), 200)
        if following.url.endswith(action) and action not in ("/form/time", "/form/day"):
            self.fail("sent back", "; ".join(_FAULT.findall(following.text)))
        return following

    def _options(self, page: Response, least: int = 1) -> list[tuple[str, str]]:
        found = [(unescape(value), unescape(text)) for value, text in _OPTION.findall(page.text)]
        if len(found) < least:
            self.fail("nothing to choose", page.url)
        return found

    def _found(self, pattern: re.Pattern[str], page: Response) -> str:
        match = pattern.search(page.text)
        if match is None:
            self.fail("not the page expected", page.url)
            raise AssertionError("fail raises")
        return match[1]

    @staticmethod
    def _answers(wish: Wish) -> dict[str, str]:
        """What this citizen types, by the name of the question."""
        answers = {"email": wish.email, "email_again": wish.email, "telephone": ""}
        for prefix, person in (("", wish.first), ("other_", wish.second)):
            answers |= {
                f"{prefix}given_name": person.given_name,
                f"{prefix}family_name": person.family_name,
                f"{prefix}date_of_birth-day": str(person.born.day),
                f"{prefix}date_of_birth-month": str(person.born.month),
                f"{prefix}date_of_birth-year": str(person.born.year),
            }
        return answers

    @classmethod
    def seed(cls, system: SystemUnderTest) -> None:
        """Import the appointments made earlier: none without the system's trial key (plain Locust)."""
        if not system.configuration.get("trial_key"):
            return
        diary = _csv(system, "/staff/diary.csv")
        made = earlier_slots(
            system, [(row["office"], f"{row['day']}T{row['time']}") for row in diary if not row["reference"]]
        )
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        names = ("given_name", "family_name", "date_of_birth")
        writer.writerow(
            (
                "reference",
                "office",
                "day",
                "time",
                *names,
                "email",
                "email_again",
                *(f"other_{name}" for name in names),
            )
        )
        for earlier, office, start in made:
            owner = earlier.owner
            person = (owner.given_name, owner.family_name, owner.born.isoformat())
            writer.writerow(
                (
                    earlier.reference,
                    office,
                    *start.split("T"),
                    *person,
                    earlier.email,
                    earlier.email,
                    "Alex",
                    "Smith",
                    "1981-06-18",
                )
            )
        headers = authority(system) | {"Content-Type": "text/csv"}
        system.expect(system.post("/staff/import", data=text.getvalue().encode(), headers=headers), 201)
        cls.earlier = len(made)

    @classmethod
    def audit(cls, system: SystemUnderTest, journeys: Sequence[JourneyRecord]) -> Audit:
        """Read every form and the whole diary from the staff's exports, and examine them."""
        kept = []
        for row in _csv(system, "/staff/export.csv"):
            made, name = row["state"] == "made", f"{row['given_name']} {row['family_name']}"
            kept.append(
                Kept(
                    row["reference"],
                    row["office"],
                    f"{row['day']}T{row['time']}",
                    name,
                    row["email"],
                    made,
                    made,
                )
            )
        free = {
            (row["office"], f"{row['day']}T{row['time']}")
            for row in _csv(system, "/staff/diary.csv")
            if not row["reference"]
        }
        return examine(kept, free, journeys, cls.earlier)


def _csv(system: SystemUnderTest, path: str) -> list[dict[str, str]]:
    answer = system.expect(system.get(path, headers=authority(system)), 200)
    return list(csv.DictReader(io.StringIO(answer.text)))
