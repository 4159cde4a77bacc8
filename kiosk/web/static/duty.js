// The duty leader's page: acting on cases in place, and an emergency that nobody declares by accident.

import { act, busy, tell } from "./act.js";
import { startStaff } from "./staff.js";
import { say } from "./words.js";

const FULL = 95; // per cent of the slide

async function declare(slide) {
  const panel = slide.closest(".emergency");
  const place = panel.querySelector("[data-said]");
  if (Number(slide.value) < FULL) {
    if (Number(slide.value) > 0) tell(place, { outcome: "ask_guard", words: say("slide_more") });
    slide.value = 0;
    return;
  }
  slide.disabled = true;
  const said = await act("emergency", { drill: panel.querySelector('[name="drill"]').checked });
  slide.disabled = false;
  slide.value = 0;
  tell(document.querySelector("#duty-emergency [data-said]"), said);
}

// By finger: on lifting. By keys: arrows move it, Enter declares.
document.addEventListener("pointerup", (event) => event.target.dataset?.slide === "emergency" && declare(event.target));
document.addEventListener("keydown", (event) => {
  if (event.target.dataset?.slide !== "emergency" || event.key !== "Enter") return;
  event.preventDefault();
  declare(event.target);
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.dataset.form !== "close_case") return;
  event.preventDefault();
  const piece = form.closest(".case").id;
  const body = { case: form.dataset.case, note: new FormData(form).get("note").trim() };
  const said = await busy(form.querySelector("button"), () => act("close_case", body));
  tell(document.querySelector(`#${CSS.escape(piece)} [data-said]`), said);
});

startStaff();
