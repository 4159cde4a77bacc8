// Card readers and scanners that pretend to be a keyboard. A reader types its number in milliseconds and ends with
// Enter or Tab; a person does not. While keys come that fast they are held back from the page: a reader's number
// never lands in a field, and a quick typist gets every letter, a blink later.

import { post } from "./act.js";

export const GAP_MS = 100; // a slower gap is a person
const BROKEN_MS = 1_000; // what follows a burst without an end this soon may be the rest of it: no whole number
const SHORTEST = 4;
const LONGEST = 512; // a delegate's pass; a card number is far shorter

// `url`, `more`: where the number goes, and what is said beside it; by default a read at the access point.
export function startWedge(accessPoint, onAnswer = () => {}, { url, more = { scheme: "number" } } = {}) {
  if (!accessPoint) return;
  const to = url ?? `/wedge/${encodeURIComponent(accessPoint)}`;
  let typed = ""; // of the present burst
  let held = ""; // the part of it that no field has seen
  let field = null; // where the first key of the burst went
  let before = ""; // what that field held then
  let lastMs = -Infinity;
  let brokenMs = -Infinity;
  let beganMs = 0;
  let timer = 0;

  const reset = () => {
    clearTimeout(timer);
    typed = held = "";
    field = null;
  };

  const giveBack = () => {
    const text = held;
    const target = field;
    if (typed) brokenMs = lastMs;
    reset();
    if (text && target?.isConnected && typeof target.setRangeText === "function") {
      target.setRangeText(text, target.selectionStart ?? target.value.length, target.selectionEnd ?? target.value.length, "end");
      target.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  const finish = async () => {
    const value = typed;
    const whole = beganMs - brokenMs >= BROKEN_MS;
    if (field?.isConnected && field.value !== before) {
      field.value = before;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    reset();
    // Half a number could be somebody else's: the card is tapped again instead.
    if (whole) onAnswer(await post(to, { access_point: accessPoint, value, ...more }));
  };

  const key = (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey || event.key === "Shift") return;
    const fast = event.timeStamp - lastMs < GAP_MS;
    if (typed && !fast) giveBack();
    lastMs = event.timeStamp;
    if (event.key === "Enter" || event.key === "Tab") {
      if (fast && typed.length >= SHORTEST) {
        event.preventDefault();
        event.stopImmediatePropagation();
        finish();
      } else giveBack();
      return;
    }
    if (!/^[\x21-\x7e]$/.test(event.key) || typed.length >= LONGEST) return giveBack();
    if (!typed) {
      beganMs = event.timeStamp;
      field = editable(event.target);
      before = field?.value ?? "";
      typed = event.key;
    } else {
      typed += event.key;
      held += event.key;
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    clearTimeout(timer);
    timer = setTimeout(giveBack, GAP_MS);
  };
  window.addEventListener("keydown", key, { capture: true });
}

function editable(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement ? target : null;
}
