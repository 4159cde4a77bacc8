// The teacher's page: marks by one tap, kept on the device until they are sent; one button that knows what comes next.

import { busy, pressedTwice, tell } from "./act.js";
import { flush, send, startQueue, waiting } from "./queue.js";
import { found, openFound, openKid } from "./roster_kid.js";
import { HERE, allMarks, awayOf, drafts, keep, page, paint, rollCount, rows, mark } from "./roster_marks.js";
import { startClose } from "./roster_close.js";
import { openCount } from "./roster_count.js";
import { openMenu } from "./roster_sheet.js";
import { startStill } from "./roster_still.js";
import { startTold } from "./roster_told.js";
import { startStaff } from "./staff.js";
import { say } from "./words.js";

const CHANGED_MS = 700; // a button that has just changed by itself is not pressed by a thumb on its way to the old one
const OWN_MS = 5_000;
const WHY = JSON.parse(page?.dataset.why || "{}");

let moment = "";
let freshUntil = 0;
let ownUntil = 0;

const bottom = () => document.getElementById("roster-act");
const taskOf = (button) => (button?.dataset.task ? JSON.parse(button.dataset.task) : null);

function paintAll() {
  const marks = drafts();
  for (const row of rows()) paint(row, marks[row.dataset.child]);
  paintAct(marks);
}

function paintAct(marks = drafts()) {
  const box = bottom();
  if (!box) return;
  const main = box.querySelector(".big-go[data-roster-act]");
  const task = taskOf(main);
  const { here, others } = task ? countOf(task) : rollCount();
  const number = main?.querySelector("[data-count]");
  if (number) number.textContent = number.dataset.words.replace("{n}", here);
  const except = main?.querySelector("[data-except]");
  if (except) except.textContent = others ? except.dataset.words.replace("{n}", others) : "";
  const changed = Object.keys(marks).length;
  const update = box.querySelector("[data-update]");
  update.hidden = !changed || ["call", "take"].includes(box.dataset.moment);
  update.querySelector("[data-changes]").textContent = say("changes", { n: changed });
  const body = task ? { ...task.body, children: task.children } : { roster: page.dataset.roster };
  main?.toggleAttribute("data-waiting", Boolean(main) && waiting(main.dataset.rosterAct, body));
}

function countOf(task) {
  const away = awayOf(task);
  return { here: task.children.length - away.size, others: away.size };
}

// --- what is sent ---------------------------------------------------------------------------------------

const own = () => (ownUntil = Date.now() + OWN_MS);
const place = () => bottom()?.querySelector("[data-said]");

async function callRoll(button) {
  own();
  const said = await busy(button, () => send("call_roll", { roster: page.dataset.roster, marks: allMarks() }, button.textContent.trim()));
  if (said.outcome === "granted") keep({});
  tell(place(), said);
  paintAll();
}

// Whoever the teacher sees and no reader has seen is called first: only then can the child be taken over.
async function sendCount(name, body, { here, missing, label }) {
  own();
  const known = new Set(JSON.parse(bottom().dataset.takeable).map(String));
  const unseen = name === "take_group" ? here.filter((child) => !known.has(child)) : [];
  if (unseen.length) {
    const said = drafts();
    const marks = Object.fromEntries(unseen.map((child) => [child, HERE.has(said[child]) ? said[child] : "present"]));
    await send("call_roll", { roster: page.dataset.roster, marks }, label);
  }
  const said = await send(name, body, label);
  if (said.outcome === "refused") return said;
  const names = missing.join("、");
  if (missing.length && said.queued) tell(place(), { outcome: "refused", words: `${said.words}。${say("search_offline")}` });
  else if (missing.length) tell(place(), { outcome: "ask_guard", words: say("search_started", { names }) });
  else tell(place(), said);
  paintAll();
  return said;
}

async function press(button) {
  if (button.dataset.rosterAct === "call_roll") return callRoll(button);
  openCount(taskOf(button), WHY, sendCount);
}

async function sendNow(button) {
  if (!pressedTwice(button)) return;
  own();
  const said = await busy(button, () => send(button.dataset.send, JSON.parse(button.dataset.body), button.dataset.label));
  tell(place(), said);
}

// --- presses ------------------------------------------------------------------------------------------------

document.addEventListener("change", (event) => {
  const row = event.target.closest?.(".row[data-child]");
  if (row && event.target.type === "radio") paintAct(mark(row, event.target.value));
});

const PRESSES = [
  ["[data-undo]", (button) => paintAct(mark(button.closest(".row"), undefined))],
  ["[data-kid]", (button) => openKid(button.closest(".row"))],
  ["[data-menu]", () => openMenu(bottom().querySelector("[data-menu-list]").dataset.title, bottom().querySelectorAll("[data-menu-list] > button"))],
  ["[data-found]", (button) => openFound(button.dataset.found, button.dataset.name, async (child, where) => {
    const said = await found(child, where, `${button.dataset.name} · ${where}`);
    tell(place(), said);
    return said;
  })],
  ["[data-send]", sendNow],
  ["[data-roster-act]", press],
];

document.addEventListener("click", (event) => {
  for (const [selector, act] of PRESSES) {
    const button = event.target.closest(selector);
    if (button && !button.disabled) return act(button);
  }
});

// --- news ----------------------------------------------------------------------------------------------------

document.addEventListener("piece", ({ detail }) => {
  if (!page) return;
  if (detail.matches?.(".row[data-child]")) paint(detail, drafts()[detail.dataset.child]);
  if (detail.id === "roster-act") {
    if (moment && detail.dataset.moment !== moment && Date.now() > ownUntil) freshUntil = Date.now() + CHANGED_MS;
    moment = detail.dataset.moment;
    rest(detail.querySelector(".big-go"));
  }
  paintAct();
});
function rest(button) {
  const left = freshUntil - Date.now();
  if (!button || left <= 0) return;
  button.disabled = true;
  setTimeout(() => (button.disabled = false), left);
}

document.addEventListener("queue", () => page && paintAct());
document.addEventListener("sent", ({ detail }) => {
  if (!page || detail.name !== "call_roll" || detail.body.roster !== page.dataset.roster) return;
  keep({});
  paintAll();
});

startStaff({ onLink: (state) => state === "live" && flush() });
startQueue();
if (page) {
  moment = bottom()?.dataset.moment ?? "";
  paintAll();
  startClose();
  startStill();
  startTold();
}
