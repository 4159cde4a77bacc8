// The patrol page: the finding is the button, so that a session is one tap when its count is right.

import { act, busy, tell } from "./act.js";
import { startStaff } from "./staff.js";

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.patrol) return;
  event.preventDefault();
  const fields = form.elements;
  const said = await busy(event.submitter, () =>
    act("patrol", {
      session: form.dataset.patrol,
      counted: Number(fields.counted.value),
      teacher_present: fields.teacher.checked,
      finding: event.submitter.value,
      note: fields.note.value.trim(),
    }),
  );
  tell(form.querySelector("[data-said]"), said);
});

startStaff();
