// The school's time in the browser: the server's clock plus what has passed since, never the tablet's own idea of now.

import { say } from "./words.js";

const root = document.documentElement;
const offsetMs = Number(root.dataset.offset || 0);
const aheadMs = Number(root.dataset.now || Date.now()) - Date.now();
const DUSK_FROM_MIN = 18 * 60;
const DUSK_TO_MIN = 6 * 60 + 45;
const MINUTE_MS = 60_000;

export const now = () => Date.now() + aheadMs;

export function clock(ms) {
  return new Date(ms + offsetMs).toISOString().slice(11, 16);
}

export function age(ms) {
  const minutes = Math.floor(Math.max(0, ms) / MINUTE_MS);
  if (minutes < 1) return say("just_now");
  if (minutes < 60) return say("minutes", { n: minutes });
  if (minutes < 24 * 60) return say("hours", { h: Math.floor(minutes / 60), n: minutes % 60 });
  return say("days", { d: Math.floor(minutes / (24 * 60)) });
}

function running(ms) {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds >= 3600) return age(ms);
  return say("seconds", { n: Math.floor(seconds / 60), s: String(seconds % 60).padStart(2, "0") });
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Every time on the page that moves: called for new pieces at once, and for all once a second.
export function tick(within = document) {
  const at = now();
  for (const element of within.querySelectorAll("time.tick")) {
    const { since, countdown, running: runs, clock: wall } = element.dataset;
    if (wall !== undefined) put(element, clock(at));
    else if (runs) put(element, running(at - Number(runs)));
    else if (since) put(element, age(at - Number(since)));
    else if (countdown) {
      const left = Number(countdown) - at;
      element.toggleAttribute("data-over", left < 0);
      put(element, left < 0 ? say("overdue", { age: running(-left) }) : running(left));
    }
  }
}

function theme() {
  const local = new Date(now() + offsetMs);
  const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
  const wanted = minute >= DUSK_FROM_MIN || minute < DUSK_TO_MIN ? "dusk" : "light";
  if (root.dataset.theme !== wanted) root.dataset.theme = wanted;
}

export function startClock() {
  const beat = () => {
    tick();
    theme();
  };
  beat();
  setInterval(beat, 1000);
}
