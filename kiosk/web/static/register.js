// 门卫登记 with gloves on: chips for what recurs, big keys for the four characters of a document, one press to let somebody in.

import { act, busy, tell } from "./act.js";
import { say } from "./words.js";

const SHOWN = 8; // hosts offered at once

export function startRegister() {
  const form = document.getElementById("visitor");
  const last4 = document.getElementById("last4");
  const hosts = JSON.parse(form.dataset.hosts);
  const host = startHost(form, hosts);
  form.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]")?.dataset.key;
    if (!key) return;
    last4.value = key === "erase" ? last4.value.slice(0, -1) : (last4.value + key).slice(0, 4);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    letIn(form, host);
  });
}

async function letIn(form, host) {
  const place = form.querySelector("[data-said]");
  const data = new FormData(form);
  const body = {
    gate: form.dataset.gate,
    name: data.get("name").trim(),
    purpose: data.get("purpose") || "",
    host: host.number(),
    id_type: data.get("id_type") || "",
    id_last4: data.get("id_last4").trim().toUpperCase(),
    organisation: data.get("organisation").trim(),
    plate: data.get("plate").trim(),
  };
  const missing = [
    !body.name && say("register_name"),
    !body.purpose && say("register_purpose"),
    !body.id_type && say("register_id"),
    body.id_last4.length !== 4 && say("register_last4"),
  ].filter(Boolean);
  if (missing.length) return tell(place, { outcome: "ask_guard", words: say("register_fill", { what: missing.join(" · ") }) });
  const said = await busy(form.querySelector("[type=submit]"), () => act("visitor_in", body));
  if (said.outcome === "granted") {
    form.reset();
    host.clear();
    form.elements.name.focus();
    return tell(place, { outcome: "granted", words: say("register_in", { name: body.name }) });
  }
  tell(place, said); // nothing typed is lost
}

// Whom to see: by name or initials; the chosen one stays as a chip that takes itself back.
function startHost(form, hosts) {
  const text = document.getElementById("host-text");
  const found = document.getElementById("host-found");
  let chosen = null;

  const chip = (label, press, on = false) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = on ? "chip-button chip-on" : "chip-button";
    button.setAttribute("aria-pressed", String(on));
    button.textContent = label;
    button.addEventListener("click", press);
    return button;
  };
  const choose = (one) => {
    chosen = one;
    text.value = "";
    show();
  };
  const show = () => {
    if (chosen) return found.replaceChildren(chip(chosen[1], () => choose(null), true));
    const wanted = text.value.trim().toLowerCase();
    if (!wanted) return found.replaceChildren();
    const fit = hosts.filter(([, name, initials]) => name.includes(wanted) || initials.startsWith(wanted)).slice(0, SHOWN);
    const none = document.createElement("p");
    none.className = "soft";
    none.textContent = found.dataset.none;
    found.replaceChildren(...(fit.length ? fit.map((one) => chip(one[1], () => choose(one))) : [none]));
  };
  text.addEventListener("input", () => {
    chosen = null;
    show();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // Enter takes the only match, and never lets somebody in by accident
    found.querySelector("button")?.click();
  });
  return { number: () => (chosen ? chosen[0] : 0), clear: () => choose(null) };
}
