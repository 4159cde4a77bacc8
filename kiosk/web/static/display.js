// The public screen: the gate's answer fills it, then it clears itself; the next card cuts it short.

import { connect } from "./live.js";
import { startClock } from "./time.js";
import { play } from "./tones.js";
import { startNoCard } from "./no_card.js";
import { startWedge } from "./wedge.js";

const DEAD_AFTER_MS = 15_000; // this long without the controller, the screen says so in full
const LONG_WORD = 6; // characters; longer ones are set smaller

const accessPoint = document.body.dataset.accessPoint;
const screen = document.getElementById("answer");
let clearTimer = 0;
let deadTimer = 0;
let shown = "";

export function showAnswer(answer) {
  if (!answer?.state) return;
  const key = `${answer.at_ms}|${answer.state}|${answer.name}`;
  if (answer.at_ms && key === shown) return; // the same answer, by the stream and by the reply
  shown = key;
  for (const place of screen.querySelectorAll("[data-answer]")) place.textContent = answer[place.dataset.answer] ?? "";
  screen.querySelector(".answer-word").toggleAttribute("data-long", (answer.word ?? "").length > LONG_WORD);
  screen.dataset.state = answer.state;
  screen.hidden = true;
  void screen.offsetWidth; // a second answer arrives as visibly as the first
  screen.hidden = false;
  play(answer.tone);
  clearTimeout(clearTimer);
  clearTimer = setTimeout(() => (screen.hidden = true), answer.hold_ms || 1_200);
}

function link(state) {
  const dot = document.getElementById("health-link");
  if (dot) dot.dataset.health = state;
  const lost = document.getElementById("lost");
  clearTimeout(deadTimer);
  if (state === "lost") deadTimer = setTimeout(() => (lost.hidden = false), DEAD_AFTER_MS);
  else lost.hidden = true;
}

startClock();
connect({ onAnswer: showAnswer, onLink: link });
startWedge(accessPoint, showAnswer);
startNoCard(accessPoint, showAnswer);
