// Press and hold: what bystanders must not read is only there while a member of staff wants it, by finger or by key.

const HOLD_MS = 700;
const STAYS_MS = 6_000;

export function startHold() {
  let timer = 0;
  let button = null;

  const show = () => {
    const detail = document.getElementById(button?.dataset.hold);
    if (!detail) return;
    detail.hidden = false;
    detail.setAttribute("role", "status");
    setTimeout(() => (detail.hidden = true), STAYS_MS);
  };
  const press = (target) => {
    if (button) return;
    button = target;
    button.dataset.holding = "";
    timer = setTimeout(show, HOLD_MS);
  };
  const release = () => {
    clearTimeout(timer);
    delete button?.dataset.holding;
    button = null;
  };
  const held = (event) => event.target.closest?.("[data-hold]");

  document.addEventListener("pointerdown", (event) => held(event) && press(held(event)));
  document.addEventListener("keydown", (event) => {
    if (held(event) && (event.key === " " || event.key === "Enter")) {
      event.preventDefault();
      press(held(event));
    }
  });
  for (const end of ["pointerup", "pointercancel", "keyup", "blur"]) window.addEventListener(end, () => button && release());
  document.addEventListener("contextmenu", (event) => held(event) && event.preventDefault());
}
