// Counting at a muster point: one press a child, or a whole class. A press that finds the line cut waits on this device, and the
// list stays on the screen with its age.

import { busy, pressedTwice, tell } from "./act.js";
import { send, startQueue } from "./queue.js";
import { clock, now } from "./time.js";

const POINT = "muster-point"; // this tablet's, as last chosen

// -> options for the live line
export function startMuster(page) {
  const age = document.getElementById("muster-age");
  const points = [...page.querySelectorAll('input[name="point"]')];
  const kept = points.find((point) => point.value === localStorage.getItem(POINT));
  if (kept) kept.checked = true;
  for (const point of points) point.addEventListener("change", () => localStorage.setItem(POINT, point.value));

  page.addEventListener("click", (event) => {
    const button = event.target.closest("[data-muster], [data-others]");
    if (button && !button.disabled && pressedTwice(button)) count(button, points.find((point) => point.checked)?.value);
  });
  startFind(page);
  stateOf(page);
  document.addEventListener("piece", () => {
    stateOf(page);
    filter(page);
  });
  startQueue();
  return {
    onLink: (link) => {
      if (link === "lost" && age.hidden) {
        age.querySelector("time").dataset.since = Math.round(now());
        age.querySelector("[data-at]").textContent = clock(now());
      }
      age.hidden = link === "live";
    },
  };
}

async function count(button, point) {
  const { muster, others, present, name } = button.dataset;
  const body = { point, children: JSON.parse(muster || "[]"), others: JSON.parse(others || "[]"), present: present !== "no" };
  const piece = button.closest("[data-live]")?.id;
  const words = button.textContent.trim();
  const said = await busy(button, () => send("muster", body, `${name} · ${words}`));
  if (said.queued) button.closest(".mrow")?.classList.add("mrow-queued");
  const place = button.isConnected ? button.closest("[data-live]") : document.getElementById(piece);
  if (said.outcome !== "granted") tell(place?.querySelector(":scope > .mclass-body > [data-said], :scope > [data-said]"), said);
}

// What only makes sense while people are being counted.
function stateOf(page) {
  page.dataset.state = document.getElementById("muster-head").dataset.state;
}

// --- finding a child in a list of a whole school --------------------------------------------------------------

function startFind(page) {
  const text = document.getElementById("muster-text");
  text.addEventListener("input", () => filter(page));
  document.getElementById("muster-find").addEventListener("submit", (event) => event.preventDefault());
}

function filter(page) {
  const wanted = document.getElementById("muster-text").value.trim().toLowerCase();
  for (const one of page.querySelectorAll(".mclass")) {
    let found = 0;
    for (const row of one.querySelectorAll(".mrow")) {
      const fits = !wanted || row.dataset.find.toLowerCase().includes(wanted);
      row.hidden = !fits;
      found += fits;
    }
    one.hidden = Boolean(wanted) && !found;
    if (wanted && found && !one.open) {
      one.open = true;
      one.dataset.found = "1";
    } else if (!wanted && one.dataset.found) {
      one.open = false;
      delete one.dataset.found;
    }
  }
}
