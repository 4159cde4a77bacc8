// The office: what was chosen for import, and cards reported lost in place.

import { tell } from "./act.js";
import "./reports.js";
import { startStaff } from "./staff.js";
import { say } from "./words.js";

const form = document.querySelector("[data-upload]");
if (form) {
  const input = form.querySelector('input[type="file"]');
  const drop = form.querySelector(".drop");
  input.addEventListener("change", () => {
    const names = [...input.files].map((file) => {
      const line = document.createElement("li");
      line.textContent = file.name;
      return line;
    });
    form.querySelector("[data-chosen]").replaceChildren(...names);
  });
  form.addEventListener("submit", () => {
    tell(form.querySelector("[data-said]"), { outcome: "ask_guard", words: say("reading") });
    setTimeout(() => (form.querySelector('button[type="submit"]').disabled = true));
  });
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.setAttribute("data-over", ""));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.removeAttribute("data-over"));
}

startStaff();

document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
