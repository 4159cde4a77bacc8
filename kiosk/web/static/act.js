// Buttons that do something: post it, and say in place what came of it. Nothing is shown as done before the gate said so.

import { say } from "./words.js";

const AGAIN_MS = 4_000;
const WAIT_MS = 20_000;

const csrf = () => document.querySelector('meta[name="csrf"]')?.content || "";

// -> {outcome, reason, words, offline, status}. `offline`: no answer came; status: of the answer, where there was one.
export async function post(url, body) {
  let answer;
  try {
    answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "x-csrf-token": csrf(), accept: "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(WAIT_MS),
    });
  } catch {
    return { outcome: "refused", reason: "offline", words: say("not_sent"), offline: true };
  }
  if (answer.status === 401) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
    return { outcome: "refused", reason: "signed_out", words: say("signed_out"), offline: false, status: 401 };
  }
  const said = await answer.json().catch(() => ({}));
  const outcome = said.outcome || (answer.ok ? "granted" : "refused");
  return { ...said, outcome, words: said.words || wordsFor(outcome, answer.status, said.error), offline: false, status: answer.status };
}

// The gate's technical sentences are English; a Chinese page says what to do by the kind of trouble.
function wordsFor(outcome, status, error) {
  if (outcome === "granted") return say("done");
  if (error && document.documentElement.lang === "en") return error;
  if (status === 403) return say("forbidden");
  return say(status === 429 ? "too_fast" : status >= 500 ? "trouble" : "refused");
}

export const act = (name, body) => post(`/act/${name}`, body);

export function saidNear(element) {
  const near = element.closest(".decide, .adult-open, .slip-form, .case, .panel, .card-held, .act, .detail, form");
  return near?.querySelector("[data-said]") ?? null;
}

export function tell(place, { outcome, words }) {
  if (!place) return;
  place.dataset.outcome = outcome;
  place.textContent = words;
}

export async function busy(button, work) {
  button.setAttribute("aria-busy", "true");
  button.disabled = true;
  try {
    return await work();
  } finally {
    button.removeAttribute("aria-busy");
    button.disabled = false;
  }
}

// True when this press counts: a button that asks twice only counts the second time.
export function pressedTwice(button) {
  if (!("confirm" in button.dataset) || button.dataset.armed) return true;
  const label = button.querySelector("span") ?? button;
  const words = label.textContent;
  button.dataset.armed = "1";
  label.textContent = say("again");
  setTimeout(() => {
    delete button.dataset.armed;
    label.textContent = words;
  }, AGAIN_MS);
  return false;
}

// Of a button that two press: who the other one is, as typed into the same piece.
function second(button) {
  if (!("second" in button.dataset)) return {};
  const scope = button.closest("[data-live]");
  return Object.fromEntries(
    ["second_staff_number", "second_pin"].map((name) => [name, scope.querySelector(`[name="${name}"]`).value.trim()]),
  );
}

export function startActions() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-act]");
    if (!button || button.disabled || !pressedTwice(button)) return;
    // The piece may be replaced while the gate answers: the words go to the one that is there then.
    const piece = button.closest("[data-live]")?.id;
    const body = { ...JSON.parse(button.dataset.body || "{}"), ...second(button) };
    if (body.access_point === "") body.access_point = document.body.dataset.accessPoint; // found by hand: at this page's own
    const said = await busy(button, () => act(button.dataset.act, body));
    const place = button.isConnected ? saidNear(button) : document.getElementById(piece)?.querySelector("[data-said]");
    tell(place, said);
  });
}
