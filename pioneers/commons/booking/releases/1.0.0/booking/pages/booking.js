// The citizen's side of booking 1.0.0: the steps of a booking over the same API that anyone may use.
"use strict";

const main = document.getElementById("main");
const chosen = { people: [], contact: {} };
let service, resources;

function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function show(title, ...children) {
  main.replaceChildren(element("h1", { textContent: title }), ...children);
  document.title = `${title} – ${service ? service.service : "Book an appointment"}`;
  main.focus();
}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify(body),
  };
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.detail || answer.title), answer);
  return answer;
}

function report(problem) {
  const faults = (problem.faults || []).map((f) => element("li", { textContent: `${f.place}: ${f.expected}` }));
  const box = element("div", { className: "problem", role: "alert" }, element("p", { textContent: problem.message }), element("ul", {}, ...faults));
  main.querySelector(".problem")?.remove();
  main.querySelector("h1").after(box);
}

function form(title, fields, then) {
  const inputs = fields.map(([name, label, type, autocomplete, required = true]) =>
    element("label", {}, label, element("input", { name, type, autocomplete, required })));
  const node = element("form", {}, ...inputs, element("button", { textContent: "Continue" }));
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    then(Object.fromEntries(new FormData(node))).catch(report);
  });
  show(title, node);
}

function choose(title, options, then) {
  const radios = options.map(([value, label]) =>
    element("label", { className: "choice" }, element("input", { type: "radio", name: "choice", value, required: true }), ` ${label}`));
  const node = element("form", {}, element("fieldset", {}, element("legend", { textContent: title }), ...radios), element("button", { textContent: "Continue" }));
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    then(new FormData(node).get("choice")).catch(report);
  });
  show(title, node);
}

const day = (iso) => new Date(`${iso}T12:00:00Z`).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const time = (iso) => iso.slice(11, 16);
const resource = (id) => resources.find((r) => r.id === id).title;

function start() {
  const book = element("button", { textContent: "Start now", type: "button" });
  const cancel = element("button", { textContent: "Cancel an appointment", type: "button", className: "second" });
  book.addEventListener("click", () => { chosen.people = []; person(1); });
  cancel.addEventListener("click", find);
  show(service.service, element("p", { textContent: `An appointment takes ${service.slot_minutes} minutes.` }), book, cancel);
}

function person(number) {
  const first = number === 1;
  const fields = [
    ["given_name", "First names", "text", first ? "given-name" : "off"],
    ["family_name", "Last name", "text", first ? "family-name" : "off"],
    ["date_of_birth", "Date of birth", "date", first ? "bday" : "off"],
  ];
  if (first) fields.push(["email", "Email address", "email", "email"], ["telephone", "Telephone number", "tel", "tel", service.telephone_required]);
  form(first ? "Your details" : `Details of person ${number}`, fields, async ({ email, telephone, ...details }) => {
    chosen.people.length = number - 1;
    chosen.people.push(details);
    if (first) chosen.contact = { email, telephone };
    if (number < service.people.minimum) return person(number + 1);
    const { eligible, reasons } = await ask("v1/eligibility", { people: chosen.people });
    return eligible ? place() : show("You cannot book this appointment", ...reasons.map((r) => element("p", { textContent: r })));
  });
}

function place() {
  choose("Where do you want to go?", resources.map((r) => [r.id, r.title]), async (id) => { chosen.resource = id; await days(); });
}

async function days() {
  const listed = (await ask(`v1/resources/${chosen.resource}/days`)).days.filter((d) => d.free);
  choose("Choose a day", listed.map((d) => [d.day, `${day(d.day)} (${d.free} free)`]), async (value) => { chosen.day = value; await times(); });
}

async function times() {
  const { slots } = await ask(`v1/resources/${chosen.resource}/slots?day=${chosen.day}`);
  choose("Choose a time", slots.map((s) => [s.start, time(s.start)]), async (value) => {
    try {
      chosen.booking = await ask("v1/bookings", { resource: chosen.resource, start: value });
    } catch (problem) {
      if (problem.status !== 409) throw problem;
      await times();
      return report(problem);
    }
    check();
  });
}

function summary(booking, people = []) {
  const rows = [...people.map((p, i) => [`Person ${i + 1}`, `${p.given_name} ${p.family_name}`]), ["Where", resource(booking.resource)], ["When", `${day(booking.start.slice(0, 10))}, ${time(booking.start)}`]];
  return element("dl", {}, ...rows.flatMap(([term, text]) => [element("dt", { textContent: term }), element("dd", { textContent: text })]));
}

function confirming(title, booking, people, label, action) {
  const button = element("button", { textContent: label, type: "button" });
  button.addEventListener("click", () => { button.disabled = true; action().catch((problem) => { button.disabled = false; report(problem); }); });
  show(title, summary(booking, people), button);
}

function check() {
  confirming("Check your answers", chosen.booking, chosen.people, "Book this appointment", async () => {
    const booking = await ask(`v1/bookings/${chosen.booking.id}/confirmation`, { people: chosen.people, contact: chosen.contact });
    show("Appointment booked", element("p", { className: "done", textContent: `Your reference: ${booking.reference}` }), summary(booking, chosen.people));
  });
}

function find() {
  form("Find your appointment", [["reference", "Reference", "text", "off"], ["family_name", "Last name", "text", "family-name"]], async (asked) => {
    const booking = await ask("v1/bookings/search", asked);
    confirming("Cancel this appointment", booking, [], "Cancel it", async () => {
      await ask(`v1/bookings/${booking.id}/cancellation`, {});
      show("Appointment cancelled", summary(booking));
    });
  });
}

(async () => {
  [service, { resources }] = await Promise.all([ask("v1/service"), ask("v1/resources")]);
  document.getElementById("organisation").textContent = service.organisation;
  start();
})().catch((problem) => { show("Sorry, there is a problem"); report(problem); });
