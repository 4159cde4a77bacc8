// Nothing moves under the thumb: when something appears or goes above the rows, the page scrolls by as much, so that the row
// that is being read or touched stays where it was.

const TOUCHED_MS = 10_000;
const SETTLE_MS = 4_000;

let anchor = null; // {id, top}
let touchedMs = 0;
let waiting = false;

const list = () => document.getElementById("roster-rows");
const touched = () => Date.now() - touchedMs < TOUCHED_MS;

function note(row) {
  const bottom = document.getElementById("bar")?.getBoundingClientRect().bottom ?? 0;
  const found = row ?? [...(list()?.children ?? [])].find((each) => each.getBoundingClientRect().top >= bottom);
  anchor = found?.id ? { id: found.id, top: found.getBoundingClientRect().top } : null;
}

function hold() {
  const row = anchor && document.getElementById(anchor.id);
  if (!row || (!touched() && window.scrollY === 0)) return note();
  const moved = row.getBoundingClientRect().top - anchor.top;
  if (Math.abs(moved) < 1) return;
  const short = -(window.scrollY + moved);
  if (short > 0) lend(short); // the page cannot scroll above its top: lend it some room for a moment
  window.scrollBy({ top: moved, behavior: "instant" });
}

function lend(pixels) {
  const page = document.querySelector(".roster[data-roster]");
  const before = parseFloat(page.style.marginTop || "0");
  page.style.marginTop = `${before + pixels}px`;
  const giveBack = () => {
    if (touched()) return setTimeout(giveBack, SETTLE_MS);
    page.style.marginTop = "";
    note();
  };
  setTimeout(giveBack, SETTLE_MS);
}

export function startStill() {
  document.addEventListener("pointerdown", (event) => {
    touchedMs = Date.now();
    note(event.target.closest?.("#roster-rows > .row"));
  });
  window.addEventListener(
    "scroll",
    () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        note(anchor && touched() ? document.getElementById(anchor.id) : undefined);
      });
    },
    { passive: true },
  );
  document.addEventListener("piece", (event) => event.detail.id && !event.detail.id.startsWith("row-") && hold());
  for (const id of ["queue-strip", "link-strip"]) {
    const strip = document.getElementById(id);
    if (strip) new ResizeObserver(hold).observe(strip);
  }
  note();
}
