// One child from a row of the roster: where, with whom, whom to call; leave slip, excuse, delegate, missing.

import { act, pressedTwice } from "./act.js";
import { send } from "./queue.js";
import { make, open, openPlaces, shut } from "./roster_sheet.js";
import { clock, now } from "./time.js";
import { say } from "./words.js";

const offsetMs = Number(document.documentElement.dataset.offset || 0);
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

async function piece(child) {
  try {
    const answer = await fetch(`/child/${child}?for=roster`, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(8_000) });
    if (answer.status === 401) location.reload();
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}

export async function openKid(row) {
  const name = row.querySelector(".row-name").textContent;
  const body = make("div", { class: "sheet-body kid" }, make("p", { class: "soft", text: say("searching") }));
  open(name, body);
  const html = await piece(row.dataset.child);
  if (!body.isConnected) return;
  if (html === null) {
    const where = row.querySelector(".row-where").textContent.trim();
    body.replaceChildren(make("p", { text: where }), make("p", { class: "said", "data-outcome": "ask_guard", text: say("child_offline") }));
    return;
  }
  body.innerHTML = html;
  for (const [field, afterMs] of [["[data-from]", 0], ["[data-to]", HOUR_MS]]) {
    const input = body.querySelector(field);
    if (input) input.value = clock(now() + afterMs);
  }
}

export function openFound(child, name, done) {
  const words = document.querySelector("[data-places]").dataset;
  openPlaces({
    title: `${name} · ${words.where}`,
    places: JSON.parse(words.places),
    other: words.other,
    word: words.foundWord,
    done: (place) => done(child, place),
  });
}

export const found = (child, place, label) => send("located", { child: Number(child), place }, label);

// HH:MM of today at the school -> ms.
function moment(text) {
  const [hours, minutes] = text.split(":").map(Number);
  if (!Number.isFinite(hours) || !Number.isFinite(minutes)) return null;
  const midnight = Math.floor((now() + offsetMs) / DAY_MS) * DAY_MS - offsetMs;
  return midnight + (hours * 60 + minutes) * 60_000;
}

const FORMS = {
  leave_slip: (form) => {
    const from_ms = moment(form.elements.from.value);
    const to_ms = moment(form.elements.to.value);
    if (from_ms === null || to_ms === null || to_ms <= from_ms) return null;
    const who = form.elements.with_collector.value;
    return {
      child: Number(form.dataset.child), from_ms, to_ms, alone: who === "alone",
      with_collector: who === "alone" ? null : Number(who), kind: form.elements.kind.value, note: form.elements.note.value.trim(),
    };
  },
  note_growth: (form) => {
    const [kind, session] = (document.querySelector("[data-roster]")?.dataset.roster ?? "").split(":");
    return { child: Number(form.dataset.child), text: form.elements.text.value.trim(), session: kind === "session" ? session : "" };
  },
  excuse: (form, button) => ({ child: Number(form.dataset.child), kind: button.value }),
};

document.addEventListener("submit", async (event) => {
  const form = event.target.closest(".kid-form");
  if (!form) return;
  event.preventDefault();
  const line = form.querySelector("[data-said]");
  const body = FORMS[form.dataset.form](form, event.submitter);
  const said = body ? await act(form.dataset.form, body) : { outcome: "refused", words: say("slip_times") };
  line.dataset.outcome = said.outcome;
  line.textContent = said.words;
  if (said.outcome === "granted" && form.dataset.form === "note_growth") showNotes(form.parentElement);
});

// What this teacher noted of the child in this term, the newest first: it stands in the field, to be written on.
async function showNotes(fold) {
  const list = fold.querySelector("[data-notes]");
  const form = fold.querySelector("form");
  const tell = (words) => list.replaceChildren(make("li", { class: "soft", text: words }));
  tell(say("searching"));
  let told;
  try {
    const answer = await fetch(`/records/growth/${fold.dataset.growth}`, { signal: AbortSignal.timeout(8_000) });
    if (!answer.ok) throw new Error(String(answer.status));
    told = await answer.json();
  } catch {
    return tell(say("growth_offline"));
  }
  form.hidden = !told.may;
  if (!told.may) return tell(say("growth_not"));
  if (!told.notes.length) return tell(say("growth_none"));
  if (!form.elements.text.value) form.elements.text.value = told.notes[0].text;
  list.replaceChildren(...told.notes.map(({ day, text }) => make("li", {}, make("b", { class: "num", text: day }), make("p", { text: text || say("growth_gone") }))));
}

document.addEventListener("toggle", ({ target }) => {
  if (target.open && target.dataset?.growth) showNotes(target);
}, true);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-missing]");
  if (!button || !pressedTwice(button)) return;
  const said = await send("open_locate", { child: Number(button.dataset.missing) }, button.dataset.label);
  if (said.outcome === "granted") return shut();
  const line = button.parentElement.querySelector("[data-said]");
  line.dataset.outcome = said.outcome;
  line.textContent = said.queued ? `${said.words}。${say("search_offline")}` : said.words;
});
