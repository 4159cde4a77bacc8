// The year view: arrow keys walk through the days, Enter opens one. Without scripts every day is a plain link.

const days = [...document.querySelectorAll("[data-days] [data-day]")];
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, PageUp: -28, PageDown: 28 };

function stand(day, focus) {
  for (const one of days) one.tabIndex = one === day ? 0 : -1;
  if (focus) day.focus();
}

if (days.length) {
  stand(days.find((day) => "chosen" in day.dataset) ?? days.find((day) => day.hasAttribute("aria-current")) ?? days[0], false);
  document.querySelector("[data-days]").addEventListener("keydown", (event) => {
    const at = days.indexOf(event.target);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = event.key === "Home" ? 0 : event.key === "End" ? days.length - 1 : at + (STEPS[event.key] ?? NaN);
    if (!days[to]) return;
    event.preventDefault();
    stand(days[to], true);
  });
}
document.querySelector("[data-print]")?.addEventListener("click", () => print());
