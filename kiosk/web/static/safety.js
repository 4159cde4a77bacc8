// The muster page, the gate register, and the list of those who still wait: each starts what it has.

import { startMuster } from "./muster.js";
import { startRegister } from "./register.js";
import { startStaff } from "./staff.js";

document.addEventListener("click", (event) => event.target.closest("[data-print]") && window.print());
addEventListener("beforeprint", () => {
  for (const closed of document.querySelectorAll("main details:not([open])")) {
    closed.open = true;
    closed.dataset.opened = "print";
  }
});
addEventListener("afterprint", () => {
  for (const opened of document.querySelectorAll('[data-opened="print"]')) {
    opened.open = false;
    delete opened.dataset.opened;
  }
});

const muster = document.getElementById("muster");
if (document.getElementById("register")) startRegister();
startStaff(muster ? startMuster(muster) : {});
