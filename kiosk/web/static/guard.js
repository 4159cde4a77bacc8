// The guard's page: who stands at the gate, whom the guard looks at, and one press for each decision.

import { act, busy, saidNear, tell } from "./act.js";
import { beginWatch, startByHand } from "./by_hand.js";
import { startCases } from "./case.js";
import { startCount } from "./count.js";
import { startFind } from "./find.js";
import { startHold } from "./hold.js";
import { startMine } from "./mine.js";
import { flush, startQueue } from "./queue.js";
import { startStaff } from "./staff.js";
import { startUndo } from "./undo.js";
import { startWedge } from "./wedge.js";
import { say } from "./words.js";

const found = document.getElementById("found");
const nothing = document.getElementById("nothing");
const oneColumn = matchMedia("(max-width: 48rem)");
let selected = "";

// --- who is on the right ------------------------------------------------------------------------------------

function select(key, { byHand = false } = {}) {
  selected = key;
  for (const detail of document.querySelectorAll("#guard-details > .detail")) detail.hidden = detail.id !== `item-${key}`;
  for (const link of document.querySelectorAll("[data-item]")) {
    if (link.dataset.item === key) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const detail = document.getElementById(`item-${key}`);
  nothing.hidden = Boolean(detail) || !found.hidden;
  if (detail) {
    found.hidden = true;
    weigh(detail);
    if (byHand) detail.querySelector("h2").focus({ preventScroll: true });
  }
}

// A new arrival never takes the page away from the guard: it is only selected when nobody is.
function settle() {
  const there = selected && document.getElementById(`item-${selected}`);
  if (there) return select(selected);
  if (!found.hidden) return;
  const first = document.querySelector("#guard-queue .line-link");
  select(first && !oneColumn.matches ? first.dataset.item : "");
}

function showFound(html, form = "") {
  found.innerHTML = html;
  found.hidden = false;
  select("");
  nothing.hidden = true;
  for (const row of found.querySelectorAll(".adult-row")) weigh(row);
  found.scrollTop = 0;
  found.querySelector("h2")?.focus({ preventScroll: true });
  const wanted = form && found.querySelector(`[data-form-of="${form}"]`);
  if (wanted) {
    wanted.open = true;
    wanted.scrollIntoView({ block: "nearest" });
  }
}

// --- what is still asked before a release ----------------------------------------------------------------------

const scopeOf = (element) => element.closest(".adult-row, .detail:not(.detail-found)");
const chosen = (scope) => [...scope.querySelectorAll('input[name="child"]:checked:not(:disabled)')];

function weigh(scope) {
  const children = chosen(scope);
  const needs = new Set(children.flatMap((box) => box.dataset.needs.split(" ").filter(Boolean)));
  for (const part of scope.querySelectorAll("[data-need]")) part.hidden = !needs.has(part.dataset.need);
  const ticked = new Set([...scope.querySelectorAll('input[name="verified"]:checked')].map((box) => box.value));
  const missing = [...needs].filter((need) => need !== "second_person" && !ticked.has(need));
  const second = [...scope.querySelectorAll(".second input")];
  const alone = needs.has("second_person") && second.some((field) => !field.value.trim());
  const rule = scope.querySelector(".photo-rule");
  if (rule) rule.hidden = needs.has("photo");
  const still = scope.querySelector("[data-still]");
  if (still) still.textContent = waitingFor(scope, alone ? [...missing, "second_person"] : missing);
  const button = scope.querySelector('[data-guard="release"]');
  if (button) {
    button.disabled = !children.length || missing.length > 0 || alone;
    const words = children.length > 1 ? button.dataset.wordsN.replace("{n}", children.length) : button.dataset.words;
    button.querySelector("span").textContent = words;
  }
  const refuse = scope.querySelector('[data-guard="refuse"]');
  if (refuse) refuse.disabled = !scope.querySelector('input[name="reason"]:checked');
}

// What is not done yet, in the words of the toggles: said beside the buttons, because the toggles may be out of sight.
function waitingFor(scope, missing) {
  const names = missing.map((need) => scope.querySelector(`[data-need="${need}"] :is(span, legend)`)?.textContent.trim()).filter(Boolean);
  return names.length ? say("still", { what: names.join(" · ") }) : "";
}

function verified(scope) {
  const ticked = [...scope.querySelectorAll('[data-need]:not([hidden]) input[name="verified"]:checked')].map((box) => box.value);
  // Pressing release is the guard's word that the photo was looked at.
  const shown = scope.dataset.pass ? [] : scope.dataset.queueId ? ["card", "photo"] : ["photo"];
  return [...new Set([...shown, ...ticked])];
}

async function release(button) {
  const scope = scopeOf(button);
  const second = scope.querySelector('[data-need="second_person"]:not([hidden]) [name="second_staff_number"]');
  const body = {
    children: chosen(scope).map((box) => Number(box.value)),
    collector: Number(scope.dataset.collector) || 0,
    access_point: scope.dataset.accessPoint || document.body.dataset.accessPoint,
    verified: verified(scope),
    ...(scope.dataset.pass && { pass_id: scope.dataset.pass }),
    ...(second && {
      second_staff_number: second.value.trim(),
      second_pin: scope.querySelector('[name="second_pin"]').value,
    }),
  };
  const said = await busy(button, () => act("release", body));
  tell(saidNear(button), said.offline ? { outcome: "refused", words: say("not_released") } : said);
  weigh(scope);
}

async function refuse(button) {
  const scope = scopeOf(button);
  const body = {
    children: [...scope.querySelectorAll('input[name="child"]')].map((box) => Number(box.value)),
    collector: Number(scope.dataset.collector) || null,
    access_point: scope.dataset.accessPoint || document.body.dataset.accessPoint,
    reason: scope.querySelector('input[name="reason"]:checked').value,
    description: scope.querySelector('[name="description"]').value.trim(),
    queue_id: scope.dataset.queueId || "",
  };
  tell(saidNear(button), await busy(button, () => act("refuse", body)));
}

// --- presses ---------------------------------------------------------------------------------------------------

const PRESSES = {
  release,
  refuse,
  begin_watch: beginWatch,
  why: (button) => {
    const why = button.closest(".decide").querySelector('[data-guard="reasons"]');
    why.hidden = !why.hidden;
    button.setAttribute("aria-expanded", String(!why.hidden));
    if (!why.hidden) why.scrollIntoView({ block: "nearest" });
  },
  back: () => {
    found.hidden = true;
    select("");
    history.replaceState(null, "", location.pathname + location.search);
  },
};

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-item]");
  if (link) {
    event.preventDefault();
    return select(link.dataset.item, { byHand: true });
  }
  const button = event.target.closest("[data-guard]");
  if (button && !button.disabled) PRESSES[button.dataset.guard]?.(button);
});
for (const kind of ["change", "input"]) {
  document.addEventListener(kind, (event) => {
    const scope = event.target.closest?.(".gate-right") && scopeOf(event.target);
    if (scope) weigh(scope);
  });
}
document.addEventListener("piece", settle);
oneColumn.addEventListener("change", settle);

// The sign-in page of this screen then knows which desk's reader to listen to.
if (document.body.dataset.accessPoint) localStorage.setItem("desk", document.body.dataset.accessPoint);
startMine();
startStaff({ onLink: (state) => state === "live" && flush() });
startQueue();
startCount();
startCases();
startUndo();
startByHand();
startHold();
startFind(showFound);
startWedge(document.body.dataset.accessPoint);
settle();
