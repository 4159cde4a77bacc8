// Registering a delegate: the form goes in as one press, and the pass opens when the gate has recorded it.

import { act, busy, pressedTwice, saidNear, tell } from "./act.js";
import { startStaff } from "./staff.js";

const text = (data, name) => String(data.get(name) ?? "").trim();

function body(form) {
  const data = new FormData(form);
  return {
    child: Number(form.dataset.child),
    guardian: Number(data.get("guardian")),
    called_back: data.has("called_back"),
    name: text(data, "name"),
    relation: text(data, "relation"),
    id_last4: text(data, "id_last4").toUpperCase(),
    phone: text(data, "phone"),
    features: text(data, "features"),
    adult: data.has("adult"),
    for_day: text(data, "for_day"),
    gate: text(data, "gate"),
  };
}

// What the gate says is missing is marked where it is asked.
function mark(form, needs = []) {
  for (const field of form.querySelectorAll("[data-field]")) {
    field.toggleAttribute("data-missing", needs.includes(field.dataset.field));
  }
  form.querySelector("[data-missing] input")?.focus();
}

async function register(form) {
  const button = form.querySelector('[type="submit"]');
  const said = await busy(button, () => act("register_delegate", body(form)));
  if (said.outcome === "granted" && said.detail?.pass_id) {
    location.assign(`/delegate/${form.dataset.child}/${said.detail.pass_id}`);
    return;
  }
  mark(form, said.detail?.needs);
  tell(saidNear(button), said);
}

async function revoke(button) {
  const said = await busy(button, () => act("revoke_delegate", { pass_id: button.dataset.revoke }));
  if (said.outcome === "granted") location.reload();
  else tell(button.parentElement.querySelector("[data-said]"), said);
}

document.querySelector("[data-delegate]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  register(event.currentTarget);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-revoke]");
  if (button && !button.disabled && pressedTwice(button)) revoke(button);
  if (event.target.closest("[data-print]")) window.print();
});

startStaff();
