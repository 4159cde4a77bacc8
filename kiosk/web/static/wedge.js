// Card readers and scanners that pretend to be a keyboard. A reader types its number in milliseconds and ends with
// Enter or Tab; a person does not. While keys come that fast they are held back from the page: a reader's number
// never lands in a field, and a quick typist gets every letter, a blink later.

import { post } from "./act.js";

export const GAP_MS = 100; // a slower gap is a person
const SHORTEST = 4;
const LONGEST = 64;

export function startWedge(accessPoint, onAnswer = () => {}, url = `/wedge/${encodeURIComponent(accessPoint)}`, more = { scheme: "number" }) {
  if (!accessPoint) return;
  let typed = ""; // of the present burst
  let held = ""; // the part of it that no field has seen
  let field = null; // where the first key of the burst went
  let before = ""; // what that field held then
  let lastMs = -Infinity;
  let timer = 0;

  const reset = () => {
    clearTimeout(timer);
    typed = held = "";
    field = null;
  };

  const giveBack = () => {
    const text = held;
    const target = field;
    reset();
    if (text && target?.isConnected && typeof target.setRangeText === "function") {
      target.setRangeText(text, target.selectionStart ?? target.value.length, target.selectionEnd ?? target.value.length, "end");
      target.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  const finish = async () => {
    const value = typed;
    if (field?.isConnected && field.value !== before) {
      field.value = before;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    reset();
    onAnswer(await post(url, { access_point: accessPoint, value, ...more }));
  };

  const key = (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey || event.key === "Shift") return;
    const fast = event.timeStamp - lastMs < GAP_MS;
    lastMs = event.timeStamp;
    if (typed && !fast) giveBack();
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
