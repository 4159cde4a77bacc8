// For some seconds whoever pressed release may take it back; after that the same place leads to a correction.

import { act, busy, tell } from "./act.js";
import { strip } from "./live.js";
import { now } from "./time.js";
import { say } from "./words.js";

const BEAT_MS = 250;
const FULL_MS = 10_000; // what the ring shows as a whole round
const LATER_MS = 15_000; // how long the way to a correction stays
const SHOWN_MS = 3_000;

function beat() {
  for (const row of document.querySelectorAll(".undo")) {
    const left = Number(row.dataset.until) - now();
    const press = row.querySelector(".undo-press");
    row.querySelector(".ring").toggleAttribute("hidden", left <= 0);
    row.querySelector(".undo-later").hidden = left > 0;
    press.hidden = left <= 0;
    if (left < -LATER_MS) row.remove();
    if (left <= 0) continue;
    const share = Math.min(100, (left / FULL_MS) * 100);
    row.querySelector(".ring-left").setAttribute("stroke-dasharray", `${share} 100`);
    if (!press.disabled) press.textContent = say("undo_in", { n: Math.ceil(left / 1000) });
  }
}

export function startUndo() {
  beat();
  setInterval(beat, BEAT_MS);
  document.addEventListener("piece", beat);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-undo-release]");
    if (!button || button.disabled) return;
    const said = await busy(button, () => act("undo_release", { release: button.dataset.undoRelease }));
    if (said.outcome === "granted") return strip(say("undone"), "good", SHOWN_MS);
    tell(button.closest(".undo").querySelector("[data-said]"), said);
  });
}
