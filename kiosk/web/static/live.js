// The live line to the gate: pieces of HTML in, and what the page says when the line is broken.
// A piece replaces the element with its id. A list arrives as a skeleton of named slots: members that the page
// already has keep their place, their focus and what was typed into them.

import { say } from "./words.js";
import { clock, now, tick } from "./time.js";

const SILENCE_MS = 50_000; // after this long without a word the line is tried
const PROBE_MS = 5_000;
const STRIP_AFTER_MS = 700; // a page that is being left must not cry out
const BACK_MS = 2_500;
const SIGNED_OUT_MS = 800;
const RETRY_MS = [1_000, 2_000, 5_000, 10_000];

const sources = new WeakMap(); // element -> the bytes it was made from
const root = document.documentElement;

let source = null;
let heardMs = Date.now();
let tries = 0;
let lostAt = 0;
let stripTimer = 0;

export function connect({ onAnswer = () => {}, onLink = () => {} } = {}) {
  const topics = (document.body.dataset.topics || "").split(" ").filter(Boolean);
  if (!topics.length) return;
  const url = `/live?${topics.map((topic) => `topic=${encodeURIComponent(topic)}`).join("&")}`;
  const open = () => {
    source = new EventSource(url);
    source.addEventListener("open", () => up(onLink));
    source.addEventListener("patch", (event) => hear(() => apply(JSON.parse(event.data))));
    source.addEventListener("bar", (event) => hear(() => apply(JSON.parse(event.data))));
    source.addEventListener("answer", (event) => hear(() => onAnswer(JSON.parse(event.data))));
    // A page that is already leaving for /sign-in goes there undisturbed.
    source.addEventListener("signed_out", () => setTimeout(() => location.reload(), SIGNED_OUT_MS));
    source.addEventListener("error", () => {
      down(onLink);
      if (source.readyState === EventSource.CLOSED) reopen(open);
    });
  };
  open();
  setInterval(() => probe(open, onLink), PROBE_MS);
}

function hear(act) {
  heardMs = Date.now();
  act();
}

function up(onLink) {
  heardMs = Date.now();
  tries = 0;
  clearTimeout(stripTimer);
  const wasLost = root.dataset.link === "lost";
  root.dataset.link = "live";
  if (wasLost) strip(say("back"), "good", BACK_MS);
  lostAt = 0;
  onLink("live");
}

function down(onLink) {
  if (lostAt) return;
  lostAt = now();
  const at = clock(lostAt);
  stripTimer = setTimeout(() => {
    root.dataset.link = "lost";
    strip(say("lost", { time: at }));
    onLink("lost");
  }, STRIP_AFTER_MS);
}

async function reopen(open) {
  const wait = RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)];
  await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random())));
  try {
    const answer = await fetch(location.href, { redirect: "manual", headers: { accept: "text/html" } });
    // Not allowed any more: the page itself says so better than a strip does.
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return location.reload();
  } catch {
    // still unreachable: the new source says so
  }
  open();
}

async function probe(open, onLink) {
  if (lostAt || !source || Date.now() - heardMs < SILENCE_MS) return;
  try {
    const answer = await fetch("/healthz", { signal: AbortSignal.timeout(PROBE_MS), cache: "no-store" });
    if (answer.status < 500) return void (heardMs = Date.now());
  } catch {
    // nobody there
  }
  source.close();
  down(onLink);
  reopen(open);
}

let clearTimer = 0;

export function strip(text, tone = "", forMs = 0) {
  const element = document.getElementById("link-strip");
  if (!element) return;
  clearTimeout(clearTimer);
  element.dataset.tone = tone;
  element.textContent = text;
  element.hidden = !text;
  if (forMs) clearTimer = setTimeout(() => (element.hidden = true), forMs);
}

// --- pieces ------------------------------------------------------------------------------------------

export function apply(pieces) {
  for (const { id, html } of pieces) replace(id, html);
}

function replace(id, html) {
  const old = document.getElementById(id);
  if (!old || sources.get(old) === html) return;
  const box = document.createElement("template");
  box.innerHTML = html;
  const fresh = box.content.firstElementChild;
  if (!fresh) return;
  const active = document.activeElement;
  const focused = old.contains(active) ? focusables(old).indexOf(active) : -1;
  const top = old.scrollTop;
  if (fresh.hasAttribute("data-members")) keepMembers(old, fresh);
  if (old.hasAttribute("data-keep")) keepState(old, fresh);
  old.replaceWith(fresh);
  sources.set(fresh, html);
  fresh.scrollTop = top;
  if (active?.isConnected && fresh.contains(active)) active.focus({ preventScroll: true });
  else if (focused >= 0) focusables(fresh)[focused]?.focus({ preventScroll: true });
  tick(fresh.parentElement ?? document);
  document.dispatchEvent(new CustomEvent("piece", { detail: fresh }));
}

function keepMembers(old, fresh) {
  for (const slot of fresh.querySelectorAll("[data-slot]")) {
    const known = document.getElementById(slot.id);
    if (known && old.contains(known)) slot.replaceWith(known);
  }
}

// What a person has ticked, typed, opened or selected in a piece stays when the piece is refreshed.
function keepState(old, fresh) {
  fresh.hidden = old.hidden;
  const fields = (element) => [...element.querySelectorAll("input, textarea, select")];
  const key = (field) => `${field.name}=${["checkbox", "radio"].includes(field.type) ? field.value : ""}`;
  const before = new Map(fields(old).map((field) => [key(field), field]));
  for (const field of fields(fresh)) {
    const was = before.get(key(field));
    if (!was || field.disabled) continue;
    if (field.type === "checkbox" || field.type === "radio") field.checked = was.checked;
    else if (field.type !== "hidden") field.value = was.value;
  }
  const pairs = (selector) => {
    const then = old.querySelectorAll(selector);
    return [...fresh.querySelectorAll(selector)].map((element, at) => [then[at], element]);
  };
  for (const [was, is] of pairs("details")) if (was?.open) is.open = true;
  for (const [was, is] of pairs("[data-guard='reasons']")) if (was) is.hidden = was.hidden;
}

function focusables(within) {
  return [...within.querySelectorAll("a[href], button, input, summary, select, textarea")];
}
