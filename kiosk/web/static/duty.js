// The duty leader's page: acting on cases in place, and an emergency that nobody declares by accident.

import { act, tell } from "./act.js";
import { startBell } from "./bell.js";
import { startCases } from "./case.js";
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

document.getElementById("print").addEventListener("click", () => window.print());

startStaff();
startCases();
startBell(document.getElementById("sound"));
