// The records: a slider through a day, which shows the campus at every minute; and printing a statement.

import { say } from "./words.js";
import { startCorrection } from "./session_correct.js";
import { startStaff } from "./staff.js";
import { clock } from "./time.js";

const MINUTE_MS = 60_000;
const HOUR = 60; // minutes that the page keys move
const PLAY_MS = 350; // between two minutes while it plays
const TYPING_MS = 250;

startStaff();
startCorrection();
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());

const reel = document.querySelector("[data-reel]");
if (reel) startReel();

function startReel() {
  const slider = reel.querySelector("input[type=range]");
  const find = document.querySelector("[data-find]");
  const play = reel.querySelector("[data-play]");
  const fromMs = Number(reel.dataset.from);
  let wanted = null; // the moment to fetch next; only the latest counts
  let fetching = false;
  let playing = false;
  let typing = 0;

  const moment = () => fromMs + Number(slider.value) * MINUTE_MS;

  function show() {
    const time = clock(moment());
    reel.querySelector("#reel-clock").textContent = time;
    slider.setAttribute("aria-valuetext", time);
    mark(Number(slider.value) / Math.max(1, Number(slider.max)));
    wanted = moment();
    if (!fetching) fetchLatest();
  }

  async function fetchLatest() {
    fetching = true;
    while (wanted !== null) {
      const at = wanted;
      wanted = null;
      const told = await ask(at, find.value.trim());
      if (told && wanted === null) draw(told, find.value.trim());
      else if (!told) stop();
    }
    fetching = false;
  }

  function stop() {
    playing = false;
    play.setAttribute("aria-pressed", "false");
  }

  function step(minutes) {
    const before = slider.value;
    slider.value = String(Number(before) + minutes);
    if (slider.value !== before) show();
    return slider.value !== before;
  }

  async function run() {
    while (playing && (await rest(PLAY_MS))) {
      if (!playing || fetching) continue;
      if (!step(1)) stop();
    }
  }

  slider.addEventListener("input", show);
  slider.addEventListener("keydown", (event) => {
    const minutes = { PageUp: HOUR, PageDown: -HOUR }[event.key];
    if (!minutes) return;
    event.preventDefault();
    step(minutes);
  });
  for (const button of reel.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => step(Number(button.dataset.step)));
  }
  play.addEventListener("click", () => {
    playing = !playing;
    play.setAttribute("aria-pressed", String(playing));
    if (playing && slider.value === slider.max) slider.value = slider.min;
    if (playing) run();
  });
  find.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(show, TYPING_MS);
  });
  show();
}

const rest = (ms) => new Promise((resolve) => setTimeout(() => resolve(true), ms));

async function ask(at, text) {
  const said = reel.querySelector("[data-said]");
  try {
    const answer = await fetch(`/records/replay.json?at=${at}&q=${encodeURIComponent(text)}`);
    if (answer.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const told = await answer.json();
    said.textContent = "";
    return told;
  } catch {
    said.textContent = say("replay_failed", { time: reel.dataset.shown || "–" });
    return null;
  }
}

// The bars up to this share of the day are dark: where the slider stands can be seen above it.
function mark(share) {
  const bars = [...reel.querySelectorAll(".reel-bar")];
  const last = Math.min(bars.length - 1, Math.floor(share * bars.length));
  bars.forEach((bar, n) => bar.classList.toggle("reel-past", n <= last));
}

function draw(told, text) {
  reel.dataset.shown = clock(told.at_ms);
  for (const [name, count] of Object.entries(told.counts)) put(`#reel-${name}`, count);
  for (const name of ["places", "custodians", "collections"]) table(name, told[name]);
  matters(told.open);
  found(told.found, text);
}

function put(selector, text) {
  const place = document.querySelector(selector);
  if (place && place.textContent !== String(text)) place.textContent = String(text);
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function table(name, rows) {
  const lines = rows.map(([label, count]) => {
    const line = element("tr");
    line.append(element("th", "", label), element("td", "num", String(count)));
    return line;
  });
  document.querySelector(`[data-table="${name}"]`).replaceChildren(...lines);
  document.querySelector(`[data-none="${name}"]`).hidden = rows.length > 0;
}

function matters(rows) {
  const lines = rows.map((row) => {
    const line = element("li", "matter");
    const head = element("p", "matter-head");
    head.append(element("b", "", row.sort), element("span", "soft num", row.since));
    line.append(head, element("p", "", [row.children, row.what, row.who].filter(Boolean).join(" · ")));
    return line;
  });
  document.querySelector("[data-open]").replaceChildren(...lines);
  document.querySelector('[data-none="open"]').hidden = rows.length > 0;
}

function found(rows, text) {
  const link = document.querySelector("template[data-evidence]").content.firstElementChild;
  const lines = rows.map((row) => {
    const line = element("li", "matter");
    const head = element("p", "matter-head");
    head.append(element("b", "", row.name), element("span", "soft", row.state));
    line.append(head);
    if (row.place) line.append(element("p", "", [row.place, row.custodian, row.since].filter(Boolean).join(" · ")));
    if (reel.dataset.day) {
      const evidence = link.cloneNode(true);
      evidence.href = `/records/evidence/${row.child}?day=${reel.dataset.day}`;
      line.append(evidence);
    }
    return line;
  });
  document.querySelector("[data-found]").replaceChildren(...lines);
  document.querySelector('[data-none="found"]').hidden = rows.length > 0 || !text;
}
