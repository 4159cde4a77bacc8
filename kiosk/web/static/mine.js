// A piece is the same bytes for everybody. What concerns one person only carries that person's number, and is shown to that
// person: `data-for="130"`, with `data-or="duty_leader"` to whoever holds that role too; `data-not-for` is the reverse.

const { staff = "", roles = "" } = document.body.dataset;
const held = new Set(roles.split(" "));

export const me = () => Number(staff);

function show(element) {
  const { for: whose, notFor, or: role } = element.dataset;
  if (whose !== undefined) element.hidden = !(whose === staff || (role && held.has(role)));
  if (notFor !== undefined) element.hidden = notFor === staff;
}

export function startMine() {
  const every = (within) => {
    if (within.matches?.("[data-for], [data-not-for]")) show(within);
    for (const element of within.querySelectorAll("[data-for], [data-not-for]")) show(element);
  };
  every(document);
  document.addEventListener("piece", (event) => every(event.detail));
}
