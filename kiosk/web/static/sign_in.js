// Signing in: one press is one try. A staff card at the desk's reader fills in who is asking; the PIN is still typed.

import { post } from "./act.js";
import { startWedge } from "./wedge.js";

const MOST_WAITS = 40; // each about 25 s: an abandoned page stops asking

const form = document.querySelector(".sign-form");
let desk = "";
try {
  desk = localStorage.getItem("desk") || ""; // the guard's page left it here;
} catch {
  // a browser without storage types the number
}

function fill(found) {
  if (!found?.staff_number) return;
  form.elements.staff_number.value = found.staff_number;
  form.elements.pin.focus();
}

async function waitForCard() {
  for (let waits = 0; waits < MOST_WAITS && !form.elements.staff_number.value; waits += 1) {
    const found = await post("/sign-in/card", { access_point: desk });
    if (found.offline || found.error) return;
    fill(found);
  }
}

form?.addEventListener("submit", () => {
  const button = form.querySelector('button[type="submit"]');
  setTimeout(() => (button.disabled = true));
});
if (form && desk) {
  startWedge(desk, fill, { url: "/sign-in/card", more: {} });
  waitForCard();
}
