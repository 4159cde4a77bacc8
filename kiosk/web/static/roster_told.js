// An offer that came back is told to its giver once on this device: two level tones, a short shake, and a banner that stays
// until it is offered again or kept.

import { play } from "./tones.js";

const TOLD = "told";
const KEPT = "kept";
const MOST = 60;
const SHAKE_MS = [160, 120, 160];

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key) || "[]");
  } catch {
    return [];
  }
}

const add = (key, what) => localStorage.setItem(key, JSON.stringify([...read(key).filter((each) => each !== what), what].slice(-MOST)));

function look() {
  const section = document.getElementById("roster-returned");
  if (!section) return;
  const kept = new Set(read(KEPT));
  const all = [...section.querySelectorAll("[data-told]")];
  for (const one of all) one.hidden = kept.has(one.dataset.told);
  section.hidden = all.every((one) => one.hidden);
  const told = new Set(read(TOLD));
  const fresh = all.filter((one) => !one.hidden && !told.has(one.dataset.told));
  for (const one of fresh) add(TOLD, one.dataset.told);
  if (!fresh.length) return;
  play("level");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!still && navigator.userActivation?.hasBeenActive) navigator.vibrate?.(SHAKE_MS); // refused before the first touch
}

export function startTold() {
  look();
  document.addEventListener("piece", ({ detail }) => detail.id === "roster-returned" && look());
  document.addEventListener("click", (event) => {
    const one = event.target.closest("[data-keep-returned]")?.closest("[data-told]");
    if (!one) return;
    add(KEPT, one.dataset.told);
    look();
  });
}
