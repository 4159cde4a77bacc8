// The office: what was chosen for import, and cards reported lost in place.

import { startStaff } from "./staff.js";

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
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.setAttribute("data-over", ""));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.removeAttribute("data-over"));
}

startStaff();
