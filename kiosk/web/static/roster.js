// The teacher's page: marks by one tap, kept on the device until they are sent; one button that knows what comes next.

import { act, busy, tell } from "./act.js";
import { flush, send, startQueue } from "./queue.js";
import { startStaff } from "./staff.js";
import { say } from "./words.js";

const ABSENT = "absent_unexplained";
const HERE = new Set(["present", "late"]);
const LEAVE = new Set(["leave_personal", "leave_sick"]);
const page = document.querySelector(".roster[data-roster]");
const key = page ? `marks:${page.dataset.roster}:${page.dataset.day}` : "";

// --- marks that the teacher has said and the gate has not got yet ------------------------------------------------

function drafts() {
  try {
    return JSON.parse(localStorage.getItem(key) || "{}");
  } catch {
    return {};
  }
}

function keep(marks) {
  if (Object.keys(marks).length) localStorage.setItem(key, JSON.stringify(marks));
  else localStorage.removeItem(key);
}

const rows = () => [...document.querySelectorAll("#roster-rows > .row[data-child]")];
const equal = (a, b) => a === b || (LEAVE.has(a) && LEAVE.has(b));

function paint(row, draft) {
  const spoken = draft ?? row.dataset.mark;
  const mark = spoken || row.dataset.suggested;
  row.toggleAttribute("data-spoken", Boolean(spoken));
  row.querySelector("[data-undo]").hidden = draft === undefined;
  for (const radio of row.querySelectorAll('input[type="radio"]')) radio.checked = equal(radio.value, mark);
  row.dataset.now = mark;
}

function paintAll() {
  const marks = drafts();
  for (const row of rows()) paint(row, marks[row.dataset.child]);
  paintAct(marks);
}

function paintAct(marks = drafts()) {
  const bottom = document.getElementById("roster-act");
  if (!bottom) return;
  const { here, others } = bottom.dataset.moment === "accept" ? countOffered(bottom.querySelector("[data-children]")) : count();
  const words = (element, text) => (element.textContent = text);
  const number = bottom.querySelector("[data-count]");
  if (number) words(number, number.dataset.words.replace("{n}", here));
  const except = bottom.querySelector("[data-except]");
  const exceptions = Object.keys(others).length;
  if (except) words(except, exceptions ? except.dataset.words.replace("{n}", exceptions) : "");
  const changed = Object.keys(marks).length;
  const update = bottom.querySelector("[data-update]");
  update.hidden = !changed || ["call", "take"].includes(bottom.dataset.moment);
  words(update.querySelector("[data-changes]"), say("changes", { n: changed }));
}

// -> how many are here (for a take-over: of those whom somebody else still holds), and the marks of all others
function count() {
  const bottom = document.getElementById("roster-act");
  const takeable = bottom.dataset.moment === "take" ? new Set(JSON.parse(bottom.dataset.takeable).map(String)) : null;
  let here = 0;
  const others = {};
  for (const row of rows()) {
    const { child, expected, here: seen, now } = row.dataset;
    if (HERE.has(now)) here += !takeable || takeable.has(child) ? 1 : 0;
    else if (expected === "1" || seen === "1") others[child] = now || ABSENT;
  }
  return { here, others };
}

// Of an offer: everybody counts as here whom no row of this page says to be missing.
function countOffered(button) {
  const offered = JSON.parse(button.dataset.children).map(String);
  const marks = new Map(rows().map((row) => [row.dataset.child, row.dataset.now]));
  const missing = offered.filter((child) => marks.has(child) && !HERE.has(marks.get(child)));
  return { here: offered.length - missing.length, others: Object.fromEntries(missing.map((c) => [c, marks.get(c) || ABSENT])) };
}

// --- the button ------------------------------------------------------------------------------------------------------

const ACTS = {
  call_roll: () => {
    const marks = {};
    for (const row of rows()) if (row.dataset.now) marks[row.dataset.child] = row.dataset.now;
    return send("call_roll", { roster: page.dataset.roster, marks });
  },
  take_group: () => {
    const { here, others } = count();
    return send("take_group", { roster: page.dataset.roster, counted: here, exceptions: others });
  },
  accept: (button) => {
    const { here, others } = countOffered(button);
    return send("accept", { handover: button.dataset.handover, counted: here, exceptions: others });
  },
  offer: (button) => {
    const held = rows().filter((row) => row.dataset.held === "1" && HERE.has(row.dataset.now));
    const children = held.map((row) => Number(row.dataset.child));
    return act("offer", { kind: button.dataset.kind, children, taker: Number(button.dataset.taker), place: "" });
  },
};

async function press(button) {
  const name = button.dataset.rosterAct;
  const said = await busy(button, () => ACTS[name](button));
  // The gate has the marks, or the queue does: either way they are no longer a draft of this page alone.
  if (name === "call_roll" && said.outcome === "granted") keep({});
  const place = document.querySelector("#roster-act [data-said]");
  tell(place, said);
  paintAll();
}

document.addEventListener("change", (event) => {
  const row = event.target.closest?.(".row[data-child]");
  if (!row || event.target.type !== "radio") return;
  const marks = drafts();
  if (row.dataset.mark && equal(event.target.value, row.dataset.mark)) delete marks[row.dataset.child];
  else marks[row.dataset.child] = event.target.value;
  keep(marks);
  paint(row, marks[row.dataset.child]);
  paintAct(marks);
});

document.addEventListener("click", (event) => {
  const undo = event.target.closest("[data-undo]");
  if (undo) {
    const row = undo.closest(".row");
    const marks = drafts();
    delete marks[row.dataset.child];
    keep(marks);
    paint(row, undefined);
    return paintAct(marks);
  }
  const button = event.target.closest("[data-roster-act]");
  if (button && !button.disabled) press(button);
});

document.addEventListener("piece", (event) => {
  const row = event.detail.matches?.(".row[data-child]") ? event.detail : null;
  if (row && page) paint(row, drafts()[row.dataset.child]);
  if (page) paintAct();
});
document.addEventListener("sent", (event) => {
  if (!page || event.detail.name !== "call_roll" || event.detail.body.roster !== page.dataset.roster) return;
  keep({});
  paintAll();
});

startStaff({ onLink: (state) => state === "live" && flush() });
startQueue();
if (page) paintAll();
