// What a member of staff did while the line was cut: kept on this device, shown item by item with its age, and sent in order
// when the line is back. Only roll calls, counts and acceptances wait. A release never does.
// Nothing here is ever shown as accepted: that is the gate's word. Each item is sent by whoever noted it, and by nobody else.

import { act } from "./act.js";
import { strip } from "./live.js";
import { now, tick } from "./time.js";
import { say } from "./words.js";

const KEY = "queue";
const MOST = 50;
const RETRY_MS = 15_000;
const SENT_MS = 4_000;
const BUSY_MS = 25_000; // another tab of this device is sending it
const OLDEST_MS = 3 * 3_600_000; // then it belongs to another moment
const ASK_AGAIN = new Set([401, 403, 429, 500, 502, 503, 504]); // the gate has not decided

const me = document.body?.dataset.staff || "";
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
  document.dispatchEvent(new CustomEvent("queue"));
}

const change = (id, more) => write(read().map((item) => (item.id === id ? { ...item, ...more } : item)));
const drop = (id) => write(read().filter((item) => item.id !== id));

const about = ({ body }) => body.roster ?? body.handover ?? body.escort ?? body.group ?? body.shift ?? body.child;
const overlap = (a, b) => (a.body.children ?? []).some((child) => b.body.children?.includes(child));
// The later press replaces the earlier one about the same thing, or about the same children.
const same = (a, b) =>
  a.name === b.name && (a.staff ?? "") === (b.staff ?? "") && (about(a) === undefined ? overlap(a, b) : about(a) === about(b));
const mine = (item) => !item.staff || item.staff === me;
const waits = (item) => !item.state && mine(item);

export const waiting = (name, body) => read().some((item) => waits(item) && same(item, { name, body, staff: me }));

// Posts now, or keeps it. label: what stands in the list. -> {outcome, words, queued}
export async function send(name, body, label = "") {
  const said = read().some(waits) ? { offline: true } : await act(name, body);
  if (!said.offline && said.status !== 401) return { ...said, queued: false }; // signed out: sent after signing in again
  const at = Math.round(now());
  const item = { id: `${at}-${Math.random().toString(36).slice(2)}`, name, label, staff: me, body: { ...body, meant_ms: at } };
  const others = read().filter((other) => other.state || !same(other, item));
  if (others.length >= MOST) return { outcome: "refused", words: say("not_sent"), queued: false };
  write([...others, item]);
  flush();
  return { outcome: "ask_guard", words: say("queued_one"), queued: true };
}

export async function flush() {
  if (sending) return;
  sending = true;
  let sent = 0;
  try {
    for (let item = next(); item; item = next()) {
      if (now() - item.body.meant_ms > OLDEST_MS) {
        change(item.id, { state: "old" });
        continue;
      }
      change(item.id, { busyMs: Date.now() });
      const said = await act(item.name, item.body);
      if (said.offline || ASK_AGAIN.has(said.status)) {
        change(item.id, { busyMs: 0 });
        break;
      }
      if (said.outcome === "refused") change(item.id, { state: "refused", words: said.words });
      else {
        drop(item.id);
        sent += 1;
        document.dispatchEvent(new CustomEvent("sent", { detail: item }));
      }
    }
  } finally {
    sending = false;
  }
  if (sent) strip(say("sent", { n: sent }), "good", SENT_MS);
}

const next = () => read().find((item) => waits(item) && !(item.busyMs > Date.now() - BUSY_MS));

// --- what is shown ---------------------------------------------------------------------------------------

function show() {
  const element = document.getElementById("queue-strip");
  if (!element) return;
  const items = read();
  element.hidden = items.length === 0;
  const head = document.createElement("b");
  const count = items.filter((item) => !item.state).length;
  head.textContent = count ? say("queued", { n: count }) : "";
  element.replaceChildren(...(count ? [head] : []), ...items.map(line));
  tick(element);
}

function line(item) {
  const row = document.createElement("p");
  row.className = "queue-item";
  row.dataset.state = item.state ?? (mine(item) ? "waiting" : "others");
  const label = document.createElement("b");
  label.textContent = item.label || say("queue_item");
  const what = document.createElement("span");
  what.textContent = {
    refused: say("queue_refused", { words: item.words }),
    old: say("queue_old"),
    others: say("queue_others"),
    waiting: say("queued_one"),
  }[row.dataset.state];
  const age = document.createElement("time");
  age.className = "num tick";
  age.dataset.since = item.body.meant_ms;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = say(item.state ? "queue_seen" : "queue_cancel");
  button.addEventListener("click", () => drop(item.id));
  row.append(label, " ", what, " ", age, ...(row.dataset.state === "others" ? [] : [button]));
  return row;
}

// Items that an older version of this page kept have no number yet.
function numbered() {
  const items = read();
  if (items.every((item) => item.id)) return;
  write(items.map((item, at) => (item.id ? item : { ...item, id: `old-${at}-${item.body.meant_ms}` })));
}

export function startQueue() {
  numbered();
  show();
  flush();
  window.addEventListener("online", flush);
  window.addEventListener("storage", (event) => event.key === KEY && show());
  setInterval(() => read().some(waits) && flush(), RETRY_MS);
}
