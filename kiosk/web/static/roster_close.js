// Closing a session, and standing in for a colleague in words: the two things on a roster that are forms.

import { act, busy, tell } from "./act.js";

const ABSENT = "absent_unexplained";

// One answer a child: a state, or "absent_unexplained:why".
function answers(form) {
  const states = {}, why = {};
  for (const one of form.querySelectorAll("[data-child]")) {
    const [state, reason] = (one.querySelector(":checked")?.value ?? "").split(":");
    if (state) states[one.dataset.child] = state;
    if (state === ABSENT) why[one.dataset.child] = reason;
  }
  return { session: form.dataset.close, states, why, note: String(new FormData(form).get("note") ?? "").trim() };
}

function standIn(form) {
  const note = String(new FormData(form).get("note") ?? "").trim();
  return { session: form.dataset.standIn, standing_in_for: Number(form.dataset.for), reason: "other", note };
}

export function startClose() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const name = form.dataset.close ? "close_session" : form.dataset.standIn ? "check_in" : "";
    if (!name) return;
    event.preventDefault();
    const said = await busy(form.querySelector('[type="submit"]'), () => act(name, form.dataset.close ? answers(form) : standIn(form)));
    const there = document.getElementById("roster-close")?.hidden === false ? form.querySelector("[data-said]") : null;
    tell(said.outcome === "granted" || !there ? document.querySelector("#roster-act [data-said]") : there, said);
  });
}
