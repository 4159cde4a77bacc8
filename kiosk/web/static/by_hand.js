// What a guard writes by hand: a leave slip, a correction, an exceptional release in two steps, the offer of the watch.

import { act, busy, saidNear, tell } from "./act.js";
import { me } from "./mine.js";
import { now } from "./time.js";

const MINUTE_MS = 60_000;
const text = (data, name) => String(data.get(name) ?? "").trim();
const second = (data) => ({
  second_staff_number: text(data, "second_staff_number"),
  second_pin: text(data, "second_pin"),
});

const BODIES = {
  leave_slip: (form, data) => {
    const who = data.get("with_collector");
    const from = Math.round(now());
    return {
      child: Number(form.dataset.child),
      from_ms: from,
      to_ms: from + Number(data.get("minutes")) * MINUTE_MS,
      with_collector: who && who !== "alone" ? Number(who) : null,
      alone: who === "alone",
      kind: data.get("kind"),
      note: data.get("note"),
    };
  },
  correct: (form, data) => ({
    child: Number(form.dataset.child),
    what: data.get("what"),
    note: text(data, "note"),
    ...second(data),
  }),
  release_exceptionally: (form, data) => ({
    child: Number(form.dataset.child),
    access_point: document.body.dataset.accessPoint,
    name: text(data, "name"),
    relation: text(data, "relation"),
    id_type: data.get("id_type"),
    id_last4: text(data, "id_last4"),
    reason: text(data, "reason"),
    verified: data.getAll("verified"),
    ...second(data),
  }),
  offer_shift: (form, data) => ({ gate: form.dataset.gate, taker: Number(data.get("taker")) }),
};

async function send(form) {
  const name = form.dataset.form;
  const button = form.querySelector('[type="submit"]');
  const said = await busy(button, () => act(name, BODIES[name](form, new FormData(form))));
  tell(saidNear(button), said);
  for (const pin of form.querySelectorAll('[name="second_pin"]')) pin.value = "";
  return said;
}

// Step 2 is only reached when step 1 is whole; then it says once more who takes the child.
function step(button) {
  const form = button.closest("form");
  const to = button.dataset.stepTo;
  const here = form.querySelector(`[data-step-part="${form.dataset.step}"]`);
  if (to > form.dataset.step && ![...here.querySelectorAll("input")].every((field) => field.reportValidity())) return;
  form.dataset.step = to;
  for (const part of form.querySelectorAll("[data-step-part]")) part.hidden = part.dataset.stepPart !== to;
  const data = new FormData(form);
  form.querySelector("[data-summary]").textContent = [text(data, "name"), text(data, "relation"), text(data, "id_last4")].join(" · ");
  form.querySelector(`[data-step-part="${to}"] input`)?.focus();
}

export async function beginWatch(button) {
  const said = await busy(button, () => act("offer_shift", { gate: button.dataset.gate, taker: me() }));
  tell(button.closest(".watch")?.querySelector("[data-said]"), said);
}

export function startByHand({ onDone = () => {} } = {}) {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!(form.dataset.form in BODIES)) return;
    event.preventDefault();
    const said = await send(form);
    if (said.outcome === "granted") onDone(form);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step-to]");
    if (button) step(button);
  });
}
