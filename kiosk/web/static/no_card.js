// A pupil without a card: class, then seat, on keys that a glove can hit. The guard confirms who it is.

import { act } from "./act.js";
import { say } from "./words.js";

const IDLE_MS = 20_000; // an abandoned pad goes away
const DIGITS = 2;

export function startNoCard(accessPoint, showAnswer) {
  const pad = document.getElementById("pad");
  const open = document.getElementById("no-card");
  if (!pad || !open) return;
  const part = (name) => pad.querySelector(`[data-pad="${name}"]`);
  const title = document.getElementById("pad-title");
  let home = "";
  let seat = "";
  let timer = 0;

  const awake = () => {
    clearTimeout(timer);
    timer = setTimeout(() => pad.close(), IDLE_MS);
  };
  const step = (classId, name = "") => {
    home = classId;
    seat = "";
    part("classes").hidden = Boolean(classId);
    part("seat").hidden = !classId;
    part("class-name").textContent = name;
    title.textContent = classId ? title.dataset.seatWords : title.dataset.classWords;
    status("");
    entry();
  };
  const entry = () => (part("entry").textContent = seat || "–");
  const status = (text) => (part("status").textContent = text);

  const digit = (key) => {
    if (key === "erase") seat = seat.slice(0, -1);
    else if (seat.length < DIGITS) seat += key;
    entry();
  };
  const claim = async (button) => {
    if (!Number(seat)) return status(say("no_seat"));
    button.disabled = true;
    status(say("busy"));
    const said = await act("seat_claim", { access_point: accessPoint, class_id: home, seat: Number(seat) });
    button.disabled = false;
    if (said.offline || said.outcome === "refused") return status(said.words);
    pad.close();
    showAnswer(said.display ?? said);
  };

  open.addEventListener("click", () => {
    step("");
    pad.showModal();
    awake();
  });
  pad.addEventListener("close", () => clearTimeout(timer));
  pad.addEventListener("click", (event) => {
    awake();
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.class) step(button.dataset.class, button.dataset.name);
    else if (button.dataset.digit === "ok") claim(button);
    else if (button.dataset.digit) digit(button.dataset.digit);
    else if (button.dataset.pad === "back") home ? step("") : pad.close();
  });
}
