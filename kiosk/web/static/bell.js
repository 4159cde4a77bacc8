// One sound for each new rung or search that nobody has taken, by a switch that everybody can see. Alarms about people at a
// gate are never among them: those stay silent.

import { play } from "./tones.js";

const HEARD = "heard"; // what has sounded on this screen, so that a reload is quiet
const MUTED = "muted";
const MOST = 200;

const read = () => {
  try {
    return JSON.parse(sessionStorage.getItem(HEARD) || "[]");
  } catch {
    return [];
  }
};

export function startBell(button) {
  const muted = () => localStorage.getItem(MUTED) === "1";
  const show = () => {
    button.setAttribute("aria-pressed", String(!muted()));
    button.querySelector("span").textContent = muted() ? button.dataset.off : button.dataset.on;
  };
  const listen = () => {
    const heard = read();
    const fresh = [...document.querySelectorAll("[data-sound]")].map((one) => one.dataset.sound).filter((key) => !heard.includes(key));
    if (!fresh.length) return;
    sessionStorage.setItem(HEARD, JSON.stringify([...heard, ...fresh].slice(-MOST)));
    if (!muted()) play(fresh.some((key) => key.endsWith(":incident")) ? "fall" : "level");
  };
  button.addEventListener("click", () => {
    localStorage.setItem(MUTED, muted() ? "0" : "1");
    show();
    if (!muted()) play("tick");
  });
  document.addEventListener("piece", listen);
  show();
  listen();
}
