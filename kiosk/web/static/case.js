// What is done about one open case, on the duty page and at the gatehouse: closing, finding, two adults, the channel of a call.

import { act, busy, tell } from "./act.js";

const PIECE = ".case, #duty-rest";
const text = (form, name) => String(new FormData(form).get(name) ?? "").trim();

const BODIES = {
  close_case: (form) => ({ case: form.dataset.case, note: text(form, "note") }),
  close_rest: (form) => ({ note: text(form, "note") }),
  located: (form) => ({ child: Number(form.dataset.child), place: text(form, "place") }),
  acknowledge: (form) => ({
    case: form.dataset.case,
    second_staff_number: text(form, "second_staff_number"),
    second_pin: text(form, "second_pin"),
  }),
};

async function send(form) {
  const piece = form.closest(PIECE).id;
  const name = form.dataset.form;
  const said = await busy(form.querySelector('[type="submit"]'), () => act(name, BODIES[name](form)));
  for (const pin of form.querySelectorAll('[name="second_pin"]')) pin.value = "";
  tell(document.querySelector(`#${CSS.escape(piece)} [data-said]`), said);
}

// The buttons of a guardian say by what the guardian was reached; a telephone is not worth a word.
function setChannel(guardian) {
  const channel = guardian.querySelector("[data-channel]:checked")?.value ?? "phone";
  for (const button of guardian.querySelectorAll('[data-act="log_call"]')) {
    const { channel: _, ...body } = JSON.parse(button.dataset.body);
    button.dataset.body = JSON.stringify(channel === "phone" ? body : { ...body, channel });
  }
}

export function startCases() {
  document.addEventListener("submit", (event) => {
    if (!(event.target.dataset.form in BODIES) || !event.target.closest(PIECE)) return;
    event.preventDefault();
    send(event.target);
  });
  document.addEventListener("change", (event) => {
    const guardian = event.target.matches?.("[data-channel]") && event.target.closest("[data-guardian]");
    if (guardian) setChannel(guardian);
    if (event.target.name === "place-chip") event.target.form.elements.place.value = event.target.value;
  });
  document.addEventListener("piece", (event) => {
    for (const guardian of event.detail.querySelectorAll("[data-guardian]")) setChannel(guardian);
  });
}
