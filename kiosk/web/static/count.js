// A second count: everybody is here until somebody is said not to be, and whoever is not is named with a reason.
// An acceptance may wait on this device while the line is cut; the page says so.

import { busy, saidNear, tell } from "./act.js";
import { strip } from "./live.js";
import { send } from "./queue.js";
import { say } from "./words.js";

const SHOWN_MS = 3_000;

const areaOf = (button) => button.closest(".detail");

// -> how many are here, and {child: reason} of the others; `open`: somebody is away and nobody has said why
function counted(area) {
  const exceptions = {};
  let here = 0;
  let open = false;
  for (const row of area.querySelectorAll(".count-child")) {
    if (!row.querySelector("[data-away]").checked) {
      here += 1;
      continue;
    }
    const why = row.querySelector('input[type="radio"]:checked')?.value;
    if (why) exceptions[row.dataset.child] = why;
    else open = true;
  }
  return { here, exceptions, open };
}

function paint(button) {
  const { here, exceptions, open } = counted(areaOf(button));
  const words = button.querySelector("[data-count-words]");
  words.textContent = words.dataset.countWords.replace("{n}", here);
  const except = button.querySelector("[data-count-except]");
  const n = Object.keys(exceptions).length;
  except.textContent = n ? except.dataset.countExcept.replace("{n}", n) : "";
  button.disabled = open;
}

async function press(button) {
  const { here, exceptions } = counted(areaOf(button));
  const body = { ...JSON.parse(button.dataset.body), counted: here, exceptions };
  const label = areaOf(button).querySelector("h2").textContent.trim();
  const said = await busy(button, () => send(button.dataset.countAct, body, label));
  tell(saidNear(button), said);
  if (said.outcome === "granted") strip(say(button.dataset.done, { n: here }), "good", SHOWN_MS);
}

export function startCount() {
  const every = (within) => {
    for (const button of within.querySelectorAll("[data-count-act]")) paint(button);
  };
  every(document);
  document.addEventListener("piece", (event) => every(event.detail));
  document.addEventListener("change", (event) => event.target.closest?.(".count-child") && every(areaOf(event.target)));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-count-act]");
    if (button && !button.disabled) press(button);
  });
}
