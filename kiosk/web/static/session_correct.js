// Correcting an archived session: only what was changed is sent, with the reason. A refusal or a cut line loses nothing.

import { busy, post, tell } from "./act.js";

const chosen = (row) => row.querySelector(":checked")?.value ?? "";

function correction(form) {
  const states = {};
  for (const row of form.querySelectorAll("[data-child]")) {
    if (chosen(row) !== row.dataset.was) states[row.dataset.child] = chosen(row);
  }
  const teachers = [...form.querySelectorAll('[name="teacher"]:checked')].map((box) => Number(box.value));
  const added = Number(form.elements.add_teacher.value);
  if (added) teachers.push(added);
  const hours = form.elements.class_hours.value;
  return { seen: form.dataset.seen, states, teachers, class_hours: hours === "" ? null : Number(hours), note: form.elements.note.value.trim() };
}

// The line of a child says what it would become while its chips are folded away.
function mark(row) {
  const now = row.querySelector(":checked");
  const changed = now && now.value !== row.dataset.was;
  row.toggleAttribute("data-changed", Boolean(changed));
  row.querySelector("[data-becomes]").textContent = changed ? `→ ${now.nextElementSibling.textContent}` : "";
}

export function startCorrection() {
  const form = document.querySelector("form[data-correct]");
  if (!form) return;
  for (const row of form.querySelectorAll("[data-child]")) mark(row); // a page that was gone back to keeps its chips
  form.addEventListener("change", ({ target }) => {
    const row = target.closest("[data-child]");
    if (row) mark(row);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = await busy(form.querySelector('[type="submit"]'), () => post(form.dataset.correct, correction(form)));
    tell(form.querySelector("[data-said]"), said);
    if (said.outcome === "granted") location.replace(`${form.dataset.correct}?done=1`);
  });
}
