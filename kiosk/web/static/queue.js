// What a teacher did while the line was cut: kept on this device, shown, and sent in order when the line is back.
// Only roll calls and acceptances wait. A release never does.

import { act } from "./act.js";
import { strip } from "./live.js";
import { now } from "./time.js";
import { say } from "./words.js";

const KEY = "queue";
const MOST = 50;
const RETRY_MS = 15_000;
const SENT_MS = 4_000;

let sending = false;

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY) || "[]");
  } catch {
    return [];
  }
}

function write(items) {
  localStorage.setItem(KEY, JSON.stringify(items));
  show();
}

const same = (a, b) => a.name === b.name && (a.body.roster ?? a.body.handover) === (b.body.roster ?? b.body.handover);

// Posts now, or keeps it. -> {outcome, words, queued}
export async function send(name, body) {
  const said = read().length ? { offline: true } : await act(name, body);
  if (!said.offline) return { ...said, queued: false };
  const item = { name, body: { ...body, meant_ms: Math.round(now()) } };
  const others = read().filter((other) => !same(other, item));
  if (others.length >= MOST) return { outcome: "refused", words: say("not_sent"), queued: false };
  write([...others, item]);
  flush();
  return { outcome: "ask_guard", words: say("queued", { n: others.length + 1 }), queued: true };
}

export async function flush() {
  if (sending) return;
  sending = true;
  let sent = 0;
  let trouble = "";
  try {
    for (let item = read()[0]; item; item = read()[0]) {
      const said = await act(item.name, item.body);
      if (said.offline) break;
      write(read().slice(1));
      if (said.outcome === "refused") trouble = said.words;
      else {
        sent += 1;
        document.dispatchEvent(new CustomEvent("sent", { detail: item }));
      }
    }
  } finally {
    sending = false;
  }
  if (trouble) strip(trouble, "");
  else if (sent) strip(say("sent", { n: sent }), "good", SENT_MS);
}

function show() {
  const element = document.getElementById("queue-strip");
  if (!element) return;
  const waiting = read().length;
  element.hidden = waiting === 0;
  element.textContent = waiting ? say("queued", { n: waiting }) : "";
}

export function startQueue() {
  show();
  flush();
  window.addEventListener("online", flush);
  setInterval(() => read().length && flush(), RETRY_MS);
}
